/**
 * The tokenizer of llama.cpp itself, loaded from the model file without its weights. Implements Tokenizer.
 * Promises: prints nothing, needs no GPU and no compiler; ids are checked on both sides, since llama.cpp ends the process on a wrong one.
 */
import type { Llama, LlamaModel, Token } from 'node-llama-cpp';
import { NomoatError } from '../errors.ts';
import { cpuBuild } from '../machine/llama-builds.ts';
import { openLlama } from '../runtime/node-llama-cpp/load.ts';
import { TextRefused, type Tokenizer } from '../tokens/tokenizer.ts';
import { readVocabulary, type Vocabulary } from '../tokens/vocabulary.ts';
import { engineMissing } from './engine.ts';

/** Enough to see why a vocabulary does not load. */
const maxKeptLogLines = 10;

/** Opens the vocabulary of the file `model`. Throws NomoatError where there is none that llama.cpp can use. */
export async function openTokenizer(model: string): Promise<Tokenizer> {
  const vocabulary = readVocabulary(model);
  const modelPath = vocabulary.path;
  const log: string[] = [];
  const engine = await openVocabularyEngine(log).catch((error: unknown) => {
    throw engineMissing(error);
  });
  try {
    const model = await engine.loadModel({ modelPath, vocabOnly: true });
    return new LlamaTokenizer(model, modelPath, vocabulary, async () => {
      await model.dispose();
      await engine.dispose();
    });
  } catch (error) {
    await engine.dispose();
    if (error instanceof NomoatError) throw error;
    throw new NomoatError({
      code: 'unusable-model',
      part: modelPath,
      fault: `llama.cpp could not load its vocabulary (${[(error as Error).message, ...log].join('; ')})`,
      remedy: 'Check that the file is a complete language model with a tokenizer.',
      cause: error,
    });
  }
}

/** An engine of its own, which is let go with the tokenizer: it keeps nothing of the model in memory. */
const openVocabularyEngine = (log: string[]): Promise<Llama> =>
  openLlama((levels) => ({
    ...cpuBuild(),
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    logLevel: levels.error,
    logger: (_, message) => {
      if (log.length < maxKeptLogLines) log.push(message.trim());
    },
  }));

/** The tokenizer of a model that is open already; closing it leaves the model open. */
export const tokenizerOf = (model: LlamaModel, modelPath: string): Tokenizer =>
  new LlamaTokenizer(model, modelPath, readVocabulary(modelPath), async () => {});

class LlamaTokenizer implements Tokenizer {
  readonly vocabularySize: number;
  readonly bosToken: number | null;
  readonly eosToken: number | null;
  readonly eotToken: number | null;
  readonly addsBos: boolean;
  readonly controlTexts: readonly string[];
  private readonly model: LlamaModel;
  private readonly modelPath: string;
  private readonly release: () => Promise<void>;
  private readonly unsplittable: Vocabulary['unsplittable'];

  constructor(model: LlamaModel, modelPath: string, vocabulary: Vocabulary, release: () => Promise<void>) {
    this.model = model;
    this.modelPath = modelPath;
    this.release = release;
    this.vocabularySize = vocabulary.size;
    this.unsplittable = vocabulary.unsplittable;
    this.bosToken = model.tokens.bos;
    this.eosToken = model.tokens.eos;
    this.eotToken = model.tokens.eot;
    this.addsBos = model.tokens.shouldPrependBosToken;
    for (const token of [this.bosToken, this.eosToken, this.eotToken]) if (token !== null) this.check([token]);
    this.controlTexts = vocabulary.controlCandidates.filter((text) => this.isControl(text));
  }

  encode(text: string, parseSpecial: boolean): number[] {
    if (text === '') return [];
    if (this.unsplittable?.pattern.test(text))
      throw new TextRefused(
        `holds ${this.unsplittable.words}, which llama.cpp's tokenizer for this model cannot split`,
      );
    const tokens: number[] = this.model.tokenize(text, parseSpecial, 'trimLeadingSpace');
    this.check(tokens);
    return tokens;
  }

  /** Whether the text becomes one token where special tokens are parsed, and not otherwise. */
  private isControl(text: string): boolean {
    const [token, ...more] = this.model.tokenize(text, true);
    return token !== undefined && more.length === 0 && this.model.tokenize(text, false)[0] !== token;
  }

  decode(tokens: readonly number[]): string {
    this.check(tokens);
    return this.model.detokenize(tokens as Token[], true);
  }

  isEndOfGeneration(token: number): boolean {
    this.check([token]);
    return this.model.isEogToken(token as Token);
  }

  close(): Promise<void> {
    return this.release();
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
