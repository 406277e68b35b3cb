/** What models hold likely, row by row, where it was not computed before. */
import type { Model } from '../chat/chat-model.ts';
import type { RowScore, ScoreRow } from '../chat/score-row.ts';
import { NomoatError } from '../errors.ts';
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

export interface Scores {
  readonly scores: readonly (RowScore | null)[];
  /** Wall-clock time of computing, opening the model apart. */
  readonly seconds: number;
  readonly computed: number;
}

/** Scores in the order of the rows; null where a row does not fit the context. Rejects with NomoatError; what is there is kept. */
export async function scoresOf(
  rows: readonly ScoreRow[],
  { model, onRow, signal, threads }: LikelihoodOptions,
): Promise<Scores> {
  const path = keptAnswersPath(await identityOf(await resolveChat({ model })));
  const given = { ...(signal ? { signal } : {}), ...(threads ? { threads } : {}) };
  let opened: Model | null = null;
  let start = 0;
  try {
    const open = async (): Promise<Model> => {
      opened = await openModel({ model, sequences: sideBySide, ...given });
      start = performance.now();
      return opened;
    };
    const found = await scoreKept(rows, { path, open, ...given, ...(onRow ? { onRow: (done) => onRow(done, rows.length) } : {}) }); // biome-ignore format: one line
    return { ...found, seconds: start === 0 ? 0 : (performance.now() - start) / 1000 };
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw new NomoatError({ part: 'the evaluation', fault: 'was stopped', remedy: 'Its scores are kept: the same call goes on with them.', kind: 'interrupted', cause: error }); // biome-ignore format: one line
  } finally {
    await (opened as Model | null)?.close();
  }
}

/** Nothing of them may be averaged away. */
function allOf({ scores }: Scores, what: string): RowScore[] {
  const missing = scores.filter((score) => score === null).length;
  if (missing === 0) return scores as RowScore[];
  throw new NomoatError({ code: 'unusable-data', part: 'the test data', fault: `has ${missing} ${what} that do not fit the context`, remedy: 'Leave those examples out, or shorten them.' }); // biome-ignore format: one line
}

/** What the expected answers cost the model, in the order of the questions. */
export async function lossesOf(questions: readonly TestQuestion[], options: LikelihoodOptions): Promise<ExampleLoss[]> {
  const scores = allOf(await scoresOf(questions.map((question) => rowOf(question, question.expected)), options), 'examples'); // biome-ignore format: one line
  return scores.map(({ logProbabilities, logProbability }, i) => ({ nats: -logProbability, tokens: logProbabilities.length, bytes: Buffer.byteLength(questions[i]!.expected) })); // biome-ignore format: one line
}

/** Which labels the model holds likeliest, of all that the test data expects. Rejects with NomoatError where those are no labels. */
export async function labelChoicesOf(
  questions: readonly TestQuestion[],
  options: LikelihoodOptions,
): Promise<LabelChoices & { readonly costs: { readonly seconds: number; readonly computed: number } }> {
  const candidates = candidatesOf(questions);
  if (candidates.length > mostCandidates || candidates.length < 2)
    throw new NomoatError({ code: 'invalid-settings', part: '`metric`', fault: `scores labels by likelihood, and the data expects ${candidates.length} different answers, not 2 to ${mostCandidates}`, remedy: 'Take another metric, or `loss`.' }); // biome-ignore format: one line
  const found = await scoresOf(questions.flatMap((question) => candidates.map((label) => rowOf(question, label))), options); // biome-ignore format: one line
  const logs = allOf(found, 'examples with a label').map(({ logProbability }) => logProbability);
  const perQuestion = questions.map((_, i) => logs.slice(i * candidates.length, (i + 1) * candidates.length));
  return {
    ...labelChoices(questions, candidates, perQuestion),
    costs: { seconds: found.seconds, computed: found.computed },
  };
}
