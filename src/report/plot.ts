/**
 * Plots: their values for the page's script, which draws them with uPlot, and as a table for those who cannot see a picture or run no script.
 * Pure.
 */
import { short } from './figures.ts';
import { type Html, html } from './markup.ts';
import { label, say, type Text } from './say.ts';
import { words } from './words.ts';

/** A point; a value that is no number (JSON has no NaN) is a gap. */
export type Point = readonly [x: number, y: number | null];

export interface Series {
  readonly name: Text;
  readonly points: readonly Point[];
  /** Few measurements, each of which is worth a dot. */
  readonly dots?: boolean;
}

export interface Plot {
  readonly id: string;
  readonly title: Text;
  readonly xName: Text;
  /** Unit of the values, where they have one. */
  readonly unit?: Text;
  readonly series: readonly Series[];
}

/** What the script draws. */
export interface PlotData {
  readonly id: string;
  readonly x: Text;
  readonly series: readonly { readonly name: Text; readonly dots: boolean }[];
  /** x, then each series, null where it has no value. */
  readonly columns: readonly (readonly (number | null)[])[];
}

/** A line on a wide screen has some thousand points that can be told apart; a million steps would be a page of 20 MB. */
const mostPoints = 1000;
/** Values that the table beneath a plot names. */
const tableRows = 12;

const isPoint = ([x, y]: Point): boolean => Number.isFinite(x) && (y === null || Number.isFinite(y));

/** The least and the greatest of each stretch of points, so that a spike stays one. */
export function thinned(points: readonly Point[], most = mostPoints): readonly Point[] {
  if (points.length <= most) return points;
  const size = Math.ceil(points.length / (most / 2));
  const kept: Point[] = [];
  for (let start = 0; start < points.length; start += size) {
    const part = points.slice(start, start + size);
    const at = (better: (a: number, b: number) => boolean): number =>
      part.reduce(
        (best, [, y], i) => (y !== null && (part[best]![1] === null || better(y, part[best]![1])) ? i : best),
        0,
      );
    const [least, greatest] = [at((a, b) => a < b), at((a, b) => a > b)];
    for (const i of [...new Set([least, greatest])].sort((a, b) => a - b)) kept.push(part[i]!);
  }
  return kept.at(-1) === points.at(-1) ? kept : [...kept, points.at(-1)!];
}

/** The plot as columns over every x that some series has. */
export function plotData({ id, series, xName }: Plot): PlotData {
  const lines = series.map(({ points }) => new Map(thinned(points.filter(isPoint))));
  const xs = [...new Set(lines.flatMap((line) => [...line.keys()]))].sort((a, b) => a - b);
  return {
    id,
    x: xName,
    series: series.map(({ dots = false, name }) => ({ name, dots })),
    columns: [xs, ...lines.map((line) => xs.map((x) => line.get(x) ?? null))],
  };
}

function valuesTable({ series, title, xName }: Plot): Html {
  const shown = series.map(({ points }) => new Map(thinned(points.filter(isPoint), tableRows)));
  const xs = [...new Set(shown.flatMap((line) => [...line.keys()]))].sort((a, b) => a - b);
  const rows = xs.map(
    (x) =>
      html`<tr><th scope="row">${x}</th>${shown.map((line) => html`<td class="n">${short(line.get(x))}</td>`)}</tr>`,
  );
  return html`<details class="values"><summary>${say(words.page.values)}</summary>
<div class="scroll" tabindex="0" role="group" ${label(title)}><table><thead><tr><th scope="col">${say(xName)}</th>${series.map(({ name }) => html`<th scope="col" class="n">${say(name)}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div></details>`;
}

/** The place of a plot; empty where there is nothing to draw. */
export function plotFigure(plot: Plot): Html | null {
  if (!plot.series.some(({ points }) => points.some(isPoint))) return null;
  return html`<figure class="plot"><figcaption>${say(plot.title)} ${plot.unit ? html`<small>${say(plot.unit)}</small>` : null}</figcaption>
<div class="canvas" data-plot="${plot.id}" role="img" ${label(plot.title)}></div>${valuesTable(plot)}</figure>`;
}
