import { expect, test } from 'vitest';
import { mutations } from './mutate.ts';

const bytes = new TextEncoder().encode('{"prompt": "a", "completion": "b"}\n'.repeat(20));
const all = (seed: number): string[] =>
  [...mutations(bytes, seed, 300)].map((m) => Buffer.from(m.bytes).toString('latin1'));

test('the same mutants for a seed, others for another; the original stays as it is', () => {
  const before = Buffer.from(bytes).toString();
  expect(all(1)).toEqual(all(1));
  expect(all(1)).not.toEqual(all(2));
  expect(Buffer.from(bytes).toString()).toBe(before);
});

test('nearly all differ from the original and from each other, and every kind of change is made', () => {
  expect(new Set(all(3)).size).toBeGreaterThan(270);
  expect(all(3).filter((text) => text === Buffer.from(bytes).toString('latin1')).length).toBeLessThan(5);
  const kinds = new Set([...mutations(bytes, 3, 300)].flatMap(({ how }) => how.split(', ')));
  expect(kinds.size).toBe(13);
});

test('an empty file has mutants, too: itself', () => {
  expect([...mutations(new Uint8Array(0), 1, 2)].map((m) => m.bytes.length)).toEqual([0, 0]);
});
