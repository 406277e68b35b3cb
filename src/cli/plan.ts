/** `nomoat plan`: what a run would take, before it is started. */
import type { Command } from 'commander';
import type { SettingPlan } from '../plan/decide.ts';
import type { PlanReport } from '../plan/plan-variants.ts';
import { fromOption, planOptions, priceOptions, recipeOption } from '../settings/command-settings.ts';
import { toggle } from '../settings/fields.ts';
import { tuneOptions } from '../settings/options.ts';
import { harmless } from '../words/harmless.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf, givenFlags } from './flags.ts';
import { interruption } from './interruption.ts';
import { duration } from './progress.ts';
import { tell, transferProgress } from './transfer-progress.ts';
import { flagsFor, inCommandWords } from './words.ts';

const shown = { json: toggle(false, 'as one JSON object') };

const columns: readonly (readonly [title: string, text: (plan: SettingPlan) => string])[] = [
  ['', ({ name }) => name],
  ['first step', ({ firstStepSeconds }) => duration(firstStepSeconds)],
  ['tokens/s', ({ tokensPerSecond }) => tokensPerSecond.toFixed(0)],
  ['whole run', ({ seconds }) => duration(seconds)],
  ['memory', ({ peakMemoryBytes }) => `${(peakMemoryBytes / 1e9).toFixed(2)} GB`],
  ['disk', ({ diskBytes }) => `${(diskBytes / 1e9).toFixed(2)} GB`],
  ['energy', ({ energyCost, kilowattHours }) => `${kilowattHours.toFixed(3)} kWh = ${energyCost.toFixed(3)}`],
  ['rented', ({ rentedCost }) => rentedCost.toFixed(3)],
  ['flags', ({ changes, decision }) => `${flagsFor(changes) || '-'} (${decision.precision})`],
];

/** The plans as a table, the one to take marked, and the advice. */
export function renderPlan(report: PlanReport): string {
  const { advice, chosen, notes, plans, prices, probe, recommended, rows, threads, tokens } = report;
  const cells = [
    columns.map(([title]) => title),
    ...plans.map((plan) =>
      columns.map(([, text], i) => `${i === 0 && plan.name === recommended ? '* ' : ''}${text(plan)}`),
    ),
  ];
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  const table = cells.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
  const rate = (value: number | null): string => (value === null ? '?' : `${(value / 1e9).toFixed(0)}`);
  return [
    `${report.model}: ${rows.toLocaleString('en')} rows, ${tokens.toLocaleString('en')} tokens; ${threads} threads, ${rate(probe.float32Rate)} GFLOPS float32, ${rate(probe.int8Rate)} GOPS int8, disk ${(probe.diskRate / 1e6).toFixed(0)} MB/s, a block of ${probe.blockTokens} tokens in ${probe.blockSeconds.toFixed(3)} s`,
    ...(chosen ? [chosen] : []),
    ...notes.map(inCommandWords).map(harmless),
    ...table,
    `${inCommandWords(advice)} (${prices.watts} W, ${prices.perKilowattHour} a kWh, ${prices.perHour} an hour rented)`,
  ].join('\n');
}

/** The report for programs that call the command: what its plans change as flags. */
const withFlags = ({ advice, notes, plans, ...report }: PlanReport) => ({
  ...report,
  notes: notes.map(inCommandWords),
  plans: plans.map(({ changes, ...plan }) => ({ ...plan, flags: flagsFor(changes) })),
  advice: inCommandWords(advice),
});

export function command(): Command {
  const command = bare('plan').argument('<DATA...>');
  return addFlags(command, { ...recipeOption, ...fromOption, ...priceOptions, ...shown, ...tuneOptions }).action(
    async (data: string[]) => {
      const { from, json, recipe } = flagsOf(command, { ...recipeOption, ...fromOption, ...shown });
      const { pricePerHour: perHour, pricePerKwh: perKilowattHour, watts } = flagsOf(command, planOptions);
      const { planGiven } = await import('../library/plan.ts');
      const prices = { watts, perKilowattHour, perHour };
      const pace = from === null ? {} : { onProgress: transferProgress(tell), signal: interruption() };
      const requested = { prices, from, recipe, ...pace };
      const report = await planGiven(data, givenFlags(command, tuneOptions), requested);
      process.stdout.write(`${json ? JSON.stringify(withFlags(report)) : renderPlan(report)}\n`);
    },
  );
}
