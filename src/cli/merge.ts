/** `nomoat merge`: several adapters as one. */
import type { Command } from 'commander';
import type { MergedAdapters } from '../library/merge-adapters.ts';
import type { Interference } from '../library/merge-interference.ts';
import { mergeOptions } from '../settings/adapter-settings.ts';
import { harmless } from '../words/harmless.ts';
import { bare } from './bare-command.ts';
import { addFlags, givenFlags } from './flags.ts';
import { moduleProgress } from './module-progress.ts';
import { printExported } from './print-exported.ts';

const share = (value: number | null): string => (value === null ? 'none' : value.toFixed(3));

const interferenceLine = ({
  adapters: [first, second],
  chance,
  cosine,
  inputs,
  modules,
  outputs,
}: Interference): string =>
  `${first} and ${second}: cosine ${share(cosine)}; of ${modules} modules that both adapt they share ${share(outputs)} of the outputs' directions and ${share(inputs)} of the inputs' (by chance ${share(chance?.outputs ?? null)} and ${share(chance?.inputs ?? null)})`;

function render(merged: MergedAdapters): void {
  const { interference, modules, rank, weights } = merged;
  const said = [
    ...interference.map(interferenceLine),
    `${modules} modules of rank ${rank} at most, weights ${weights.map((weight) => Number(weight.toPrecision(4))).join(', ')}`,
  ];
  for (const { data, models, verdict } of merged.losses)
    said.push(
      `Loss on ${data}: ${models.map(({ loss, name }) => `${name} ${loss.toFixed(4)}`).join(', ')} nats per token`,
      ...verdict,
    );
  for (const line of said) process.stderr.write(`${harmless(line)}\n`);
  printExported(merged);
}

export function command(): Command {
  const command = bare('merge').argument('<ADAPTER...>');
  return addFlags(command, mergeOptions).action(async (adapters: string[]) => {
    const { mergeAdapters } = await import('../library/merge-adapters.ts');
    const { base, out, ...given } = givenFlags(command, mergeOptions);
    render(await mergeAdapters(adapters, { base: String(base), out: String(out), ...given, ...moduleProgress() }));
  });
}
