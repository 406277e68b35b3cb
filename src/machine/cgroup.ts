/**
 * What a Linux control group (a container, a systemd slice) allows this process: processors and memory.
 * Promises: the tightest limit on the way from the process's own group to the root, version 1 and 2; null where there
 * is none. Does not know any other system: there everything is null.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface CgroupLimits {
  /** Processors' worth of time, may be a fraction. */
  readonly processors: number | null;
  readonly memoryBytes: number | null;
  /** Bytes in use of `memoryBytes` that the kernel cannot simply drop; null when there is no limit. */
  readonly memoryUsedBytes: number | null;
}

/** Version 1 writes "no limit" as a number near 2^63; no machine has 2^60 bytes. */
const noLimit = 2 ** 60;

/** @param root `/`, or a folder that stands for it in tests. */
export function cgroupLimits(root = '/'): CgroupLimits {
  const groups = ownGroups(root);
  const base = join(root, 'sys', 'fs', 'cgroup');
  let processors: number | null = null;
  let memory: { limit: number; used: number } | null = null;
  for (const { controllers, path } of groups) {
    const isV2 = controllers.length === 0;
    const cpuBase = isV2 ? base : join(base, 'cpu');
    if (isV2 || controllers.includes('cpu')) {
      for (const folder of upwards(cpuBase, path))
        processors = smaller(processors, isV2 ? quotaV2(folder) : quotaV1(folder));
    }
    const memoryBase = isV2 ? base : join(base, 'memory');
    if (isV2 || controllers.includes('memory')) {
      for (const folder of upwards(memoryBase, path)) {
        const found = isV2 ? memoryV2(folder) : memoryV1(folder);
        // The tightest is the one with the least room, not the one with the smallest limit.
        if (found !== null && (memory === null || found.limit - found.used < memory.limit - memory.used))
          memory = found;
      }
    }
  }
  return { processors, memoryBytes: memory?.limit ?? null, memoryUsedBytes: memory?.used ?? null };
}

/** Lines `id:controllers:path` of /proc/self/cgroup; version 2 has no controllers. */
function ownGroups(root: string): { controllers: string[]; path: string }[] {
  const text = fileText(join(root, 'proc', 'self', 'cgroup')) ?? '';
  return text
    .split('\n')
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => ({ controllers: match[1] === '' ? [] : match[1]!.split(','), path: match[2]! }));
}

/** The group's folder and those above it. In a container the path may not exist below the mount; the root then does. */
function upwards(base: string, path: string): string[] {
  const folders = [base];
  for (let at = path; at !== '/' && at !== '.' && at !== ''; at = dirname(at)) folders.push(join(base, at));
  return folders;
}

function quotaV2(folder: string): number | null {
  const [quota, period] = (fileText(join(folder, 'cpu.max')) ?? 'max').trim().split(/\s+/);
  return quota === 'max' ? null : positive(Number(quota) / Number(period));
}

function quotaV1(folder: string): number | null {
  const quota = fileNumber(join(folder, 'cpu.cfs_quota_us'));
  const period = fileNumber(join(folder, 'cpu.cfs_period_us'));
  return quota === null || period === null ? null : positive(quota / period);
}

function memoryV2(folder: string): { limit: number; used: number } | null {
  return memoryOf(
    fileNumber(join(folder, 'memory.max')),
    fileNumber(join(folder, 'memory.current')),
    folder,
    'inactive_file',
  );
}

function memoryV1(folder: string): { limit: number; used: number } | null {
  const limit = fileNumber(join(folder, 'memory.limit_in_bytes'));
  return memoryOf(limit, fileNumber(join(folder, 'memory.usage_in_bytes')), folder, 'total_inactive_file');
}

/** Usage counts cached files; those not used of late are dropped before anything fails. */
function memoryOf(
  limit: number | null,
  usage: number | null,
  folder: string,
  droppable: string,
): { limit: number; used: number } | null {
  if (limit === null || limit >= noLimit) return null;
  const match = new RegExp(`^${droppable} (\\d+)`, 'm').exec(fileText(join(folder, 'memory.stat')) ?? '');
  return { limit, used: Math.max(0, (usage ?? 0) - Number(match?.[1] ?? 0)) };
}

function smaller(left: number | null, right: number | null): number | null {
  if (left === null || right === null) return left ?? right;
  return Math.min(left, right);
}

function positive(value: number): number | null {
  return Number.isFinite(value) && value > 0 ? value : null;
}

function fileNumber(path: string): number | null {
  const text = fileText(path)?.trim();
  return text === undefined || text === '' || !Number.isFinite(Number(text)) ? null : Number(text);
}

function fileText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** How often the kernel has killed a process of this one's group for memory; null where no group tells. */
export function cgroupKills(root = '/'): number | null {
  const base = join(root, 'sys', 'fs', 'cgroup');
  for (const { controllers, path } of ownGroups(root)) {
    const isV2 = controllers.length === 0;
    if (!isV2 && !controllers.includes('memory')) continue;
    const file = isV2 ? 'memory.events' : 'memory.oom_control';
    // The own group first; in a container its path may not exist below the mount, and the root's file then counts.
    const [mount, ...own] = upwards(isV2 ? base : join(base, 'memory'), path);
    for (const folder of [...own, mount!]) {
      const found = /^oom_kill (\d+)$/m.exec(fileText(join(folder, file)) ?? '');
      if (found) return Number(found[1]);
    }
  }
  return null;
}
