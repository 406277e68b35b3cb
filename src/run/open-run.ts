/**
 * A run's folder, model and data before training: a new run is planned and gets a folder once its data is known to be good, a resumed one is
 * compared with what it began with. And how a failure is left in the folder.
 */

import { existsSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { prepareExamples } from '../dataset/prepare.ts';
import { prepareTexts } from '../dataset/prepare-texts.ts';
import type { Prepared } from '../dataset/prepared.ts';
import { readTexts, textFiles } from '../dataset/read-texts.ts';
import { NomoatError } from '../errors.ts';
import { errorEvent, type PlanEvent } from '../events.ts';
import { removeUnfinished } from '../formats/atomic-write.ts';
import { openGguf } from '../formats/gguf/read.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { type GgufContent, writeGguf } from '../formats/gguf/write.ts';
import { writeFault } from '../formats/write-probe.ts';
import type { LoraAdapter } from '../lora/adapter.ts';
import { parentBytes, threadsOf } from '../machine/machine.ts';
import { frozenBelow, readFrozenStack } from '../merge/stacked-adapter.ts';
import { largestMatrix, loraWeights, parameterCount, readModelConfig } from '../models/config.ts';
import { contextOf, type Planned } from '../plan/context.ts';
import type { Decision } from '../plan/decide.ts';
import { assertDiskHolds, runBytes } from '../plan/disk-space.ts';
import { planRun, probeFor, type RunPlan } from '../plan/plan.ts';
import { type Proposal, proposalOf } from '../plan/proposal.ts';
import { assertAdapterHolds } from '../runtime/onnxruntime-node/webgpu-adapter.ts';
import { isRun } from '../settings/load.ts';
import { trainsAdapter } from '../settings/methods.ts';
import type { RequestedSettings, RunSettings } from '../settings/run-settings.ts';
import { heedStop } from '../stop.ts';
import { digestOf, stampOf } from '../store/file-digest.ts';
import { stackPaths } from '../store/stack.ts';
import { withChatTemplate } from '../text/chat-template.ts';
import { checkpointSteps } from '../train/checkpoint.ts';
import { outOfMemory } from '../train/out-of-memory.ts';
import { baseWarning } from './base-model.ts';
import { assertProofPlace } from './proof-place.ts';
import { assertSameRows, assertUnchanged, newRecord, rowsFacts } from './provenance.ts';
import { resumedDecision } from './resumed-decision.ts';
import { createRunFolder, RunFolder, type RunRecord } from './run-folder.ts';
import { assertHasAdapter, runWarning } from './run-result.ts';
import { startModel } from './start-model.ts';

/** What a run works on. The folder is locked. */
export interface Opened {
  readonly folder: RunFolder;
  readonly model: GgufFile;
  /** What a new adapter is trained on top of; null for the base alone. */
  readonly frozen: LoraAdapter | null;
  readonly prepared: Prepared;
  /** What a person should know of the machine before training begins. */
  readonly notices: readonly string[];
  /** In what it computes, where it keeps what it computes with, and why. */
  readonly decision: Decision;
  /** Null in a resumed run of a version that did not plan. */
  readonly plan: PlanEvent | null;
  readonly resumed: boolean;
}

/** When the process began, by performance.now(); how it hears that it shall stop, and whom it tells of long work, in sentences. */
export interface Pacing {
  readonly started: number;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

/** What a plan or a resumed run is decided of. */
const planned = (prepared: Prepared, model: GgufFile): Omit<Planned, 'probe'> => ({
  model,
  prepared,
  threads: threadsOf(prepared.settings.threads),
  held: process.memoryUsage.rss() + parentBytes(),
});

const planOf = (prepared: Prepared, model: GgufFile, { progress, signal, started }: Pacing): Promise<RunPlan> =>
  planRun({
    settings: prepared.settings,
    ...planned(prepared, model),
    elapsed: () => (performance.now() - started) / 1000,
    step: async (what) => {
      await heedStop(signal);
      progress(what);
    },
  });

/** Where a run was that goes on here. */
interface Continued {
  readonly decision: Decision;
  readonly plan: PlanEvent | null;
  readonly notices: readonly string[];
}

async function goOn(prepared: Prepared, model: GgufFile, record: RunRecord): Promise<Continued> {
  const { settings } = prepared;
  const given = planned(prepared, model);
  const probe = trainsAdapter(settings.method) ? await probeFor(settings, given.threads) : null;
  const resumes = checkpointSteps(new RunFolder(settings.run).checkpoints).length > 0;
  const { decision, notice } = resumedDecision(contextOf({ ...given, probe }), record, resumes);
  return { decision, plan: record.plan ?? null, notices: notice === null ? [] : [notice] };
}

/** What is to be said of the runs that this one begins with. Throws where one of them has no result to be used. */
async function inputWarnings(
  requested: Pick<RequestedSettings, 'frozenAdapter' | 'initialAdapter' | 'model' | 'modelPath'>,
): Promise<string[]> {
  const { frozenAdapter = null, initialAdapter, model, modelPath } = requested;
  // The adapter of a run lies in its folder.
  const adapters = [...stackPaths(initialAdapter), ...stackPaths(frozenAdapter)];
  const runs = [model, ...adapters.map((path) => dirname(path))].filter(isRun);
  const warnings = runs.map((path) => runWarning(path, new RunFolder(path).read()));
  for (const path of adapters) {
    const from = dirname(path);
    if (isRun(from)) assertHasAdapter(from, new RunFolder(from).read(), path);
    warnings.push(await baseWarning(path, modelPath));
  }
  return warnings.filter((warning) => warning !== null);
}

/** Digest and stamp of the model's file. */
async function factsOf(
  path: string,
): Promise<Pick<RunRecord, 'modelDigest'> & Required<Pick<RunRecord, 'modelStamp'>>> {
  const modelStamp = stampOf(path);
  return { modelDigest: await digestOf(path), modelStamp };
}

export interface OpenTuningOptions extends Pacing {
  readonly requested: RequestedSettings;
  readonly resume: boolean;
  /** Asked before a new run begins. */
  readonly confirm: ((proposal: Proposal) => Promise<boolean>) | null;
}

/** The folder is made only once the data is known to be good, and `confirm` says yes to the plan; null where it says no. */
export async function openTuning(given: OpenTuningOptions): Promise<Opened | null> {
  const { frozenAdapter = null, initialAdapter } = given.requested;
  const requested = { ...given.requested, frozenAdapter: frozenBelow(initialAdapter, frozenAdapter) };
  const options = { ...given, requested };
  const warnings = await inputWarnings(requested);
  const model = withChatTemplate(openGguf(requested.modelPath), requested.chatTemplate);
  let opened: Opened | null = null;
  try {
    opened = await openTuningOf(model, warnings, options);
    return opened;
  } finally {
    if (!opened) model.close();
  }
}

async function openTuningOf(
  model: GgufFile,
  warnings: readonly string[],
  { requested, confirm, resume, ...pacing }: OpenTuningOptions,
): Promise<Opened | null> {
  const { progress, signal } = pacing;
  readModelConfig(model);
  if (requested.device === 'webgpu') assertAdapterHolds(largestMatrix(model.tensors.values()));
  assertRunWritable(requested.run);
  await heedStop(signal);
  const frozen = requested.frozenAdapter
    ? await readFrozenStack(requested.frozenAdapter, model, { alpha: requested.alpha })
    : null;
  const examples = await prepareExamples(requested, model, { signal, progress, asksBase: true });
  const prepared = { ...examples, overruled: [...examples.overruled, ...warnings] };
  const { chosen, settings } = prepared;
  await heedStop(signal);
  const facts = { ...(await factsOf(settings.modelPath)), systemPrompt: prepared.systemPrompt };
  if (resume) {
    const began = new RunFolder(settings.run).read();
    assertUnchanged(settings.run, began, facts.modelDigest, prepared.files);
    assertSameRows(settings.run, began, prepared.train);
    const folder = takeFolder(settings);
    try {
      const continued = await goOn(prepared, model, began);
      const notices = [...placesOf(settings, model, facts.modelDigest, 0), ...continued.notices];
      return { folder, model, frozen, prepared, ...continued, notices, resumed: true };
    } catch (error) {
      folder.unlock();
      throw error;
    }
  }
  const trained = trainsAdapter(settings.method)
    ? loraWeights(readModelConfig(model), settings)
    : parameterCount(model);
  const written = runBytes(trained, settings.method, { ...settings, goesOn: settings.initialAdapter !== null });
  assertDiskHolds(settings.run, written);
  const notices = placesOf(settings, model, facts.modelDigest, written);
  const { decision, event: plan } = await planOf(prepared, model, pacing);
  if (confirm && !(await confirm(proposalOf(prepared, plan, model)))) return null;
  await heedStop(signal);
  const record = { ...newRecord(settings, facts, prepared.files), plan, ...rowsFacts(prepared.train) };
  const folder = createRunFolder(settings, chosen === null ? record : { ...record, chosenFromData: chosen });
  return { folder, model, frozen, notices, prepared, decision, plan, resumed: false };
}

/** Throws NomoatError where a run's folder could not be made or written, before the data is read. */
export function assertRunWritable(run: string): void {
  const fault = writeFault(run, 0);
  if (fault === null) return;
  throw new NomoatError({ part: run, fault, remedy: 'Give a `run` in a folder that can be written.', fields: { run } });
}

/** Asks for the other place that the run will write to; returns what is to be said where it cannot be used. */
function placesOf({ method, run }: RunSettings, model: GgufFile, digest: string, bytes: number): string[] {
  const notice = trainsAdapter(method) ? assertProofPlace(model, digest, run, bytes) : null;
  return notice === null ? [] : [notice];
}

function takeFolder(settings: RunSettings): RunFolder {
  const folder = new RunFolder(settings.run);
  folder.lock();
  for (const path of [folder.path, folder.checkpoints]) removeUnfinished(path);
  return folder;
}

const weightsOf = ({ tensors }: GgufContent): number =>
  tensors.reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0);

/** The model that pretraining begins with is made here and kept in the run's folder: its vocabulary comes of the data. */
export async function openPretraining(settings: RunSettings, resume: boolean, pacing: Pacing): Promise<Opened> {
  const { signal } = pacing;
  assertRunWritable(settings.run);
  const texts = await readTexts(settings);
  const files = textFiles(settings);
  await heedStop(signal);
  if (resume) {
    const record = new RunFolder(settings.run).read();
    // Killed before the model was finished, the run makes it again.
    const made = record.modelDigest !== '' && existsSync(settings.modelPath);
    // Earlier versions kept no digest of the validation file.
    const kept = files.filter((path) => settings.data.includes(path) || basename(path) in record.dataDigests);
    assertUnchanged(settings.run, record, made ? await digestOf(settings.modelPath) : record.modelDigest, kept);
  }
  const start = existsSync(settings.modelPath) ? null : startModel(settings, texts.train);
  if (start) assertDiskHolds(settings.run, runBytes(weightsOf(start), settings.method));
  if (start && settings.device === 'webgpu') assertAdapterHolds(largestMatrix(start.tensors));
  await heedStop(signal);
  const facts = { modelDigest: '', systemPrompt: null };
  const folder = resume ? takeFolder(settings) : createRunFolder(settings, newRecord(settings, facts, files));
  try {
    if (start) writeGguf(settings.modelPath, start);
    folder.update(await factsOf(settings.modelPath));
    const model = openGguf(settings.modelPath);
    const prepared = await prepareTexts(settings, texts);
    if (resume) {
      const record = folder.read();
      assertSameRows(settings.run, record, prepared.train);
      return { folder, model, frozen: null, prepared, ...(await goOn(prepared, model, record)), resumed: true };
    }
    const { decision, event: plan } = await planOf(prepared, model, pacing);
    // With the warm-up that the text decided.
    folder.update({ settings: prepared.settings, plan, ...rowsFacts(prepared.train) });
    return { folder, model, frozen: null, notices: [], prepared, decision, plan, resumed: false };
  } catch (error) {
    const known = asFailure(error);
    // What the text or the machine forbids, or was stopped, has not begun.
    if (!resume && known.kind !== 'failed') {
      folder.unlock();
      rmSync(folder.path, { recursive: true, force: true });
      throw known;
    }
    fail(folder, known);
    throw known;
  }
}

/** What no part of nomoat foresaw, as an error that says so; want of memory is foreseen. */
export function asFailure(error: unknown): NomoatError {
  if (error instanceof NomoatError) return error;
  const memory = outOfMemory(error);
  return new NomoatError({
    code: memory ? 'out-of-memory' : 'failed',
    part: 'training',
    fault: memory ? 'memory ran out' : error instanceof Error ? (error.stack ?? error.message) : String(error),
    remedy: memory
      ? 'Close other programs and go on with `resumeTune()`, or start a run with a smaller `sequenceLength` or `model`.'
      : 'This is a fault of nomoat: please report it. The run can be resumed from its last checkpoint.',
    kind: 'failed',
    cause: error,
  });
}

/** Marks the run as failed, or interrupted. What stopped it matters more than a disk that is too full to say so: without the mark it resumes as well. */
export function fail(folder: RunFolder, error: NomoatError): void {
  try {
    folder.append(errorEvent(error));
    folder.update({ state: error.kind === 'interrupted' ? 'interrupted' : 'failed' });
  } catch {}
  folder.unlock();
}
