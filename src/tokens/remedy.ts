/**
 * What would help where rows are refused: not a guess from the reason, but changes that were tried on these very rows. Promises: what is
 * named made a row with a learnt end of turn of each row that it was tried on. Pure.
 */
import { ChatTemplate } from '../text/chat-template.ts';
import type { Example, Message } from '../text/example.ts';
import { namedTemplates, templateNames } from '../text/named-templates.ts';
import { lackingIn, markupOf } from '../text/prompt-markup.ts';
import { withValues } from '../words/program-words.ts';
import { type EncodeOptions, encodeExample } from './encode-example.ts';
import type { EncodedRows } from './rows.ts';
import { stops } from './trainable.ts';

/** Rows that a change is tried on. */
const triedRows = 5;

interface Change {
  /** What to do, as a sentence. */
  readonly words: string;
  readonly example?: (example: Example, options: EncodeOptions) => Example;
  readonly options?: (options: EncodeOptions) => EncodeOptions;
}

type Chat = Extract<Example, { kind: 'chat' }>;

const onChats =
  (change: (example: Chat) => Chat): ((example: Example) => Example) =>
  (example) =>
    example.kind === 'chat' ? change(example) : example;

const onMessages = (change: (messages: readonly Message[]) => readonly Message[]): ((example: Example) => Example) =>
  onChats((example) => ({ ...example, messages: change(example.messages) }));

const without =
  (field: keyof Message) =>
  (message: Message): Message => {
    const { [field]: _, ...rest } = message;
    return rest as Message;
  };

/** The system prompt at the beginning of the first question. */
function systemIntoQuestion(messages: readonly Message[]): readonly Message[] {
  const system = messages.filter(({ role }) => role === 'system' || role === 'developer');
  const others = messages.filter(({ role }) => role !== 'system' && role !== 'developer');
  const first = others.findIndex(({ role }) => role === 'user');
  if (system.length === 0 || first < 0) return messages;
  const text = [...system, others[first]!].map(({ content }) => content ?? '').join('\n\n');
  return others.map((message, i) => (i === first ? { ...message, content: text } : message));
}

/** Neighbours of one role as one message. */
function joined(messages: readonly Message[]): readonly Message[] {
  const out: Message[] = [];
  for (const message of messages) {
    const last = out.at(-1);
    if (last?.role === message.role && !last.tool_calls && !message.tool_calls)
      out[out.length - 1] = { ...last, content: `${last.content ?? ''}\n\n${message.content ?? ''}` };
    else out.push(message);
  }
  return out;
}

const thoughtsIntoContent = (messages: readonly Message[]): readonly Message[] =>
  messages.map((message) =>
    message.reasoning_content === undefined
      ? message
      : {
          ...without('reasoning_content')(message),
          content: `<think>\n${message.reasoning_content}\n</think>\n\n${message.content ?? ''}`,
        },
  );

const withoutThoughts = (messages: readonly Message[]): readonly Message[] =>
  messages.map((message) => {
    const rest = without('reasoning_content')(message);
    return { ...rest, content: rest.content?.replace(/^\s*<think>[\s\S]*?<\/think>\s*/, '') ?? null };
  });

/** The prompt with what asks for an answer in the template's markup behind it. */
function askedFor(example: Example, { template }: EncodeOptions): Example {
  const markup = example.kind === 'completion' ? markupOf(example.prompt, template()) : null;
  if (example.kind !== 'completion' || markup?.kind !== 'unfinished') return example;
  return { ...example, prompt: example.prompt + lackingIn(example.prompt, markup) };
}

/** A whole chat as a text. */
const asText = (example: Example): Example => {
  if (example.kind !== 'completion' || example.prompt !== '') return example;
  const { completion, prompt: _, ...rest } = example;
  return { ...rest, kind: 'text', text: completion };
};

/** Tried in this order: what changes least comes first. */
const changes: readonly Change[] = [
  { words: 'end the prompts in what asks for an answer, as the reason shows it', example: askedFor },
  { words: 'learn the completions as texts: `textColumn` and the name of their column', example: asText },
  { words: "`specialTokens: 'text'`", options: (options) => ({ ...options, specialTokens: 'text' }) },
  { words: "`specialTokens: 'auto'`", options: (options) => ({ ...options, specialTokens: 'auto' }) },
  { words: 'put the system prompt at the beginning of the first question', example: onMessages(systemIntoQuestion) },
  { words: 'join neighbouring messages of one role', example: onMessages(joined) },
  {
    words: 'put the system prompt at the beginning of the first question and join neighbouring messages of one role',
    example: onMessages((messages) => joined(systemIntoQuestion(messages))),
  },
  {
    words: 'write thoughts into the content of the answer, as <think>...</think>',
    example: onMessages(thoughtsIntoContent),
  },
  {
    words: 'leave the thoughts out (reasoning_content and its like, and <think>...</think> in answers)',
    example: onMessages(withoutThoughts),
  },
  { words: 'leave the tools out', example: onChats(({ tools: _, ...rest }) => rest) },
  {
    words: 'begin the conversation with a message of the user',
    example: onMessages((messages) =>
      messages.slice(
        Math.max(
          0,
          messages.findIndex(({ role }) => role === 'user'),
        ),
      ),
    ),
  },
];

const everyToken =
  "`supervise: 'all'`, which learns every token (otherwise rows are learnt by their answers: a completion, or a message of the role assistant)";

/** Templates by name, and all tokens: they change what the model is asked with, or what it learns. */
function lastResorts(options: EncodeOptions): Change[] {
  const specials = specialsOf(options);
  const named = templateNames.map((name): Change => {
    const template = new ChatTemplate(namedTemplates[name], specials);
    return { words: withValues({ chatTemplate: name }), options: (given) => ({ ...given, template: () => template }) };
  });
  return [...named, { words: everyToken, options: (given) => ({ ...given, supervise: 'all' }) }];
}

function specialsOf({ tokenizer }: EncodeOptions): { bosToken: string; eosToken: string } {
  const text = (token: number | null): string => (token === null ? '' : tokenizer.decode([token]));
  return { bosToken: text(tokenizer.bosToken), eosToken: text(tokenizer.eosToken ?? tokenizer.eotToken) };
}

function helps(
  { example: change, options: change2 }: Change,
  examples: readonly Example[],
  options: EncodeOptions,
): boolean {
  return examples.every((example) => {
    const changedOptions = change2 ? change2(options) : options;
    let encoded: ReturnType<typeof encodeExample>;
    try {
      encoded = encodeExample(change ? change(example, changedOptions) : example, changedOptions);
    } catch {
      // A model without a template, or one that this change does not make up for.
      return false;
    }
    if ('reason' in encoded) return false;
    return encoded.sequences.every((row) => stops(row, options.tokenizer));
  });
}

type Tried = 'refused' | 'endless';

/** Examples that a remedy is sought for: those that are refused, else, where no row has an end of turn, all. */
function toTry(examples: readonly Example[], encoded: EncodedRows, { tokenizer }: EncodeOptions): [Tried, Example[]] {
  const refused = examples.filter((_, i) => 'reason' in encoded[i]!.encoded);
  if (refused.length > 0) return ['refused', refused];
  const ends = encoded.some(
    ({ encoded: made }) => !('reason' in made) && made.sequences.some((row) => stops(row, tokenizer)),
  );
  return ['endless', ends ? [] : [...examples]];
}

/**
 * The first change that makes rows with an end of turn of the first refused examples, or of the first of all where no row has one, as a
 * sentence; null where none of those known does. `encoded` are the `examples` as they were encoded with `options`. Where most rows are kept
 * as they are, only what changes the data is proposed.
 */
export function remedyFor(examples: readonly Example[], encoded: EncodedRows, options: EncodeOptions): string | null {
  const [kind, all] = toTry(examples, encoded, options);
  const tried = all.slice(0, triedRows);
  if (tried.length === 0) return null;
  const few = all.length < examples.length;
  const found = [...changes, ...(few ? [] : lastResorts(options))].find((change) => helps(change, tried, options));
  if (!found) return null;
  const name = kind === 'refused' ? 'refused row' : 'row';
  const rows = tried.length === 1 ? `the ${name}` : `the first ${tried.length} ${name}s`;
  return `Tried on ${rows}, this helps: ${found.words}.`;
}
