/** An inspected adapter for people: lineage, what changed in each layer, the spectrum beside others. */
import type { AdapterComparison } from '../library/compare-adapters.ts';
import type { AdapterInspection, UpdateReport } from '../library/inspect.ts';
import type { Lineage } from '../library/inspect-lineage.ts';
import type { SoftenedAdapter } from '../library/soften-adapter.ts';
import { digits, percent, table } from './inspect-text.ts';

/** Of a digest, enough to tell two files apart. */
const shownDigest = 12;
export const short = (sha256: string): string => sha256.slice(0, shownDigest);

const sameBase = (same: boolean | null): string =>
  same === null
    ? 'the adapter does not say whether it was trained on this file'
    : same
      ? 'the file that it was trained on'
      : 'NOT the file that it was trained on';

function runLines({ run }: Lineage): string[] {
  if (run === null) return ['Made by: no run is known; its files do not say what it was trained on.'];
  const { batchSize, data, epochs, initialAdapter, learningRate, nomoat, rows, validation } = run;
  const files = data.map(({ file, sha256 }) => `${file} (sha256 ${short(sha256)})`).join(', ');
  const after = initialAdapter.map(({ file, sha256 }) => `${file} (sha256 ${short(sha256)})`).join(', ');
  return [
    `Made by: nomoat ${nomoat}, ${run.created.slice(0, 10)}, ${run.state}; seed ${run.seed}`,
    `Data:    ${files || 'not recorded'}${rows === null ? '' : `; ${rows} rows`}`,
    ...(after === '' ? [] : [`Went on from: ${after}`]),
    `Trained: epochs ${epochs}, batch size ${batchSize}, learning rate ${learningRate}`,
    ...(validation.before === null || validation.after === null
      ? []
      : [`Held-out loss: ${validation.before.toFixed(4)} before, ${validation.after.toFixed(4)} after`]),
  ];
}

export function lineageLines(lineage: Lineage): string[] {
  const { alphas, base, baseName, parameters, ranks, scales, targetModules } = lineage;
  return [
    `Base:    ${base.file} (sha256 ${short(base.sha256)}), ${sameBase(base.same)}${baseName === null || baseName === base.file ? '' : `; called ${baseName}`}`,
    `Adapter: LoRA of rank ${ranks.join(', ')}, alpha ${alphas.map(digits).join(', ')}, factor ${scales.map(digits).join(', ')}, ${parameters.toLocaleString('en')} numbers, on ${targetModules.join(', ')}`,
    ...runLines(lineage),
  ];
}

const projectionsOf = (updates: readonly { readonly projection: string }[]): string[] => [
  ...new Set(updates.map(({ projection }) => projection)),
];
const layersOf = (updates: readonly { readonly layer: number }[]): number[] => [
  ...new Set(updates.map(({ layer }) => layer).sort((first, second) => first - second)),
];

/** One line a layer, one column a projection. */
export function byLayer<T extends { readonly layer: number; readonly projection: string }>(
  updates: readonly T[],
  cell: (update: T) => string,
): string[] {
  const columns = projectionsOf(updates);
  const found = (layer: number, projection: string): T | undefined =>
    updates.find((update) => update.layer === layer && update.projection === projection);
  const cells = (layer: number): string[] =>
    columns.map((projection) => {
      const update = found(layer, projection);
      return update ? cell(update) : '-';
    });
  return table([['layer', ...columns], ...layersOf(updates).map((layer) => [String(layer), ...cells(layer)])]);
}

export const intrudersOf = ({ intruders }: Pick<UpdateReport, 'intruders'>): string => {
  if (intruders === null) return '';
  const { intruders: found, undecided } = intruders;
  return ` ${found.length === 0 ? '.' : found.length}${undecided === 0 ? '' : `+${undecided}?`}`;
};

export function intruderLines(updates: readonly Pick<UpdateReport, 'intruders'>[], remedy: string): string[] {
  const reports = updates.flatMap(({ intruders }) => intruders ?? []);
  if (reports.length === 0) return [];
  const count = reports.reduce((sum, { intruders }) => sum + intruders.length, 0);
  const undecided = reports.reduce((sum, report) => sum + report.undecided, 0);
  const tested = reports.reduce((sum, report) => sum + report.tested, 0);
  const weights = reports.filter(({ intruders }) => intruders.length > 0).length;
  return [
    `Intruder dimensions: ${count} of ${tested} leading singular vectors, in ${weights} of ${reports.length} weights${undecided > 0 ? `; ${undecided} more undecided (+N?)` : ''}.`,
    `They go with forgetting (arXiv 2410.21228): ${remedy}.`,
  ];
}

/** The figures that are unusual, or, where none may be called so, nothing. */
function spectralLines({ spectral: { clean, figures, verdict } }: AdapterInspection): string[] {
  const rows = figures
    .filter(({ unusual }) => unusual)
    .map(({ figure, high, low, probability, projection, value }) => [
      `${projection} ${figure}`,
      digits(value),
      `${digits(low)} to ${digits(high)}`,
      probability === null ? '' : digits(probability),
    ]);
  const shown = rows.length === 0 ? [] : table([['', 'here', `of ${clean.length} others`, 'p, corrected'], ...rows]);
  return [`Spectrum: ${verdict}`, ...shown];
}

/** The whole inspection. */
export function renderInspection(inspection: AdapterInspection): string {
  const { adapter, lineage, notes, updates } = inspection;
  const tested = updates.some(({ intruders }) => intruders !== null);
  return [
    adapter,
    ...lineageLines(lineage),
    ...notes,
    '',
    `Norm of the update relative to its weight, effective rank (of ${lineage.ranks.join(', ')})${tested ? ', intruder dimensions (. none)' : ''}:`,
    ...byLayer(
      updates,
      (update) => `${percent(update.relative)} ${update.effectiveRank.toFixed(1)}${intrudersOf(update)}`,
    ),
    '',
    ...intruderLines(updates, '--soften scales them down, and shows the loss before and after'),
    ...spectralLines(inspection),
  ].join('\n');
}

const cosineText = (cosine: number | null): string => (cosine === null ? 'zero' : cosine.toFixed(2));
const shareText = (share: number | null): string => (share === null ? '-' : percent(share));

/** Two adapters beside each other. */
export function renderComparison({
  adapter,
  cosine,
  notes,
  onlyFirst,
  onlyOther,
  other,
  updates,
}: AdapterComparison): string {
  const chance = updates[0]?.chance;
  return [
    `${adapter} and ${other}`,
    ...notes,
    `Cosine of all that they change: ${cosineText(cosine)} (1: the same direction; near 0: nothing in common)`,
    ...(onlyFirst + onlyOther > 0 ? [`Weights that only one of them adapts: ${onlyFirst} and ${onlyOther}`] : []),
    '',
    'Cosine of the updates, then what the smaller space of outputs and of inputs shares with the other’s:',
    ...byLayer(
      updates,
      (update) => `${cosineText(update.cosine)} ${shareText(update.outputs)} ${shareText(update.inputs)}`,
    ),
    ...(chance
      ? ['', `Random spaces would share ${percent(chance.outputs)} and ${percent(chance.inputs)} in the first weight.`]
      : []),
  ].join('\n');
}

/** What was softened, and what it did to the loss. */
export const renderSoftened = ({ files, intruders, loss, notes, weights }: SoftenedAdapter): string =>
  [
    ...notes,
    `${intruders} intruder dimensions in ${weights} weights.`,
    ...(loss ? [`Loss ${loss.before.toFixed(4)} before, ${loss.after.toFixed(4)} after (${loss.tokens} tokens).`] : []),
    ...files,
  ].join('\n');
