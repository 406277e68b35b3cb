/** "What did it cost?": planned beside actual. Pure. */
import type { RunEvent } from '../../events.ts';
import { type Money, moneyOf, usualPrices } from '../../plan/prices.ts';
import { eventsOf, type ReportContent } from '../content.ts';
import { bytes, count, dash, duration, energy, fixed, money } from '../figures.ts';
import { type Html, html, type Part } from '../markup.ts';
import { note, table, tiles } from '../parts.ts';
import { say, type Text } from '../say.ts';
import { words } from '../words.ts';

const { run: said } = words;

/** A figure of the plan that a run begins with, beside what it took. */
export interface Compared {
  readonly what: 'firstStepSeconds' | 'seconds' | 'tokensPerSecond' | 'peakMemoryBytes';
  readonly planned: number;
  /** Null where a run that was resumed has no such figure. */
  readonly actual: number | null;
}

/** The plan that the run began with beside what it took; empty for a run without a plan, one that was resumed, whose time is in parts, or one that stopped early. */
export function plannedAndActual(events: readonly RunEvent[]): Compared[] {
  const plan = events.findLast((e) => e.type === 'plan');
  const end = events.findLast((e) => e.type === 'run-end');
  const resumed = events.some((e) => e.type === 'run-start' && e.resumedFromStep !== undefined);
  if (plan?.type !== 'plan' || end?.type !== 'run-end' || resumed || end.state === 'stopped-early') return [];
  const names = ['firstStepSeconds', 'seconds', 'tokensPerSecond', 'peakMemoryBytes'] as const;
  return names.map((what) => ({ what, planned: plan[what], actual: end[what] }));
}

const measures: Readonly<Record<Compared['what'], { readonly name: Text; readonly text: (value: number) => Part }>> = {
  firstStepSeconds: { name: said.firstStep, text: (value) => say(duration(value)) },
  seconds: { name: said.wholeTime, text: (value) => say(duration(value)) },
  tokensPerSecond: { name: said.speed, text: (value) => count(Math.round(value)) },
  peakMemoryBytes: { name: said.memory, text: bytes },
};

const costs: readonly { readonly name: Text; readonly text: (costs: Money) => string }[] = [
  { name: said.energy, text: ({ kilowattHours }) => energy(kilowattHours) },
  { name: said.electricity, text: ({ energyCost }) => money(energyCost) },
  { name: said.rented, text: ({ rentedCost }) => money(rentedCost) },
];

const offBy = (planned: number, actual: number | null): string => {
  if (!actual) return dash;
  const share = (100 * (planned - actual)) / actual;
  return `${share > 0 ? '+' : share < 0 ? '−' : ''}${fixed(Math.abs(share), 0)}%`;
};

function comparedTable(compared: readonly Compared[], diskBytes: number | undefined): Html | null {
  const times = compared.find(({ what }) => what === 'seconds');
  if (!times) return null;
  const columns = [
    { name: said.what },
    { name: said.planned, figures: true },
    { name: said.actual, figures: true },
    { name: said.off, figures: true },
  ];
  const [planned, actual] = [moneyOf(times.planned, usualPrices), moneyOf(times.actual ?? 0, usualPrices)];
  const rows: Part[][] = compared.map(({ actual: took, planned: expected, what }) => {
    const { name, text } = measures[what];
    return [say(name), text(expected), took === null ? dash : text(took), offBy(expected, took)];
  });
  const disk = diskBytes === undefined ? [] : [[say(said.disk), bytes(diskBytes), dash, dash]];
  // Energy and money follow from the time, and are as far off.
  const money = costs.map(({ name, text }) => [
    say(name),
    text(planned),
    text(actual),
    offBy(times.planned, times.actual),
  ]);
  return table(said.plannedAndActual, columns, [...rows, ...disk, ...money], true);
}

function runCost({ events }: ReportContent): Html | null {
  const end = eventsOf(events, 'run-end').at(-1);
  if (!end) return null;
  const seconds = end.seconds + (end.secondsBefore ?? 0);
  const spent = moneyOf(seconds, usualPrices);
  const { perHour, perKilowattHour, watts } = usualPrices;
  return html`${tiles([
    { name: said.time, value: say(duration(seconds)) },
    { name: said.memory, value: bytes(end.peakMemoryBytes) },
    { name: said.energy, value: energy(spent.kilowattHours) },
    { name: said.electricity, value: money(spent.energyCost) },
  ])}${comparedTable(plannedAndActual(events), eventsOf(events, 'plan').at(-1)?.diskBytes)}${(end.secondsBefore ?? 0) > 0 ? note(said.resumedNote) : null}${note(said.priceNote({ watts: String(watts), perKwh: String(perKilowattHour), perHour: String(perHour) }))}`;
}

function answeringCost({ evaluation }: ReportContent): Html | null {
  if (!evaluation) return null;
  const rows = evaluation.models.map(({ costs: { computed, seconds }, name }) => {
    const text =
      computed === 0 ? said.kept : said.answeringNote({ computed: count(computed), time: duration(seconds) });
    return [name, say(text)];
  });
  return table(said.answering, [{ name: said.model }, { name: said.answering }], rows);
}

/** The section without its heading. */
export function costSection(content: ReportContent): Html {
  const [run, answering] = [runCost(content), answeringCost(content)];
  return run || answering ? html`${run}${answering}` : note(said.noCost);
}
