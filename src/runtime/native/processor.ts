/** What the processor has, by the names of Linux's /proc/cpuinfo: told by the system, or on Windows by a small binary of ours, since only native code is told there. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Whether `processorFlags` loads its probe here. */
export const wantsProbe = process.platform === 'win32';

/** Names of instruction sets. `probe` is the path of native/prebuilt/win32-ARCH/processor.node. Throws where it is wanted and does not load. */
export function processorFlags(probe: string): readonly string[] {
  if (wantsProbe) return (createRequire(import.meta.url)(probe) as { flags(): string }).flags().split(' ');
  if (process.platform === 'darwin') return appleFlags();
  return flagsOfCpuinfo(readFileSync('/proc/cpuinfo', 'utf8'));
}

function flagsOfCpuinfo(cpuinfo: string): readonly string[] {
  return /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo)?.[1]?.split(' ') ?? [];
}

function appleFlags(): readonly string[] {
  const told = spawnSync('/usr/sbin/sysctl', ['-n', 'hw.optional.arm.FEAT_DotProd'], { encoding: 'utf8' });
  return ['asimd', ...(told.stdout?.trim() === '1' ? ['asimddp'] : [])];
}
