/**
 * A fine-tuning run's data as token rows. Promises: all counts that the user is shown; data
 * that nothing can be learnt from is refused here, before anything is computed.
 */

import { sharedPrefix } from '../batches/pack.ts';
import { assertClean, glanceAtData } from '../data-checks/before-training.ts';
import { NomoatError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { openTokenizer } from '../llama/tokenizer.ts';
import type { EvenAdapter } from '../lora/adapter.ts';
import { readStackedAdapter } from '../merge/stacked-adapter.ts';
import { loraWeights, parameterCount, readModelConfig } from '../models/config.ts';
import { modelNotes } from '../models/model-notes.ts';
import { safetyPromptNotes } from '../safety/safety-prompt.ts';
import { chooseDefaults, explainDefaults, type ModelFacts } from '../settings/defaults-from-data.ts';
import { fieldOf } from '../settings/fields.ts';
import { choosePreferenceValues, isPreferenceMethod, trainsAdapter, wantsPairs } from '../settings/methods.ts';
import { tuneOptions } from '../settings/options.ts';
import type { RequestedSettings, RunSettings } from '../settings/run-settings.ts';
import type { Example } from '../text/example.ts';
import { countRefusal, type RowsReport } from '../tokens/rows.ts';
import { leakedRows } from '../tokens/same-rows.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';
import { assertTrainable } from '../tokens/trainable.ts';
import { weighPrompts } from '../tokens/weigh-prompts.ts';
import { sharesBeginnings } from '../train/pack-options.ts';
import { SmallModel } from '../train/small-model.ts';
import { withValues } from '../words/program-words.ts';
import { type Dataset, readExamples } from './dataset-files.ts';
import { divide } from './divide.ts';
import { learntFrom } from './learnt-from.ts';
import { ownAnswers } from './own-answers.ts';
import type { Prepared } from './prepared.ts';
import { questionOf } from './questions.ts';
import { buildSets, type LateTokenizer, type RowSetsOptions, type Sets } from './row-sets.ts';

interface Lengths {
  readonly train: RowsReport;
  readonly report: RowsReport | null;
  readonly sequenceLength: number;
  readonly contextLength: number;
}

/** What the counts of the training rows do not say: the held-out rows' own losses, and settings that the data or the model overrule. */
function notesOf(
  settings: Pick<RequestedSettings, 'earlyStop' | 'sequenceLength' | 'strictData' | 'validateEvery' | 'validation'>,
  dataset: Dataset,
  held: Dataset | null,
  { contextLength, train, report, sequenceLength }: Lengths,
): string[] {
  const glance = settings.strictData ? [] : glanceAtData(dataset.train);
  const safety = safetyPromptNotes(commonSystemPrompt(dataset.train));
  const notes = [...dataset.notes, ...(held?.notes ?? []), ...glance, ...safety];
  if (settings.validation !== null && dataset.validation)
    notes.push(
      held
        ? `The folder's own validation file is left alone: ${withValues({ validation: settings.validation })} was given.`
        : `${withValues({ validation: settings.validation })} is not used: the folder has a validation file of its own.`,
    );
  const tooLong = [train, ...(report ? [report] : [])].some((r) => r.truncatedRows + r.splitRows + r.refusedRows > 0);
  if (settings.sequenceLength === null && tooLong)
    notes.push(
      `Rows are cut at ${sequenceLength} tokens${sequenceLength >= contextLength ? ", the model's context" : '; `sequenceLength` sets another length'}.`,
    );
  else if (settings.sequenceLength !== null && sequenceLength < settings.sequenceLength && tooLong)
    notes.push(`Rows are cut at ${sequenceLength} tokens, the model's context, not at ${settings.sequenceLength}.`);
  if (!report) {
    const idle = [
      settings.earlyStop !== null ? '`earlyStop`' : '',
      settings.validateEvery !== null ? '`validateEvery`' : '',
    ].filter((flag) => flag !== '');
    if (idle.length > 0)
      notes.push(
        `${idle.join(' and ')} ${idle.length > 1 ? 'do' : 'does'} nothing: no rows are held out (\`validation\`).`,
      );
  }
  if (train.unrolledRows > 0)
    notes.push(`${train.unrolledRows} rows added, since the template rewrites earlier turns.`);
  const refusals = { ...report?.refusals };
  for (const { reason } of held?.refusals ?? []) refusals[reason] = (refusals[reason] ?? 0) + 1;
  for (const [reason, rows] of Object.entries(refusals)) notes.push(`Held out: ${rows} rows refused: ${reason}.`);
  for (const [note, examples] of Object.entries(train.notices)) notes.push(`${examples} of the examples: ${note}.`);
  for (const [note, examples] of Object.entries(report?.notices ?? {}))
    notes.push(`Held out, ${examples} of the examples: ${note}.`);
  if (report && report.truncatedRows + report.splitRows > 0)
    notes.push(`Held out: ${report.truncatedRows} rows truncated, ${report.splitRows} split.`);
  return notes;
}

/** The adapter, or the stack, that a run goes on from; what a bare .safetensors file does not say is as in the settings. Rejects with NomoatError. */
export function initialAdapter(
  { alpha, model: baseModel, rank, rslora }: Pick<RequestedSettings, 'alpha' | 'model' | 'rank' | 'rslora'>,
  stack: string,
  model: GgufFile,
  note?: (text: string) => void,
): Promise<EvenAdapter> {
  return readStackedAdapter(stack, model, { alpha, rank, rslora, baseModel, ...(note ? { note } : {}) });
}

/** The settings with those that an initial adapter brings and that cannot be set, and what is said where one was. */
async function withAdapter(
  requested: RequestedSettings,
  model: GgufFile,
): Promise<{ requested: RequestedSettings; notes: string[] }> {
  if (!trainsAdapter(requested.method) || !requested.initialAdapter) return { requested, notes: [] };
  const read: string[] = [];
  const { alpha, rank, rslora, targetModules } = await initialAdapter(
    requested,
    requested.initialAdapter,
    model,
    (text) => read.push(text),
  );
  const brought = { alpha, rank, rslora, targetModules };
  const overruled = (Object.keys(brought) as (keyof typeof brought)[]).flatMap((name) => {
    const [has, set] = [brought[name], requested[name]].map((value) => String(value));
    // What is as by default was hardly set.
    const usual = requested[name] === null || set === String(fieldOf(tuneOptions[name]).fallback);
    return usual || has === set ? [] : [`The initial adapter has ${name} ${has}; the setting ${set} is not used.`];
  });
  return { requested: { ...requested, ...brought }, notes: [...read, ...overruled] };
}

/** Whose learning rate a method has. */
function ratesOf(method: RunSettings['method']): ModelFacts['method'] {
  if (method === 'dpo') return 'dpo';
  if (isPreferenceMethod(method)) return 'preferences';
  return trainsAdapter(method) ? 'lora' : 'full';
}

/** The settings with what the rows and the model decide, and the line that says so. */
function decide(
  requested: RequestedSettings,
  sets: Sets,
  model: GgufFile,
): { settings: RunSettings; chosen: string | null } {
  const config = readModelConfig(model);
  const facts: ModelFacts = {
    ...config,
    method: ratesOf(requested.method),
    weights: parameterCount(model),
    weightsPerRank: loraWeights(config, { rank: 1, targetModules: requested.targetModules }),
  };
  const { report } = sets.train;
  // Rows that were cut at the model's context are longer than anyone knows.
  const cut = report.truncatedRows > 0 && sets.longest >= config.contextLength;
  const data = { ...report, longest: cut ? null : sets.longest };
  // What was given is kept as it was given, the model's context notwithstanding.
  const chosen = chooseDefaults(requested, requested.sequenceLength ?? sets.sequenceLength, data, facts);
  const preferences = choosePreferenceValues(requested.method, requested);
  return {
    settings: { ...requested, ...chosen, ...preferences },
    chosen: explainDefaults(requested, chosen, data, facts),
  };
}

function prefixNote(prefix: number, { report, rows }: Sets['train']): string {
  const share = Math.round((100 * prefix * rows.length) / report.tokens);
  return `All rows begin with the same ${prefix} tokens, ${share}% of all: each micro-batch computes them once. ${withValues({ sharePrefix: false })} computes them in every row.`;
}

/** Whether a conversation holds an answer that is not to be learnt, which stands in the prompt of a later one. */
const keepsAnswerOut = (example: Example): boolean =>
  example.kind === 'chat' && example.messages.some(({ role, weight }) => role === 'assistant' && weight === 0);

/**
 * The training rows with prompts that are learnt a little, where that is asked for. What is held out is measured by its answers alone, so that its
 * loss can be compared; answers of the base (`own`) are about their first words.
 */
function weighedRows(
  train: Sets['train'],
  { promptWeight = 0 }: Pick<RequestedSettings, 'promptWeight'>,
  examples: readonly Example[],
  own: readonly Example[],
): { readonly rows: Sets['train']; readonly notes: readonly string[] } {
  if (promptWeight === 0) return { rows: train, notes: [] };
  const keptOut = examples.filter(keepsAnswerOut);
  const spared = [...keptOut, ...own].map(({ source }) => source);
  const note = `The prompts of ${keptOut.length} of the conversations are not learnt: they hold answers that are kept out of the loss.`;
  return {
    rows: { ...train, rows: [...weighPrompts(train.rows, promptWeight, spared)] },
    notes: keptOut.length > 0 ? [note] : [],
  };
}

/** Held-out rows that say nothing are not held out at all. */
function assertMeasurable(held: Sets['held']): void {
  if (!held || held.rows.length > 0) return;
  throw new NomoatError({
    code: 'nothing-to-learn',
    part: 'the validation data',
    fault: 'no row has a supervised token',
    remedy: 'Look at it with `preview()`, or leave `validation` out.',
  });
}

/** A model's tokenizer that is opened where it is needed, and closed where it was. */
function lateTokenizer(modelPath: string): LateTokenizer & { close: () => Promise<void> } {
  const opened: Tokenizer[] = [];
  return {
    open: async () => {
      const tokenizer = await openTokenizer(modelPath);
      opened.push(tokenizer);
      return tokenizer;
    },
    close: async () => {
      for (const tokenizer of opened) await tokenizer.close();
    },
  };
}

/** How rows are made, beside their settings. */
export interface PrepareOptions extends Pick<RowSetsOptions, 'progress' | 'signal'> {
  /** Whether the base may be asked for the answers that `mixBase` and `keepAlignment` add; else their rows are left out, which is said. */
  readonly asksBase?: boolean;
}

/** The rows of a fine-tuning run. Throws NomoatError. */
export async function prepareExamples(
  given: RequestedSettings,
  model: GgufFile,
  { asksBase = false, ...pace }: PrepareOptions = {},
): Promise<Prepared> {
  const { requested: settings, notes: brought } = await withAdapter(given, model);
  const dataset = await readExamples(settings.data, settings);
  const { held: heldFile, ...divided } = await divide(settings, dataset);
  const learnt = learntFrom(divided.train, settings.method);
  const { examples: validation, ...heldLearnt } = learntFrom(divided.validation, settings.method, true);
  const systemPrompt = commonSystemPrompt(dataset.train);
  if (settings.strictData) await assertClean([...divided.train, ...divided.validation], pace.signal);
  const own = await ownAnswers(settings, { rows: learnt.examples.length, system: systemPrompt, asksBase, ...pace });
  const train = [...learnt.examples, ...own.examples];
  const tokenizer = lateTokenizer(settings.modelPath);
  try {
    const sets = await buildSets({ train, validation, settings, model, tokenizer, ...pace });
    const { held, sequenceLength } = sets;
    const { notes: weighed, rows } = weighedRows(sets.train, settings, learnt.examples, own.examples);
    const refusals = [...dataset.refusals, ...learnt.refusals];
    for (const refusal of refusals) countRefusal(rows.report, refusal);
    if (held) for (const refusal of heldLearnt.refusals) countRefusal(held.report, refusal);
    assertTrainable(rows, sets.facts, sets.remedy);
    assertMeasurable(held);
    const decided = decide(settings, sets, model);
    const prefix = prefixOf(decided.settings, { held, train: rows }, model);
    const notes = notesOf(settings, dataset, heldFile, {
      train: rows.report,
      report: held?.report ?? null,
      sequenceLength,
      contextLength: readModelConfig(model).contextLength,
    });
    notes.push(...learnt.notes, ...own.notes, ...weighed);
    const remedy = rows.report.refusedRows > refusals.length ? sets.remedy() : null;
    if (remedy) notes.push(remedy);
    if (prefix > 0) notes.push(prefixNote(prefix, rows));
    return {
      ...decided,
      format: dataset.format,
      files: [...[...dataset.files, ...(heldFile?.files ?? [])].map(({ path }) => path), ...own.files],
      notes,
      overruled: [...modelNotes(model), ...brought],
      prefix,
      systemPrompt,
      train: rows.rows,
      validation: held?.rows ?? [],
      questions: (validation.length > 0 ? validation : learnt.examples).flatMap(
        (example) => questionOf(example, model) ?? [],
      ),
      report: rows.report,
      leaked: held ? leakedRows(rows.rows, held.rows) : 0,
      validationReport: held?.report ?? null,
      validationBytes: null,
    };
  } finally {
    await tokenizer.close();
  }
}

/**
 * A small model is otherwise taken in one call, which knows no prefix: up to this share of the tokens that is as quick
 * (docs/log/step-speed.md).
 */
const worthwhileShare = 0.35;

/** Tokens to share. Pairs share their prompts one by one. */
function prefixOf(settings: RunSettings, { held, train }: Pick<Sets, 'held' | 'train'>, model: GgufFile): number {
  if (!sharesBeginnings(settings) || wantsPairs(settings.method)) return 0;
  const prefix = sharedPrefix([...train.rows, ...(held?.rows ?? [])]);
  const small = SmallModel.suits(readModelConfig(model), { dropout: false, precision: 'f32' });
  return small && prefix * train.rows.length < worthwhileShare * train.report.tokens ? 0 : prefix;
}

/** The system prompt that every conversation begins with, or null. */
function commonSystemPrompt(examples: readonly Example[]): string | null {
  const prompts = new Set(
    examples.map((e) => (e.kind === 'chat' && e.messages[0]?.role === 'system' ? e.messages[0].content : null)),
  );
  return prompts.size === 1 ? [...prompts][0]! : null;
}
