/**
 * The tokenizer of llama.cpp itself, loaded from the model file without its weights. Implements Tokenizer.
 */
import { getLlama, LlamaLogLevel, type LlamaModel, type Token } from 'node-llama-cpp';
import type { Tokenizer } from './tokenizer.ts';

/** Opens the vocabulary of `modelPath`. */
export async function openTokenizer(modelPath: string): Promise<Tokenizer> {
  const llama = await getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    logLevel: LlamaLogLevel.error,
  });
  const model = await llama.loadModel({ modelPath, vocabOnly: true });
  return new LlamaTokenizer(model, () => llama.dispose());
}

class LlamaTokenizer implements Tokenizer {
  readonly vocabularySize: number;
  readonly bosToken: number | null;
  readonly eosToken: number | null;
  readonly eotToken: number | null;
  readonly addsBos: boolean;
  private readonly model: LlamaModel;
  private readonly disposeEngine: () => Promise<void>;

  constructor(model: LlamaModel, disposeEngine: () => Promise<void>) {
    this.model = model;
    this.disposeEngine = disposeEngine;
    this.vocabularySize = model.fileInfo.metadata.tokenizer.ggml.tokens.length;
    this.bosToken = model.tokens.bos;
    this.eosToken = model.tokens.eos;
    this.eotToken = model.tokens.eot;
    this.addsBos = model.tokens.shouldPrependBosToken;
  }

  encode(text: string, parseSpecial: boolean): number[] {
    return this.model.tokenize(text, parseSpecial, 'trimLeadingSpace');
  }

  decode(tokens: readonly number[]): string {
    return this.model.detokenize(tokens as Token[], true);
  }

  isEndOfGeneration(token: number): boolean {
    return this.model.isEogToken(token as Token);
  }

  async close(): Promise<void> {
    await this.model.dispose();
    await this.disposeEngine();
  }
}
