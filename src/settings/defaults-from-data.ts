/**
 * Settings of a fine-tuning run that its data and its model decide where nobody gives them. Pure: counts in, numbers out.
 * The rules and where they come from are in docs/defaults.md; a flag or a recipe always wins.
 */

/** The settings that are chosen here; null where nobody gave one. */
export interface RequestedDefaults {
  readonly sequenceLength: number | null;
  readonly batchSize: number | null;
  readonly epochs: number | null;
  readonly rank: number | null;
  readonly learningRate: number | null;
}
export type ChosenName = keyof RequestedDefaults;
export type Chosen = { readonly [Name in ChosenName]: number };

export interface ModelFacts {
  readonly modelWidth: number;
  readonly contextLength: number;
  /** All weights of the file. */
  readonly weights: number;
  /** Weights of an adapter of rank 1 on the run's target modules. */
  readonly weightsPerRank: number;
  readonly architecture: 'llama' | 'qwen2' | 'qwen3';
  /** `preferences`: an adapter that learns which of two answers is preferred, by another method than DPO. */
  readonly method: 'lora' | 'full' | 'dpo' | 'preferences';
}

export interface DataFacts {
  readonly rows: number;
  readonly supervisedTokens: number;
}

/** Lengths are rounded up to this: rows of a later data set are a little longer than those of the first. */
const lengthStep = 64;
/** No longer than this without being asked: memory and time of a row grow with it, and few conversations need more. */
const maxDefaultLength = 2048;
/** Share of the rows that the length holds whole; the others are outliers. */
const wholeShare = 0.995;
/** Outliers up to this many times that length are held as well: packed rows cost what they hold, not what the longest one does. */
const outlierFactor = 2;

/** Texts that are split anyway need no long rows. */
const splitDefault = 512;

/** The longest row to look at while the length is still to be chosen. */
export const lengthBound = (contextLength: number, tooLong: string): number =>
  Math.min(contextLength, tooLong === 'split' ? splitDefault : maxDefaultLength);

/** The smallest multiple of 64 that holds 99.5% of the rows, or all where the longest is at most twice that, within the bounds. */
export function chooseSequenceLength(lengths: readonly number[], contextLength: number): number {
  const sorted = [...lengths].sort((a, b) => a - b);
  const whole = sorted[Math.max(0, Math.ceil(wholeShare * sorted.length) - 1)] ?? lengthStep;
  const longest = sorted.at(-1) ?? lengthStep;
  const held = longest <= outlierFactor * whole ? longest : whole;
  return Math.min(contextLength, maxDefaultLength, Math.ceil(held / lengthStep) * lengthStep);
}

const batchSizes = [16, 8, 4] as const;
/** Fewer updates than this in a pass are too coarse: the batch is halved first. */
const stepsWanted = 25;

export const chooseBatchSize = (rows: number): number =>
  batchSizes.find((size) => Math.ceil(rows / size) >= stepsWanted) ?? batchSizes.at(-1)!;

/** Updates after which more passes over the same data bring little. */
const updatesWanted = 300;
/** Models with fewer weights know so little that they need twice the passes. */
const toyWeights = 30e6;
const maxEpochs = { toy: 6, other: 3 } as const;

export function chooseEpochs(rows: number, batchSize: number, weights: number): number {
  const toy = weights < toyWeights;
  const wanted = Math.ceil(((toy ? 2 : 1) * updatesWanted) / Math.ceil(rows / batchSize));
  return Math.max(1, Math.min(toy ? maxEpochs.toy : maxEpochs.other, wanted));
}

const ranks = [8, 16, 32, 64] as const;

/** The smallest rank whose adapter has a weight for every supervised token of the data. */
export const chooseRank = (supervisedTokens: number, weightsPerRank: number): number =>
  ranks.find((rank) => rank * weightsPerRank >= supervisedTokens) ?? ranks.at(-1)!;

/** Rate of LoRA at a width of 2000; full fine-tuning wants a tenth. */
const rateAt2000 = 5e-4;
/** Preferences want a fraction of it: too high a rate drives both answers' log-probabilities down together (docs/defaults.md). */
const shares: Readonly<Record<ModelFacts['method'], number>> = { lora: 1, full: 0.1, dpo: 0.1, preferences: 0.025 };
/** Further passes over pairs raise the margin of those pairs and little else (docs/defaults.md). */
const preferenceEpochs = 1;
const widthExponents: Readonly<Record<ModelFacts['architecture'], number>> = {
  llama: 0.781,
  qwen2: 0.0775,
  qwen3: 0.0775,
};
/** The fit knows no models narrower than 2048. Llamas of 192 and 576 want an adapter's rate to rise faster (our own sweeps, docs/defaults.md). */
const narrowExponent = 1.3;
/** The highest rate that those sweeps tried on the narrowest. */
const maxRate = 5e-3;

/** What of a model its default learning rate depends on. */
export type RateFacts = Pick<ModelFacts, 'architecture' | 'method' | 'modelWidth'>;

export function chooseLearningRate({ architecture, method, modelWidth }: RateFacts): number {
  const narrow = architecture === 'llama' && method !== 'full' && modelWidth < 2000;
  const exponent = narrow ? narrowExponent : widthExponents[architecture];
  const rate = Math.min(maxRate, rateAt2000 * (2000 / modelWidth) ** exponent);
  return Number((rate * shares[method]).toPrecision(2));
}

/** Fills in what nobody gave; what was given stays and is built upon. `sequenceLength` is the given or chosen one: it decides the rows. */
export function chooseDefaults(
  requested: RequestedDefaults,
  sequenceLength: number,
  data: DataFacts,
  model: ModelFacts,
): Chosen {
  const batchSize = requested.batchSize ?? chooseBatchSize(data.rows);
  return {
    sequenceLength,
    batchSize,
    epochs:
      requested.epochs ??
      (model.method === 'dpo' || model.method === 'preferences'
        ? preferenceEpochs
        : chooseEpochs(data.rows, batchSize, model.weights)),
    rank: requested.rank ?? chooseRank(data.supervisedTokens, model.weightsPerRank),
    learningRate: requested.learningRate ?? chooseLearningRate(model),
  };
}

/** One line that says what was chosen and what of; null where everything was given. */
export function explainDefaults(
  requested: RequestedDefaults,
  chosen: Chosen,
  data: DataFacts & { readonly longest: number | null },
  model: ModelFacts,
): string | null {
  const count = (value: number): string => value.toLocaleString('en');
  const parts: readonly (readonly [ChosenName, string])[] = [
    [
      'sequenceLength',
      `sequence length ${chosen.sequenceLength} (${data.longest === null ? "the model's context; longer rows are cut" : `longest row ${data.longest}`})`,
    ],
    ['batchSize', `batches of ${chosen.batchSize}`],
    ['epochs', `${chosen.epochs} epochs (${count(data.rows)} rows)`],
    ['rank', `rank ${chosen.rank} (${count(data.supervisedTokens)} supervised tokens)`],
    ['learningRate', `learning rate ${chosen.learningRate} (width ${model.modelWidth})`],
  ];
  const said = parts.filter(([name]) => requested[name] === null && (name !== 'rank' || model.method !== 'full'));
  return said.length === 0 ? null : `Chosen from the data: ${said.map(([, text]) => text).join(', ')}.`;
}
