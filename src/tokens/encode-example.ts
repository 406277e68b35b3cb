/**
 * One example as tokens with its loss mask, before any cutting. Promises: what stands before an answer are exactly the tokens that
 * chat sends to ask for it, proven by tokenising both; otherwise the example is refused with the reason. Pure.
 */
import { NomoatError } from '../errors.ts';
import { type ChatTemplate, ConversationRefused, noChatTemplate, type Piece } from '../text/chat-template.ts';
import type { Example } from '../text/example.ts';
import type { Tokenizer } from './tokenizer.ts';

/** Tokens with their mask: `supervised[t]` is 1 where token t is a target. */
export interface Sequence {
  readonly tokens: number[];
  readonly supervised: number[];
}

/** An example that cannot be learnt from. `reason` is equal for equal causes, `detail` says where. */
export interface Refused {
  readonly reason: string;
  readonly detail?: string | undefined;
}

export interface Encoded {
  /** One, or several where the template rewrites earlier turns (ChatTemplate.unroll). */
  readonly sequences: readonly Sequence[];
  /** A prompt/completion example of a model without a chat template: laid end to end as it is. */
  readonly raw: boolean;
}

export interface EncodeOptions {
  /** Gives the model's template; called for conversations and completions only, and throws where there is none. */
  readonly template: () => ChatTemplate;
  readonly tokenizer: Tokenizer;
  /** `answers`: answers and their end-of-turn tokens; `all`: every token. */
  readonly supervise: 'answers' | 'all';
}

class RowRefused extends Error {}

/** Tokenises an example. Throws only what is wrong with the model or the machine, never for the example's sake. */
export function encodeExample(example: Example, options: EncodeOptions): Encoded | Refused {
  try {
    return encode(example, options);
  } catch (error) {
    if (error instanceof RowRefused) return { reason: error.message };
    if (error instanceof ConversationRefused) return { reason: error.reason, detail: error.detail };
    throw error;
  }
}

function encode(example: Example, options: EncodeOptions): Encoded {
  if (example.kind === 'text') return { sequences: [encodeText(example.text, options)], raw: false };
  if (example.kind === 'chat') return { sequences: encodeChat(example.messages, example.tools, options), raw: false };
  const { prompt, completion } = example;
  if (!hasTemplate(options)) {
    const pieces = [
      { text: prompt, supervised: false },
      { text: completion, supervised: true },
    ];
    return { sequences: [withEnd(encodePieces(pieces, options), options)], raw: true };
  }
  // As peers do: the prompt is what a user says, so that chat, which renders the same template, gets the completion as its answer.
  const messages = [
    { role: 'user', content: prompt },
    { role: 'assistant', content: completion },
  ];
  return { sequences: encodeChat(messages, undefined, options), raw: false };
}

function hasTemplate({ template }: EncodeOptions): boolean {
  try {
    template();
    return true;
  } catch (error) {
    if (error instanceof NomoatError && error.fields.code === noChatTemplate) return false;
    throw error;
  }
}

type ChatExample = Extract<Example, { kind: 'chat' }>;

function encodeChat(
  messages: ChatExample['messages'],
  tools: ChatExample['tools'],
  options: EncodeOptions,
): readonly Sequence[] {
  const { supervise, tokenizer } = options;
  const template = options.template();
  if (supervise === 'all') {
    const text = template.render(messages, { ...(tools ? { tools } : {}), addGenerationPrompt: false });
    return [withoutTail(encodePieces([{ text, supervised: true }], options), options)];
  }
  for (const { role, content, weight } of messages) {
    if (role !== 'assistant' || weight === 0 || content === null) continue;
    // It would teach the model to stop in the middle of what it says.
    if (tokenizer.encode(content, true).some((token) => tokenizer.isEndOfGeneration(token)))
      throw new RowRefused('an answer spells an end-of-turn token inside its text');
  }
  const renderings = template.unroll(messages, tools);
  if (renderings.length === 0)
    throw new RowRefused('has no answer to learn (no assistant message, or all of weight 0)');
  return renderings.map((pieces) => withoutTail(encodePieces(pieces, options), options));
}

/** A text is learnt whole, its end too. */
function encodeText(text: string, options: EncodeOptions): Sequence {
  return withEnd(encodePieces([{ text, supervised: true }], options), options);
}

/**
 * The tokens of the whole text, and which of them belong to supervised pieces. For each of those, the text before it is tokenised on
 * its own, as chat does, and must give the first tokens of the whole. Of a supervised piece with an end-of-generation token, nothing
 * after that token is supervised: it belongs to the template, and generation never gets there.
 */
function encodePieces(pieces: readonly Piece[], { tokenizer, supervise }: EncodeOptions): Sequence {
  const whole = pieces.map(({ text }) => text).join('');
  const encodeWithBos = (text: string): number[] => withBos(tokenizer.encode(text, true), tokenizer);
  const tokens = encodeWithBos(whole);
  const tokensBefore = (position: number): number => {
    if (position === whole.length) return tokens.length;
    const before = encodeWithBos(whole.slice(0, position));
    if (before.length > tokens.length || before.some((token, t) => token !== tokens[t]))
      throw new RowRefused(
        'the border of an answer falls inside a token: prompt and answer do not tokenise to the whole',
      );
    return before.length;
  };
  const supervised = new Array<number>(tokens.length).fill(0);
  let position = 0;
  for (const { text, supervised: learnt } of pieces) {
    const end = position + text.length;
    if (learnt) {
      const [first, last] = [position === 0 ? 0 : tokensBefore(position), tokensBefore(end)];
      const stop =
        supervise === 'all' ? -1 : tokens.findIndex((t, i) => i >= first && i < last && tokenizer.isEndOfGeneration(t));
      supervised.fill(1, first, stop < 0 ? last : stop + 1);
    }
    position = end;
  }
  // Nothing predicts the first token, and the one that begins every text is given, never generated.
  if (supervised.length > 0) supervised[0] = 0;
  return { tokens, supervised };
}

/** Models that want it get their beginning-of-sequence token once: templates may spell it too. */
function withBos(tokens: number[], { addsBos, bosToken }: Tokenizer): number[] {
  return addsBos && bosToken !== null && tokens[0] !== bosToken ? [bosToken, ...tokens] : tokens;
}

/** Adds the supervised end that plain text does not spell. */
function withEnd({ tokens, supervised }: Sequence, { tokenizer }: EncodeOptions): Sequence {
  const end = tokenizer.eosToken ?? tokenizer.eotToken;
  const last = tokens.at(-1);
  if (end === null || last === undefined || tokenizer.isEndOfGeneration(last)) return { tokens, supervised };
  return { tokens: [...tokens, end], supervised: [...supervised, 1] };
}

/** Without what follows the last target: nothing is learnt from it. Where all is supervised, without the space after the last turn. */
function withoutTail({ tokens, supervised }: Sequence, { tokenizer, supervise }: EncodeOptions): Sequence {
  let length = supervised.lastIndexOf(1) + 1;
  if (supervise === 'all') {
    const end = tokens.findLastIndex((token) => tokenizer.isEndOfGeneration(token)) + 1;
    if (end > 0 && tokenizer.decode(tokens.slice(end)).trim() === '') length = end;
  }
  return { tokens: tokens.slice(0, length), supervised: supervised.slice(0, length) };
}
