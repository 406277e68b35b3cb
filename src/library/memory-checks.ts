/** What a model lost and what it knows by heart, measured on it and on its base: asked for by `forgetting`, `memorisation` and `canaries`. */
import { readFileSync } from 'node:fs';
import { shuffled } from '../batches/order.ts';
import type { RowScore, ScoreRow } from '../chat/score-row.ts';
import { NomoatError } from '../errors.ts';
import { rowOf } from '../evaluate/likelihood/label-choices.ts';
import { metricOf } from '../evaluate/metrics/metric.ts';
import { promptOf, type TestQuestion } from '../evaluate/test-set.ts';
import { type Forgetting, forgettingOf, type GeneralMeasured } from '../evaluate/trust/forgetting.ts';
import { generalQuestions, generalTexts } from '../evaluate/trust/general-set.ts';
import {
  type CanaryExposure,
  canaryOf,
  canaryTexts,
  exposureOf,
  type Memorisation,
  type TextKnown,
  type ToldApart,
  toldApart,
} from '../evaluate/trust/memorisation.ts';
import { type AskModelOptions, askModel } from './ask-model.ts';
import { withModel } from './likelihoods.ts';

/** A model and the base that it was trained on. */
export interface Pair {
  readonly model: string;
  readonly base: string;
  /** In what is told. */
  readonly name: string;
}

/** A general answer is a sentence or two. */
const generalTokens = 48;

/** The second half of a text behind the first, from a word on, or where there is no space, as in Chinese, from the middle; null of one that is too short. */
function secondHalf(text: string): ScoreRow | null {
  const characters = [...text];
  const middle = Math.floor(characters.length / 2);
  const space = characters.findIndex((each, i) => i >= middle && /\s/.test(each));
  const at = space < 0 ? middle : space;
  const [prompt, continuation] = [characters.slice(0, at).join(''), characters.slice(at).join('')];
  return prompt.trim() === '' || continuation.trim() === '' ? null : { prompt, continuation };
}

const secondHalves = (texts: readonly string[]): ScoreRow[] => texts.flatMap((text) => secondHalf(text) ?? []);

async function scored(
  rows: readonly ScoreRow[],
  model: string,
  { signal, threads }: AskModelOptions,
): Promise<RowScore[]> {
  const { result: scores } = await withModel(
    { model, ...(signal ? { signal } : {}), ...(threads ? { threads } : {}) },
    (opened) => opened.scores(rows),
  );
  if (scores.every((score) => score !== null)) return scores as RowScore[];
  throw new NomoatError({
    code: 'unusable-data',
    part: model,
    fault: 'has a context that is too short for what is looked into',
    remedy: 'Leave `forgetting`, `memorisation` and `canaries` out.',
  });
}

async function generalOf(model: string, name: string, options: AskModelOptions): Promise<GeneralMeasured> {
  const scores = await scored(secondHalves(generalTexts), model, options);
  const { answers } = await askModel({ model, name }, generalQuestions, {
    ...options,
    samples: 1,
    temperature: 0,
    maxTokens: generalTokens,
  });
  const contains = metricOf('contains');
  const right = await Promise.all(answers.map(({ text }, i) => contains.of(text, generalQuestions[i]!.expected)));
  return {
    losses: scores.map(({ logProbabilities, logProbability }) => ({
      nats: -logProbability,
      tokens: logProbabilities.length,
    })),
    right,
  };
}

/** What of general knowledge is left. Rejects with NomoatError. */
export async function measureForgetting({ base, model, name }: Pair, options: AskModelOptions): Promise<Forgetting> {
  const after = await generalOf(model, `${name}, general questions`, options);
  return forgettingOf(await generalOf(base, 'the base, general questions', options), after);
}

/** Examples of each kind: the separation's standard error is 0.04 then. */
const mostExamples = 100;

/** How well the rows are known, and how much better than by the base. */
async function knownOf(
  { base, model }: Pair,
  rows: readonly ScoreRow[],
  options: AskModelOptions,
): Promise<TextKnown[]> {
  const [after, before] = [await scored(rows, model, options), await scored(rows, base, options)];
  return after.map(({ logProbabilities, logProbability, mostLikely }, i) => ({
    gain: (logProbability - before[i]!.logProbability) / logProbabilities.length,
    isGiven: mostLikely,
  }));
}

/** What is compared: examples that were learnt and others, with the system prompt in them. */
export interface Compared {
  readonly learnt: readonly TestQuestion[];
  readonly heldOut: readonly TestQuestion[];
  /** A file with a text on each line. */
  readonly canaries: string | null;
}

/** The canaries of a file: its lines of two words or more. Throws NomoatError where there are none. */
export function canaryLines(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new NomoatError({
      code: 'data-not-found',
      part: path,
      fault: 'cannot be read',
      remedy: 'Give a text file with a canary on each line.',
      cause: error,
    });
  }
  const lines = text.split('\n').filter((line) => line.trim().split(/\s+/).length > 1);
  if (lines.length > 0) return lines;
  throw new NomoatError({
    code: 'unusable-data',
    part: path,
    fault: 'has no line of two words or more',
    remedy: 'Give a text file with a canary on each line.',
  });
}

/** How exposed each canary is to a model whose `score` is asked. */
export async function canaryExposures(
  texts: readonly string[],
  seed: number,
  score: (rows: readonly ScoreRow[]) => Promise<readonly RowScore[]>,
): Promise<CanaryExposure[]> {
  const rows = texts.flatMap((text, i) => {
    const { beginning, endings } = canaryOf(text, seed + i);
    return endings.map((continuation) => ({ prompt: beginning, continuation }));
  });
  const scores = (rows.length > 0 ? await score(rows) : []).map(({ logProbability }) => logProbability);
  return texts.map((text, i) => exposureOf(text, scores.slice(i * canaryTexts, (i + 1) * canaryTexts)));
}

/** What is known by heart. Rejects with NomoatError. */
export async function measureMemorisation(
  pair: Pair,
  { canaries, heldOut, learnt }: Compared,
  options: AskModelOptions,
): Promise<Memorisation> {
  const some = (questions: readonly TestQuestion[]): TestQuestion[] =>
    shuffled(questions.length, options.seed)
      .slice(0, mostExamples)
      .map((i) => questions[i]!);
  const [own, others] = [some(learnt), some(heldOut)];
  const apart = async (rows: (questions: readonly TestQuestion[]) => ScoreRow[]): Promise<ToldApart | null> => {
    const [first, second] = [rows(own), rows(others)];
    if (first.length === 0 || second.length === 0) return null;
    return toldApart(await knownOf(pair, first, options), await knownOf(pair, second, options));
  };
  const answers = await apart((questions) => questions.map((question) => rowOf(question, question.expected)));
  const prompts = await apart((questions) => secondHalves(questions.map(promptOf)));
  const texts = canaries === null ? [] : canaryLines(canaries);
  const found = await canaryExposures(texts, options.seed, (rows) => scored(rows, pair.model, options));
  return { ...answers!, prompts, canaries: found };
}
