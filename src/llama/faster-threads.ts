/**
 * How many threads give one answer at a time the most tokens: measured, since it depends on how quickly the machine's cores hear of each other. Threads wait
 * for each other a hundred times a token; on two virtual cores SmolLM2-135M gives 130 tokens/s with one thread and 80 with two, and sixteen answers at
 * once 180 and 300. Promises: results do not depend on it; what is measured is a context of its own, closed again.
 */
import type { LlamaModel } from 'node-llama-cpp';
import { openContext, smallestMeasured } from './engine.ts';

/** Beyond it a token takes so long that waiting is little of it, and measuring would be waited for. */
const largestMeasured = 300e6;
/** Tokens before those that are timed: the first ones bring the weights into the caches. */
const [warmUp, timed] = [2, 5];
/** How long a measurement holds: other programs come and go. */
const holdsMilliseconds = 300_000;
/** More threads must be faster by this much: they take cores from others. */
const clearly = 1.05;
/** A context can hardly be smaller. */
const contextSize = 256;

const known = new Map<string, { readonly at: number; readonly threads: Promise<number> }>();

/** Milliseconds of a token, the least of several: what other programs do only adds to it. */
export async function tokenMilliseconds(model: LlamaModel, threads: number): Promise<number> {
  // At least one: on a busy machine fewer are allowed (`evaluating`), and who insists on more waits for ever.
  const context = await openContext(model, { contextSize, threads: { ideal: threads, min: 1 } });
  try {
    const { bos, nl, eos } = model.tokens;
    const times: number[] = [];
    let before = performance.now();
    for await (const _ of context
      .getSequence()
      .evaluate([bos ?? nl ?? eos ?? model.tokenize('a')[0]!], { temperature: 0, yieldEogToken: true })) {
      const now = performance.now();
      times.push(now - before);
      before = now;
      if (times.length === warmUp + timed) break;
    }
    return Math.min(...times.slice(warmUp));
  } finally {
    await context.dispose();
  }
}

/** The fewest of the numbers of threads that none is clearly faster than. */
export async function fewestFast(
  candidates: readonly number[],
  measure: (threads: number) => Promise<number>,
): Promise<number> {
  let best = { threads: 1, milliseconds: Number.POSITIVE_INFINITY };
  for (const threads of candidates) {
    const milliseconds = await measure(threads);
    if (milliseconds * clearly < best.milliseconds) best = { threads, milliseconds };
  }
  return best.threads;
}

/** Threads for a context of one sequence, `most` at most; `path` is the model's file. */
export function fasterThreads(model: LlamaModel, path: string, most: number): Promise<number> {
  if (most <= 1 || model.size < smallestMeasured || model.size > largestMeasured) return Promise.resolve(most);
  const key = `${most} ${path}`;
  const found = known.get(key);
  if (found && performance.now() - found.at < holdsMilliseconds) return found.threads;
  const candidates = [...new Set([1, Math.ceil(most / 2), most])];
  // A measurement that fails is no reason not to answer: opening the context says what is wrong.
  const threads = fewestFast(candidates, (count) => tokenMilliseconds(model, count)).catch(() => most);
  known.set(key, { at: performance.now(), threads });
  return threads;
}
