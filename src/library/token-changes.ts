/**
 * Which tokens of held-out answers tuning made likelier, example by example. Promises: base and tuned model are asked alike, as the run was
 * trained, by llama.cpp.
 */
import { unlessTooLong } from '../chat/refusals.ts';
import { NomoatError } from '../errors.ts';
import { promptOf, type TestQuestion, withSystem } from '../evaluate/test-set.ts';
import { type TokenChange, type TokenTotal, totalsOf } from '../inspect/token-changes.ts';
import type { ResolvedChat } from '../library.ts';
import { physicalCores } from '../machine/machine.ts';
import { isRun } from '../settings/load.ts';
import { stoppable } from '../stop.ts';
import type { InspectOptions } from './inspect.ts';
import { asChat, findTarget } from './inspect-target.ts';
import { heldOutQuestions, readTest } from './test-data.ts';

/** Of which adapter, on which answers. */
export interface TokenChangesOptions extends Pick<InspectOptions, 'adapter' | 'model' | 'signal' | 'onProgress'> {
  /** Examples with answers: files or folders, as for `tune`; of a run by default those that it held out. */
  readonly data?: string | readonly string[] | null;
  /** Examples at most, the first of the data (default: 20). */
  readonly limit?: number | null;
  /** Threads to compute with; by default one for each physical core. */
  readonly threads?: number | null;
}

/** One example's expected answer. */
export interface ChangedAnswer {
  /** The last thing that is asked. */
  readonly prompt: string;
  readonly expected: string;
  /** Its tokens in order, the one that ends its turn last where the model has a chat template. */
  readonly tokens: readonly TokenChange[];
  /** ln p of the whole answer, nats. */
  readonly before: number;
  readonly after: number;
}

/** What tuning did to the likelihood of answers. */
export interface TokenChanges {
  readonly examples: readonly ChangedAnswer[];
  /** All tokens by their text, those that became likelier most first. */
  readonly totals: readonly TokenTotal[];
  /** What should be known, in sentences. */
  readonly notes: readonly string[];
}

/** Enough to see what became likelier, few enough to read. */
const usualLimit = 20;

interface Likelihood {
  readonly text: string;
  readonly logProbability: number;
}

/** The answers' tokens by one model, null for those that it cannot be asked; `done` is told after each. */
async function likelihoods(
  chat: ResolvedChat,
  questions: readonly TestQuestion[],
  { signal, threads }: TokenChangesOptions,
  done: () => void,
): Promise<(Likelihood[] | null)[]> {
  const given = signal ? { signal } : {};
  // With its engine, which a program that imports the library does not wait for.
  const { openChatModel } = await import('../llama/chat-engine.ts');
  await using model = await openChatModel({ ...chat, threads: threads ?? physicalCores(), ...given });
  const found: (Likelihood[] | null)[] = [];
  for (const { ask, expected } of questions) {
    found.push(
      await unlessTooLong(async () => {
        if ('messages' in ask) {
          const { tokens } = await model.score([...ask.messages, { role: 'assistant', content: expected }], given);
          return tokens.map(({ logProbability, text }) => ({ logProbability, text }));
        }
        const { tokens } = await model.scoreText(`${ask.prompt}${expected}`, given);
        return tokens.flatMap(({ logProbability, offset, text }) =>
          offset < ask.prompt.length || logProbability === null ? [] : [{ logProbability, text }],
        );
      }),
    );
    done();
  }
  return found;
}

async function questionsOf(options: TokenChangesOptions, modelPath: string): Promise<readonly TestQuestion[]> {
  const { adapter, data = null } = options;
  const limit = options.limit ?? usualLimit;
  if (data !== null) return (await readTest({ data, limit }, modelPath)).questions;
  if (isRun(adapter)) return heldOutQuestions(adapter, limit);
  throw new NomoatError({
    code: 'invalid-settings',
    part: '`data`',
    fault: `was not given, and ${adapter} is no run that held out some`,
    remedy: 'Give files with examples and their answers.',
  });
}

/** Scores the answers of data before and after tuning. Rejects with NomoatError. */
export function tokenChanges(options: TokenChangesOptions): Promise<TokenChanges> {
  const { adapter: name, model = null, onProgress, signal } = options;
  return stoppable(name, signal, async () => {
    const target = await findTarget(name, model);
    const chat = await asChat(name, target);
    const questions = await questionsOf(options, chat.modelPath);
    const asked = withSystem(questions, chat.systemPrompt);
    let done = 0;
    const total = 2 * asked.length;
    const next = (doing: string) => () => onProgress?.({ done: done++, total, doing });
    const before = await likelihoods({ ...chat, adapters: [] }, asked, options, next('answers by the base'));
    const after = await likelihoods(chat, asked, options, next('answers by the tuned model'));
    const examples = asked.flatMap((question, i): ChangedAnswer[] => {
      const [first, second] = [before[i], after[i]];
      if (!first || !second) return [];
      const tokens = first.map(({ logProbability, text }, t) => ({
        text,
        before: logProbability,
        after: second[t]!.logProbability,
      }));
      const sum = (all: readonly Likelihood[]): number => all.reduce((sum, each) => sum + each.logProbability, 0);
      return [
        { prompt: promptOf(question), expected: question.expected, tokens, before: sum(first), after: sum(second) },
      ];
    });
    const skipped = asked.length - examples.length;
    const notes = [
      ...target.notes,
      ...(skipped > 0 ? [`${skipped} examples are longer than the context, and left out.`] : []),
    ];
    return { examples, totals: totalsOf(examples.map(({ tokens }) => tokens)), notes };
  });
}
