/**
 * A chat model on llama.cpp: the base GGUF, an adapter where one is given, and the one chat template.
 * Promises: prompts are rendered and tokenised as in training; generation stops at every end-of-generation token; streamed pieces are
 * whole characters and add up to the answer; what is already evaluated of a conversation is not evaluated again; a conversation that
 * does not fit is refused, never cut. Knows nothing of terminals or servers.
 */
import type { LlamaContext, LlamaContextSequence, LlamaModel, Token } from 'node-llama-cpp';
import { streamAnswer } from '../chat/answer-stream.ts';
import type { AnswerStream, Generated, GenerateOptions, Model, Sampling } from '../chat/chat-model.ts';
import { assertConversation, closedModel, stoppedScoring, tooLong } from '../chat/refusals.ts';
import { resolveLogitBias, resolveSampling } from '../chat/sampling.ts';
import { answerRow, type Score, scoreOf } from '../chat/score.ts';
import { TextStream } from '../chat/text-stream.ts';
import { NomoatError } from '../errors.ts';
import { openGguf } from '../formats/gguf/read.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { assertVocabulary } from '../formats/gguf/vocabulary.ts';
import { documentSeparator } from '../records/text-documents.ts';
import { type ChatTemplate, chatTemplateOf, noChatTemplate, withChatTemplate } from '../text/chat-template.ts';
import type { Message } from '../text/example.ts';
import { withBos } from '../tokens/boundaries.ts';
import { encodeText, type SpecialTokens } from '../tokens/encode-text.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';
import { evaluating, evaluationThreads, llamaCall, loadLlamaModel, openContext } from './engine.ts';
import { evaluateOn } from './log-probabilities.ts';
import { prepareAdapter } from './prepare-adapter.ts';
import { samplerOptions } from './sampler.ts';
import { tokenizerOf } from './tokenizer.ts';

/** Chats rarely need more, and a longer context costs memory from the first token on. */
const defaultContextSize = 4096;
/** Prompt tokens between two looks at the abort signal. */
const promptChunk = 256;
/** llama.cpp keeps one cell free. */
const reservedCells = 1;

export interface OpenChatOptions {
  readonly modelPath: string;
  /** A GGUF LoRA, a PEFT folder, a run's folder, or a .safetensors file with its config beside it. */
  readonly adapterPath?: string | null;
  /** Threads to compute with, at most: a small model is evaluated by one. */
  readonly threads: number;
  /** Tokens of prompt and answer together; by default 4096, or fewer where the model was trained on fewer. */
  readonly contextSize?: number | undefined;
  /** Text of a chat template to use instead of the model's own. */
  readonly chatTemplate?: string | null | undefined;
  /** What control tokens spelled in messages become; text unless asked. */
  readonly specialTokens?: SpecialTokens | undefined;
  /** What a person should know before they read an answer, and what the training conversations shared: the model hands them on. */
  readonly notes?: readonly string[];
  readonly systemPrompt?: string | null;
  /** Stops the opening. */
  readonly signal?: AbortSignal;
}

/** Loads the model. Throws NomoatError where the file or the adapter will not do. */
export async function openChatModel(options: OpenChatOptions): Promise<Model> {
  const { threads, signal } = options;
  const gguf = openGguf(options.modelPath);
  // Of a divided model, llama.cpp opens the first part.
  const modelPath = gguf.path;
  let template: ChatTemplate | null;
  let adapter: { path: string; remove(): void } | null = null;
  try {
    assertVocabulary(gguf);
    template = templateOf(withChatTemplate(gguf, options.chatTemplate));
    if (options.adapterPath) adapter = prepareAdapter(options.adapterPath, gguf);
  } finally {
    gguf.close();
  }
  let model: LlamaModel | null = null;
  try {
    const loaded = await loadLlamaModel(modelPath, signal);
    model = loaded;
    const contextSize = chooseContextSize(modelPath, loaded.trainContextSize, options.contextSize);
    const remedy = adapter
      ? 'Check that the adapter was made for this model, or lower the context size.'
      : 'Lower the context size, or close other programs to free memory.';
    const context = await llamaCall(options.adapterPath ?? modelPath, 'open a context', remedy, () =>
      openContext(loaded, {
        contextSize,
        threads: evaluationThreads(loaded, threads),
        ...(adapter ? { lora: { adapters: [{ filePath: adapter.path, scale: 1 }] } } : {}),
        ...(signal ? { createSignal: signal } : {}),
      }),
    );
    const tokenizer = tokenizerOf(loaded, modelPath);
    const prompts = { template, tokenizer, specialTokens: options.specialTokens ?? 'text' };
    return new LlamaChatModel(loaded, context, prompts, { ...options, contextSize });
  } catch (error) {
    await model?.dispose();
    throw error;
  } finally {
    adapter?.remove();
  }
}

/** null for a base model, which continues single prompts. */
function templateOf(model: GgufFile): ChatTemplate | null {
  try {
    return chatTemplateOf(model);
  } catch (error) {
    if (error instanceof NomoatError && error.fields['code'] === noChatTemplate) return null;
    throw error;
  }
}

function chooseContextSize(part: string, trained: number, asked: number | undefined): number {
  if (asked === undefined) return Math.min(defaultContextSize, trained);
  if (Number.isSafeInteger(asked) && asked > reservedCells && asked <= trained) return asked;
  throw new NomoatError({
    code: 'invalid-settings',
    part,
    fault: `cannot have a context of ${asked} tokens: it was trained on ${trained}`,
    remedy: `Give a whole number of tokens up to ${trained}.`,
  });
}

/** How prompts are made of conversations. */
interface Prompts {
  /** null: a base model, which continues single prompts. */
  readonly template: ChatTemplate | null;
  readonly tokenizer: Tokenizer;
  readonly specialTokens: SpecialTokens;
}

/** What the model hands on as it was given; llama.cpp rounds the context up, and what was asked for is what counts. */
type Given = Pick<OpenChatOptions, 'notes' | 'systemPrompt'> & { readonly contextSize: number };

class LlamaChatModel implements Model {
  readonly contextSize: number;
  readonly notes: readonly string[];
  readonly systemPrompt: string | null;
  private readonly model: LlamaModel;
  private readonly context: LlamaContext;
  private readonly sequence: LlamaContextSequence;
  private readonly prompts: Prompts;
  /** Answers are generated one at a time: they share the evaluated state. */
  private queue: Promise<unknown> = Promise.resolve();
  private closed = false;
  private closing: Promise<void> | null = null;

  constructor(model: LlamaModel, context: LlamaContext, prompts: Prompts, given: Given) {
    this.model = model;
    this.context = context;
    this.sequence = context.getSequence();
    this.prompts = prompts;
    this.contextSize = given.contextSize;
    this.notes = given.notes ?? [];
    this.systemPrompt = given.systemPrompt ?? null;
  }

  promptTokens(messages: readonly Message[]): number[] {
    if (this.closed) throw closedModel();
    return this.tokensOf(messages);
  }

  private tokensOf(messages: readonly Message[]): number[] {
    assertConversation(messages);
    const { specialTokens, template, tokenizer } = this.prompts;
    if (!template) return this.promptAsIs(this.barePrompt(messages));
    const { spans, text } = template.renderMarked(messages, { addGenerationPrompt: true });
    return withBos(encodeText(text, spans, tokenizer, specialTokens), tokenizer);
  }

  private promptAsIs(prompt: string): number[] {
    const { tokenizer } = this.prompts;
    return withBos(tokenizer.encode(prompt, true), tokenizer);
  }

  /** Without a template, training on prompt and completion has seen the prompt as it is. */
  private barePrompt(messages: readonly Message[]): string {
    const [only, ...more] = messages;
    if (only?.role === 'user' && typeof only.content === 'string' && more.length === 0) return only.content;
    throw new NomoatError({
      code: 'no-chat-template',
      part: 'the model',
      fault: 'has no chat template, so it continues single prompts and holds no conversation',
      remedy: 'Give one prompt without a system prompt (/reset before the next), or use an instruction-tuned model.',
    });
  }

  generate(messages: readonly Message[], options: GenerateOptions = {}): Promise<Generated> {
    return this.inTurn(() => this.generateNow(this.tokensOf(messages) as Token[], options));
  }

  continue(prompt: string, options: GenerateOptions = {}): Promise<Generated> {
    return this.inTurn(() => this.generateNow(this.promptAsIs(prompt) as Token[], options));
  }

  complete(text: string, options: GenerateOptions = {}): Promise<Generated> {
    return this.inTurn(() => this.generateNow(this.textTokens(text), options));
  }

  stream(messages: readonly Message[], options: GenerateOptions = {}): AnswerStream {
    return streamAnswer((withText) => this.generate(messages, withText), options);
  }

  score(messages: readonly Message[], { signal }: { readonly signal?: AbortSignal } = {}): Promise<Score> {
    return this.inTurn(async () => {
      assertConversation(messages);
      const { specialTokens, template, tokenizer } = this.prompts;
      const row = answerRow(messages, { template, specialTokens, tokenizer });
      const head = [...row.tokens.subarray(0, Math.max(0, row.supervised.indexOf(1) - 1))] as Token[];
      if (row.tokens.length + reservedCells > this.contextSize)
        throw tooLong(row.tokens.length, this.contextSize, this.model.trainContextSize);
      await this.sequence.adaptStateToTokens(head, false);
      if (!(await this.evaluatePrompt(head, signal))) throw stoppedScoring();
      return scoreOf(row, await evaluateOn(this.sequence, row), (id) => tokenizer.decode([id]));
    });
  }

  close(): Promise<void> {
    this.closing ??= this.closeNow();
    return this.closing;
  }

  private async closeNow(): Promise<void> {
    this.closed = true;
    await this.queue;
    await this.context.dispose();
    await this.model.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private inTurn<T>(call: () => Promise<T>): Promise<T> {
    if (this.closed) return Promise.reject(closedModel());
    const result = this.queue.then(() => evaluating(this.context, call));
    this.queue = result.catch(() => {});
    return result;
  }

  /** A text as pretraining saw it: after the token that ends the text before it, where the vocabulary has one. */
  private textTokens(text: string): Token[] {
    const { tokenizer } = this.prompts;
    const separator = tokenizer.encode(documentSeparator, true);
    const ids = tokenizer.encode(text, false);
    return withBos(separator.length === 1 ? [...separator, ...ids] : ids, tokenizer) as Token[];
  }

  private async generateNow(prompt: Token[], options: GenerateOptions): Promise<Generated> {
    const { signal, onText } = options;
    const sampling = resolveSampling(options);
    const logitBias = resolveLogitBias(options.logitBias, this.prompts.tokenizer.vocabularySize);
    const limit = this.answerLimit(prompt.length, sampling);
    const stream = new TextStream((tokens, before) => this.model.detokenize(tokens, false, before), prompt, onText);
    await this.sequence.adaptStateToTokens(prompt.slice(0, -1), false);
    const reusedTokens = this.sequence.nextTokenIndex;
    const end = (stopReason: Generated['stopReason']): Generated => {
      stream.end();
      return { text: stream.text, tokens: stream.tokens.length, promptTokens: prompt.length, reusedTokens, stopReason };
    };
    if (!(await this.evaluatePrompt(prompt.slice(0, -1), signal))) return end('aborted');
    const generation = this.sequence.evaluate(prompt.slice(-1), {
      ...(await samplerOptions(this.model, { sampling, logitBias, answer: stream.tokens, most: limit })),
      yieldEogToken: true,
    });
    for await (const token of generation) {
      if (this.model.isEogToken(token)) return end('end-of-turn');
      stream.push(token);
      if (signal?.aborted) return end('aborted');
      if (stream.tokens.length >= limit) return end('length');
    }
    return end('end-of-turn');
  }

  /** How many tokens the answer may have; throws where not even one fits. */
  private answerLimit(promptLength: number, sampling: Sampling): number {
    const room = this.contextSize - reservedCells - promptLength;
    if (room < 1) throw tooLong(promptLength, this.contextSize, this.model.trainContextSize);
    return Math.min(room, sampling.maxTokens ?? room);
  }

  /** Evaluates what is new of the prompt; false where it was aborted. */
  private async evaluatePrompt(head: readonly Token[], signal: AbortSignal | undefined): Promise<boolean> {
    for (let at = this.sequence.nextTokenIndex; at < head.length; at += promptChunk) {
      if (signal?.aborted) return false;
      await this.sequence.evaluateWithoutGeneratingNewTokens(head.slice(at, at + promptChunk));
    }
    return !signal?.aborted;
  }
}
