import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cgroupLimits } from './cgroup.ts';
import {
  coresOfCpuinfo,
  diskFreeBytes,
  instructionSetsOf,
  machineFacts,
  memoryBytes,
  PeakMemory,
  physicalCores,
  treeMemoryBytes,
} from './machine.ts';
import { parsePs, parseTasklist } from './process-memory.ts';

const isLinux = process.platform === 'linux';
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nomoat-machine-'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function cpuinfo(cores: readonly [physical: number, core: number][]): string {
  const block = ([physical, core]: readonly [number, number], index: number): string =>
    `processor\t: ${index}\nphysical id\t: ${physical}\ncore id\t\t: ${core}\nflags\t\t: fpu avx2 avx512_vnni\n`;
  return cores.map(block).join('\n');
}

describe('cores', () => {
  test('hyper-threads share a core, sockets do not', () => {
    expect(
      coresOfCpuinfo(
        cpuinfo([
          [0, 0],
          [0, 0],
          [0, 1],
          [0, 1],
        ]),
      ),
    ).toBe(2);
    expect(
      coresOfCpuinfo(
        cpuinfo([
          [0, 0],
          [1, 0],
        ]),
      ),
    ).toBe(2);
    expect(coresOfCpuinfo('processor : 0\nBogoMIPS : 48.00\n')).toBeNull();
  });

  test('of this machine: at least one, never more than may be used', () => {
    expect(physicalCores()).toBeGreaterThanOrEqual(1);
    expect(physicalCores()).toBeLessThanOrEqual(os.availableParallelism());
  });

  test.skipIf(!isLinux)('a container quota counts, rounded down but never to none (needs Linux)', () => {
    write(
      'proc/cpuinfo',
      cpuinfo([
        [0, 0],
        [0, 1],
        [0, 2],
        [0, 3],
      ]),
    );
    expect(physicalCores(root)).toBe(Math.min(4, os.availableParallelism()));
    write('proc/self/cgroup', '0::/\n');
    write('sys/fs/cgroup/cpu.max', '150000 100000\n');
    expect(physicalCores(root)).toBe(1);
    write('sys/fs/cgroup/cpu.max', '20000 100000\n');
    expect(physicalCores(root)).toBe(1);
  });
});

describe('control groups', () => {
  test('version 2: the tightest on the way up', () => {
    write('proc/self/cgroup', '0::/user.slice/app\n');
    write('sys/fs/cgroup/user.slice/app/cpu.max', 'max 100000\n');
    write('sys/fs/cgroup/user.slice/cpu.max', '250000 100000\n');
    write('sys/fs/cgroup/user.slice/app/memory.max', 'max\n');
    write('sys/fs/cgroup/user.slice/memory.max', '4000000000\n');
    write('sys/fs/cgroup/user.slice/memory.current', '1500000000\n');
    write('sys/fs/cgroup/user.slice/memory.stat', 'anon 9\ninactive_file 500000000\n');
    expect(cgroupLimits(root)).toEqual({ processors: 2.5, memoryBytes: 4e9, memoryUsedBytes: 1e9 });
  });

  test('version 1, its number for "no limit" included', () => {
    write('proc/self/cgroup', '4:memory:/job\n2:cpu,cpuacct:/job\n0::/\n');
    write('sys/fs/cgroup/cpu/job/cpu.cfs_quota_us', '50000\n');
    write('sys/fs/cgroup/cpu/job/cpu.cfs_period_us', '100000\n');
    write('sys/fs/cgroup/cpu/cpu.cfs_quota_us', '-1\n');
    write('sys/fs/cgroup/cpu/cpu.cfs_period_us', '100000\n');
    write('sys/fs/cgroup/memory/memory.limit_in_bytes', '9223372036854771712\n');
    expect(cgroupLimits(root)).toEqual({ processors: 0.5, memoryBytes: null, memoryUsedBytes: null });
    write('sys/fs/cgroup/memory/job/memory.limit_in_bytes', '2000000000\n');
    write('sys/fs/cgroup/memory/job/memory.usage_in_bytes', '800000000\n');
    write('sys/fs/cgroup/memory/job/memory.stat', 'total_inactive_file 300000000\n');
    expect(cgroupLimits(root)).toMatchObject({ memoryBytes: 2e9, memoryUsedBytes: 5e8 });
  });

  test('none', () => {
    expect(cgroupLimits(root)).toEqual({ processors: null, memoryBytes: null, memoryUsedBytes: null });
  });
});

describe('memory and disk', () => {
  test('of the container where that is less than the machine', () => {
    write('proc/meminfo', 'MemTotal: 8000000 kB\nMemFree: 1 kB\nMemAvailable: 6000000 kB\n');
    expect(memoryBytes(root)).toEqual({ total: 8_192_000_000, available: 6_144_000_000 });
    write('proc/self/cgroup', '0::/\n');
    write('sys/fs/cgroup/memory.max', '2000000000\n');
    write('sys/fs/cgroup/memory.current', '500000000\n');
    expect(memoryBytes(root)).toEqual({ total: 2e9, available: 1.5e9 });
  });

  test('free room is that of the nearest folder that exists', () => {
    const free = diskFreeBytes(join(root, 'not', 'yet', 'there'));
    expect(free).toBeGreaterThan(0);
  });

  test('of this machine', () => {
    const facts = machineFacts();
    expect(facts.memoryAvailableBytes).toBeGreaterThan(0);
    expect(facts.memoryAvailableBytes).toBeLessThanOrEqual(facts.memoryTotalBytes);
    expect(facts.cpu).not.toBe('');
    if (isLinux) expect(facts.instructionSets.length).toBeGreaterThan(0);
  });
});

test.each([
  ['flags\t\t: fpu sse4_2 avx avx2 avx512f avx512_vnni f16c fma', 'sse4_2 avx f16c fma avx2 avx512f avx512_vnni'],
  ['Features\t: fp asimd asimddp i8mm bf16 sve', 'neon dotprod i8mm bf16 sve'],
  ['flags: FPU SSE4.2 AVX1.0 AVX2 neon FEAT_DotProd FEAT_I8MM', 'sse4_2 avx avx2 neon dotprod i8mm'],
  ['model name : avx2 in a name', ''],
])('instruction sets of "%s"', (told, expected) => {
  expect(instructionSetsOf(told).join(' ')).toBe(expected);
});

describe('memory of a process tree', () => {
  const MB = 2 ** 20;

  /** Two processes: a parent that waits and a child that holds `megabytes`; resolves when the child holds them. */
  async function startTree(megabytes: number): Promise<{ pid: number; stop: () => Promise<void> }> {
    const child = `const b = Buffer.alloc(${megabytes * MB}, 1); console.log('ready'); setInterval(() => b[0], 1000)`;
    const parent = `const c = require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}],
      { stdio: ['pipe', 'inherit', 'inherit'] }); process.stdin.on('end', () => { c.kill(); process.exit(); }).resume()`;
    const started = spawn(process.execPath, ['-e', parent], { stdio: ['pipe', 'pipe', 'inherit'] });
    await new Promise((resolve) => started.stdout.once('data', resolve));
    const stop = async (): Promise<void> => {
      const ended = new Promise((resolve) => started.once('exit', resolve));
      started.stdin.end();
      await ended;
    };
    return { pid: started.pid!, stop };
  }

  test('counts this process as Node itself does', () => {
    // Between two looks memory can be given back.
    const before = process.memoryUsage.rss();
    const own = treeMemoryBytes(process.pid);
    expect(own).toBeGreaterThan(Math.min(before, process.memoryUsage.rss()) * 0.7);
  });

  test.skipIf(process.platform === 'win32')('includes children, and is nothing once they are gone', async () => {
    const { pid, stop } = await startTree(200);
    // What one process without the child's memory would hold, and what is held where nothing is counted twice.
    const [least, most] = [230 * MB, 600 * MB];
    const peak = new PeakMemory(pid, 20).start();
    // A sample must have been taken while the memory is held, however slow the machine is.
    await expect.poll(() => peak.peakBytes, { timeout: 30_000 }).toBeGreaterThan(least);
    expect(treeMemoryBytes(pid)).toBeLessThan(most);
    await stop();
    expect(treeMemoryBytes(pid)).toBe(0);
    expect(peak.stop()).toBeGreaterThan(least);
    expect(peak.peakBytes).toBeLessThan(most);
  });

  test.skipIf(!isLinux)('a kernel without children lists is read by parents (needs Linux)', () => {
    const status = (parent: number, kibibytes: number): string =>
      `Name: x\nPPid:\t${parent}\nVmHWM:\t9999 kB\nVmRSS:\t${kibibytes} kB\n`;
    for (const [pid, parent, kibibytes] of [
      [10, 1, 100],
      [11, 10, 20],
      [12, 11, 3],
      [13, 1, 7000],
    ] as const) {
      write(`proc/${pid}/status`, status(parent, kibibytes));
      write(`proc/${pid}/task/${pid}/status`, 'Name: x\n');
    }
    expect(treeMemoryBytes(10, root)).toBe(123 * 1024);
    for (const pid of [10, 11, 12, 13]) write(`proc/${pid}/task/${pid}/children`, pid === 10 ? '11 ' : '');
    expect(treeMemoryBytes(10, root)).toBe(120 * 1024);
  });

  test('ps and tasklist', () => {
    const rows = parsePs('    1     0   100\n   20     1  2048\nnonsense\n');
    expect(rows.get(20)).toMatchObject({ parent: 1, residentBytes: 2 * MB });
    expect(rows.size).toBe(2);
    expect(parseTasklist('"node.exe","4242","Console","1","12,345 K"\r\n')).toBe(12345 * 1024);
    expect(parseTasklist('"node.exe","4242","Console","1","12.345 K"\r\n')).toBe(12345 * 1024);
    expect(parseTasklist('INFO: No tasks are running which match the specified criteria.')).toBeNull();
  });
});
