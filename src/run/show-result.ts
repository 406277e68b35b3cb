/**
 * What a run's result answers: a few samples, and the quick evaluation of held-out examples, on one opening of the base and of the result.
 * Promises: what is proven by now stays a finished run, whatever happens here; and why something is missing is said.
 */
import type { Evaluation } from '../evaluate/evaluation.ts';
import type { TestQuestion } from '../evaluate/test-set.ts';
import { AnswerTeam, openTeam } from '../llama/answer-team.ts';
import { openChatModel } from '../llama/chat-engine.ts';
import { defaultContextSize } from '../llama/context-size.ts';
import { isPreferenceMethod } from '../settings/methods.ts';
import { answerDrift } from './answer-drift.ts';
import type { Running } from './load-run.ts';
import type { Runnable } from './methods.ts';
import { quickSafety } from './quick-safety.ts';
import { mostAnswerTokens, quickVerdict, verdictQuestions, verdictSeconds } from './quick-verdict.ts';
import { type BeforeAndAfter, makeSamples, sampleTokens } from './samples.ts';

/** Tokens of markup around a question, beside what its row has, and room to spare. */
const spareTokens = 64;

/** Of the evaluation's time, what lengths and KL of answers may take where preferences were learnt: what preferences are about. */
const driftShare = 0.5;

/** Tokens of the longest question with its answer; samples alone have what chats have. */
function longestOf({ prepared }: Running['opened'], isEvaluated: boolean): number {
  if (!isEvaluated) return defaultContextSize;
  const longest = prepared.validation.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
  return longest + Math.max(mostAnswerTokens(prepared), sampleTokens) + spareTokens;
}

/** Calls with both models open: contexts for many answers where they are evaluated, else one. */
async function withModels<T>(
  running: Running,
  isEvaluated: boolean,
  call: (models: BeforeAndAfter) => Promise<T>,
): Promise<T> {
  const { method, opened, signal, threads } = running;
  const longest = longestOf(opened, isEvaluated);
  const open = async (runnable: Runnable): Promise<AnswerTeam> => {
    const options = { ...runnable, threads, signal };
    return isEvaluated ? openTeam({ ...options, longest }) : new AnswerTeam([await openChatModel(options)]);
  };
  await using before = await open(method.before);
  await using after = await open(method.after);
  return await call({ before, after });
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The verdict on held-out examples; of preferences, how answers changed before it. */
async function evaluateResult(
  running: Running,
  models: BeforeAndAfter,
  evaluated: readonly TestQuestion[],
): Promise<Evaluation | null> {
  const { journal, opened, signal } = running;
  const { settings } = opened.prepared;
  const seconds = verdictSeconds(running);
  const ofDrift = isPreferenceMethod(settings.method) ? driftShare * seconds : 0;
  const drift =
    ofDrift > 0 ? await answerDrift(models, evaluated, { seconds: ofDrift, seed: settings.seed, signal }) : null;
  if (drift) journal.emit(drift);
  return quickVerdict(running, models, evaluated, seconds - ofDrift);
}

/** Says what the result answers; returns the evaluation, or null where there is none. Throws when `signal` aborts before it. */
export async function showResult(running: Running): Promise<Evaluation | null> {
  const { journal, opened, signal } = running;
  const { questions, settings } = opened.prepared;
  const evaluated = verdictQuestions(opened.prepared);
  try {
    return await withModels(running, evaluated.length > 0, async (models) => {
      const samples = await makeSamples(questions, models, signal);
      for (const event of samples) journal.emit(event);
      const evaluation = evaluated.length === 0 ? null : await evaluateResult(running, models, evaluated);
      await quickSafety(running, models);
      return evaluation;
    });
  } catch (error) {
    if (signal.aborted) throw error;
    // A sample is no reason for a run to fail: what was trained is proven by now.
    const missing = settings.method !== 'pretrain' && evaluated.length > 0 ? 'No samples and no verdict' : 'No samples';
    journal.notice('no-samples', `${missing}: ${reasonOf(error)}`);
    return null;
  }
}
