/**
 * What a training process died of, told by evidence: the kernel's counters, its memory when it was last looked at, its last words and
 * the kind of signal. Promises: memory is named only where something speaks for it, and nothing is called safe that is not there.
 * Knows no processes: start-run.ts watches them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NomoatError } from '../errors.ts';
import { cgroupKills } from '../machine/cgroup.ts';
import { memoryBytes } from '../machine/machine.ts';
import { isRun } from '../settings/load.ts';
import { checkpointSteps } from '../train/checkpoint.ts';
import { callWith } from '../words/program-words.ts';
import { sizeText } from '../words/size-text.ts';

/** The memory of a process and around it, at one moment. */
export interface MemoryLook {
  readonly residentBytes: number;
  /** Of the machine, or of the container where that is less. */
  readonly totalBytes: number;
  readonly availableBytes: number;
  /** Largest address space so far, and what it is limited to; null where it is not. */
  readonly addressBytes: number;
  readonly addressLimitBytes: number | null;
}

export interface Death {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote on stderr. */
  readonly lastWords: string;
  /** Whether the kernel counted a kill for memory meanwhile; null where it does not tell. */
  readonly kernelKilled: boolean | null;
  /** The last look at its memory; null where there was none. */
  readonly look: MemoryLook | null;
}

/** Less than this share of memory free at the last look: the next allocation may have been the one too many. */
const scarceShare = 0.05;
/** A limited address space that was more than half full: one engine's arena can be the other half. */
const addressShare = 0.5;
/** What C++, V8 and the engines say when an allocation fails. */
const memoryWords =
  /bad_alloc|bad allocation|out of memory|cannot allocate memory|(failed|unable) to allocate|allocation failed/i;

function fileText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** How often the kernel has killed for memory, in this process's group and on the machine; null where nothing is told. */
export function memoryKills(root = '/'): number | null {
  const inGroup = cgroupKills(root);
  const found = fileText(join(root, 'proc/vmstat'))?.match(/^oom_kill (\d+)$/m);
  // Not each system counts in both places: their sum rises with either.
  return inGroup === null && !found ? null : (inGroup ?? 0) + Number(found?.[1] ?? 0);
}

/** The memory of the process `pid` now; null where the system does not tell (only Linux does, cheaply) or it is gone. */
export function lookAtMemory(pid: number, root = '/'): MemoryLook | null {
  const status = fileText(join(root, `proc/${pid}/status`));
  const field = (name: string): number | null => {
    const found = status?.match(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm'));
    return found ? Number(found[1]) * 1024 : null;
  };
  const residentBytes = field('VmRSS');
  if (residentBytes === null) return null;
  const { available, total } = memoryBytes(root);
  const limit = fileText(join(root, `proc/${pid}/limits`))?.match(/^Max address space\s+(\d+)/m);
  return {
    residentBytes,
    totalBytes: total,
    availableBytes: available,
    addressBytes: field('VmPeak') ?? 0,
    addressLimitBytes: limit ? Number(limit[1]) : null,
  };
}

/** What speaks for want of memory, as the end of a sentence; null where nothing does. */
export function memoryEvidence({ kernelKilled, lastWords, look, signal }: Death): string | null {
  if (signal === 'SIGKILL') return kernelKilled ? 'the kernel killed it for memory' : null;
  const words = lastWords.match(memoryWords);
  if (words) return `its last words were of "${words[0]}"`;
  // Other signals are no engine's answer to an allocation that failed.
  if (signal !== 'SIGABRT' && signal !== 'SIGSEGV' && signal !== 'SIGBUS') return null;
  if (look === null) return null;
  const { addressBytes, addressLimitBytes, availableBytes, totalBytes } = look;
  if (availableBytes < scarceShare * totalBytes)
    return `${sizeText(availableBytes)} of ${sizeText(totalBytes)} were free when it was last looked at`;
  if (addressLimitBytes !== null && addressBytes > addressShare * addressLimitBytes)
    return `its address space is limited to ${sizeText(addressLimitBytes)}, of which it had ${sizeText(addressBytes)}`;
  return null;
}

interface Advice {
  readonly fault: string;
  readonly help: string;
}

const restart = 'If it comes again at the same step, please report it with the last words in the error event.';
/** By signal, where memory is not at fault. */
const advice: Readonly<Partial<Record<NodeJS.Signals, Advice>>> = {
  SIGKILL: {
    fault: 'was killed from outside (SIGKILL)',
    help: 'If nobody did that, a limit of the system or the container did: see its log.',
  },
  SIGSEGV: { fault: 'crashed in native code (SIGSEGV)', help: restart },
  SIGABRT: { fault: 'gave up in native code (SIGABRT)', help: restart },
  SIGFPE: { fault: 'crashed in native code (SIGFPE)', help: restart },
  SIGILL: {
    fault: 'met an instruction that this processor does not have (SIGILL)',
    help: '`doctor()` says what the processor has.',
  },
  SIGBUS: {
    fault: 'lost pages of a file that it had mapped (SIGBUS)',
    help: "Check that the model's file is whole and not being written, and that its disk is not full.",
  },
};

/** By which whoever ends a group of processes ends the training process, where it does not listen yet. */
const endings: readonly (NodeJS.Signals | null)[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** How a run goes on whose process is gone. */
export function howToGoOn(run: string): string {
  if (!isRun(run)) return 'Nothing had been written: start it again.';
  const steps = checkpointSteps(`${run}/checkpoints`);
  return steps.length > 0
    ? `Go on from its checkpoint after ${steps.at(-1)} steps: ${callWith('resumeTune', run)}`
    : `It had no checkpoint yet; begin it again: ${callWith('resumeTune', run)}`;
}

/** Somebody wanted the run to end: that is no fault. */
export const endedFromOutside = (run: string, fault: string): NomoatError =>
  new NomoatError({
    code: 'run-interrupted',
    part: 'the training process',
    fault,
    remedy: howToGoOn(run),
    kind: 'interrupted',
  });

/** The death as an error whose advice fits it. `evidence` is memoryEvidence's. */
export function deathError(run: string, death: Death, evidence: string | null): NomoatError {
  const { code, lastWords, look, signal } = death;
  if (endings.includes(signal)) return endedFromOutside(run, `was ended from outside (${signal})`);
  const known = signal === null ? undefined : advice[signal];
  const how = signal ?? `code ${code}`;
  const memory = look
    ? `; it held ${sizeText(look.residentBytes)}, ${sizeText(look.availableBytes)} of ${sizeText(look.totalBytes)} were free`
    : '';
  const fault =
    evidence === null
      ? `${known?.fault ?? `ended without a word (${how})`}${signal === null ? '' : memory}`
      : `died (${how}) for want of memory: ${evidence}`;
  const help =
    evidence === null
      ? (known?.help ?? restart)
      : 'Close other programs first, or start a run with a smaller `sequenceLength`, `microBatchSize` or `model`.';
  return new NomoatError({
    code: evidence === null ? 'worker-died' : 'out-of-memory',
    part: 'the training process',
    fault,
    remedy: `${howToGoOn(run)}${isRun(run) ? '.' : ''} ${help}`,
    kind: 'failed',
    fields: { signal, code, outOfMemory: evidence !== null, lastWords: lastWords.trim() },
  });
}
