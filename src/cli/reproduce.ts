/** `nomoat reproduce`: a run repeated from its record. */
import type { Command } from 'commander';
import type { Reproduction } from '../library/reproduce-run.ts';
import { reproduceOptions } from '../settings/bundle-settings.ts';
import { toggle } from '../settings/fields.ts';
import { harmless } from '../words/harmless.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { interruption } from './interruption.ts';
import { print } from './print.ts';
import { StatusLine } from './status-line.ts';

const reproduceShown = { json: toggle(false, 'one JSON object') };

/** What came of it, in sentences. */
function lines({ differences, identical, largestDifference, loss, run }: Reproduction): string[] {
  const weights =
    largestDifference === null
      ? 'The weights are others'
      : `The weights differ by ${largestDifference.toPrecision(3)} at most`;
  return [
    identical ? 'The weights are the same, byte for byte.' : `${weights}.`,
    ...(loss
      ? [
          `Held-out loss ${loss.before.toFixed(6)}, repeated ${loss.after.toFixed(6)}: ${loss.difference.toExponential(2)} apart.`,
        ]
      : []),
    ...differences,
    `The repeated run: ${run}`,
  ];
}

export function command(): Command {
  const command = bare('reproduce').argument('<RUN>');
  return addFlags(command, { ...reproduceOptions, ...reproduceShown }).action(async (run: string) => {
    const { reproduceRun } = await import('../library/reproduce-run.ts');
    const { json, ...options } = flagsOf(command, { ...reproduceOptions, ...reproduceShown });
    const status = new StatusLine(process.stderr);
    let steps = 0;
    const found = await reproduceRun(run, {
      ...options,
      signal: interruption(),
      onEvent: (event) => {
        if (event.type === 'data-ready') ({ steps } = event);
        if (event.type === 'step-end') status.progress(event.step, steps, `step ${event.step} of ${steps}`);
      },
    });
    if (json) return print(JSON.stringify({ type: 'reproduction', ...found }));
    for (const line of lines(found)) print(harmless(line));
  });
}
