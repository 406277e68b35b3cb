/**
 * A chat model that a server has. Promises: what is asked for reaches the server or is refused here by name; an answer
 * that is stopped is what came of it.
 */
import type { Generated, GenerateOptions, StopReason } from '../chat/chat-model.ts';
import { NomoatError } from '../errors.ts';
import type { Message } from '../text/example.ts';
import type { ServerConnection } from './connection.ts';

/** What a server can do of a chat model. */
export interface RemoteModel {
  /** The next answer of a conversation. Rejects with NomoatError. */
  generate(messages: readonly Message[], options?: GenerateOptions): Promise<Generated>;
}

interface Chunk {
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null };
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: {
    readonly completion_tokens: number;
    readonly prompt_tokens: number;
    readonly prompt_tokens_details?: { readonly cached_tokens?: number };
  } | null;
}

const reasons: Readonly<Record<string, StopReason>> = { stop: 'end-of-turn', length: 'length' };

/** Of the options of a local model, what the API has no parameter for. Throws NomoatError. */
function assertSendable({ logProbabilities, repeatPenalty = 1 }: GenerateOptions): void {
  const named = repeatPenalty !== 1 ? '`repeatPenalty`' : logProbabilities !== undefined ? '`logProbabilities`' : null;
  if (named === null) return;
  throw new NomoatError({
    code: 'invalid-settings',
    part: named,
    fault: 'is not sent to servers',
    remedy: 'Leave it out, or open the model on this machine.',
  });
}

/** The parameters of a request; what was not given is the server's to choose. */
const parametersOf = (options: GenerateOptions): Readonly<Record<string, unknown>> => ({
  temperature: options.temperature,
  top_p: options.topP,
  top_k: options.topK,
  min_p: options.minP,
  frequency_penalty: options.frequencyPenalty,
  presence_penalty: options.presencePenalty,
  logit_bias: options.logitBias,
  max_tokens: options.maxTokens,
  seed: options.seed,
});

const messageOf = ({ content, role }: Message): Readonly<Record<string, unknown>> => ({ role, content });

/** The model of that name. */
export function remoteChat(connection: ServerConnection, model: string): RemoteModel {
  return {
    async generate(messages, options = {}) {
      assertSendable(options);
      const { onText, signal } = options;
      const body = {
        model,
        messages: messages.map(messageOf),
        stream: true,
        stream_options: { include_usage: true },
        ...parametersOf(options),
      };
      const pieces: string[] = [];
      let [stopReason, usage]: [StopReason, Chunk['usage']] = ['end-of-turn', null];
      try {
        for await (const value of connection.events('/v1/chat/completions', { method: 'POST', body, signal })) {
          const { choices = [], usage: counted } = value as Chunk;
          usage = counted ?? usage;
          for (const { delta, finish_reason: finished } of choices) {
            if (finished) stopReason = reasons[finished] ?? 'end-of-turn';
            if (!delta?.content) continue;
            pieces.push(delta.content);
            onText?.(delta.content);
          }
        }
      } catch (error) {
        if (!(error instanceof NomoatError && error.kind === 'interrupted' && signal?.aborted)) throw error;
        stopReason = 'aborted';
      }
      return {
        text: pieces.join(''),
        // Of an answer that was stopped nobody says how many there were: each piece has at least one.
        tokens: usage?.completion_tokens ?? pieces.length,
        promptTokens: usage?.prompt_tokens ?? 0,
        reusedTokens: usage?.prompt_tokens_details?.cached_tokens ?? 0,
        stopReason,
      };
    },
  };
}
