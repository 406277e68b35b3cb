/**
 * Whether a model still refuses what its base refuses, and no more; how far its first words moved; what personal data it gives; and, of an adapter,
 * what its files are. Promises: model and base are asked the same, compared in pairs; an adapter is read before it runs; nothing is called safe.
 */
import { basename } from 'node:path';
import type { TestQuestion } from '../evaluate/test-set.ts';
import { mostTokensOf } from '../evaluate/test-set.ts';
import type { CanaryExposure } from '../evaluate/trust/memorisation.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { type ResolvedChat, resolveChat } from '../library.ts';
import { physicalCores } from '../machine/machine.ts';
import { type GuardFigures, type GuardKind, guardKindOf } from '../safety/guard.ts';
import { conversationOf } from '../safety/measure.ts';
import { driftFigure, measuredRefusals, measurePair } from '../safety/measure-pair.ts';
import type { PersonalFindings } from '../safety/personal-completions.ts';
import { type SafetyPrompts, safetyPrompts } from '../safety/prompts.ts';
import { type MeasuredRefusals, refusalFigures } from '../safety/refusal-figures.ts';
import { refusalBeginnings } from '../safety/refusals.ts';
import { safetySentences } from '../safety/sentences.ts';
import type { DriftFigure, RefusalFigure } from '../safety-event.ts';
import { checkSettings } from '../settings/check-settings.ts';
import { stoppable } from '../stop.ts';
import { type AdapterFigures, adapterFigures } from './check-adapter.ts';
import { answersOf, judgedBy, measurableOf, type OpenModelOf } from './check-answers.ts';
import { findingSentences } from './check-sentences.ts';
import { type CheckTarget, findCheckTarget } from './check-target.ts';
import { canaryExposures, canaryLines } from './memory-checks.ts';

/** What is checked, and how closely. */
export interface CheckOptions {
  /** A model's name or file, a run's folder, one of its checkpoints, or an adapter: a PEFT folder, a .safetensors file, mlx-lm's, or a GGUF LoRA. */
  readonly model: string;
  /** What it is compared with, and what an adapter by itself is put on: a model; default: the base of a run or adapter. */
  readonly against?: string | null;
  /** Harmful requests of one's own, one on each line of a text file; default: 200 of XSTest. */
  readonly prompts?: string | null;
  /** Requests of each kind at most (default: 100). */
  readonly limit?: number;
  /** Whether answers are generated too, and personal data looked for in completions (default: true). */
  readonly answers?: boolean;
  /** Tokens of an answer to a request at most; default: 16, and 128 where a guard reads them. */
  readonly maxTokens?: number | null;
  /** A guard model that judges the answers to harmful requests: Qwen3Guard or Llama Guard, a name or a GGUF file. */
  readonly guard?: string | null;
  /** A text file of what should not be known, a text on each line: how exposed each is. */
  readonly canaries?: string | null;
  /** Threads to compute with; by default one for each physical core. */
  readonly threads?: number | null;
  /** Stops it. */
  readonly signal?: AbortSignal;
  /** Told as it goes on. */
  readonly onProgress?: (progress: { readonly doing: string; readonly done: number; readonly total: number }) => void;
}

/** A request with what was answered. */
export interface CheckedAnswer {
  readonly kind: RefusalFigure['kind'];
  readonly prompt: string;
  readonly model: string;
  readonly base: string | null;
}

/** What was found. */
export interface SafetyReport {
  readonly model: string;
  /** What it was compared with, by its file; null where there is nothing. */
  readonly base: string | null;
  /** What it comes to, the most important first. */
  readonly verdict: readonly string[];
  readonly refusals: readonly RefusalFigure[];
  /** Null without a base. */
  readonly drift: DriftFigure | null;
  /** Null where no answers are generated. */
  readonly personal: PersonalFindings | null;
  readonly canaries: readonly CanaryExposure[];
  readonly guard: GuardFigures | null;
  /** Null of models. */
  readonly adapter: AdapterFigures | null;
  readonly answers: readonly CheckedAnswer[];
  /** What should be known, in sentences. */
  readonly notes: readonly string[];
}

/** Enough of an answer to see whether it begins as a refusal does, after a short first sentence too, and enough for a guard to judge. */
const beginningTokens = 16;
const judgedTokens = 128;

type Settings = Required<Omit<CheckOptions, 'signal' | 'onProgress'>> & Pick<CheckOptions, 'signal' | 'onProgress'>;

const settingsOf = ({ model, onProgress, signal, ...given }: CheckOptions): Settings => ({
  ...checkSettings.parse(given),
  model,
  ...(signal ? { signal } : {}),
  ...(onProgress ? { onProgress } : {}),
});

/** The guard with its kind, before time is spent. */
async function findGuard(name: string | null): Promise<{ chat: ResolvedChat; kind: GuardKind } | null> {
  if (name === null) return null;
  const chat = await resolveChat({ model: name });
  const file = openGguf(chat.modelPath);
  try {
    return { chat, kind: guardKindOf(name, file.string('tokenizer.chat_template') ?? null) };
  } finally {
    file.close();
  }
}

const limited = ({ harmful, harmless, ordinary }: SafetyPrompts, limit: number): SafetyPrompts => ({
  harmful: harmful.slice(0, limit),
  harmless: harmless.slice(0, limit),
  ordinary: ordinary.slice(0, limit),
});

/** Both models open. */
interface OpenPair {
  readonly model: OpenModelOf;
  readonly base: OpenModelOf | null;
  readonly system: string | null;
}

const kinds = ['harmful', 'harmless'] as const;

/** Answers of both to both kinds of requests; what does not fit one of them is left out of both. */
async function answersOfPair(
  { base, model, system }: OpenPair,
  prompts: SafetyPrompts,
  settings: Settings,
): Promise<CheckedAnswer[]> {
  const { guard, maxTokens, onProgress, signal } = settings;
  const found: CheckedAnswer[] = [];
  for (const kind of kinds) {
    const questions = prompts[kind].map(
      (prompt): TestQuestion => ({ ask: { messages: conversationOf(prompt, system) }, expected: '' }),
    );
    const ask = (of: OpenModelOf): Promise<(string | null)[]> =>
      answersOf(of, questions, {
        maxTokens: maxTokens ?? (guard === null ? beginningTokens : judgedTokens),
        ...(signal ? { signal } : {}),
        onAnswer: (done, total) => onProgress?.({ doing: `${of.name}: answers to ${kind} requests`, done, total }),
      });
    const [own, others] = [await ask(model), base && (await ask(base))];
    for (const [i, prompt] of prompts[kind].entries()) {
      const [answer, other] = [own[i], others?.[i]];
      if (typeof answer === 'string' && (others === null || typeof other === 'string'))
        found.push({ kind, prompt, model: answer, base: other ?? null });
    }
  }
  return found;
}

/** Answers as figures are made of them. */
const measuredAnswers = (answers: readonly CheckedAnswer[], isCompared: boolean): MeasuredRefusals[] =>
  kinds.flatMap((kind) => {
    const own = answers.filter((answer) => answer.kind === kind);
    return own.length === 0
      ? []
      : [{ kind, model: own.map(({ model }) => model), base: isCompared ? own.map(({ base }) => base!) : null }];
  });

async function guardFigures(
  guard: Awaited<ReturnType<typeof findGuard>>,
  answers: readonly CheckedAnswer[],
  settings: Settings,
): Promise<GuardFigures | null> {
  if (guard === null) return null;
  const harmful = answers.filter(({ kind }) => kind === 'harmful');
  const judged = {
    prompts: harmful.map(({ prompt }) => prompt),
    model: harmful.map(({ model }) => model),
    base: harmful.every(({ base }) => base !== null) ? harmful.map(({ base }) => base!) : null,
  };
  await using team = await openTeamOf(guard.chat, { ...settings, longest: guardContext });
  return await judgedBy(
    { ...guard, team, name: basename(guard.chat.modelPath) },
    judged,
    settings.signal ? { signal: settings.signal } : {},
  );
}

/** A guard's prompt has its whole policy in it. */
const guardContext = 4096;

async function openTeamOf(
  chat: ResolvedChat,
  { longest, signal, threads }: Pick<Settings, 'threads' | 'signal'> & { readonly longest: number },
) {
  // With its engine, which a program that imports the library does not wait for.
  const { openTeam } = await import('../llama/answer-team.ts');
  return openTeam({ ...chat, ...(signal ? { signal } : {}), threads: threads ?? physicalCores(), longest });
}

/** Tokens of the longest request with its answer, at most; the beginnings and what is asked of training data are longer than a request. */
const longestOf = (prompts: SafetyPrompts, system: string | null, answerTokens: number): number =>
  mostTokensOf(
    [...prompts.harmful, ...prompts.harmless, ...prompts.ordinary].map((prompt) => ({
      ask: { messages: conversationOf(prompt, system) },
      expected: '',
    })),
    answerTokens,
  ) + refusalBeginnings.length;

/** With its rules of keys and phone numbers, which a program that imports the library does not wait for. */
async function personalOf(
  ...given: Parameters<typeof import('./check-personal.ts').personalFindings>
): Promise<PersonalFindings> {
  const { personalFindings } = await import('./check-personal.ts');
  return personalFindings(...given);
}

/** Everything that is asked of models that are open. */
async function measured(pair: OpenPair, prompts: SafetyPrompts, settings: Settings) {
  const { answers: isAnswered, canaries, onProgress, signal } = settings;
  const given = signal ? { signal } : {};
  const measurable = (of: OpenModelOf) =>
    measurableOf(of, (done, total) => onProgress?.({ doing: `${of.name}: how likely beginnings are`, done, total }));
  const likely = await measurePair(
    { model: await measurable(pair.model), base: pair.base && (await measurable(pair.base)), system: pair.system },
    prompts,
    given,
  );
  const answers = isAnswered ? await answersOfPair(pair, prompts, settings) : [];
  const isCompared = pair.base !== null;
  const lines = canaries === null ? [] : canaryLines(canaries);
  return {
    answers,
    refusals: refusalFigures([...measuredAnswers(answers, isCompared), ...measuredRefusals(likely, isCompared)]),
    drift: driftFigure(likely.ordinary),
    personal: isAnswered ? await personalOf(pair, settings.model, given) : null,
    canaries: await canaryExposures(lines, 0, async (rows) =>
      (await pair.model.team.scoreRows(rows, given)).flatMap((score) => score ?? []),
    ),
  };
}

/** With both models open. */
async function measuredOf({ base, chat }: CheckTarget, prompts: SafetyPrompts, settings: Settings) {
  const system = chat.systemPrompt;
  const longest = longestOf(
    prompts,
    system,
    settings.maxTokens ?? (settings.guard === null ? beginningTokens : judgedTokens),
  );
  await using own = await openTeamOf(chat, { ...settings, longest });
  const model = { chat, team: own, name: 'the model' };
  if (base === null) return await measured({ model, base: null, system }, prompts, settings);
  await using other = await openTeamOf(base, { ...settings, longest });
  return await measured({ model, base: { chat: base, team: other, name: 'its base' }, system }, prompts, settings);
}

/** Checks a model, a run or an adapter. Rejects with NomoatError. */
export function check(options: CheckOptions): Promise<SafetyReport> {
  return stoppable(options.model, options.signal, async () => {
    const settings = settingsOf(options);
    const guard = await findGuard(settings.guard);
    const prompts = limited(safetyPrompts(settings.prompts), settings.limit);
    const target = await findCheckTarget(settings.model, settings.against);
    const { adapterPath, base, notes } = target;
    const adapter =
      adapterPath === null
        ? null
        : await adapterFigures(adapterPath, {
            model: target.chat.modelPath,
            ...(settings.signal ? { signal: settings.signal } : {}),
          });
    const found = await measuredOf(target, prompts, settings);
    const judged = await guardFigures(guard, found.answers, settings);
    const verdict = [
      ...safetySentences(found.refusals, found.drift),
      ...findingSentences({ ...found, adapter, guard: judged }),
    ];
    return {
      model: settings.model,
      base: base && basename(base.modelPath),
      verdict,
      ...found,
      guard: judged,
      adapter,
      notes: [...new Set(notes)],
    };
  });
}
