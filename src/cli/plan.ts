/** `nomoat plan`: what a run would take, before it is started. */
import { Command } from 'commander';
import { resolveSettings } from '../config/load.ts';
import { tuneOptions } from '../config/options.ts';
import { NomoatError } from '../errors.ts';
import { type Prices, usualPrices } from '../jobs/costs.ts';
import type { SettingPlan } from '../jobs/plan.ts';
import type { PlanReport } from '../jobs/plan-variants.ts';
import { harmless } from '../tokens/preview.ts';
import { numberFlags } from './commands.ts';
import { addFlags, givenFlags } from './flags.ts';
import { duration } from './progress.ts';

function pricesOf(flags: Readonly<Record<string, string | undefined>>): Prices {
  const { watts, pricePerKwh, pricePerHour } = numberFlags(flags, ['watts', 'pricePerKwh', 'pricePerHour']);
  const prices = {
    watts: watts ?? usualPrices.watts,
    perKilowattHour: pricePerKwh ?? usualPrices.perKilowattHour,
    perHour: pricePerHour ?? usualPrices.perHour,
  };
  const named = { '--watts': watts, '--price-per-kwh': pricePerKwh, '--price-per-hour': pricePerHour };
  const negative = Object.entries(named).find(([, price]) => price !== undefined && price < 0);
  if (!negative) return prices;
  throw new NomoatError({ part: negative[0], fault: `${negative[1]} is negative`, remedy: 'Give a number from 0.' });
}

const columns: readonly (readonly [title: string, text: (plan: SettingPlan) => string])[] = [
  ['', ({ name }) => name],
  ['first step', ({ firstStepSeconds }) => duration(firstStepSeconds)],
  ['tokens/s', ({ tokensPerSecond }) => tokensPerSecond.toFixed(0)],
  ['whole run', ({ seconds }) => duration(seconds)],
  ['memory', ({ peakMemoryBytes }) => `${(peakMemoryBytes / 1e9).toFixed(2)} GB`],
  ['disk', ({ diskBytes }) => `${(diskBytes / 1e9).toFixed(2)} GB`],
  ['energy', ({ energyCost, kilowattHours }) => `${kilowattHours.toFixed(3)} kWh = ${energyCost.toFixed(3)}`],
  ['rented', ({ rentedCost }) => rentedCost.toFixed(3)],
  ['flags', ({ flags, precision }) => `${flags === '' ? '-' : flags} (${precision})`],
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
    ...notes.map(harmless),
    ...table,
    `${advice} (${prices.watts} W, ${prices.perKilowattHour} a kWh, ${prices.perHour} an hour rented)`,
  ].join('\n');
}

export function planCommand(): Command {
  const command = new Command('plan')
    .description('what tuning on DATA would take: time, memory, disk, energy and money, from a probe of this machine')
    .argument('<DATA...>')
    .option('--recipe <FILE.yaml>', 'settings from a file; flags win')
    .option('--watts <X>', `what the machine draws while it trains (default: ${usualPrices.watts})`)
    .option('--price-per-kwh <X>', `of electricity (default: ${usualPrices.perKilowattHour})`)
    .option('--price-per-hour <X>', `of a rented machine as fast as this one (default: ${usualPrices.perHour})`)
    .option('--json', 'as one JSON object');
  return addFlags(command, tuneOptions).action(async (data: string[]) => {
    const flags = command.opts<Record<string, string | undefined> & { json?: true }>();
    const prices = pricesOf(flags);
    const settings = await resolveSettings(data, givenFlags(command, tuneOptions), flags['recipe'] ?? null);
    const { planTuning } = await import('../jobs/plan-variants.ts');
    const report = await planTuning(settings, prices);
    process.stdout.write(`${flags.json ? JSON.stringify(report) : renderPlan(report)}\n`);
  });
}
