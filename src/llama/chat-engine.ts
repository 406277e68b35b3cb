/**
 * A chat model on llama.cpp: the base GGUF, which models that are open at the same time share, adapters where they are given, and the one
 * chat template. Promises: answers that are asked for at the same time are computed side by side, as many as there are sequences; prompts are rendered and tokenised as in training; generation stops at every end-of-generation token; streamed pieces are
 * whole characters and add up to the answer; what is already evaluated of a conversation is not evaluated again; a conversation that
 * does not fit is refused, never cut. Knows nothing of terminals or servers.
 */
import type { LlamaContext, LlamaModel, Token } from 'node-llama-cpp';
import { streamAnswer } from '../chat/answer-stream.ts';
import type {
  AnswerStream,
  Generated,
  GenerateOptions,
  Model,
  Prompt,
  PromptOptions,
  Sampling,
  ScoreTextOptions,
  TextScore,
} from '../chat/chat-model.ts';
import { closedModel, stoppedScoring, tooLong } from '../chat/refusals.ts';
import { resolveAlternatives, resolveSampling } from '../chat/sampling.ts';
import { type Score, scoreOf } from '../chat/score.ts';
import type { RowScore, ScoreRow, ScoreRowsOptions } from '../chat/score-row.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { assertVocabulary } from '../formats/gguf/vocabulary.ts';
import type { AnswerForm } from '../text/answers/answer-form.ts';
import { withChatTemplate } from '../text/chat-template.ts';
import type { Message } from '../text/example.ts';
import { TokenBytes } from '../tokens/token-bytes.ts';
import type { OpenChatOptions } from './chat-options.ts';
import { evaluating } from './engine.ts';
import { generateAnswer } from './generate-answer.ts';
import { chooseContextSize, openContextOn, reservedCells } from './open-context.ts';
import { assertMayFit, contentsOf } from './prompt-length.ts';
import { Prompts, templateOf } from './prompts.ts';
import { scoreRowsFrom } from './row-scores.ts';
import { headOf, scoredAlone } from './score-alone.ts';
import { Batches, type Lane, Sequences } from './sequences.ts';
import { type Base, openBase } from './shared-base.ts';
import { TextScores, textScore } from './text-scores.ts';
import { detokenizer, TokenWords } from './token-scores.ts';
import { tokenizerOf } from './tokenizer.ts';

/** What an open model holds. */
export interface OpenChatModel extends Model {
  /** Answers that are computed side by side. */
  readonly sequences: number;
  /** Bytes: of the context alone, and of the base with all adapters that were loaded on it, which other models may share. */
  readonly memory: { readonly context: number; readonly base: number };
}

/** Loads the model, or shares the base that another one loaded. Throws NomoatError where the file or an adapter will not do. */
export async function openChatModel(options: OpenChatOptions): Promise<OpenChatModel> {
  const { signal } = options;
  const gguf = openGguf(options.modelPath);
  let base: Base | null = null;
  try {
    assertVocabulary(gguf);
    const template = templateOf(withChatTemplate(gguf, options.chatTemplate));
    // Of a divided model, llama.cpp opens the first part.
    base = await openBase(gguf.path, signal);
    const contextSize = chooseContextSize(gguf.path, base.model.trainContextSize, options.contextSize);
    const batches = new Batches();
    const context = await openContextOn(base, gguf, { ...options, contextSize }, batches);
    const tokenizer = tokenizerOf(base.model, gguf.path);
    const prompts = new Prompts({ template, tokenizer, specialTokens: options.specialTokens ?? 'text' });
    const words = new TokenWords(new TokenBytes(gguf.path));
    return new LlamaChatModel({ base, batches, context, prompts, words }, { ...options, contextSize });
  } catch (error) {
    await base?.release();
    throw error;
  } finally {
    gguf.close();
  }
}

/** What the model hands on as it was given; llama.cpp rounds the context up, and what was asked for is what counts. */
type Given = Pick<OpenChatOptions, 'notes' | 'systemPrompt'> & { readonly contextSize: number };

/** What it is made of. */
interface Engine {
  readonly base: Base;
  readonly batches: Batches;
  readonly context: LlamaContext;
  readonly prompts: Prompts;
  readonly words: TokenWords;
}

class LlamaChatModel implements OpenChatModel {
  readonly contextSize: number;
  readonly notes: readonly string[];
  readonly systemPrompt: string | null;
  readonly sequences: number;
  private readonly engine: Engine;
  private readonly model: LlamaModel;
  private readonly lanes: Sequences;
  private readonly texts = new TextScores();
  private closed = false;
  private closing: Promise<void> | null = null;

  constructor(engine: Engine, given: Given) {
    this.engine = engine;
    this.model = engine.base.model;
    this.lanes = new Sequences(engine.context, engine.batches);
    this.sequences = engine.context.totalSequences;
    this.contextSize = given.contextSize;
    this.notes = given.notes ?? [];
    this.systemPrompt = given.systemPrompt ?? null;
  }

  get memory(): OpenChatModel['memory'] {
    const { base, context } = this.engine;
    return { context: context.memoryUsage.ram, base: this.model.size + base.adapterBytes };
  }

  promptTokens(messages: readonly Message[], options: PromptOptions = {}): number[] {
    if (this.closed) throw closedModel();
    return this.engine.prompts.ofConversation(messages, options);
  }

  answerForm(options: PromptOptions = {}): AnswerForm {
    return this.engine.prompts.forms.of(options);
  }

  templateAsks(name: string): boolean {
    return this.engine.prompts.forms.asksFor(name);
  }

  generate(messages: readonly Message[], options: GenerateOptions = {}): Promise<Generated> {
    return this.answer(() => this.engine.prompts.ofConversation(messages, options), contentsOf(messages), options);
  }

  continue(prompt: Prompt, options: GenerateOptions = {}): Promise<Generated> {
    return this.answer(() => this.engine.prompts.asIs(prompt), [prompt], options);
  }

  complete(text: string, options: GenerateOptions = {}): Promise<Generated> {
    return this.answer(() => this.engine.prompts.ofText(text), [text], options);
  }

  stream(messages: readonly Message[], options: GenerateOptions = {}): AnswerStream {
    return streamAnswer((withText) => this.generate(messages, withText), options);
  }

  async scoreText(text: Prompt, { alternatives = 0, signal }: ScoreTextOptions = {}): Promise<TextScore> {
    if (this.closed) throw closedModel();
    const { prompts, words } = this.engine;
    const count = resolveAlternatives(alternatives, 'alternatives') ?? 0;
    const tokens = prompts.asIs(text) as Token[];
    this.assertFits(tokens.length + reservedCells, tokens.length);
    const scored = await this.onLane(tokens, signal, (lane) => {
      lane.alone = 0;
      return this.texts.of(lane, { tokens, count, signal });
    });
    if (scored === null) throw stoppedScoring();
    return textScore(words, detokenizer(this.model, true), {
      ...scored,
      tokens,
      text: prompts.textOf(text),
      added: prompts.addedTo(text),
    });
  }

  async scoreRows(rows: readonly ScoreRow[], { onRow, signal }: ScoreRowsOptions = {}): Promise<(RowScore | null)[]> {
    if (this.closed) throw closedModel();
    const { prompts } = this.engine;
    const scores = new Array<RowScore | null>(rows.length).fill(null);
    const placed = rows
      .map((row, index) => ({ index, row: prompts.scoreRow(row) }))
      .filter(({ row }) => row.tokens.length + reservedCells <= this.contextSize);
    if (placed.length === 0) return scores;
    const told = (index: number, score: RowScore): void => {
      scores[index] = score;
      onRow?.(index, score);
    };
    const done = await this.onLane(headOf(placed[0]!.row), signal, (lane) =>
      scoreRowsFrom(lane, this.lanes, placed, { signal, onRow: told }).then(() => true),
    );
    if (done === null) throw stoppedScoring();
    return scores;
  }

  tokenize(text: string, options: { readonly addBos?: boolean } = {}): number[] {
    return this.engine.prompts.ofBareText(text, options);
  }

  promptText(messages: readonly Message[], options: PromptOptions = {}): string {
    return this.engine.prompts.textOfConversation(messages, options).text;
  }

  detokenize(tokens: readonly number[]): string {
    return this.engine.prompts.textOf(tokens);
  }

  async score(messages: readonly Message[], { signal }: { readonly signal?: AbortSignal } = {}): Promise<Score> {
    if (this.closed) throw closedModel();
    const { prompts } = this.engine;
    const row = prompts.answerRow(messages);
    this.assertFits(row.tokens.length + reservedCells, row.tokens.length);
    const score = await this.onLane(headOf(row), signal, async (lane) =>
      scoreOf(row, await scoredAlone(lane, row, signal), (id) => prompts.tokenizer.decode([id])),
    );
    if (score === null) throw stoppedScoring();
    return score;
  }

  close(): Promise<void> {
    this.closing ??= this.closeNow();
    return this.closing;
  }

  private async closeNow(): Promise<void> {
    this.closed = true;
    await this.lanes.idle();
    await this.engine.context.dispose();
    await this.engine.base.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Calls when there is a sequence for the prompt; null where `signal` is aborted before. */
  private async onLane<T>(
    prompt: readonly Token[],
    signal: AbortSignal | undefined,
    call: (lane: Lane) => Promise<T>,
  ): Promise<T | null> {
    const lane = await this.lanes.take(prompt, signal);
    if (lane === null) return null;
    try {
      return await evaluating(this.engine.context, () => call(lane));
    } finally {
      this.lanes.give(lane);
    }
  }

  /** `parts` are what the prompt is made of, as far as they are texts. */
  private async answer(
    promptOf: () => number[],
    parts: readonly unknown[],
    options: GenerateOptions,
  ): Promise<Generated> {
    if (this.closed) throw closedModel();
    const { contextSize, engine, model } = this;
    await assertMayFit(
      parts,
      engine.prompts.tokenizer,
      { contextSize, trained: model.trainContextSize },
      options.signal,
    );
    const prompt = promptOf() as Token[];
    const limit = this.answerLimit(prompt.length, resolveSampling(options));
    const answered = await this.onLane(prompt, options.signal, (lane) =>
      generateAnswer(lane, prompt, { ...engine, model, limit, options }),
    );
    return answered ?? { text: '', tokens: 0, promptTokens: prompt.length, reusedTokens: 0, stopReason: 'aborted' };
  }

  private assertFits(cells: number, tokens: number): void {
    if (cells > this.contextSize) throw tooLong(tokens, this.contextSize, this.model.trainContextSize);
  }

  /** How many tokens the answer may have; throws where not even one fits. */
  private answerLimit(promptLength: number, sampling: Sampling): number {
    const room = this.contextSize - reservedCells - promptLength;
    this.assertFits(promptLength + reservedCells + 1, promptLength);
    return Math.min(room, sampling.maxTokens ?? room);
  }
}
