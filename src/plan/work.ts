/** What a run computes: its steps, their micro-batches and what is evaluated beside them, laid out from its own rows. Pure. */
import { batchIndices, stepsOf } from '../batches/order.ts';
import { packRows } from '../batches/pack.ts';
import type { PackedBatch } from '../batches/packed-batch.ts';
import type { Prepared } from '../dataset/prepared.ts';
import { hasReference, wantsPairs } from '../settings/methods.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { validationInterval } from '../train/cadence.ts';
import { packOptions } from '../train/pack-options.ts';
import { answersOf, answerTokens } from '../train/preferences.ts';
import type { Work } from './work-shape.ts';

/** Steps of the first epoch that are laid out to see their micro-batches. */
const forecastSteps = 200;
/** Held-out rows of the parity proof (run-training.ts). */
export const parityRows = 20;

const tokensOf = (rows: readonly Pick<TokenRow, 'tokens'>[]): number =>
  rows.reduce((sum, { tokens }) => sum + tokens.length, 0);

/** Of both answers, where there are two. */
const supervisedOf = (rows: readonly TokenRow[]): number =>
  rows.reduce((sum, row) => sum + answersOf(row).reduce((all, answer) => all + answerTokens(answer), 0), 0);

/** What the base gives all answers, before the first step; of labelled answers also those that do not belong to their prompts, about as long. */
function referenceWork(
  { method }: RunSettings,
  rows: readonly TokenRow[],
  pack: (rows: readonly TokenRow[]) => PackedBatch[],
): Pick<Work, 'referenceTokens' | 'referenceSupervised'> {
  if (!hasReference(method)) return { referenceTokens: 0, referenceSupervised: 0 };
  const passes = wantsPairs(method) ? 1 : 2;
  return { referenceTokens: passes * tokensOf(pack(rows)), referenceSupervised: passes * supervisedOf(rows) };
}

/** What the run computes, and a micro-batch of middling size of it. */
export function workOf(
  { prefix, train, validation }: Pick<Prepared, 'prefix' | 'train' | 'validation'>,
  settings: RunSettings,
): { work: Work; typical: PackedBatch } {
  const { perEpoch, steps } = stepsOf(train.length, settings);
  const seen = Math.min(perEpoch, steps, forecastSteps);
  const pack = (rows: readonly TokenRow[]): PackedBatch[] => packRows(rows, packOptions(settings, prefix));
  const batches = Array.from({ length: seen }, (_, step) =>
    pack(batchIndices(step, { rows: train.length, ...settings }).map((i) => train[i]!)),
  ).flat();
  const mean = (of: (batch: PackedBatch) => number): number => batches.reduce((sum, b) => sum + of(b), 0) / seen;
  const tokensPerStep = mean(({ tokens }) => tokens.length);
  const middle = (tokensPerStep * seen) / batches.length;
  const distance = ({ tokens }: PackedBatch): number => Math.abs(tokens.length - middle);
  const every = validationInterval(settings, steps, train.length);
  const work: Work = {
    steps,
    microBatchesPerStep: batches.length / seen,
    tokensPerStep,
    realTokensPerStep: mean(({ realTokens }) => realTokens),
    supervisedPerStep: mean(({ supervisedTokens }) => supervisedTokens),
    largestMicroBatch: batches.reduce((most, { tokens }) => Math.max(most, tokens.length), 0),
    validations: validation.length > 0 ? Math.ceil(steps / every) + 1 : 0,
    validationTokens: tokensOf(pack(validation)),
    validationSupervised: supervisedOf(validation),
    ...referenceWork(settings, [...train, ...validation], pack),
    proofTokens: tokensOf((validation.length > 0 ? validation : train).slice(0, parityRows)),
    verdictShare: validation.length > 0 ? (settings.verdictShare ?? 0) : 0,
    safetyShare: settings.method === 'pretrain' ? 0 : (settings.safetyShare ?? 0),
  };
  return { work, typical: batches.reduce((best, batch) => (distance(batch) < distance(best) ? batch : best)) };
}
