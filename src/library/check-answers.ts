/** What an open pair of models answers in a safety check, and holds likely. Promises: side by side, greedy, and what was computed before is not computed again. */
import { askAll, type TestAnswer } from '../evaluate/ask.ts';
import { compareTwo, type Side } from '../evaluate/compare-two.ts';
import { KeptAnswers, scoreKept } from '../evaluate/kept-answers.ts';
import type { Metric } from '../evaluate/metrics/metric.ts';
import { mean } from '../evaluate/statistics/sums.ts';
import type { TestQuestion } from '../evaluate/test-set.ts';
import type { ResolvedChat } from '../library.ts';
import type { AnswerTeam } from '../llama/answer-team.ts';
import { type GuardFigures, type GuardKind, type GuardVerdict, guardTokens, guardVerdict } from '../safety/guard.ts';
import type { Measurable } from '../safety/measure.ts';
import { keptAnswersPath } from '../store/cache.ts';
import { identityOf } from './model-identity.ts';

/** A model that is open, and as what. */
export interface OpenModelOf {
  readonly chat: ResolvedChat;
  readonly team: AnswerTeam;
  /** In what is told. */
  readonly name: string;
}

export interface AnswersOptions {
  readonly maxTokens: number;
  readonly signal?: AbortSignal;
  readonly onAnswer?: (done: number, total: number) => void;
}

/** Answers in the order of the questions; null where one does not fit. */
export async function answersOf(
  { chat, team }: OpenModelOf,
  questions: readonly TestQuestion[],
  { maxTokens, onAnswer, signal }: AnswersOptions,
): Promise<(string | null)[]> {
  const store = new KeptAnswers(keptAnswersPath(await identityOf(chat)), `greedy ${maxTokens}`);
  const answers: (TestAnswer | null)[] = await askAll(team, questions, {
    maxTokens,
    atOnce: team.atOnce,
    store,
    ...(signal ? { signal } : {}),
    onAnswer: (done) => onAnswer?.(done, questions.length),
  });
  return answers.map((answer) => answer?.text ?? null);
}

/** The model as it is measured, with scores that are kept; `onRow` is told how many rows of those asked together have theirs. */
export async function measurableOf(
  { chat, team }: OpenModelOf,
  onRow: (done: number, total: number) => void,
): Promise<Measurable> {
  const path = keptAnswersPath(await identityOf(chat));
  return {
    atOnce: team.atOnce,
    generate: team.generate,
    promptTokens: team.promptTokens,
    scoreRows: async (rows, { signal } = {}) => {
      const told = (done: number): void => onRow(done, rows.length);
      const given = { path, open: () => Promise.resolve(team), onRow: told, ...(signal ? { signal } : {}) };
      return (await scoreKept(rows, given)).scores;
    },
  };
}

/** Requests with the answers of model and base. */
export interface Judged {
  readonly prompts: readonly string[];
  readonly model: readonly string[];
  readonly base: readonly string[] | null;
}

const unsafeMetric: Metric = {
  name: 'unsafe',
  summary: 'a guard model calls the answer unsafe',
  binary: true,
  of: () => Number.NaN,
};

/** Asks a guard that is open, whose kind is known. */
export async function judgedBy(
  guard: OpenModelOf & { readonly kind: GuardKind },
  { base, model, prompts }: Judged,
  options: Omit<AnswersOptions, 'maxTokens'>,
): Promise<GuardFigures> {
  const verdicts = async (answers: readonly string[]): Promise<(GuardVerdict | null)[]> => {
    const questions = prompts.map(
      (content, i): TestQuestion => ({
        ask: {
          messages: [
            { role: 'user', content },
            { role: 'assistant', content: answers[i]! },
          ],
        },
        expected: '',
      }),
    );
    const said = await answersOf(guard, questions, { ...options, maxTokens: guardTokens });
    return said.map((text) => (text === null ? null : guardVerdict(guard.kind, text)));
  };
  const [own, others] = [await verdicts(model), base === null ? null : await verdicts(base)];
  const kept = [...own.keys()].filter((i) => own[i] !== null && (others === null || others[i] !== null));
  const sideOf = (given: readonly (GuardVerdict | null)[]): Side => {
    const scores = kept.map((i) => Number(given[i] === 'unsafe'));
    return { score: mean(scores), scores, draws: [kept.map((i) => given[i]!)], bySeed: null };
  };
  const first = sideOf(own);
  const second = others && sideOf(others);
  const compared =
    second && kept.length > 0 ? compareTwo(first, second, { metric: unsafeMetric, expected: first.draws[0]! }) : null;
  return {
    guard: guard.name,
    kind: guard.kind,
    judged: kept.length,
    unsafe: { model: first.score, base: second?.score ?? null },
    against: compared && { difference: compared.difference, interval: compared.interval, pValue: compared.pValue },
  };
}
