import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { tune } from '../library.ts';
import { checkTuningFile } from './tuning-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-check-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const base = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');

const answer = { role: 'assistant', content: 'Paris.' };
const good = { messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Capital?' }, answer] };
const file = (name: string, rows: readonly unknown[]): string => {
  const path = join(folder, `${name}.jsonl`);
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
};

test('what passes with a model is trained on by tune, every row of it', async () => {
  const kept = {
    messages: [{ role: 'user', content: 'Hi' }, { ...answer, weight: 0 }, { role: 'user', content: 'Go on.' }, answer],
  };
  const path = file('good', [...Array(9).fill(good), kept]);
  expect(await checkTuningFile(path, { model: base })).toMatchObject({ format: 'chat', examples: 10, faults: [] });
  const run = tune({ data: path, model: base, run: join(folder, 'run'), maxSteps: 1, threads: 1, safetyShare: 0 });
  const ready = [];
  for await (const event of run) if (event.type === 'data-ready') ready.push(event);
  await run.result;
  expect(ready).toMatchObject([{ rows: 10, refusedRows: 0 }]);
});

test('what the model cannot learn is named with its line', async () => {
  const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } };
  const calling = {
    messages: [
      { role: 'user', content: 'Go.' },
      { role: 'assistant', tool_calls: [call] },
    ],
  };
  const spelling = { messages: [{ role: 'user', content: 'Say <pad>' }, answer] };
  const path = file('bad', [calling, spelling, ...Array(8).fill(good)]);
  expect(await checkTuningFile(path)).toMatchObject({ faults: [] });
  const { faults } = await checkTuningFile(path, { model: base });
  expect(faults.map(({ message }) => message)).toEqual([
    'Line 1 cannot be learnt from: the template has no place for tool_calls (message 2: 0.function.name).',
    'Line 2, message 1, key "content" contains the special token <pad>.',
  ]);
});
