/**
 * llama.cpp loaded once per process and shared by parity and chat.
 * Promises: CPU, no compiler, no download, the threads asked for and no more; what llama.cpp logs at warning level or above is kept
 * for whoever asks instead of being printed. Knows nothing of prompts or adapters.
 */
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { getLlama, type Llama, type LlamaContext, LlamaLogLevel, type LlamaModel } from 'node-llama-cpp';
import { NomoatError } from '../errors.ts';

/** Enough to see what went wrong; a broken file can log a line per tensor. */
const maxKeptLogLines = 50;

/**
 * Bytes of weights that one thread reads in a few milliseconds. Below, more threads spend their time waiting for each other a hundred
 * times a token: on two cores nomoat-mini generates 391 tokens/s with one thread and 16 to 28 with two, and where another program runs,
 * both wait for its time slices.
 */
const oneThreadBytes = 32e6;

const logLines: string[] = [];
let instance: Promise<Llama> | null = null;

/**
 * The engine. maxThreads 0 lifts node-llama-cpp's own limit, so that a context's `threads` is obeyed exactly: its default
 * oversubscribed a 2-core machine and fell from 62 to 0.2 tokens/s.
 */
export function llamaEngine(): Promise<Llama> {
  instance ??= getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    maxThreads: 0,
    logLevel: LlamaLogLevel.warn,
    logger: (level, message) => {
      if (logLines.length < maxKeptLogLines) logLines.push(`${level}: ${message.trim()}`);
    },
  }).catch((error: unknown) => {
    instance = null;
    throw new NomoatError({
      part: 'llama.cpp',
      fault: `the engine could not be loaded (${(error as Error).message})`,
      remedy: 'Run `nomoat doctor`; the package node-llama-cpp may be incomplete for this platform.',
      kind: 'failed',
      cause: error,
    });
  });
  return instance;
}

/** Threads to evaluate a model with: up to `most`, or one where the model is so small that more make it slower. `leaveBusyCores` says how many of them at the time. */
export function evaluationThreads(model: { readonly size: number }, most: number): { ideal: number; min: number } {
  return { ideal: model.size < oneThreadBytes ? 1 : most, min: 1 };
}

/** How long other programs are watched, and how long what was seen holds. */
const watchMilliseconds = 100;
const seenMilliseconds = 5000;
let watched = Number.NEGATIVE_INFINITY;

/** Milliseconds that all processors have worked and have existed since the system started. */
function processorTimes(): { busy: number; all: number } {
  let [busy, all] = [0, 0];
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
 * Lets what is evaluated next use no more threads than there are free cores: a thread that has to wait for another program's time slice makes all
 * others wait, a hundred times a token (30 times slower, docs/log.md). To be called before an evaluation; looks for a tenth of a second, now and then.
 */
export async function leaveBusyCores({ idealThreads }: Pick<LlamaContext, 'idealThreads'>): Promise<void> {
  // One thread waits for no other.
  if (idealThreads === 1 || performance.now() - watched < seenMilliseconds) return;
  const before = processorTimes();
  await new Promise((resolve) => setTimeout(resolve, watchMilliseconds));
  const after = processorTimes();
  watched = performance.now();
  const all = after.all - before.all;
  const llama = await llamaEngine();
  llama.maxThreads = all > 0 ? sparedThreads(cpus().length, (after.busy - before.busy) / all) : 0;
}

/** Takes what llama.cpp logged (warnings and errors) since the last call. */
export function takeLlamaLog(): string[] {
  return logLines.splice(0);
}

/** Wraps an engine call: its error becomes a NomoatError that names `part` and what llama.cpp logged. */
export async function llamaCall<T>(part: string, what: string, remedy: string, call: () => Promise<T>): Promise<T> {
  takeLlamaLog();
  try {
    return await call();
  } catch (error) {
    if (error instanceof NomoatError) throw error;
    const log = takeLlamaLog().filter((line) => line.startsWith('error'));
    const detail = [(error as Error).message, ...log].join('; ');
    throw new NomoatError({
      part,
      fault: `llama.cpp could not ${what} (${detail})`,
      remedy,
      kind: 'failed',
      cause: error,
    });
  }
}

/** Loads a model's weights, memory-mapped; of a divided model `modelPath` is the first file (GgufFile.path). The caller disposes it. Throws NomoatError. */
export async function loadLlamaModel(modelPath: string, signal?: AbortSignal): Promise<LlamaModel> {
  if (!existsSync(modelPath)) {
    throw new NomoatError({
      part: modelPath,
      fault: 'there is no such file',
      remedy: 'Give the path of a .gguf model file, or a name that `nomoat models` lists.',
    });
  }
  const llama = await llamaEngine();
  const remedy = 'Check that the file is complete and that memory suffices.';
  const model = await llamaCall(modelPath, 'load the model', remedy, () =>
    llama.loadModel({ modelPath, gpuLayers: 0, ...(signal ? { loadSignal: signal } : {}) }),
  );
  // A context keeps the limit of the moment in which it is made; what is free is seen again before it evaluates.
  llama.maxThreads = 0;
  watched = Number.NEGATIVE_INFINITY;
  return model;
}
