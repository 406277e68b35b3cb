/**
 * llama.cpp loaded once per process and shared by parity and chat.
 * Promises: CPU, no compiler, no download, the threads asked for and no more; what llama.cpp logs at warning level or above is kept
 * for whoever asks instead of being printed. Knows nothing of prompts or adapters.
 */
import { existsSync } from 'node:fs';
import { getLlama, type Llama, LlamaLogLevel, type LlamaModel } from 'node-llama-cpp';
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

/** Threads to evaluate a model with: `most`, or one where the model is so small that more make it slower. */
export function evaluationThreads(model: { readonly size: number }, most: number): number {
  return model.size < oneThreadBytes ? 1 : most;
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

/** Loads a model's weights, memory-mapped. The caller disposes it. Throws NomoatError. */
export async function loadLlamaModel(modelPath: string, signal?: AbortSignal): Promise<LlamaModel> {
  if (!existsSync(modelPath)) {
    throw new NomoatError({
      part: modelPath,
      fault: 'there is no such file',
      remedy: 'Give the path of a .gguf model file, or a name that `nomoat models` lists.',
    });
  }
  const llama = await llamaEngine();
  return llamaCall(modelPath, 'load the model', 'Check that the file is complete and that memory suffices.', () =>
    llama.loadModel({ modelPath, gpuLayers: 0, ...(signal ? { loadSignal: signal } : {}) }),
  );
}
