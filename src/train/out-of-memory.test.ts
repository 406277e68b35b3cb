import { expect, test } from 'vitest';
import { NomoatError } from '../errors.ts';
import { outOfMemory } from './out-of-memory.ts';

test.each([
  'std::bad_alloc',
  'bad allocation',
  'Array buffer allocation failed',
  'Non-zero status code returned while running MatMul node. bfc_arena.cc:376 AllocateRawInternal Failed to allocate memory for requested buffer of size 4096',
  'Failed to allocate memory for buffer',
  'Device lost: out of memory',
  'mmap: Cannot allocate memory',
])('%s', (message) => expect(outOfMemory(new Error(message))).toBe(true));

test.each([
  new NomoatError({ part: '/data/allocations/m.gguf', fault: 'ended early: out of memory', remedy: 'Look.' }),
  Object.assign(new Error("EIO: i/o error, read '/data/alloc/m.gguf'"), { code: 'EIO' }),
  Object.assign(new Error("ENOENT: no such file '/bad_alloc'"), { code: 'ENOENT', path: '/bad_alloc' }),
  new Error('the file /srv/allocations/base.gguf ended early'),
  new Error('reallocated rows do not match'),
  new TypeError('allocator is not a function'),
  'out of memory',
])('%s is something else', (error) => expect(outOfMemory(error)).toBe(false));

test("the system's own code counts", () => {
  expect(outOfMemory(Object.assign(new Error('ENOMEM: not enough memory, read'), { code: 'ENOMEM' }))).toBe(true);
  const failed = { code: 'ERR_MEMORY_ALLOCATION_FAILED' };
  expect(outOfMemory(Object.assign(new Error('Failed to allocate memory'), failed))).toBe(true);
});
