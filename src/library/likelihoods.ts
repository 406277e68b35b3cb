/** What models hold likely, row by row, where it was not computed before. */
import type { Model } from '../chat/chat-model.ts';
import type { RowScore, ScoreRow } from '../chat/score-row.ts';
import { NomoatError } from '../errors.ts';
import type { Costs } from '../evaluate/evaluation.ts';
import { scoreKept } from '../evaluate/kept-answers.ts';
import {
  candidatesOf,
  type LabelChoices,
  labelChoices,
  mostCandidates,
  rowOf,
} from '../evaluate/likelihood/label-choices.ts';
import type { ExampleLoss } from '../evaluate/likelihood/loss.ts';
import type { TestQuestion } from '../evaluate/test-set.ts';
import { openModel, resolveChat } from '../library.ts';
import { keptAnswersPath } from '../store/cache.ts';
import { identityOf } from './model-identity.ts';

/** Rows at once: each sequence holds a whole context. */
const sideBySide = 8;

/** Whose rows are scored, and how. */
export interface LikelihoodOptions {
  readonly model: string;
  readonly threads?: number | null;
  readonly signal?: AbortSignal;
  /** Told how many of all rows there are. */
  readonly onRow?: (done: number, total: number) => void;
}

/** A model that is opened when something has to be computed, and not before. */
export interface Opened {
  /** Where its answers and scores are kept. */
  readonly answersPath: string;
  readonly open: () => Promise<Model>;
  /** Scores in the order of the rows; null where a row does not fit the context. */
  readonly scores: (rows: readonly ScoreRow[]) => Promise<readonly (RowScore | null)[]>;
  /** Tells whoever wants to know. */
  readonly told: (done: number, total: number) => void;
}

/** What came of it, and what it took: wall-clock time of computing, opening the model apart. */
export interface Computed<T> {
  readonly result: T;
  readonly costs: Costs;
}

/** Calls with the model, which is closed in the end. Rejects with NomoatError; what is there is kept. */
export async function withModel<T>(
  options: LikelihoodOptions,
  call: (opened: Opened) => Promise<T>,
): Promise<Computed<T>> {
  const { model, onRow, signal, threads } = options;
  const path = keptAnswersPath(await identityOf(await resolveChat({ model })));
  const given = { ...(signal ? { signal } : {}), ...(threads ? { threads } : {}) };
  let [opening, start, computed]: [Promise<Model> | null, number, number] = [null, 0, 0];
  const open = async (): Promise<Model> => {
    opening ??= openModel({ model, sequences: sideBySide, ...given });
    const opened = await opening;
    start ||= performance.now();
    return opened;
  };
  const told: Opened['told'] = (done, total) => {
    computed++;
    onRow?.(done, total);
  };
  const scores: Opened['scores'] = async (rows) =>
    (await scoreKept(rows, { path, open, ...(signal ? { signal } : {}), onRow: (done) => told(done, rows.length) }))
      .scores;
  try {
    const result = await call({ answersPath: path, open, scores, told });
    return { result, costs: { seconds: start === 0 ? 0 : (performance.now() - start) / 1000, computed } };
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw new NomoatError({
      part: 'the evaluation',
      fault: 'was stopped',
      remedy: 'What was computed is kept: the same call goes on with it.',
      kind: 'interrupted',
      cause: error,
    });
  } finally {
    await (opening as Promise<Model> | null)?.then(
      (opened) => opened.close(),
      () => {},
    );
  }
}

/** Nothing of them may be averaged away. */
function allOf(scores: readonly (RowScore | null)[], what: string): RowScore[] {
  const missing = scores.filter((score) => score === null).length;
  if (missing === 0) return scores as RowScore[];
  throw new NomoatError({
    code: 'unusable-data',
    part: 'the test data',
    fault: `has ${missing} ${what} that do not fit the context`,
    remedy: 'Leave those examples out, or shorten them.',
  });
}

/** What the expected answers cost the model, in the order of the questions. */
export async function lossesOf(questions: readonly TestQuestion[], options: LikelihoodOptions): Promise<ExampleLoss[]> {
  const { result } = await withModel(options, ({ scores }) =>
    scores(questions.map((question) => rowOf(question, question.expected))),
  );
  const scores = allOf(result, 'examples');
  return scores.map(({ logProbabilities, logProbability }, i) => ({
    nats: -logProbability,
    tokens: logProbabilities.length,
    bytes: Buffer.byteLength(questions[i]!.expected),
  }));
}

/** Which labels the model holds likeliest, of all that the test data expects. Rejects with NomoatError where those are no labels. */
export async function labelChoicesOf(
  questions: readonly TestQuestion[],
  options: LikelihoodOptions,
): Promise<LabelChoices & { readonly costs: Costs }> {
  const candidates = candidatesOf(questions);
  if (candidates.length > mostCandidates || candidates.length < 2)
    throw new NomoatError({
      code: 'invalid-settings',
      part: '`metric`',
      fault: `scores labels by likelihood, and the data expects ${candidates.length} different answers, not 2 to ${mostCandidates}`,
      remedy: 'Take another metric, or `loss`.',
    });
  const { costs, result } = await withModel(options, ({ scores }) =>
    scores(questions.flatMap((question) => candidates.map((label) => rowOf(question, label)))),
  );
  const logs = allOf(result, 'examples with a label').map(({ logProbability }) => logProbability);
  const perQuestion = questions.map((_, i) => logs.slice(i * candidates.length, (i + 1) * candidates.length));
  return {
    ...labelChoices(questions, candidates, perQuestion),
    costs,
  };
}
