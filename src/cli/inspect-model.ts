/** An inspected model for people: what it is, what it is made of, and beside its base what changed in each layer. */
import type { ModelFacts } from '../inspect/model-facts.ts';
import type { BaseComparison, WeightChange, WeightReport } from '../inspect/model-report.ts';
import type { ModelInspection } from '../library/inspect-model.ts';
import { harmless } from '../words/harmless.ts';
import { sizeText } from '../words/size-text.ts';
import { byLayer, intruderLines, intrudersOf, short } from './inspect-adapter.ts';
import { digits, percent, table } from './inspect-text.ts';

const counted = (value: number | null): string => (value === null ? '?' : value.toLocaleString('en'));
const quoted = (texts: readonly string[]): string => harmless(texts.join(' ')) || 'none';

function tokenizerLine({ addsBegin, begin, ends, model, pre, special, tokens }: ModelFacts['tokenizer']): string {
  const begins = begin === null ? '' : `; prompts begin ${addsBegin === false ? 'without' : 'with'} ${harmless(begin)}`;
  return `Tokenizer: ${model ?? 'none'}${pre === null ? '' : ` (${pre})`}, ${counted(tokens)} tokens, ${counted(special)} of them special${begins}; ends at ${quoted(ends)}`;
}

function templateLine(template: ModelFacts['template']): string {
  if (template === null) return 'Template:  none: it completes text, and is no chat model by itself';
  const { characters, name, sha256, thoughts, tools } = template;
  const speaks = [...(tools ? ['tools'] : []), ...(thoughts ? ['thoughts'] : [])];
  return `Template:  ${name ?? 'its own'}, ${counted(characters)} characters (sha256 ${short(sha256)})${speaks.length > 0 ? `; speaks of ${speaks.join(' and ')}` : ''}`;
}

function factLines({ facts, file }: ModelInspection): string[] {
  const { architecture, contextLength, layers, license, madeOf, modelWidth, name, parameters, types } = facts;
  const stored = types.map(({ bytes, tensors, type }) => `${tensors} ${type} (${sizeText(bytes)})`).join(', ');
  return [
    `File:      ${file.file}, ${sizeText(file.bytes)} (sha256 ${short(file.sha256)})`,
    `Model:     ${name === null ? 'without a name' : harmless(name)}, ${architecture ?? 'no architecture'}: ${counted(layers)} layers of width ${counted(modelWidth)}, ${counted(parameters)} parameters, context of ${counted(contextLength)} tokens`,
    `Stored as: ${stored}`,
    `License:   ${license === null ? 'not stated' : harmless(license)}`,
    ...(madeOf.length > 0 ? [`Made of:   ${quoted(madeOf)}, as it says`] : []),
    tokenizerLine(facts.tokenizer),
    templateLine(facts.template),
  ];
}

/** `attn_q` of blk.3.attn_q.weight, by which matrices stand in columns. */
const columnOf = (tensor: string): string => tensor.replace(/^blk\.\d+\./, '').replace(/\.weight$/, '');

/** Those of the blocks that have directions, as cells of a table. */
const inBlocks = <T extends Pick<WeightChange, 'layer' | 'spread' | 'tensor'>>(
  weights: readonly T[],
): (T & { layer: number; projection: string; spread: NonNullable<T['spread']> })[] =>
  weights.flatMap((weight) =>
    weight.layer === null || weight.spread === null
      ? []
      : [{ ...weight, layer: weight.layer, projection: columnOf(weight.tensor), spread: weight.spread }],
  );

function weightLines(weights: readonly WeightReport[]): string[] {
  const others = weights.filter(({ layer }) => layer === null);
  return [
    'Root mean square of each matrix, and its stable rank (|W|² over its largest singular value’s square):',
    ...byLayer(inBlocks(weights), ({ rms, spread }) => `${digits(rms)} ${spread.stableRank.toFixed(1)}`),
    '',
    ...table([
      ['outside of the blocks', 'shape', 'type', 'root mean square'],
      ...others.map(({ rms, shape, tensor, type }) => [harmless(tensor), shape.join(' x '), type, digits(rms)]),
    ]),
  ];
}

const changeCell = (change: WeightChange & { spread: NonNullable<WeightChange['spread']> }): string =>
  `${percent(change.relative)} ${change.spread.stableRank.toFixed(1)} ${percent(change.spread.leadingShare)}${intrudersOf(change)}`;

function changeLines({ changes, file, unchanged }: BaseComparison): string[] {
  const others = changes.filter(({ spread }) => spread === null);
  const tested = changes.some(({ intruders }) => intruders !== null);
  return [
    `Beside ${file.file} (sha256 ${short(file.sha256)}): ${changes.length} tensors differ, ${unchanged} have the same numbers.`,
    ...(changes.length === others.length
      ? []
      : [
          `Norm of the change relative to the base’s, its stable rank, and what of it 16 directions hold${tested ? ', intruder dimensions (. none)' : ''}:`,
          ...byLayer(inBlocks(changes), changeCell),
        ]),
    ...(others.length === 0
      ? []
      : [
          '',
          ...table([['others', 'change'], ...others.map((each) => [harmless(each.tensor), percent(each.relative)])]),
        ]),
    ...(tested
      ? [
          '',
          ...intruderLines(changes, 'of what `nomoat extract` takes out, `nomoat inspect --soften` scales them down'),
        ]
      : []),
  ];
}

/** The whole inspection. */
export function renderModel(inspection: ModelInspection): string {
  const { base, notes, weights } = inspection;
  return [
    inspection.model,
    ...factLines(inspection),
    ...notes.map((note) => `- ${note}`),
    '',
    ...(base === null
      ? [...weightLines(weights), '', 'With its base as --model it is shown what differs.']
      : changeLines(base)),
  ].join('\n');
}
