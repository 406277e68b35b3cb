/**
 * What a run's result answers: a few samples, and the quick evaluation of held-out examples, on one opening of the base and of the result.
 * Promises: what is proven by now stays a finished run, whatever happens here; and why something is missing is said.
 */
import type { Evaluation } from '../evaluate/evaluation.ts';
import { openChatModel } from '../llama/chat-engine.ts';
import { contextBytes } from '../llama/context-memory.ts';
import { defaultContextSize } from '../llama/open-context.ts';
import { readModelConfig } from '../models/config.ts';
import type { Running } from './load-run.ts';
import { mostAnswerTokens, quickVerdict, verdictQuestions } from './quick-verdict.ts';
import { type BeforeAndAfter, makeSamples } from './samples.ts';

/** Answers at once where many are wanted: more gain little on a few cores. */
const sideBySide = 8;
/** What the context of one model may take for that; a context is needed in any case, so that one answer at a time may take more. */
const mostContextBytes = 500e6;
/** Tokens of markup around a question, beside what its row has, and room to spare. */
const spareTokens = 64;
/** Short contexts save little. */
const leastContextSize = 512;

interface Room {
  readonly contextSize: number | undefined;
  readonly sequences: number;
}

/** For samples alone as chats have it; for many answers at once what the held-out rows need. */
function roomFor({ opened }: Running, isEvaluated: boolean): Room {
  if (!isEvaluated) return { contextSize: undefined, sequences: 1 };
  const { model, prepared } = opened;
  const longest = prepared.validation.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
  const wanted = Math.max(leastContextSize, longest + mostAnswerTokens(prepared) + spareTokens);
  const contextSize = Math.min(wanted, defaultContextSize, readModelConfig(model).contextLength);
  let sequences = sideBySide;
  while (sequences > 1 && contextBytes(model, { contextSize, sequences }) > mostContextBytes) sequences--;
  return { contextSize, sequences };
}

/** Calls with both models open. */
async function withModels<T>(running: Running, room: Room, call: (models: BeforeAndAfter) => Promise<T>): Promise<T> {
  const { method, signal, threads } = running;
  const before = await openChatModel({ ...method.before, ...room, threads, signal });
  try {
    const after = await openChatModel({ ...method.after, ...room, threads, signal });
    try {
      return await call({ before, after });
    } finally {
      await after.close();
    }
  } finally {
    await before.close();
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Says what the result answers; returns the evaluation, or null where there is none. Throws when `signal` aborts before it. */
export async function showResult(running: Running): Promise<Evaluation | null> {
  const { journal, opened, signal } = running;
  const { questions, settings } = opened.prepared;
  const evaluated = verdictQuestions(opened.prepared);
  const room = roomFor(running, evaluated.length > 0);
  try {
    return await withModels(running, room, async (models) => {
      const samples = await makeSamples(questions, models, signal);
      for (const event of samples) journal.emit(event);
      if (evaluated.length === 0) return null;
      return await quickVerdict(running, models, { questions: evaluated, atOnce: room.sequences });
    });
  } catch (error) {
    if (signal.aborted) throw error;
    // A sample is no reason for a run to fail: what was trained is proven by now.
    const missing = settings.method !== 'pretrain' && evaluated.length > 0 ? 'No samples and no verdict' : 'No samples';
    journal.notice('no-samples', `${missing}: ${reasonOf(error)}`);
    return null;
  }
}
