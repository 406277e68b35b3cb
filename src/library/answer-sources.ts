/**
 * "Why did it say that?": training rows that are most like an answer by their text, and those whose gradients point the same way as the
 * answer's (TracIn, arXiv 2002.08484, at the result alone; projected as in LESS, arXiv 2402.04333). Promises: bounded in time; what the
 * numbers do not say stands beside them.
 */
import { shuffled } from '../batches/order.ts';
import { packAlone } from '../batches/pack.ts';
import { answerRow } from '../chat/score.ts';
import { learntExamples } from '../dataset/divide.ts';
import { buildSets } from '../dataset/row-sets.ts';
import { NomoatError } from '../errors.ts';
import { sketchOf } from '../inspect/gradient-sketch.ts';
import type { RunRecord } from '../run/run-record.ts';
import { TextIndex } from '../similarity/text-index.ts';
import { heedStop, stoppable } from '../stop.ts';
import { chatTemplateOf, withChatTemplate } from '../text/chat-template.ts';
import type { Message, RecordSource } from '../text/example.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';
import type { TrainStep } from '../train/step.ts';
import { openAdapterStep } from './adapter-step.ts';
import type { InspectOptions } from './inspect.ts';
import { type InspectTarget, openTarget } from './inspect-target.ts';

/** Which answer, of which run. */
export interface AnswerSourcesOptions extends Pick<InspectOptions, 'signal' | 'onProgress'> {
  /** A finished run, or one of its checkpoints: its data has to be there still. */
  readonly run: string;
  readonly answer: string;
  /** What was asked; without, the answer is taken after an empty question, and gradients say less. */
  readonly prompt?: string | null;
  /** Rows of each list (default: 10). */
  readonly rows?: number;
  /** Longest time for gradients, in seconds (default: 120); 0 leaves them out. The rows that are alike by text come first, the others at random. */
  readonly seconds?: number;
}

/** A training row. */
export interface SourceRow {
  readonly source: RecordSource;
  /** All of it, as the model reads it. */
  readonly text: string;
  /** What is learnt of it. */
  readonly answer: string;
  /** By text: BM25, comparable within the list alone. By gradient: the cosine, -1 to 1. */
  readonly value: number;
}

/** Where an answer may come from. */
export interface AnswerSources {
  readonly answer: string;
  readonly prompt: string | null;
  /** Training rows that there are. */
  readonly trainingRows: number;
  readonly byText: readonly SourceRow[];
  readonly byGradient: readonly SourceRow[];
  /** Rows whose gradients were compared. */
  readonly compared: number;
  /** What the lists do not say, in sentences. */
  readonly notes: readonly string[];
}

const usualRows = 10;
const usualSeconds = 120;
/** Rows alike by text whose gradients are computed first, whatever the time. */
const textFirst = 200;
/** Of the projection and of the order of rows. */
const seed = 1;
const limits = [
  'By text: words in common, nothing of meaning.',
  'By gradient: rows whose training step would make the answer likelier most, at the result of the run and not on its way; only the top of the list means something, copies of one row stand together, and a high place is no proof that the row was the cause.',
] as const;

/** The data of a run as it was learnt, and the answer as a row like them. */
interface Rows {
  readonly rows: readonly TokenRow[];
  readonly asked: TokenRow;
  readonly tokenizer: Tokenizer;
}

async function rowsOf(target: InspectTarget, record: RunRecord, options: AnswerSourcesOptions): Promise<Rows> {
  const { answer, onProgress, prompt, signal } = options;
  const { settings, systemPrompt } = record;
  const model = withChatTemplate(target.model, settings.chatTemplate);
  // With its engine, which a program that imports the library does not wait for.
  const { openTokenizer } = await import('../llama/tokenizer.ts');
  onProgress?.({ done: 0, total: 1, doing: 'the training data' });
  const train = await learntExamples(settings);
  const tokenizer = await openTokenizer(model.path);
  try {
    const sets = await buildSets({ train, validation: [], settings, model, tokenizer, ...(signal ? { signal } : {}) });
    const template = model.string('tokenizer.chat_template') ? chatTemplateOf(model) : null;
    const system: Message[] = systemPrompt !== null && template ? [{ role: 'system', content: systemPrompt }] : [];
    const messages: Message[] = [
      ...system,
      { role: 'user', content: prompt ?? '' },
      { role: 'assistant', content: answer },
    ];
    const asked = answerRow(messages, { template, tokenizer, specialTokens: settings.specialTokens ?? 'control' });
    return { rows: sets.train.rows, asked, tokenizer };
  } catch (error) {
    await tokenizer.close();
    throw error;
  }
}

/** The projected gradient of a row's mean loss. */
async function gradientOf(step: TrainStep, row: TokenRow): Promise<Float64Array> {
  const batch = packAlone(row);
  step.clearGradients();
  await step.accumulate([batch], 1 / batch.supervisedTokens, [seed]);
  return sketchOf(
    step.parameters.map(({ gradient }) => gradient),
    seed,
  );
}

interface Near {
  readonly index: number;
  readonly value: number;
}

/** Cosines with the answer's gradient, of as many rows as there is time for. */
async function byGradient(
  target: InspectTarget,
  { asked, rows }: Rows,
  first: readonly number[],
  { onProgress, seconds = usualSeconds, signal }: AnswerSourcesOptions,
): Promise<Near[]> {
  if (seconds === 0) return [];
  const begun = performance.now();
  const step = await openAdapterStep(target.adapter, target);
  try {
    const wanted = await gradientOf(step, asked);
    const found: Near[] = [];
    for (const index of new Set([...first, ...shuffled(rows.length, seed)])) {
      if (performance.now() - begun > 1000 * seconds) break;
      onProgress?.({ done: found.length, total: rows.length, doing: 'gradients of training rows' });
      if (signal) await heedStop(signal);
      const gradient = await gradientOf(step, rows[index]!);
      found.push({ index, value: gradient.reduce((sum, value, i) => sum + value * wanted[i]!, 0) });
    }
    return found.sort((a, b) => b.value - a.value || a.index - b.index);
  } finally {
    await step.close();
  }
}

const supervisedText = ({ supervised, tokens }: TokenRow, tokenizer: Tokenizer): string =>
  tokenizer.decode([...tokens].filter((token, i) => supervised[i] === 1 && !tokenizer.isEndOfGeneration(token)));

/** Finds training rows that an answer may come from. Rejects with NomoatError. */
export function answerSources(options: AnswerSourcesOptions): Promise<AnswerSources> {
  const { answer, prompt = null, rows: shown = usualRows, run, seconds = usualSeconds, signal } = options;
  return stoppable(run, signal, async () => {
    const target = await openTarget(run);
    try {
      if (target.record === null)
        throw new NomoatError({
          code: 'run-not-found',
          part: run,
          fault: 'is the adapter of no run: what it was trained on is not known',
          remedy: 'Give a run.',
        });
      const found = await rowsOf(target, target.record, options);
      const { rows, tokenizer } = found;
      try {
        const answers = rows.map((row) => supervisedText(row, tokenizer));
        const texts = rows.map(({ tokens }) => tokenizer.decode([...tokens]));
        const near = new TextIndex(prompt === null ? answers : texts).nearest(
          [prompt ?? '', answer].join(' '),
          Math.max(textFirst, shown),
        );
        const gradients = await byGradient(
          target,
          found,
          near.map(({ index }) => index),
          options,
        );
        const listed = (list: readonly Near[]): SourceRow[] =>
          list.slice(0, shown).map(({ index, value }) => ({
            source: rows[index]!.source,
            text: texts[index]!,
            answer: answers[index]!,
            value,
          }));
        const part =
          seconds > 0 && gradients.length < rows.length
            ? [
                `Time was enough for the gradients of ${gradients.length} of ${rows.length} rows; \`seconds\` gives more.`,
              ]
            : [];
        return {
          answer,
          prompt,
          trainingRows: rows.length,
          byText: listed(near.map(({ index, score }) => ({ index, value: score }))),
          byGradient: listed(gradients),
          compared: gradients.length,
          notes: [...target.notes, ...part, ...limits],
        };
      } finally {
        await tokenizer.close();
      }
    } finally {
      target.model.close();
    }
  });
}
