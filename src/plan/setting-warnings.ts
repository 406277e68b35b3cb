/**
 * Settings that do not do what they seem to, on this machine and for so many steps: said before it is asked whether to begin, and when a
 * run begins. Pure but for the machine's memory.
 */

import { memoryBytes } from '../machine/machine.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import { withValues } from '../words/program-words.ts';
import { sizeText } from '../words/size-text.ts';

/** Each a sentence; `atOnce` is how many threads compute. */
export function settingWarnings(
  { learningRate, memory, threads, ...settings }: RunSettings,
  steps: number,
  atOnce: number,
): string[] {
  const { total } = memoryBytes();
  const warmupSteps = settings.warmupSteps ?? 0;
  const warnings: string[] = [];
  if (threads !== null && threads > atOnce)
    warnings.push(
      `${withValues({ threads })}: this machine runs ${atOnce} at once, and more would only wait for each other; ${atOnce} are used.`,
    );
  if (memory !== null && memory > total)
    warnings.push(
      `${withValues({ memory: sizeText(memory).replace(' ', '') })}: this machine has ${sizeText(total)}, with which the run was planned.`,
    );
  if (warmupSteps > 0 && steps <= warmupSteps)
    warnings.push(
      `All ${steps} steps are in the warm-up: the learning rate begins with 0 and gets to ${Number(((learningRate * (steps - 1)) / warmupSteps).toPrecision(3))}, not to ${learningRate}. \`warmupSteps\` shortens it.`,
    );
  return warnings;
}
