/**
 * What this machine has: cores, instruction sets, memory, room on the disk.
 * Promises: never throws; what a container or the affinity mask takes away is taken off; null or an empty list for what
 * the system does not tell. Does not judge whether it is enough (doctor.ts).
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import os from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { cgroupLimits } from './cgroup.ts';

export { PeakMemory, parentBytes, treeMemoryBytes } from './process-memory.ts';

/** Cores, instruction sets and memory of this machine. */
export interface MachineFacts {
  /** As Node's `process.platform`. */
  readonly platform: NodeJS.Platform;
  /** As Node's `process.arch`. */
  readonly architecture: string;
  /** Kernel or system version. */
  readonly release: string;
  /** The processor's name. */
  readonly cpu: string;
  /** Cores that this process may use. */
  readonly physicalCores: number;
  /** Hardware threads that this process may use. */
  readonly logicalCores: number;
  /** Processors' worth of time that the control group allows, null without a limit. */
  readonly processorLimit: number | null;
  /** Those of this processor that llama.cpp and onnxruntime choose their kernels by; empty where the system does not tell. */
  readonly instructionSets: string[];
  /** Of the machine, or of its control group. */
  readonly memoryTotalBytes: number;
  /** What can be taken without swapping, as far as the system tells. */
  readonly memoryAvailableBytes: number;
  /** Runnable processes, averaged over a minute; 0 on Windows, which does not tell. */
  readonly load: number;
}

/** Those that llama.cpp and onnxruntime choose their kernels by, under our names. */
const instructionSpellings: Readonly<Record<string, readonly string[]>> = {
  // name: what /proc/cpuinfo or sysctl calls it
  sse4_2: ['sse4_2', 'sse4.2'],
  avx: ['avx', 'avx1.0'],
  f16c: ['f16c'],
  fma: ['fma'],
  avx2: ['avx2'],
  avx_vnni: ['avx_vnni'],
  avx512f: ['avx512f'],
  avx512_vnni: ['avx512_vnni', 'avx512vnni'],
  avx512_bf16: ['avx512_bf16', 'avx512bf16'],
  amx_int8: ['amx_int8'],
  amx_bf16: ['amx_bf16'],
  neon: ['neon', 'asimd', 'advsimd'],
  dotprod: ['asimddp', 'feat_dotprod'],
  i8mm: ['i8mm', 'feat_i8mm'],
  bf16: ['bf16', 'feat_bf16'],
  sve: ['sve'],
  sme: ['sme', 'feat_sme'],
};

/** macOS and Windows have two threads a core where they have more than one; a guess, used when nothing is told. */
const threadsPerCore = 2;
const commandTimeoutMs = 5000;

/** Everything of above in one record. */
export function machineFacts(): MachineFacts {
  const limits = cgroupLimits();
  const memory = memoryBytes();
  return {
    platform: process.platform,
    architecture: process.arch,
    release: os.release(),
    cpu: cpuName(),
    physicalCores: physicalCores(),
    logicalCores: os.availableParallelism(),
    processorLimit: limits.processors,
    instructionSets: instructionSets(),
    memoryTotalBytes: memory.total,
    memoryAvailableBytes: memory.available,
    load: os.loadavg()[0] ?? 0,
  };
}

/**
 * Threads worth computing with: physical cores, but no more than the process may use (affinity mask, container quota).
 * At least 1. Hyper-threads are left out: they share the arithmetic units that a GEMM keeps busy.
 */
export function physicalCores(root = '/'): number {
  const counted = (coreCounters[process.platform] ?? halfOfThreads)(root);
  return Math.min(Math.max(1, counted), threadsAtOnce(root));
}

/** Threads that can run at the same time: what the system gives this process, and a container's quota. */
function threadsAtOnce(root = '/'): number {
  const quota = cgroupLimits(root).processors;
  return Math.max(1, Math.min(os.availableParallelism(), quota === null ? Infinity : Math.floor(quota)));
}

/** Threads that a run computes with: as many as asked for or physical cores, and no more than can run at the same time. */
export const threadsOf = (requested: number | null): number => Math.min(requested ?? physicalCores(), threadsAtOnce());

const coreCounters: Partial<Record<NodeJS.Platform, (root: string) => number>> = {
  linux: (root) => coresOfCpuinfo(fileText(join(root, 'proc', 'cpuinfo')) ?? '') ?? coresOfTopology(root),
  darwin: () => Number(sysctl('hw.physicalcpu')) || halfOfThreads(),
  win32: () => halfOfThreads(),
};

function halfOfThreads(): number {
  return Math.max(1, Math.floor(os.cpus().length / threadsPerCore));
}

/** Different (physical id, core id) pairs; null where the file names no cores (ARM). */
export function coresOfCpuinfo(cpuinfo: string): number | null {
  const cores = new Set<string>();
  for (const block of cpuinfo.split(/\n\s*\n/)) {
    const core = /^core id\s*:\s*(\d+)/m.exec(block)?.[1];
    if (core !== undefined) cores.add(`${/^physical id\s*:\s*(\d+)/m.exec(block)?.[1] ?? 0}:${core}`);
  }
  return cores.size === 0 ? null : cores.size;
}

/** The same from /sys, which ARM has too; its cores have one thread each where even that is missing. */
function coresOfTopology(root: string): number {
  const cores = new Set<string>();
  for (let index = 0; index < os.cpus().length; index++) {
    const siblings = fileText(join(root, `sys/devices/system/cpu/cpu${index}/topology/thread_siblings_list`))?.trim();
    cores.add(siblings ?? `cpu${index}`);
  }
  return Math.max(1, cores.size);
}

function cpuName(): string {
  const model = os.cpus()[0]?.model.trim();
  if (model && model !== 'unknown') return model;
  return sysctl('machdep.cpu.brand_string') ?? process.arch;
}

function instructionSets(): string[] {
  const features = process.platform === 'darwin' ? darwinFeatures() : (fileText('/proc/cpuinfo') ?? '');
  const found = instructionSetsOf(features);
  // Every 64-bit ARM processor has NEON, also where the system does not list it.
  return process.arch === 'arm64' && !found.includes('neon') ? ['neon', ...found] : found;
}

/** The known instruction sets among the words of /proc/cpuinfo or sysctl's features. */
export function instructionSetsOf(features: string): string[] {
  const words = new Set(
    features
      .split('\n')
      .filter((line) => /^(flags|features|Features)\s*:/i.test(line))
      .flatMap((line) =>
        line
          .slice(line.indexOf(':') + 1)
          .toLowerCase()
          .split(/\s+/),
      ),
  );
  return Object.entries(instructionSpellings)
    .filter(([, spellings]) => spellings.some((spelling) => words.has(spelling)))
    .map(([name]) => name);
}

/** Intel Macs list words; Apple's own processors answer `hw.optional.arm.FEAT_X: 1` a line. */
function darwinFeatures(): string {
  const words = [sysctl('machdep.cpu.features'), sysctl('machdep.cpu.leaf7_features')];
  const lines = (outputOf('sysctl', ['hw.optional']) ?? '').split('\n');
  for (const line of lines) {
    const match = /^hw\.optional\.(?:arm\.)?(\w+): 1$/.exec(line.trim());
    if (match !== null) words.push(match[1]!);
  }
  return `flags: ${words.filter(Boolean).join(' ')}`;
}

/** Memory of the machine, or of the container where that is less. */
export function memoryBytes(root = '/'): { total: number; available: number } {
  const meminfo = fileText(join(root, 'proc', 'meminfo')) ?? '';
  const field = (name: string): number | null => {
    const match = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo);
    return match === null ? null : Number(match[1]) * 1024;
  };
  const total = field('MemTotal') ?? os.totalmem();
  const available = field('MemAvailable') ?? os.freemem();
  const { memoryBytes: limit, memoryUsedBytes: used } = cgroupLimits(root);
  if (limit === null || limit >= total) return { total, available };
  return { total: limit, available: Math.max(0, Math.min(available, limit - (used ?? 0))) };
}

/** Bytes free for this user on the disk that holds `path`, or would hold it; null where that cannot be told. */
export function diskFreeBytes(path: string): number | null {
  let folder = resolve(path);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    const disk = statfsSync(folder);
    return disk.bavail * disk.bsize;
  } catch {
    return null;
  }
}

function sysctl(name: string): string | null {
  return process.platform === 'darwin' ? outputOf('sysctl', ['-n', name]) : null;
}

function outputOf(program: string, args: readonly string[]): string | null {
  try {
    const answer = execFileSync(program, args, {
      encoding: 'utf8',
      timeout: commandTimeoutMs,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return answer.trim() || null;
  } catch {
    return null;
  }
}

function fileText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
