import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Death, deathError, lookAtMemory, type MemoryLook, memoryEvidence, memoryKills } from './worker-death.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-death-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
/** A file below a folder that stands for the root of the system. */
const put = (root: string, path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};

const roomy: MemoryLook = {
  residentBytes: 1e9,
  totalBytes: 8e9,
  availableBytes: 5e9,
  addressBytes: 3e9,
  addressLimitBytes: null,
};
const died = (change: Partial<Death>): Death => ({
  code: null,
  signal: null,
  lastWords: '',
  kernelKilled: false,
  look: roomy,
  ...change,
});

test.each<[string, Partial<Death>, RegExp | null]>([
  ['a crash with memory to spare', { signal: 'SIGSEGV' }, null],
  ['a crash of which nothing was seen', { signal: 'SIGSEGV', look: null }, null],
  ['an engine that gave up', { signal: 'SIGABRT', lastWords: 'Check failed: x > 0' }, null],
  ['an allocation that failed', { signal: 'SIGABRT', lastWords: "what():  std::bad_alloc\n'" }, /bad_alloc/],
  ["V8's heap", { signal: 'SIGABRT', lastWords: 'JavaScript heap out of memory' }, /out of memory/],
  [
    'a crash when memory was scarce',
    { signal: 'SIGSEGV', look: { ...roomy, availableBytes: 1e8 } },
    /100 MB of 8.0 GB/,
  ],
  ['a limited address space', { signal: 'SIGSEGV', look: { ...roomy, addressLimitBytes: 4e9 } }, /limited to 4.0 GB/],
  ['a kill by the kernel', { signal: 'SIGKILL', kernelKilled: true }, /the kernel killed it/],
  ['a kill by somebody', { signal: 'SIGKILL', kernelKilled: null, look: { ...roomy, availableBytes: 1e8 } }, null],
  ['an illegal instruction', { signal: 'SIGILL', look: { ...roomy, availableBytes: 1e8 } }, null],
])('%s', (_, change, evidence) => {
  const found = memoryEvidence(died(change));
  if (evidence === null) expect(found).toBe(null);
  else expect(found).toMatch(evidence);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s before it listens is an interrupt, not a fault to report',
  (signal) => {
    const error = deathError(join(folder, 'none'), died({ signal }), null);
    expect(error.kind).toBe('interrupted');
    expect(error.message).toBe(
      `the training process: was ended from outside (${signal}). Nothing had been written: start it again.`,
    );
  },
);

describe('the advice', () => {
  const said = (change: Partial<Death>, run = join(folder, 'none')): string => {
    const death = died(change);
    return deathError(run, death, memoryEvidence(death)).message;
  };

  test('names memory only where something speaks for it', () => {
    const crash = said({ signal: 'SIGSEGV' });
    expect(crash).toMatch(/crashed in native code \(SIGSEGV\); it held 1\.0 GB, 5\.0 GB of 8\.0 GB were free/);
    expect(crash).not.toMatch(/smaller|want of memory/);
    expect(said({ signal: 'SIGABRT', lastWords: 'std::bad_alloc' })).toMatch(
      /for want of memory.*smaller `sequenceLength`/,
    );
    expect(said({ signal: 'SIGBUS' })).toMatch(/model's file is whole.*disk is not full/);
    expect(said({ signal: 'SIGKILL' })).toMatch(/from outside/);
  });

  test('calls nothing safe that is not there', () => {
    expect(said({ signal: 'SIGSEGV' })).toMatch(/Nothing had been written: start it again/);
    const run = join(folder, 'run');
    put(run, 'run.json', '{}');
    expect(said({ signal: 'SIGSEGV' }, run)).toMatch(/no checkpoint yet; begin it again: `resumeTune\('/);
    put(run, 'checkpoints/000004/state.json', '{}');
    expect(said({ signal: 'SIGSEGV' }, run)).toMatch(/checkpoint after 4 steps: `resumeTune\('/);
  });
});

test('memory is read from the process and its limits, and kills from both counters', () => {
  const root = join(folder, 'root');
  put(root, 'proc/meminfo', 'MemTotal: 8000 kB\nMemAvailable: 6000 kB\n');
  put(root, 'proc/7/status', 'VmPeak:\t  900 kB\nVmRSS:\t  500 kB\n');
  put(root, 'proc/7/limits', 'Max address space         2600000000           2600000000           bytes\n');
  expect(lookAtMemory(7, root)).toEqual({
    residentBytes: 500 * 1024,
    totalBytes: 8000 * 1024,
    availableBytes: 6000 * 1024,
    addressBytes: 900 * 1024,
    addressLimitBytes: 2_600_000_000,
  });
  expect(lookAtMemory(8, root)).toBe(null);
  expect(memoryKills(root)).toBe(null);
  put(root, 'proc/vmstat', 'pgfault 3\noom_kill 2\n');
  expect(memoryKills(root)).toBe(2);
  put(root, 'proc/self/cgroup', '0::/box/inner\n');
  put(root, 'sys/fs/cgroup/memory.events', 'oom 9\noom_kill 9\n');
  put(root, 'sys/fs/cgroup/box/inner/memory.events', 'oom 1\noom_kill 1\n');
  expect(memoryKills(root)).toBe(3);
});
