/**
 * What a chat needs of a model. Pure interface: engine.ts implements it with llama.cpp, tests with a script.
 */
import { samplingSettings } from '../settings/command-settings.ts';
import type { JsonSchema } from '../settings/json-schema.ts';
import type { AnswerForm } from '../text/answers/answer-form.ts';
import type { Message } from '../text/example.ts';
import type { Score } from './score.ts';
import type { RowScore, ScoreRow, ScoreRowsOptions } from './score-row.ts';

/** How the next token is drawn. */
export interface Sampling {
  /** 0 takes the most likely token at each step. */
  readonly temperature: number;
  /** 1 considers all tokens. */
  readonly topP: number;
  /** 0 considers all tokens. */
  readonly topK: number;
  /** 0 considers all tokens. */
  readonly minP: number;
  /** 1 leaves repetitions alone. */
  readonly repeatPenalty: number;
  /** Taken from a token's logit for each time that the answer has it already; 0 takes nothing. */
  readonly frequencyPenalty: number;
  /** Taken from a token's logit where the answer has it already; 0 takes nothing. */
  readonly presencePenalty: number;
  /** null: as many as the context holds. */
  readonly maxTokens: number | null;
  /** null: another one each time. */
  readonly seed: number | null;
}

export const defaultSampling: Sampling = samplingSettings.parse({});

/** What is added to the logits of tokens, by their ids: -100 as good as forbids one, 100 as good as forces it. */
export type LogitBias = Readonly<Record<number, number>>;

/** How likely a token was in its place by the model's own distribution: before temperature, penalties, biases and grammars. */
export interface TokenProbability {
  /** In the model's vocabulary. */
  readonly id: number;
  /** As it reads; a part of a character reads as U+FFFD. */
  readonly text: string;
  /** Its text in UTF-8; of a part of a character, that part. */
  readonly bytes: Uint8Array;
  /** ln p of this token after all before it, nats. */
  readonly logProbability: number;
}

/** A token of an answer with its log-probability. */
export interface AnswerToken extends TokenProbability {
  /** As many as were asked for of the likeliest tokens in its place, the likeliest first. */
  readonly alternatives: readonly TokenProbability[];
  /** Whether it ended the answer; it is no part of its text then. */
  readonly endsAnswer: boolean;
}

/** A token of a text with its log-probability. */
export interface TextToken extends Omit<TokenProbability, 'logProbability'> {
  /** ln p of this token after all before it, nats; null of the first, which nothing is before. */
  readonly logProbability: number | null;
  /** As many as were asked for of the likeliest tokens in its place, the likeliest first. */
  readonly alternatives: readonly TokenProbability[];
  /** Where it begins in the text, in UTF-16 units. */
  readonly offset: number;
}

/** How likely a model holds a text, token by token. */
export interface TextScore {
  readonly text: string;
  readonly tokens: readonly TextToken[];
  /** Tokens that nothing was computed for again: an earlier text began with them. */
  readonly reusedTokens: number;
}

/** A prompt that is taken as it is: a text, or the ids of its tokens, to which none is added. */
export type Prompt = string | readonly number[];

/** How a text is scored. */
export interface ScoreTextOptions {
  /** Of the likeliest tokens in the place of each (default: 0). */
  readonly alternatives?: number;
  /** Stops it. */
  readonly signal?: AbortSignal;
}

/** What a prompt is made with, beside the conversation. */
export interface PromptOptions {
  /** Functions that the model may call, in OpenAI's form; the model's answer holds calls as text, which `answerForm` says how to read. */
  readonly tools?: readonly unknown[];
  /** Variables that the model's chat template asks for, such as `enable_thinking` (see `templateAsks`). */
  readonly templateValues?: Readonly<Record<string, unknown>>;
}

/** How one answer is generated. */
export interface GenerateOptions extends Partial<Sampling>, PromptOptions {
  /** From -100 to 100 for each token of the model's vocabulary that is named. */
  readonly logitBias?: LogitBias;
  /**
   * The answer is JSON that this schema admits, unless it is cut: `{}` for any JSON, `{ type: 'object' }` for any object. Properties come in
   * the schema's order, and of an object whose properties are named there are no others. Keywords that cannot be held to are refused.
   */
  readonly jsonSchema?: JsonSchema;
  /** The answer is a text of this grammar of llama.cpp's (GBNF), unless it is cut; not with `jsonSchema`. */
  readonly grammar?: string;
  /**
   * Asks for log-probabilities of the answer's tokens, and for this many of the likeliest ones in the place of each, 0 to 20. Each token is
   * evaluated twice: the answer stays the same and takes twice as long.
   */
  readonly logProbabilities?: number;
  /** With `logProbabilities`: called with each token as it comes, before the piece of the answer that it completes. */
  readonly onToken?: (token: AnswerToken) => void;
  /** Markup whose control tokens are given out as text; others are of no answer. */
  readonly markup?: readonly string[];
  /** Ends the answer where it is: `stopReason` is `aborted`, nothing is thrown. */
  readonly signal?: AbortSignal;
  /** Called with each piece of the answer as it comes; the pieces together are the answer. */
  readonly onText?: (piece: string) => void;
}

/** Why an answer ended: by itself, at its most tokens or the end of the context, or by the signal. */
export type StopReason = 'end-of-turn' | 'length' | 'aborted';

/** An answer that has ended. */
export interface Generated {
  /** The answer without its end-of-turn token. */
  readonly text: string;
  /** Tokens generated, the end-of-turn token not counted. */
  readonly tokens: number;
  /** Tokens that the model was asked with. */
  readonly promptTokens: number;
  /** Prompt tokens that were already evaluated for an earlier answer. */
  readonly reusedTokens: number;
  /** Of each token, and last of the one that ended the answer, where it ended by itself; only where they were asked for. */
  readonly logProbabilities?: readonly AnswerToken[];
  /** Why no more tokens came. */
  readonly stopReason: StopReason;
}

/** A model that answers. After `close`, calls fail with a NomoatError of code `model-closed`. */
export interface ChatModel {
  /** Tokens that prompt and answer may have together. */
  readonly contextSize: number;
  /**
   * The next answer of a conversation. Rejects with NomoatError, of code `context-full` where the prompt leaves no
   * room.
   */
  generate(messages: readonly Message[], options?: GenerateOptions): Promise<Generated>;
  /** Continues a prompt that is taken as it is, control tokens that it spells among it: one that holds chat markup already. */
  continue(prompt: Prompt, options?: GenerateOptions): Promise<Generated>;
  /** Continues a plain text, without a chat template; stops where generation stops. */
  complete(text: string, options?: GenerateOptions): Promise<Generated>;
  /** The token ids that the model is asked with: the same as training saw before the answer. */
  promptTokens(messages: readonly Message[], options?: PromptOptions): number[];
  /** Frees the engine's memory. */
  close(): Promise<void>;
}

/** An answer as it comes: its pieces together are the answer. */
export interface AnswerStream extends AsyncIterable<string> {
  /** The whole answer, with its tokens counted and why it ended. */
  readonly result: Promise<Generated>;
}

/** What a program gets: `await using model = await openModel({ model })` closes it by itself. */
export interface Model extends ChatModel {
  /** What should be known before an answer is read, in sentences: warnings about the adapter or its proof. */
  readonly notes: readonly string[];
  /** The system prompt that the training conversations of a run shared, which it wants to be asked with; else null. */
  readonly systemPrompt: string | null;
  /** How answers to such prompts are written: where thoughts stand in them, and calls of tools. */
  answerForm(options?: PromptOptions): AnswerForm;
  /** Whether the chat template asks for a variable of this name. */
  templateAsks(name: string): boolean;
  /** The answer piece by piece; its `result` counts the tokens. Generation begins at once, and ends where the loop is left. */
  stream(messages: readonly Message[], options?: GenerateOptions): AnswerStream;
  /** Log-probabilities of the last message, which is an answer, after those before it; computed as chat computes, with float16 keys. */
  score(messages: readonly Message[], options?: { readonly signal?: AbortSignal }): Promise<Score>;
  /**
   * Log-probabilities of a text's tokens, each after all before it, with as many of the likeliest in the place of each as `alternatives`
   * says, 0 to 20. The text is taken as `continue` takes a prompt. Rejects with NomoatError.
   */
  scoreText(text: Prompt, options?: ScoreTextOptions): Promise<TextScore>;
  /**
   * How likely each row's answer or continuation is after its prompt, in the order of the rows; null for a row that does not fit the context.
   * Rows are read over all `sequences` at once, and what rows begin with alike is computed once: of four answers to one question, the
   * question. Rejects with NomoatError.
   */
  scoreRows(rows: readonly ScoreRow[], options?: ScoreRowsOptions): Promise<(RowScore | null)[]>;
  /** The text of `promptTokens`, without a token that begins every text. */
  promptText(messages: readonly Message[], options?: PromptOptions): string;
  /** The tokens of a text that is taken as it is, control tokens that it spells among it, with the one that begins every text where the model wants that. */
  tokenize(text: string, options?: { readonly addBos?: boolean }): number[];
  /** The text of tokens, control tokens spelled out. Throws NomoatError where there are none of these ids. */
  detokenize(tokens: readonly number[]): string;
  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void>;
}
