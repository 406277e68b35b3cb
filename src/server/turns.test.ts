import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

const never = new AbortController().signal;

test('one at a time, in the order of asking', async () => {
  const turns = new Turns(8);
  const said: string[] = [];
  const work = async (name: string): Promise<void> => {
    const release = await turns.take(never);
    said.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    said.push(`${name} ends`);
    release();
  };
  await Promise.all(['a', 'b', 'c'].map(work));
  expect(said).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

test('it is full with one at work and as many waiting as may, and whoever leaves makes place', async () => {
  const turns = new Turns(1);
  expect(turns.full).toBe(false);
  const release = await turns.take(never);
  expect(turns.full).toBe(false);
  const leaving = new AbortController();
  const waiting = turns.take(leaving.signal);
  expect(turns.full).toBe(true);
  leaving.abort('left');
  await expect(waiting).rejects.toBe('left');
  expect(turns.full).toBe(false);
  release();
  const next = await turns.take(never);
  // Who left is not called.
  expect(turns.full).toBe(false);
  next();
  await expect(turns.take(AbortSignal.abort('gone'))).rejects.toBe('gone');
});
