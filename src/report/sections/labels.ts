/** Labels one by one, and which was taken for which. Pure. */
import type { LabelReport } from '../../evaluate/metrics/labels.ts';
import { count, percent } from '../figures.ts';
import { type Html, html } from '../markup.ts';
import { folded, note, part, table } from '../parts.ts';
import { say, verbatim } from '../say.ts';
import { words } from '../words.ts';

const { result } = words;
/** A matrix of more is wider than any page, and mostly zeros: the mistakes are listed beneath the answers. */
const mostInMatrix = 15;
/** Rows of a table that is not folded away. */
const mostOpen = 12;
const shades = 6;

function matrix({ confusion, labels }: LabelReport): Html {
  const most = Math.max(1, ...confusion.flat());
  const shade = (times: number): number => (times === 0 ? 0 : Math.max(1, Math.ceil((shades * times) / most)));
  const columns = [{ name: result.label }, ...labels.map(({ label }) => ({ name: verbatim(label), figures: true }))];
  const rows = confusion.map((row, i) => [
    labels[i]!.label,
    ...row.map((times, j) => html`<span class="heat heat-${i === j ? 'right' : 'wrong'}-${shade(times)}">${times === 0 ? '·' : times}</span>`),
  ]); // biome-ignore format: a table
  return html`<h4>${say(result.confusion)}</h4>${note(result.confusionNote)}<div class="matrix">${table(result.confusion, columns, rows, true)}</div>`;
}

/** Precision, recall and F1 of each label, the worst first, and the confusion matrix where it can be looked at. */
export function labelsPart(report: LabelReport): Html {
  const sorted = [...report.labels].filter(({ support }) => support > 0).sort((a, b) => a.f1 - b.f1);
  const columns = [
    { name: result.label },
    { name: result.f1, figures: true },
    { name: result.precision, figures: true },
    { name: result.recall, figures: true },
    { name: result.support, figures: true },
  ];
  const rows = sorted.map(({ f1, label, precision, recall, support }) => [
    label,
    percent(f1),
    percent(precision),
    percent(recall),
    count(support),
  ]);
  const whole = table(result.labels, columns, rows, true);
  return part(result.labels, [
    note(result.labelsNote({ macro: percent(report.macroF1) })),
    rows.length > mostOpen ? folded(result.labels, whole) : whole,
    report.labels.length <= mostInMatrix ? matrix(report) : null,
  ]);
}
