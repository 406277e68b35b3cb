/**
 * A run as one HTML page: no script, no network, readable on a phone. Everything that comes from outside is escaped. Pure.
 */
import type { RunEvent } from '../events.ts';
import { fixed } from './figures.ts';
import type { RunRecord } from './run-folder.ts';

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
export const escapeHtml = (text: unknown): string => String(text).replace(/[&<>"']/g, (c) => escapes[c]!);

type Point = readonly [x: number, y: number];
/** Points of a line that can be told apart at its width. */
const maxPoints = 1000;
/** Every so many points that no more than that remain, and the last: a million steps would be a page of 20 MB. */
function thinned(points: readonly Point[]): readonly Point[] {
  const every = Math.ceil(points.length / maxPoints);
  return points.filter((_, i) => i % every === 0 || i === points.length - 1);
}
/** Drawn at the width of a phone, so that its letters can be read there; wider pages enlarge it. */
const [width, height, margin] = [380, 220, 44];

function chart(title: string, series: readonly { name: string; points: readonly Point[]; dots?: boolean }[]): string {
  const points = series.flatMap((s) => s.points).filter(([, y]) => Number.isFinite(y));
  if (points.length === 0) return '';
  const right = points.reduce((most, [x]) => Math.max(most, x), 1);
  const top = points.reduce((most, [, y]) => Math.max(most, y), 0) || 1;
  const at = ([x, y]: Point): string =>
    `${(margin + (x / right) * (width - margin - 10)).toFixed(1)},${(height - 24 - (y / top) * (height - 40)).toFixed(1)}`;
  const lines = series.map(({ points: line, dots }, i) => {
    const marks = dots
      ? line
          .map((p) => `<circle class="s${i}" cx="${at(p).split(',')[0]}" cy="${at(p).split(',')[1]}" r="4"/>`)
          .join('')
      : '';
    return `<polyline class="s${i}" points="${thinned(line).map(at).join(' ')}"/>${marks}`;
  });
  const legend = series.map(({ name }, i) => `<span class="k${i}">${escapeHtml(name)}</span>`).join(' ');
  return `<figure><figcaption>${escapeHtml(title)} ${legend}</figcaption><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">
<text x="2" y="18">${top.toPrecision(3)}</text><text x="2" y="${height - 24}">0</text><text x="${width - 60}" y="${height - 4}">step ${right}</text>${lines.join('')}</svg></figure>`;
}

function table(rows: readonly (readonly [string, unknown])[]): string {
  return `<table>${rows.map(([name, value]) => `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`).join('')}</table>`;
}

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:auto;padding:1rem}table{border-collapse:collapse;width:100%}th{text-align:left;font-weight:500;padding-right:1rem;vertical-align:top;width:40%}th,td{overflow-wrap:anywhere}tr{border-bottom:1px solid #8884}
svg{width:100%;height:auto}polyline{fill:none;stroke-width:2}.s0{stroke:#2a7de1;fill:none}.s1{stroke:#d9480f;fill:none}circle.s1{fill:#d9480f}.k0{color:#2a7de1}.k1{color:#d9480f}text{font-size:12px;fill:currentColor}figure{margin:1rem 0}
.sample{border:1px solid #8884;border-radius:8px;padding:.5rem 1rem;margin:1rem 0}pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.2rem 0 .8rem}@media(prefers-color-scheme:dark){body{background:#111;color:#eee}}`;

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

const comparedNames: Readonly<Record<Compared['what'], { name: string; text: (value: number) => string }>> = {
  firstStepSeconds: { name: 'time to the first step', text: (x) => `${fixed(x, 1)} s` },
  seconds: { name: 'time of the whole run', text: (x) => `${fixed(x, 0)} s` },
  tokensPerSecond: { name: 'tokens per second', text: (x) => fixed(x, 0) },
  peakMemoryBytes: { name: 'peak memory', text: (x) => `${fixed(x / 1e9, 2)} GB` },
};

function planTable(compared: readonly Compared[]): string {
  if (compared.length === 0) return '';
  const rows = compared.map(({ actual, planned, what }): [string, string] => {
    const { name, text } = comparedNames[what];
    const difference = actual === null ? '' : ` (${fixed((100 * (planned - actual)) / actual, 0)}%)`;
    return [name, `planned ${text(planned)}, actual ${actual === null ? 'unknown' : text(actual)}${difference}`];
  });
  return `<h2>Planned and actual</h2>${table(rows)}`;
}

/** The page. */
export function renderReport(run: RunRecord, events: readonly RunEvent[]): string {
  const of = <T extends RunEvent['type']>(type: T): Extract<RunEvent, { type: T }>[] =>
    events.filter((e) => e.type === type) as Extract<RunEvent, { type: T }>[];
  const steps = of('step-end');
  const data = of('data-ready').at(-1);
  const end = of('run-end').at(-1);
  const start = of('run-start').at(-1);
  const loss = chart('Loss', [
    { name: 'training', points: steps.map((e) => [e.step, e.loss]) },
    { name: 'validation', points: of('validation').map((e) => [e.step, e.loss]), dots: true },
  ]);
  const rate = chart('Learning rate', [{ name: 'learning rate', points: steps.map((e) => [e.step, e.learningRate]) }]);
  const samples = of('sample').map(
    (s) =>
      `<div class="sample"><b>Question</b><pre>${escapeHtml(s.prompt)}</pre><b>Expected</b><pre>${escapeHtml(s.expected)}</pre><b>Before</b><pre>${escapeHtml(s.before)}</pre><b>After</b><pre>${escapeHtml(s.after)}</pre></div>`,
  );
  const said = of('notice').map(({ message }) => `<li>${escapeHtml(message)}</li>`);
  const notices = said.length > 0 ? `<h2>Notices</h2><ul>${said.join('')}</ul>` : '';
  const parity = of('export-parity').map((p): [string, string] => [
    `parity on ${p.base}`,
    `mean ${fixed(p.meanDifference, 5)}, worst ${fixed(p.worstDifference, 4)} nats over ${p.tokens} tokens${p.passed === null ? '' : p.passed ? ' (passed)' : ' (FAILED)'}`,
  ]);
  // Pretraining only: the same loss in a measure that does not depend on the vocabulary.
  const bits = of('validation').filter((e) => e.bitsPerByte !== undefined);
  const best = bits.reduce((least, e) => Math.min(least, e.bitsPerByte!), Number.POSITIVE_INFINITY);
  const bitRows: (readonly [string, unknown])[] =
    bits.length > 0 ? [['bits per byte before / best', `${fixed(bits[0]!.bitsPerByte, 4)} / ${fixed(best, 4)}`]] : [];
  const settings = Object.entries(run.settings).map(([name, value]): [string, unknown] => [
    name,
    Array.isArray(value) ? value.join(', ') : value,
  ]);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(run.settings.model)}: nomoat run</title><style>${style}</style></head><body>
<h1>${run.settings.method === 'pretrain' ? 'Pretraining' : 'Fine-tuning'} ${escapeHtml(run.settings.model)}</h1>
${table([
  ['state', end?.state ?? run.state],
  ...(end?.verdict === undefined ? [] : [['not to be trusted', end.verdict] as const]),
  ['validation loss before', end?.validationBefore == null ? 'no validation set' : fixed(end.validationBefore, 4)],
  ['validation loss after', end?.validationAfter == null ? 'no validation set' : fixed(end.validationAfter, 4)],
  ['steps', `${end?.steps ?? '?'}${end?.bestStep ? `, the result is of step ${end.bestStep}` : ''}`],
  ...bitRows,
  ...parity,
  ['time', `${fixed(((end?.seconds ?? 0) + (end?.secondsBefore ?? 0)) / 60, 1)} min`],
  ['peak memory', `${fixed((end?.peakMemoryBytes ?? 0) / 1e9, 2)} GB`],
  ['trained', `${start?.trainableParameters ?? '?'} of ${start?.parameters ?? '?'} parameters`],
])}
${planTable(plannedAndActual(events))}${notices}${loss}${rate}<h2>Answers</h2>${samples.join('') || '<p>No samples.</p>'}
<h2>Data</h2>${
    data
      ? table(
          Object.entries(data)
            .filter(([key]) => key !== 'type')
            .map(([key, value]) => [key, typeof value === 'object' ? JSON.stringify(value) : value]),
        )
      : ''
  }
<h2>Settings</h2>${table(settings)}<h2>Provenance</h2>${table([['nomoat', run.nomoat], ['created', run.created], ['base model sha256', run.modelDigest], ...Object.entries(run.dataDigests).map(([name, digest]): [string, string] => [`${name} sha256`, digest])])}
</body></html>
`;
}
