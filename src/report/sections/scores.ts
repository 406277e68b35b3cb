/** Scores with their intervals, and the differences between them. Pure. */
import type { Comparison, Verdict } from '../../evaluate/compare.ts';
import type { Evaluation } from '../../evaluate/evaluation.ts';
import { modelName, nameOf } from '../content.ts';
import { count, dash, percent, points, pValue, short } from '../figures.ts';
import { type Html, html } from '../markup.ts';
import { note, part, table } from '../parts.ts';
import { label, say, type Text } from '../say.ts';
import { words } from '../words.ts';

const { result } = words;

/** From where to where figures are drawn, and how they are written. */
interface Scale {
  readonly ticks: readonly number[];
  readonly at: (value: number) => string;
  readonly text: (value: number) => string;
}

/** Shares from 0 to 1; what is not a share, from the least to the greatest. */
function scaleOf(values: readonly number[]): Scale {
  const [least, greatest] = [Math.min(...values), Math.max(...values)];
  const isShare = least >= 0 && greatest <= 1;
  const [from, to] = isShare || least === greatest ? [Math.min(0, least), Math.max(1, greatest)] : [least, greatest];
  const place = (value: number): number => 2 + (96 * (value - from)) / (to - from);
  const text = isShare ? (value: number): string => percent(value) : short;
  return {
    ticks: [0, 0.25, 0.5, 0.75, 1].map((share) => from + share * (to - from)),
    at: (value) => `${place(value).toFixed(2)}%`,
    text,
  };
}

/** An interval as a bar, its middle as a dot, at places in percent, so that it fits any width. */
const track = ({ at, ticks }: Scale, score: number, [low, high]: readonly [number, number]): Html =>
  html`<svg class="track" width="100%" height="22" aria-hidden="true">${ticks.map((tick) => html`<line class="tick" x1="${at(tick)}" x2="${at(tick)}" y1="0" y2="22"/>`)}<line class="span" x1="${at(low)}" x2="${at(high)}" y1="11" y2="11"/><circle cx="${at(score)}" cy="11" r="5"/></svg>`;

interface Row {
  readonly name: Text;
  readonly role: 'first' | 'model' | 'baseline';
  readonly score: number;
  readonly interval: readonly [number, number];
}

function rowsOf(evaluation: Evaluation): Row[] {
  const { baselines, models } = evaluation;
  return [
    ...models.map(({ name, results: [first] }, i): Row => ({ name: modelName(name), role: i === 0 ? 'first' : 'model', ...first! })),
    ...baselines.map(({ name, results: [first] }): Row => ({ name: nameOf(evaluation, name), role: 'baseline', ...first! })),
  ]; // biome-ignore format: a table
}

/** Who scored what, by the metric that decides. */
export function scoresTable(evaluation: Evaluation): Html {
  const rows = rowsOf(evaluation);
  const scale = scaleOf(rows.flatMap(({ interval, score }) => [score, ...interval]));
  const roles = { first: say(result.thisOne), model: null, baseline: say(result.baseline) };
  // Roles, since a phone shows the rows as blocks, which takes a table's meaning away.
  const body = rows.map(
    ({ interval, name, role, score }) =>
      html`<tr role="row" class="${role}"><th role="rowheader" scope="row">${say(name)} ${roles[role] === null ? null : html`<span class="tag">${roles[role]}</span>`}</th><td role="cell" class="graph">${track(scale, score, interval)}</td><td role="cell" class="n"><b>${scale.text(score)}</b></td><td role="cell" class="n range">${scale.text(interval[0])} – ${scale.text(interval[1])}</td></tr>`,
  );
  const [least, , , , most] = scale.ticks;
  const axis = html`<span class="axis" aria-hidden="true"><span>${scale.text(least!).replace('.0%', '%')}</span><span>${scale.text(most!).replace('.0%', '%')}</span></span>`;
  return html`<div class="scores-box"><table class="scores" role="table" ${label(result.scores)}><thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">${say(result.who)}</th><th role="columnheader" scope="col" class="graph">${axis}<span class="hidden">${say(result.interval)}</span></th><th role="columnheader" scope="col" class="n">${say(result.score)}</th><th role="columnheader" scope="col" class="n">${say(result.interval)}</th></tr></thead><tbody role="rowgroup">${body}</tbody></table></div>`;
}

const verdicts: Readonly<Record<Verdict, { readonly text: Text; readonly tone: string }>> = {
  better: { text: result.better, tone: 'good' },
  worse: { text: result.worse, tone: 'bad' },
  'no-difference-shown': { text: result.noDifference, tone: 'warn' },
  'too-few-examples': { text: result.tooFew, tone: 'warn' },
};

function differencesRow(evaluation: Evaluation, comparison: Comparison): Parameters<typeof table>[2][number] {
  const { adjustedPValue, difference, interval, metric, second, verdict } = comparison;
  const { text, tone } = verdicts[verdict];
  const bySeveral = evaluation.metrics.length > 1 ? [metric] : [];
  const isOpen = verdict === 'no-difference-shown' || verdict === 'too-few-examples';
  const needed = !isOpen || comparison.examplesNeeded === null ? dash : count(comparison.examplesNeeded);
  const verdictTag = html`<span class="tag ${tone}">${say(text)}</span>`;
  return [
    say(nameOf(evaluation, second)),
    ...bySeveral,
    verdictTag,
    points(difference),
    `${points(interval[0])} … ${points(interval[1])}`,
    pValue(adjustedPValue),
    points(comparison.smallestShown).replace('+', ''),
    needed,
  ];
}

/** By each metric models come before baselines. */
const ordered = ({ comparisons, metrics }: Evaluation): Comparison[] =>
  metrics.flatMap(({ name }) =>
    (['model', 'baseline'] as const).flatMap((kind) =>
      comparisons.filter((each) => each.metric === name && each.with === kind),
    ),
  );

/** The first model with each other and each baseline. */
export function differences(evaluation: Evaluation): Html | null {
  const { comparisons, metrics } = evaluation;
  if (comparisons.length === 0) return null;
  const columns = [
    { name: result.comparedWith },
    ...(metrics.length > 1 ? [{ name: result.by }] : []),
    { name: result.verdict },
    { name: result.difference, figures: true },
    { name: result.interval, figures: true },
    { name: result.p, figures: true },
    { name: result.smallest, figures: true },
    { name: result.needed, figures: true },
  ];
  return part(result.differences, [
    table(result.differences, columns, ordered(evaluation).map((each) => differencesRow(evaluation, each))),
    note({ en: `${result.differencesNote.en} ${result.powerNote.en}`, zh: `${result.differencesNote.zh}${result.powerNote.zh}` }),
  ]); // biome-ignore format: a list
}

/** Where several metrics were asked for: what each model and baseline has by each. */
export function allMetrics(evaluation: Evaluation): Html | null {
  const { baselines, metrics, models } = evaluation;
  if (metrics.length < 2) return null;
  const everyone = [...models, ...baselines];
  const text = (value: number): string => (value >= 0 && value <= 1 ? percent(value) : short(value));
  const columns = [
    { name: result.by },
    ...everyone.map(({ name }) => ({ name: nameOf(evaluation, name), figures: true })),
  ];
  const rows = metrics.map(({ name }, i) => [name, ...everyone.map(({ results }) => text(results[i]!.score))]);
  return part(result.scores, table(result.scores, columns, rows));
}
