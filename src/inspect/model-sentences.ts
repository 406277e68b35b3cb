/** What the figures of a whole model come to, in sentences. Promises: says nothing of safety, and nothing without its numbers. Pure. */
import type { BaseComparison, WeightReport } from './model-report.ts';
import { leadingDirections } from './weight-figures.ts';

/** Names that are listed; beyond, a count says enough. */
const listed = 5;
const list = (names: readonly string[]): string =>
  `${names.slice(0, listed).join(', ')}${names.length > listed ? ` and ${names.length - listed} more` : ''}`;

/** Where so much of every change lies in the leading directions, it is that of an adapter. */
const adapterShare = 0.98;
/** Relative to the base's tensor: what another type rounds to float16 is at most 2^-11 of each number. */
const roundingShare = 2 ** -11;
/** More zeros than any rounding makes. */
const mostlyZero = 0.5;

function ofWeights(weights: readonly WeightReport[]): string[] {
  const broken = weights
    .filter(({ notFinite }) => notFinite > 0)
    .map(({ notFinite, tensor }) => `${tensor} (${notFinite})`);
  const empty = weights
    .filter(({ shape, zeros }) => shape.length > 1 && zeros > mostlyZero * shape.reduce((a, b) => a * b, 1))
    .map(({ tensor }) => tensor);
  const equal = weights.find(({ equalRows }) => equalRows > 0);
  return [
    ...(broken.length > 0
      ? [`Numbers that are NaN or infinite stand in ${list(broken)}: what it answers is nothing.`]
      : []),
    ...(empty.length > 0 ? [`More than half of the numbers are 0 in ${list(empty)}.`] : []),
    ...(equal
      ? [
          `${equal.equalRows} of ${equal.shape[0]} tokens have the embedding of another one: no training told them apart, so the model knows nothing of them.`,
        ]
      : []),
  ];
}

function ofMetadata(keys: readonly string[]): string[] {
  const template = keys.includes('tokenizer.chat_template');
  const vocabulary = keys.filter((key) => /^tokenizer\.ggml\.(tokens|merges|scores|token_type|pre|model)$/.test(key));
  return [
    ...(template
      ? ['Its chat template is another than the base’s: it decides what the model is asked with, so read it.']
      : []),
    ...(vocabulary.length > 0 ? [`Its vocabulary is another than the base’s (${vocabulary.join(', ')}).`] : []),
  ];
}

function ofChanges({ changes, metadata, onlyHere, onlyInBase, otherShape, otherType }: BaseComparison): string[] {
  const outside = changes
    .filter(({ relative, spread }) => spread === null && relative > roundingShare)
    .map(({ tensor }) => tensor);
  const spreads = changes.flatMap(({ spread }) => spread ?? []);
  const narrow = spreads.filter(({ leadingShare }) => leadingShare >= adapterShare).length;
  return [
    ...(changes.length === 0 && otherShape.length === 0 ? ['Every number that both have is the same.'] : []),
    ...(onlyHere.length > 0 ? [`The base does not have ${list(onlyHere)}.`] : []),
    ...(onlyInBase.length > 0 ? [`It lacks what the base has: ${list(onlyInBase)}.`] : []),
    ...(otherShape.length > 0 ? [`Of another shape than in the base, and not compared: ${list(otherShape)}.`] : []),
    ...(otherType > 0
      ? [`${otherType} tensors are stored in another type than in the base: what that rounds counts as change.`]
      : []),
    ...(outside.length > 0 && outside.length < changes.length
      ? [`What no adapter holds differs too: ${list(outside)}.`]
      : []),
    ...(narrow > 0
      ? [
          `Of ${narrow} of ${spreads.length} changed matrices at least ${100 * adapterShare}% of the change lies in ${leadingDirections} directions, as where an adapter was merged: \`extractAdapter()\` takes it out.`,
        ]
      : []),
    ...ofMetadata(metadata),
  ];
}

/** The most important first. */
export const modelSentences = (weights: readonly WeightReport[], base: BaseComparison | null): string[] => [
  ...ofWeights(weights),
  ...(base ? ofChanges(base) : []),
];
