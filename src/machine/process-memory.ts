/**
 * Resident memory of a process and everything it started, now and at its peak.
 * Promises: bytes; a process that ends while it is read counts as nothing. Pages that several processes of the tree
 * share are counted once for each, as top does: the same measure for whatever we are compared with.
 * Linux reads /proc. macOS asks ps. Windows asks tasklist for the one process, without its children (it names no
 * parents); there a sampled peak is the training process's own.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface ProcessRow {
  readonly parent: number;
  readonly residentBytes: number;
  /** Largest resident size so far, where the system keeps it; else residentBytes. */
  readonly peakBytes: number;
}

/** A ps or tasklist that hangs must not stop a run. */
const commandTimeoutMs = 5000;
const defaultIntervalMs = 250;

/** Resident bytes of `rootPid` and its descendants now; 0 when it is gone. */
export function treeMemoryBytes(rootPid: number, root = '/'): number {
  return tree(rootPid, root).reduce((sum, row) => sum + row.residentBytes, 0);
}

function tree(rootPid: number, root: string): ProcessRow[] {
  try {
    return (readers[process.platform] ?? readOwn)(rootPid, root);
  } catch {
    return [];
  }
}

type Reader = (rootPid: number, root: string) => ProcessRow[];

const readers: Partial<Record<NodeJS.Platform, Reader>> = {
  linux: (rootPid, root) => readLinuxTree(rootPid, root) ?? descendants(rootPid, readAllLinux(root)),
  darwin: (rootPid) => descendants(rootPid, parsePs(outputOf('ps', ['-axo', 'pid=,ppid=,rss=']))),
  win32: (rootPid) => {
    if (rootPid === process.pid) return readOwn(rootPid);
    const bytes = parseTasklist(outputOf('tasklist', ['/FI', `PID eq ${rootPid}`, '/FO', 'CSV', '/NH']));
    return bytes === null ? [] : [{ parent: 0, residentBytes: bytes, peakBytes: bytes }];
  },
};

function readOwn(rootPid: number): ProcessRow[] {
  if (rootPid !== process.pid) return [];
  const residentBytes = process.memoryUsage.rss();
  return [{ parent: 0, residentBytes, peakBytes: process.resourceUsage().maxRSS * 1024 }];
}

function outputOf(program: string, args: readonly string[]): string {
  return execFileSync(program, args, {
    encoding: 'utf8',
    timeout: commandTimeoutMs,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** Walks /proc/PID/task/TID/children; null where the kernel does not write them (CONFIG_PROC_CHILDREN). */
function readLinuxTree(rootPid: number, root: string): ProcessRow[] | null {
  const rows: ProcessRow[] = [];
  const pending = [rootPid];
  const seen = new Set<number>();
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    if (seen.has(pid)) continue;
    seen.add(pid);
    const row = readLinuxProcess(pid, root);
    if (row === null) continue;
    rows.push(row);
    const tasks = join(root, 'proc', String(pid), 'task');
    for (const task of folderNames(tasks)) {
      const children = fileText(join(tasks, task, 'children'));
      if (children === null && fileText(join(tasks, task, 'status')) !== null) return null;
      pending.push(...(children ?? '').split(' ').filter(Boolean).map(Number));
    }
  }
  return rows;
}

function readAllLinux(root: string): Map<number, ProcessRow> {
  const rows = new Map<number, ProcessRow>();
  for (const name of folderNames(join(root, 'proc')).filter((each) => /^\d+$/.test(each))) {
    const row = readLinuxProcess(Number(name), root);
    if (row !== null) rows.set(Number(name), row);
  }
  return rows;
}

function readLinuxProcess(pid: number, root: string): ProcessRow | null {
  const status = fileText(join(root, 'proc', String(pid), 'status'));
  if (status === null) return null;
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  const residentBytes = field('VmRSS') * 1024;
  return { parent: field('PPid'), residentBytes, peakBytes: Math.max(residentBytes, field('VmHWM') * 1024) };
}

function descendants(rootPid: number, rows: ReadonlyMap<number, ProcessRow>): ProcessRow[] {
  const children = new Map<number, number[]>();
  for (const [pid, { parent }] of rows) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const found: ProcessRow[] = [];
  const pending = [rootPid];
  const seen = new Set<number>();
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    if (seen.has(pid)) continue;
    seen.add(pid);
    const row = rows.get(pid);
    if (row !== undefined) found.push(row);
    pending.push(...(children.get(pid) ?? []));
  }
  return found;
}

/** Lines `pid ppid rss` with rss in KiB, as ps writes them. */
export function parsePs(output: string): Map<number, ProcessRow> {
  const rows = new Map<number, ProcessRow>();
  for (const line of output.split('\n')) {
    const [pid, parent, kibibytes] = line.trim().split(/\s+/).map(Number);
    if (pid === undefined || parent === undefined || kibibytes === undefined || !Number.isFinite(kibibytes)) continue;
    rows.set(pid, { parent, residentBytes: kibibytes * 1024, peakBytes: kibibytes * 1024 });
  }
  return rows;
}

/** Bytes of tasklist's one CSV line; its last column is like "12,345 K", with the user's thousands separator. */
export function parseTasklist(output: string): number | null {
  const columns = output.trim().split('","');
  const digits = columns.length < 5 ? '' : columns.at(-1)!.replace(/\D/g, '');
  return digits === '' ? null : Number(digits) * 1024;
}

function folderNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function fileText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/**
 * Samples the tree's memory at an interval and keeps the largest sum. Also at least the largest peak that the system
 * itself kept of any one process, which no sample can miss. Sampling needs a free JavaScript thread: it belongs in the
 * parent of a training process, not in it.
 */
export class PeakMemory {
  private readonly pid: number;
  private readonly intervalMs: number;
  private timer: NodeJS.Timeout | null = null;
  private peak = 0;

  constructor(pid: number = process.pid, intervalMs: number = defaultIntervalMs) {
    this.pid = pid;
    this.intervalMs = intervalMs;
  }

  /** Starts anew from nothing; the timer does not keep the process alive. */
  start(): this {
    this.stop();
    this.peak = 0;
    this.sample();
    this.timer = setInterval(() => this.sample(), this.intervalMs);
    this.timer.unref();
    return this;
  }

  /** Bytes at the peak so far. */
  get peakBytes(): number {
    return this.peak;
  }

  /** Takes a last sample, stops, and returns the peak in bytes. */
  stop(): number {
    if (this.timer !== null) {
      clearInterval(this.timer);
      this.timer = null;
      this.sample();
    }
    return this.peak;
  }

  private sample(): void {
    const rows = tree(this.pid, '/');
    const sum = rows.reduce((total, row) => total + row.residentBytes, 0);
    this.peak = Math.max(this.peak, sum, ...rows.map((row) => row.peakBytes));
  }
}

/** Memory of the process that shows this one's progress. Windows tells its own alone; elsewhere this one is among its descendants. */
export const parentBytes = (): number =>
  Math.max(0, treeMemoryBytes(process.ppid) - (process.platform === 'win32' ? 0 : treeMemoryBytes(process.pid)));
