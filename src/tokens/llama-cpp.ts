/**
 * The tokenizer of llama.cpp itself, loaded from the model file without its weights. Implements Tokenizer.
 * Promises: prints nothing, needs no GPU and no compiler; ids are checked on both sides, since llama.cpp ends the process on a wrong one.
 */
import { getLlama, LlamaLogLevel, type LlamaModel, type Token } from 'node-llama-cpp';
import { NomoatError } from '../errors.ts';
import { openGguf } from '../files/gguf/read.ts';
import type { Tokenizer } from './tokenizer.ts';

/** Enough to see why a vocabulary does not load. */
const maxKeptLogLines = 10;

/** Reads the file with our own bounded reader first: node-llama-cpp's hangs on a broken one. */
function countTokens(modelPath: string): { path: string; vocabularySize: number } {
  const file = openGguf(modelPath);
  try {
    const tokens = file.metadata.get('tokenizer.ggml.tokens')?.value;
    if (Array.isArray(tokens) && tokens.length > 0) return { path: file.path, vocabularySize: tokens.length };
    throw new NomoatError({
      part: modelPath,
      fault: 'has no vocabulary (tokenizer.ggml.tokens)',
      remedy: 'Use a complete language model with its tokenizer.',
    });
  } finally {
    file.close();
  }
}

/** Opens the vocabulary of the file `model`. Throws NomoatError where there is none that llama.cpp can use. */
export async function openTokenizer(model: string): Promise<Tokenizer> {
  const { path: modelPath, vocabularySize } = countTokens(model);
  const log: string[] = [];
  const engine = await getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    logLevel: LlamaLogLevel.error,
    logger: (_, message) => {
      if (log.length < maxKeptLogLines) log.push(message.trim());
    },
  }).catch((error: unknown) => {
    throw new NomoatError({
      part: 'llama.cpp',
      fault: `the engine could not be loaded (${(error as Error).message})`,
      remedy: 'Run `nomoat doctor`; the package node-llama-cpp may be incomplete for this platform.',
      kind: 'failed',
      cause: error,
    });
  });
  try {
    const model = await engine.loadModel({ modelPath, vocabOnly: true });
    return new LlamaTokenizer(model, modelPath, vocabularySize, () => engine.dispose());
  } catch (error) {
    await engine.dispose();
    if (error instanceof NomoatError) throw error;
    throw new NomoatError({
      part: modelPath,
      fault: `llama.cpp could not load its vocabulary (${[(error as Error).message, ...log].join('; ')})`,
      remedy: 'Check that the file is a complete language model with a tokenizer.',
      cause: error,
    });
  }
}

class LlamaTokenizer implements Tokenizer {
  readonly vocabularySize: number;
  readonly bosToken: number | null;
  readonly eosToken: number | null;
  readonly eotToken: number | null;
  readonly addsBos: boolean;
  private readonly model: LlamaModel;
  private readonly modelPath: string;
  private readonly disposeEngine: () => Promise<void>;

  constructor(model: LlamaModel, modelPath: string, vocabularySize: number, disposeEngine: () => Promise<void>) {
    this.model = model;
    this.modelPath = modelPath;
    this.disposeEngine = disposeEngine;
    this.vocabularySize = vocabularySize;
    this.bosToken = model.tokens.bos;
    this.eosToken = model.tokens.eos;
    this.eotToken = model.tokens.eot;
    this.addsBos = model.tokens.shouldPrependBosToken;
    for (const token of [this.bosToken, this.eosToken, this.eotToken]) if (token !== null) this.check([token]);
  }

  encode(text: string, parseSpecial: boolean): number[] {
    if (text === '') return [];
    const tokens: number[] = this.model.tokenize(text, parseSpecial, 'trimLeadingSpace');
    this.check(tokens);
    return tokens;
  }

  decode(tokens: readonly number[]): string {
    this.check(tokens);
    return this.model.detokenize(tokens as Token[], true);
  }

  isEndOfGeneration(token: number): boolean {
    this.check([token]);
    return this.model.isEogToken(token as Token);
  }

  async close(): Promise<void> {
    await this.model.dispose();
    await this.disposeEngine();
  }

  private check(tokens: readonly number[]): void {
    const wrong = tokens.find((token) => !(Number.isInteger(token) && token >= 0 && token < this.vocabularySize));
    if (wrong === undefined) return;
    throw new NomoatError({
      part: this.modelPath,
      fault: `has no token ${wrong}; its ids are 0 to ${this.vocabularySize - 1}`,
      remedy: 'Check that tokens and model belong together.',
    });
  }
}
