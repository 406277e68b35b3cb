/**
 * The page's own script: language, colours, plots, filters, copying. Its functions run in the reader's browser, from their own texts (`toString`),
 * so they use each other and nothing else of this module. Promises: asks nobody for anything; without it the page still says everything.
 */
import type { PlotData } from './plot.ts';
import type { Text } from './say.ts';

/** What is used of uPlot (uPlot.iife.min.js defines it), which the page holds. */
interface Chart {
  destroy(): void;
  setSize(size: { width: number; height: number }): void;
}
declare const uPlot: new (options: object, data: readonly (readonly (number | null)[])[], target: Element) => Chart;

const all = (query: string): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(query)];
const isEnglish = (): boolean => document.documentElement.lang === 'en';

/** A choice of the reader, set or read again. Pages of files have no storage in some browsers. */
function kept(name: string, value?: string): string | null {
  try {
    if (value !== undefined) localStorage.setItem(`nomoat-report-${name}`, value);
    return localStorage.getItem(`nomoat-report-${name}`);
  } catch {
    return value ?? null;
  }
}

const digits = (value: number | null): string => (value === null ? '–' : String(Number(value.toPrecision(4))));

/** What uPlot is told of a plot, at a width, in the page's language and colours. */
export function chartOptions({ series, x }: PlotData, width: number): object {
  const colour = (name: string): string =>
    getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const said = (text: Text): string => (isEnglish() ? text.en : text.zh);
  const value = (_: unknown, each: number | null): string => digits(each);
  // Steps are whole.
  const wholeSteps = Array.from({ length: 24 }, (_, i) => [1, 2, 5][i % 3]! * 10 ** Math.floor(i / 3));
  const font = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
  const axis = { stroke: colour('muted'), font, grid: { stroke: colour('line'), width: 1 }, ticks: { show: false } };
  const lines = series.map(({ dots, name }, i) => {
    const stroke = colour(['series-a', 'series-b', 'series-c'][i % 3]!);
    const points = dots ? { show: true, size: 7, fill: stroke } : { show: false };
    return {
      label: said(name),
      stroke,
      width: dots ? 2 : 1.5,
      dash: dots ? [4, 4] : [],
      points,
      spanGaps: true,
      value,
    };
  });
  return {
    width,
    height: chartHeight(width),
    cursor: { drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: false } },
    axes: [
      { ...axis, label: said(x), labelFont: font, labelSize: 18, size: 26, incrs: wholeSteps },
      { ...axis, size: 58, values: (_: unknown, ticks: (number | null)[]) => ticks.map(digits) },
    ],
    series: [{ label: said(x), value }, ...lines],
  };
}

export function chartHeight(width: number): number {
  return Math.max(180, Math.min(280, width * 0.42));
}

/** Draws the plots, and returns how to draw them anew, in other words or colours, and how to fit them to another width. */
function openPlots(): { draw: () => void; fit: () => void } {
  const plots: readonly PlotData[] = JSON.parse(document.getElementById('plots')?.textContent || '[]');
  const places = plots.map(({ id }) => document.querySelector<HTMLElement>(`[data-plot="${id}"]`));
  let charts: (Chart | null)[] = [];
  const draw = (): void => {
    for (const chart of charts) chart?.destroy();
    charts = plots.map((plot, i) => {
      const place = places[i];
      return place ? new uPlot(chartOptions(plot, place.clientWidth), plot.columns, place) : null;
    });
  };
  const fit = (): void => {
    charts.forEach((chart, i) => {
      const width = places[i]?.clientWidth ?? 0;
      if (width > 0) chart?.setSize({ width, height: chartHeight(width) });
    });
  };
  return { draw, fit };
}

function press(group: string, value: string): void {
  for (const button of all(`[data-${group}]`))
    button.setAttribute('aria-pressed', String(button.dataset[group] === value));
}

function speak(language: string): void {
  const root = document.documentElement;
  root.lang = language;
  const suffix = isEnglish() ? 'En' : 'Zh';
  for (const named of all('[data-label-en]')) named.setAttribute('aria-label', named.dataset[`label${suffix}`] ?? '');
  document.title = root.dataset[`title${suffix}`] ?? document.title;
  press('speak', language);
}

function paint(theme: string): void {
  const root = document.documentElement;
  if (theme === 'auto') delete root.dataset.theme;
  else root.dataset.theme = theme;
  press('paint', theme);
}

/** Shows the examples of one kind, or all. */
function show(outcome: string): void {
  press('show', outcome);
  for (const example of all('[data-outcome]'))
    example.hidden = outcome !== 'all' && example.dataset.outcome !== outcome;
}

/** Copies the text of an element, and selects it, for browsers that let no page copy. */
function copy(button: HTMLElement, id: string): void {
  const place = document.getElementById(id);
  if (!place) return;
  getSelection()?.selectAllChildren(place);
  const done = (): void => {
    button.dataset.copied = '';
    setTimeout(() => delete button.dataset.copied, 1500);
  };
  navigator.clipboard?.writeText(place.textContent ?? '').then(done, () => {});
}

/** Paper is white, and nobody opens anything on it. */
function followPrinting(draw: () => void): void {
  let opened: HTMLElement[] = [];
  matchMedia('print').addEventListener('change', ({ matches }) => {
    if (matches) opened = all('details:not([open])');
    for (const each of opened) each.toggleAttribute('open', matches);
    draw();
  });
}

function main(): void {
  const { draw, fit } = openPlots();
  document.documentElement.dataset.script = '';
  paint(kept('theme') ?? 'auto');
  speak(kept('language') ?? (/^zh\b/i.test(navigator.language) ? 'zh-Hans' : 'en'));
  draw();
  document.addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? target.closest<HTMLElement>('button') : null;
    if (!button) return;
    const { copy: id, paint: theme, show: outcome, speak: language } = button.dataset;
    if (language) speak(kept('language', language) ?? language);
    if (theme) paint(kept('theme', theme) ?? theme);
    if (language || theme) draw();
    if (outcome) show(outcome);
    if (id) copy(button, id);
  });
  new ResizeObserver(fit).observe(document.body);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  followPrinting(draw);
}

const declared = [kept, chartOptions, chartHeight, openPlots, press, speak, paint, show, copy, followPrinting, main];
/** The script as a text. Arrow functions have their names from the constants that hold them. */
export const pageScript = `(() => {
'use strict';
const ${all.name} = ${all};
const ${isEnglish.name} = ${isEnglish};
const ${digits.name} = ${digits};
${declared.join('\n')}
${main.name}();
})();`;
