import { PassThrough } from 'node:stream';
import { afterEach, expect, test, vi } from 'vitest';
import type { RunEvent } from '../events.ts';
import { Progress } from './progress.ts';

afterEach(() => void vi.unstubAllEnvs());

const step = (n: number): RunEvent => ({
  type: 'step-end',
  step: n,
  loss: 1,
  gradientNorm: 1,
  learningRate: 1,
  tokens: 10,
  supervisedTokens: 10,
  tokensPerSecond: 10,
});

const ready: RunEvent = {
  type: 'data-ready',
  format: 'messages',
  rows: 2,
  tokens: 20,
  supervisedTokens: 20,
  truncatedRows: 0,
  refusedRows: 0,
  splitRows: 0,
  refusals: {},
  refused: [],
  duplicateRows: 0,
  leakedRows: 0,
  validationRows: 0,
  validationTokens: 0,
  validationSupervisedTokens: 0,
  stepsPerEpoch: 2,
  steps: 2,
};

/** All that was written; from Node 26 on one `read()` gives a single piece of it. */
function written(out: PassThrough): string {
  const pieces: unknown[] = [];
  for (let piece = out.read(); piece !== null; piece = out.read()) pieces.push(piece);
  return pieces.join('');
}

/** What two steps and a notice show on a stream. */
function shown(stream: { isTTY?: boolean; columns?: number }): string {
  const out = Object.assign(new PassThrough(), stream);
  const progress = new Progress(out);
  progress.show(ready);
  written(out);
  for (const event of [step(0), step(1), { type: 'notice', code: 'x', message: 'said' } as const]) progress.show(event);
  return written(out);
}

test('a bar on a terminal writes over itself without codes, and never in the last column', () => {
  vi.stubEnv('TERM', 'xterm');
  const text = shown({ isTTY: true, columns: 60 });
  expect(text).not.toContain('\u001b');
  const [, first, second, blank, rest] = text.split('\r');
  for (const part of [first, second, blank]) expect(part!.length).toBeLessThan(60);
  expect(second).toMatch(/^\[#+\s*\] step 2\/2 {2}loss 1\.0000/);
  expect(blank!.trim()).toBe('');
  expect(rest).toBe('said\n');
});

test('lines where the cursor cannot be moved', () => {
  vi.stubEnv('TERM', 'dumb');
  for (const stream of [{ isTTY: true }, {}]) {
    const text = shown(stream);
    expect(text).not.toMatch(/\r|\[#/);
    expect(text.split('\n')).toHaveLength(4);
  }
});
