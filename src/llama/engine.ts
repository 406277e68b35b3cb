/**
 * llama.cpp loaded once per process and shared by parity and chat: it logs for the process and registers itself with it, so that an
 * engine for each model would take the log from the one before.
 * Promises: CPU, no compiler, no download, the threads asked for and no more; what llama.cpp logs at warning level or above goes to the
 * calls that are under way instead of being printed; models share nothing but the count of the machine's free cores.
 * Knows nothing of prompts or adapters.
 */
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Llama, LlamaContext, LlamaContextOptions, LlamaModel } from 'node-llama-cpp';
import { NomoatError } from '../errors.ts';
import { cpuBuild } from '../machine/llama-builds.ts';
import { openLlama } from '../runtime/node-llama-cpp/load.ts';

/** Enough to see what went wrong; a broken file can log a line per tensor. */
const maxKeptLogLines = 50;
/** How long a call that failed waits for what the engine logged of it. */
const logMilliseconds = 20;

/**
 * Bytes of weights that one thread reads in a few milliseconds. Below, where nothing needs to be measured (faster-threads.ts), more threads spend their time waiting for each other a hundred
 * times a token: on two cores nomoat-mini generates 391 tokens/s with one thread and 16 to 28 with two, and where another program runs,
 * both wait for its time slices.
 */
export const smallestMeasured = 32e6;

/** What each call under way hears of what llama.cpp logs for the whole process: calls at the same time hear each other's. */
const hearing = new Set<string[]>();
let instance: Promise<Llama> | null = null;

/**
 * As node-llama-cpp's limit of threads: more than any context asks for, so that its `threads` is obeyed exactly. Its default oversubscribed a
 * 2-core machine, which fell from 62 to 0.2 tokens/s; its own "no limit", 0, leaves whoever waits for a thread at the time waiting for ever.
 */
const noLimit = 1024;

/** The engine. */
export function llamaEngine(): Promise<Llama> {
  instance ??= openEngine().catch((error: unknown) => {
    instance = null;
    throw engineMissing(error);
  });
  return instance;
}

const openEngine = (): Promise<Llama> =>
  openLlama((levels) => ({
    ...cpuBuild(),
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    maxThreads: noLimit,
    logLevel: levels.warn,
    logger: (level, message) => {
      for (const lines of hearing) if (lines.length < maxKeptLogLines) lines.push(`${level}: ${message.trim()}`);
    },
  }));

export const engineMissing = (cause: unknown): NomoatError =>
  new NomoatError({
    code: 'engine-missing',
    part: 'llama.cpp',
    fault: `the engine could not be loaded (${(cause as Error).message})`,
    remedy: 'Run `doctor()`; the package node-llama-cpp may be incomplete for this platform.',
    kind: 'failed',
    cause,
  });

/** Threads to evaluate a model with: up to `most`, or one where the model is so small that more make it slower. `leaveBusyCores` says how many of them at the time. */
export function evaluationThreads(
  model: { readonly size: number },
  maxThreads: number,
): { ideal: number; min: number } {
  return { ideal: model.size < smallestMeasured ? 1 : maxThreads, min: 1 };
}

/** How long other programs are watched, and how long what was seen holds. */
const watchMilliseconds = 100;
const seenMilliseconds = 5000;
/** A fact of the machine, so one for all models; evaluations of our own are not other programs' work. */
const cores = { watched: Number.NEGATIVE_INFINITY, evaluations: 0 };

/** Milliseconds that all processors have worked for other programs, and have existed, since the system started; what this process did at any time is left out. */
function processorTimes(): { busy: number; all: number } {
  const { system, user } = process.cpuUsage();
  // Requests that arrive together are parsed while the cores are watched: that is over when tokens are computed.
  let [busy, all] = [-(user + system) / 1000, 0];
  for (const { times } of cpus()) {
    const worked = times.user + times.nice + times.sys + times.irq;
    busy += worked;
    all += worked + times.idle;
  }
  return { busy, all };
}

/** Threads for which there are free cores, of `cores` that were busy for this share of the time: at least one. */
export const sparedThreads = (cores: number, busyShare: number): number =>
  Math.max(1, Math.floor(cores * (1 - busyShare) + 0.25));

/**
 * Evaluates with no more threads than there are free cores: a thread that has to wait for another program's time slice
 * makes all others wait, a hundred times a token (30 times slower, docs/log/chat-and-llama-cpp.md). Looks for a tenth of
 * a second before, now and then.
 */
export async function evaluating<T>(context: Pick<LlamaContext, 'idealThreads'>, call: () => Promise<T>): Promise<T> {
  await leaveBusyCores(context);
  cores.evaluations++;
  try {
    return await call();
  } finally {
    cores.evaluations--;
  }
}

async function leaveBusyCores({ idealThreads }: Pick<LlamaContext, 'idealThreads'>): Promise<void> {
  // One thread waits for no other; and while another model here evaluates, what is busy says nothing of other programs.
  if (idealThreads === 1 || cores.evaluations > 0 || performance.now() - cores.watched < seenMilliseconds) return;
  const before = processorTimes();
  await new Promise((resolve) => setTimeout(resolve, watchMilliseconds));
  const after = processorTimes();
  if (cores.evaluations > 0) return;
  cores.watched = performance.now();
  const all = after.all - before.all;
  const llama = await llamaEngine();
  llama.maxThreads = all > 0 ? sparedThreads(cpus().length, (after.busy - before.busy) / all) : noLimit;
}

/** Hears what llama.cpp logs (warnings and errors) until it is stopped. */
export function hearLlama(): { readonly lines: readonly string[]; readonly stop: () => void } {
  const lines: string[] = [];
  hearing.add(lines);
  return { lines, stop: () => void hearing.delete(lines) };
}

/** Wraps an engine call: its error becomes a NomoatError that names `part` and what llama.cpp logged. */
export async function llamaCall<T>(part: string, what: string, remedy: string, call: () => Promise<T>): Promise<T> {
  const heard = hearLlama();
  try {
    return await call();
  } catch (error) {
    if (error instanceof NomoatError) throw error;
    // The engine's log comes from its own threads, a turn of the event loop after its error.
    await new Promise((resolve) => setTimeout(resolve, logMilliseconds));
    const detail = [(error as Error).message, ...heard.lines.filter((line) => line.startsWith('error'))].join('; ');
    throw new NomoatError({
      code: 'engine-failed',
      part,
      fault: `llama.cpp could not ${what} (${detail})`,
      remedy,
      kind: 'failed',
      cause: error,
    });
  } finally {
    heard.stop();
  }
}

/** Loads a model's weights, memory-mapped; of a divided model `modelPath` is the first file (GgufFile.path). The caller disposes it. Throws NomoatError. */
export async function loadLlamaModel(modelPath: string, signal?: AbortSignal): Promise<LlamaModel> {
  if (!existsSync(modelPath)) {
    throw new NomoatError({
      code: 'model-not-found',
      part: modelPath,
      fault: 'there is no such file',
      remedy: 'Give the path of a .gguf model file, or a name that `listModels()` lists.',
    });
  }
  const llama = await llamaEngine();
  const remedy = 'Check that the file is complete and that memory suffices.';
  return llamaCall(modelPath, 'load the model', remedy, () =>
    llama.loadModel({ modelPath, gpuLayers: 0, ...(signal ? { loadSignal: signal } : {}) }),
  );
}

/** Makes a context with the threads that are asked for: it would keep the limit of the moment in which it is made. */
export async function withAllThreads<T>(make: () => Promise<T>): Promise<T> {
  const llama = await llamaEngine();
  const limit = llama.maxThreads;
  llama.maxThreads = noLimit;
  try {
    return await make();
  } finally {
    // Other models may be evaluating under it.
    llama.maxThreads = limit;
  }
}

/** A context of a model. */
export const openContext = (model: LlamaModel, options: LlamaContextOptions): Promise<LlamaContext> =>
  withAllThreads(() => model.createContext(options));
