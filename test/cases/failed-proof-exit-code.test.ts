/** A proof that fails makes a failed run: exit code, state and report say so, and what can still be used. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/events.ts';
import { openGguf } from '../../src/formats/gguf/read.ts';
import { writeGguf } from '../../src/formats/gguf/write.ts';
import { fixtures, workspace } from './support.ts';

const patience = 120_000;
const { folder, nomoat } = workspace();
const data = join(fixtures, 'cache-not-writable/ok.jsonl');
const usual = ['tune', data, '--max-steps', '2', '--safety-share', '0', '--yes'];

/** llama.cpp computes something else: its copy of the base has another norm. */
function spoilCopy(): void {
  const cache = join(folder, 'home/parity');
  const path = join(cache, readdirSync(cache)[0]!);
  const model = openGguf(path);
  const bytes = (name: string): Uint8Array => {
    const read = model.readBytes(name);
    return name === 'output_norm.weight'
      ? new Uint8Array(
          Float32Array.from(new Float32Array(read.buffer, read.byteOffset, read.length / 4), (x) => 1.5 * x).buffer,
        )
      : read;
  };
  const tensors = [...model.tensors.values()].map((info) => ({ ...info, bytes: () => bytes(info.name) }));
  writeGguf(path, { metadata: model.metadata, tensors }, { overwrite: true });
  model.close();
}

beforeAll(() => {
  expect(nomoat([...usual, '--run', 'good']).code).toBe(0);
  spoilCopy();
}, patience);

describe('a failed proof', { timeout: patience }, () => {
  const sentence =
    /llama\.cpp does not compute what was trained: it differs by [\d.]+ nats on average on \S+\.F32\.gguf, above the bound of 0\.03\. What was trained is in adapter_model\.safetensors, which PEFT computes with/;

  test('ends the run with exit code 3, a state of its own and a report', () => {
    const { code, err } = nomoat([...usual, '--run', 'bad']);
    expect(err).toMatch(/bound 0\.03: FAILED/);
    expect(err).toMatch(sentence);
    expect(err).toMatch(/Trained, but its proof failed, after .*adapter in \S*bad\/adapter/);
    expect(err).not.toMatch(/^(Done|Next:)/m);
    expect(code).toBe(3);
    const record = JSON.parse(readFileSync(join(folder, 'bad/run.json'), 'utf8'));
    expect(record).toMatchObject({ state: 'proof-failed', verdict: expect.stringMatching(sentence) });
    const report = readFileSync(join(folder, 'bad/report.html'), 'utf8');
    expect(report).toMatch(/Not to be trusted: llama.cpp does not compute what was trained/);
  });

  test('is an event with --json, and the same again when the run is resumed', () => {
    const { code, out } = nomoat(['tune', '--resume', 'bad', '--json']);
    const events = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as RunEvent);
    expect(events.at(-1)).toMatchObject({
      type: 'run-end',
      state: 'proof-failed',
      verdict: expect.stringMatching(sentence),
    });
    expect(events.find((e) => e.type === 'notice' && e.code === 'parity-failed')).toBeDefined();
    expect(events.filter((e) => e.type === 'step-end')).toEqual([]);
    expect(code).toBe(3);
  });

  test('is said where the result is used, but not where it can be', () => {
    const chat = nomoat(['chat', 'bad', '--prompt', 'hi', '--max-tokens', '3']);
    expect(chat.err).toMatch(sentence);
    const gguf = nomoat(['export', 'bad', '--to', 'gguf', '--out', 'bad.gguf']);
    expect(gguf.err).toMatch(sentence);
    const peft = nomoat(['export', 'bad', '--to', 'peft', '--out', 'bad-peft']);
    expect([peft.err, peft.code]).toEqual(['', 0]);
    expect(nomoat(['tune', '--help']).code).toBe(0);
    expect(nomoat(['--help']).out).toMatch(/3 the run ended but its result is not to be trusted/);
  });

  test('is mended by resuming once llama.cpp computes what was trained', () => {
    nomoat(['models', '--prune']);
    const { code, err } = nomoat(['tune', '--resume', 'bad']);
    expect(err).toMatch(/bound 0\.03: passed/);
    expect(code, err).toBe(0);
    const record = JSON.parse(readFileSync(join(folder, 'bad/run.json'), 'utf8'));
    expect(record.state).toBe('done');
    expect(record.verdict).toBeUndefined();
  });
});
