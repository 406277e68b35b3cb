/** A model by name, asked a test set's questions. Promises: it is opened only where something has not been answered before, and answers are kept as they come. */
import { NomoatError } from '../errors.ts';
import { askAll, noAnswer, type TestAnswer } from '../evaluate/ask.ts';
import type { Answered } from '../evaluate/evaluate-answers.ts';
import { KeptAnswers } from '../evaluate/kept-answers.ts';
import { mostTokensOf, roomForAnswers, type TestQuestion } from '../evaluate/test-set.ts';
import { resolveChat } from '../library.ts';
import { physicalCores } from '../machine/machine.ts';
import { keptAnswersPath } from '../store/cache.ts';
import { identityOf } from './model-identity.ts';

/** How models are asked. */
export interface AskModelOptions {
  /** Tokens of an answer at most. */
  readonly maxTokens?: number | null;
  /** Answers that are drawn to each question. */
  readonly samples: number;
  /** 0 takes the likeliest token at each step. */
  readonly temperature: number;
  /** Of the first draw; each further one has the next. */
  readonly seed: number;
  readonly threads?: number | null;
  readonly signal?: AbortSignal;
  /** Told after each answer. */
  readonly onProgress?: (progress: { readonly model: string; readonly done: number; readonly total: number }) => void;
}

/** Asks each question once with one way of drawing. */
interface Round {
  readonly temperature: number;
  readonly seed: number | null;
  readonly store: KeptAnswers;
}

function roundsOf(path: string, maxTokens: number, { samples, seed, temperature }: AskModelOptions): Round[] {
  if (temperature === 0) return [{ temperature, seed: null, store: new KeptAnswers(path, `greedy ${maxTokens}`) }];
  return Array.from({ length: samples }, (_, i) => ({
    temperature,
    seed: seed + i,
    store: new KeptAnswers(path, `temperature ${temperature} seed ${seed + i} of each question ${maxTokens}`),
  }));
}

const stopped = (cause: unknown): NomoatError =>
  new NomoatError({
    part: 'the evaluation',
    fault: 'was stopped',
    remedy: 'Its answers are kept: the same call goes on with them.',
    kind: 'interrupted',
    cause,
  });

/** The model's answers to questions that have the system prompt in them, called `name` in what is told. Rejects with NomoatError. */
export async function askModel(
  { model, name }: { readonly model: string; readonly name: string },
  asked: readonly TestQuestion[],
  options: AskModelOptions,
): Promise<Answered> {
  const { onProgress, signal, threads } = options;
  const maxTokens = options.maxTokens ?? roomForAnswers(asked);
  const chat = await resolveChat({ model });
  const rounds = roundsOf(keptAnswersPath(await identityOf(chat)), maxTokens, options);
  const known = rounds.map(({ store }) => asked.map((question) => store.find(question)));
  const total = rounds.length * asked.length;
  const missing = known.flat().filter((answer) => answer === null).length;
  const answered = (found: readonly (readonly (TestAnswer | null)[])[], seconds: number): Answered => {
    const all = found.map((round) => round.map((answer) => answer ?? noAnswer));
    return {
      name,
      answers: all[0]!,
      ...(all.length > 1 ? { samples: all } : {}),
      costs: { seconds, computed: missing },
    };
  };
  if (missing === 0) return answered(known, 0);
  const given = signal ? { signal } : {};
  // An engine is loaded where it is needed.
  const { openTeam } = await import('../llama/answer-team.ts');
  try {
    const longest = mostTokensOf(asked, maxTokens);
    await using team = await openTeam({ ...chat, ...given, threads: threads ?? physicalCores(), longest });
    const start = performance.now();
    const found: (TestAnswer | null)[][] = [];
    for (const [i, { seed, store, temperature }] of rounds.entries()) {
      const onAnswer = (done: number): void => onProgress?.({ model: name, done: i * asked.length + done, total });
      found.push(
        await askAll(team, asked, { maxTokens, temperature, seed, atOnce: team.atOnce, store, onAnswer, ...given }),
      );
    }
    return answered(found, (performance.now() - start) / 1000);
  } catch (error) {
    throw signal?.aborted ? stopped(error) : error;
  }
}
