/** What a model's file says that its owner should know is said wherever its training is looked at, not only once it runs. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mini, withMetadata, workspace, writeRows } from './support.ts';

const patience = 60_000;
const { folder, nomoat } = workspace();
writeRows(join(folder, 'ok.jsonl'), [{ prompt: 'say 1', completion: 'word 1' }]);
withMetadata(mini, join(folder, 'odd.gguf'), { 'llama.attention.sliding_window': { type: 'uint32', value: 64 } });
const note = /The model's file states llama\.attention\.sliding_window = 64: llama\.cpp computes without it/;
const odd = ['ok.jsonl', '--model', 'odd.gguf'];

test('preview and plan say it', { timeout: patience }, () => {
  expect(nomoat(['preview', ...odd]).out).toMatch(note);
  const counts = JSON.parse(
    nomoat(['preview', ...odd, '--json'])
      .out.trim()
      .split('\n')
      .at(-1)!,
  );
  expect(counts.notes.join()).toMatch(note);
  expect(nomoat(['plan', ...odd]).out).toMatch(note);
  expect(JSON.parse(nomoat(['plan', ...odd, '--json']).out).notes.join()).toMatch(note);
  expect(nomoat(['preview', 'ok.jsonl']).out).not.toMatch(/The model's file/);
});
