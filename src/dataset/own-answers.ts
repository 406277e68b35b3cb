/**
 * The base's own answers to ordinary requests as training rows: a model that is tuned on one task keeps what it says to everything else where some
 * of that is in its data. `mixBase` adds whole answers; `keepAlignment` the first tokens of answers alone, where alignment lies
 * (https://arxiv.org/abs/2406.05946). Promises: the base is asked as users will ask the result, and takes the likeliest token at each step, so that
 * the same base gives the same rows; what it answered before is not computed again (store/cache.ts); how many rows came of it is said.
 */
import { createHash } from 'node:crypto';
import { adapterFiles } from '../adapter/read-adapter.ts';
import { type AnswerStore, askAll, type TestAnswer } from '../evaluate/ask.ts';
import { KeptAnswers } from '../evaluate/kept-answers.ts';
import { mostTokensOf, type TestQuestion } from '../evaluate/test-set.ts';
import { openTeam } from '../llama/answer-team.ts';
import { threadsOf } from '../machine/machine.ts';
import { firstTokens } from '../safety/drift.ts';
import { everydayPrompts } from '../safety/everyday-prompts.ts';
import { conversationOf } from '../safety/measure.ts';
import { readPrompts } from '../safety/prompts.ts';
import type { RequestedSettings } from '../settings/run-settings.ts';
import { assertGoesOn } from '../stop.ts';
import { keptAnswersPath, markUsed, pruneCache } from '../store/cache.ts';
import { digestOf } from '../store/file-digest.ts';
import { parseStack } from '../store/stack.ts';
import type { Example } from '../text/example.ts';
import { withValues } from '../words/program-words.ts';
import type { RowSetsOptions } from './row-sets.ts';

/** Tokens of a whole answer that are learnt, at most: what tells an answer from another stands before, and longer ones cost as much as the task's rows. */
const wholeTokens = 64;
/** Share of the rows whose first tokens alone are learnt: five tokens each, so that a fifth of the rows is a small part of what is learnt. */
const alignmentShare = 0.2;
/** Answers from one number of them said to the next. */
const answersBetween = 16;

type Asked = Pick<
  RequestedSettings,
  | 'basePrompts'
  | 'chatTemplate'
  | 'frozenAdapter'
  | 'keepAlignment'
  | 'mixBase'
  | 'modelPath'
  | 'specialTokens'
  | 'threads'
>;

/** Answers of one length. */
interface Wanted {
  readonly rows: number;
  readonly maxTokens: number;
}

/** Whether any rows are wanted. Runs from before there was a choice want none. */
const wantsOwnAnswers = ({ keepAlignment = false, mixBase = 0 }: Asked): boolean => keepAlignment || mixBase > 0;

/** How many rows of each length make their shares of all rows, beside `rows` of the data; one at least of each that is asked for. */
function wantedOf({ keepAlignment = false, mixBase = 0 }: Asked, rows: number): { whole: Wanted; first: Wanted } {
  const share = keepAlignment ? alignmentShare : 0;
  const of = (part: number): number =>
    part === 0 ? 0 : Math.max(1, Math.round((rows * part) / (1 - share - mixBase)));
  return {
    whole: { rows: of(mixBase), maxTokens: wholeTokens },
    first: { rows: of(share), maxTokens: firstTokens },
  };
}

/** What the base is: the model with what the run's adapter will be trained on top of. */
async function identityOf({ chatTemplate, frozenAdapter, modelPath, specialTokens }: Asked): Promise<string> {
  const stack = frozenAdapter ? parseStack(frozenAdapter) : [];
  const files = [modelPath, ...stack.flatMap(({ path }) => adapterFiles(path))];
  const facts = [
    'own answers',
    await Promise.all(files.map((path) => digestOf(path))),
    stack.map(({ scale }) => scale),
    chatTemplate,
    specialTokens,
  ];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}

/** The store; a disk that cannot be written costs time only. */
function quiet(store: KeptAnswers): AnswerStore {
  return {
    find: (question) => store.find(question),
    keep: (question, answer) => {
      try {
        store.keep(question, answer);
      } catch {
        // Asked again the next time.
      }
    },
  };
}

type Pace = Pick<RowSetsOptions, 'progress' | 'signal'>;

interface Job {
  readonly questions: readonly TestQuestion[];
  readonly maxTokens: number;
}

/** The answers to each job's questions; null to one that does not fit the context. The base is opened where an answer is missing only. */
async function answersTo(jobs: readonly Job[], settings: Asked, pace: Pace): Promise<(TestAnswer | null)[][]> {
  const path = keptAnswersPath(await identityOf(settings));
  const stores = jobs.map(({ maxTokens }) =>
    quiet(new KeptAnswers(path, JSON.stringify({ maxTokens, temperature: 0 }))),
  );
  const known = jobs.map(({ questions }, i) => questions.map((question) => stores[i]!.find(question)));
  markUsed(path);
  if (known.flat().every((answer) => answer !== null)) return known;
  const { chatTemplate = null, frozenAdapter, modelPath, specialTokens, threads } = settings;
  await using team = await openTeam({
    modelPath,
    adapters: frozenAdapter ? parseStack(frozenAdapter) : [],
    chatTemplate,
    specialTokens: specialTokens === 'control' ? 'control' : 'text',
    threads: threadsOf(threads),
    longest: Math.max(...jobs.map(({ maxTokens, questions }) => mostTokensOf(questions, maxTokens))),
    ...(pace.signal ? { signal: pace.signal } : {}),
  });
  const all = known.flat().length;
  const answers: (TestAnswer | null)[][] = [];
  for (const [i, { maxTokens, questions }] of jobs.entries()) {
    const before = answers.flat().length;
    const onAnswer = (done: number): void => {
      if ((before + done) % answersBetween === 0) pace.progress?.(`The base answers: ${before + done} of ${all}`);
    };
    const { atOnce } = team;
    const given = { maxTokens, atOnce, store: stores[i]!, onAnswer, ...(pace.signal ? { signal: pace.signal } : {}) };
    answers.push(await askAll(team, questions, given));
  }
  pruneCache();
  return answers;
}

/** An answer as a row. One that was cut goes on: nothing of its end is learnt. */
function exampleOf({ ask }: TestQuestion, answer: TestAnswer | null, line: number): Example[] {
  // White space at the end is the template's matter, and half a character is none.
  const content = answer?.text.replace(/[\s\ufffd]+$/u, '') ?? '';
  if (answer === null || content === '' || !('messages' in ask)) return [];
  return [
    {
      kind: 'chat',
      messages: [...ask.messages, { role: 'assistant', content }],
      source: { file: "the base's own answers", line },
      ...(answer.ended ? {} : { unfinished: true }),
    },
  ];
}

/** Rows to be added, and what is said of them. */
export interface OwnAnswers {
  readonly examples: readonly Example[];
  readonly notes: readonly string[];
  /** Files that they come of. */
  readonly files: readonly string[];
}

const nothing: OwnAnswers = { examples: [], notes: [], files: [] };

/** What is said of the rows. */
function notesOf({ first, whole }: Record<'first' | 'whole', number>, rows: number, lacking: number): string[] {
  const share = Math.round((100 * (first + whole)) / (rows + first + whole));
  const parts = [
    ...(whole > 0 ? [`${whole} of answers up to ${wholeTokens} tokens`] : []),
    ...(first > 0 ? [`${first} of the first ${firstTokens} tokens of answers`] : []),
  ];
  const added = `${first + whole} rows added, ${share}% of all, with the base's own answers to ordinary requests: ${parts.join(', ')}.`;
  return lacking === 0
    ? [added]
    : [added, `${lacking} more were asked for: there are no more requests, or the base answered nothing.`];
}

export interface OwnAnswersOptions extends Pace {
  /** Rows of the data. */
  readonly rows: number;
  /** The system prompt that all of them share: the result will be asked with it. */
  readonly system: string | null;
  /** Whether the base may be asked; else there are no rows, which is said. */
  readonly asksBase: boolean;
}

/** The rows that the settings ask for. Rejects with NomoatError where the base cannot be asked, or was stopped. */
export async function ownAnswers(
  settings: Asked,
  { asksBase, rows, system, ...pace }: OwnAnswersOptions,
): Promise<OwnAnswers> {
  if (!wantsOwnAnswers(settings)) return nothing;
  if (!asksBase) return unanswered(settings);
  const { basePrompts = null } = settings;
  const prompts = basePrompts === null ? everydayPrompts : readPrompts(basePrompts, 'a request');
  const { first, whole } = wantedOf(settings, rows);
  const questionsOf = (some: readonly string[]): TestQuestion[] =>
    some.map((prompt) => ({ ask: { messages: conversationOf(prompt, system) }, expected: '' }));
  // No request is asked for both: the whole answer has its first tokens.
  const jobs = [
    { ...whole, questions: questionsOf(prompts.slice(0, whole.rows)) },
    { ...first, questions: questionsOf(prompts.slice(whole.rows, whole.rows + first.rows)) },
  ].filter(({ questions }) => questions.length > 0);
  const answers = await answersTo(jobs, settings, pace).catch((error: unknown) => {
    if (pace.signal) assertGoesOn(pace.signal);
    throw error;
  });
  let line = 0;
  const made = jobs.map(({ questions }, i) =>
    questions.flatMap((question, at) => exampleOf(question, answers[i]![at]!, ++line)),
  );
  const rowsOf = (maxTokens: number): number => made[jobs.findIndex((job) => job.maxTokens === maxTokens)]?.length ?? 0;
  const counts = { whole: rowsOf(wholeTokens), first: rowsOf(firstTokens) };
  const lacking = whole.rows + first.rows - counts.whole - counts.first;
  return {
    examples: made.flat(),
    notes: notesOf(counts, rows, lacking),
    files: basePrompts === null ? [] : [basePrompts],
  };
}

/** For a plan, which asks no model anything: no rows, which is said. */
function unanswered({ keepAlignment = false, mixBase = 0 }: Asked): OwnAnswers {
  const asking = [
    ...(mixBase > 0 ? [withValues({ mixBase })] : []),
    ...(keepAlignment ? [withValues({ keepAlignment })] : []),
  ];
  const note = `The rows of the base's own answers (${asking.join(', ')}) are not counted here: the base answers when the run begins, which counts them.`;
  return { ...nothing, notes: [note] };
}
