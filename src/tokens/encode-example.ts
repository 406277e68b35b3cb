/**
 * One example as tokens with its loss mask, before any cutting. Promises: what stands before an answer are exactly the tokens that
 * chat sends to ask for it, proven by tokenising both; otherwise the example is refused with the reason. Pure.
 */
import { NomoatError } from '../errors.ts';
import { type ChatTemplate, ConversationRefused, noChatTemplate } from '../text/chat-template.ts';
import type { Example } from '../text/example.ts';
import { leftOut } from '../text/left-out.ts';
import {
  doubledTags,
  foreignMarkup,
  holdsChat,
  leavesAnswersOpen,
  markupOf,
  movedBoundary,
} from '../text/prompt-markup.ts';
import { type Rendering, unroll } from '../text/unroll.ts';
import { Boundaries, withBos } from './boundaries.ts';
import { controlTokensIn, encodeText, type SpecialTokens } from './encode-text.ts';
import { endOfGeneration, type Sequence, withEnd, withoutTail, withoutTurnEnd, withTurnEnd } from './sequence.ts';
import { controlKey, plainEnds, spelledNote, stopsInText, withoutEnds } from './spelled-control.ts';
import { TextRefused, type Tokenizer } from './tokenizer.ts';

/** An example that cannot be learnt from. `reason` is equal for equal causes, `detail` says where. */
export interface Refused {
  readonly reason: string;
  readonly detail?: string | undefined;
}

export interface Encoded {
  /** One, or several where the template rewrites earlier turns (unroll.ts) or an answer is tokenised apart from what follows it. */
  readonly sequences: readonly Sequence[];
  /** A prompt/completion example of a model without a chat template: laid end to end as it is. */
  readonly raw: boolean;
  /** What a person should know of the example, in sentences that are equal for equal causes. */
  readonly notes: readonly string[];
}

export interface EncodeOptions {
  /** Gives the model's template; called for conversations and completions only, and throws where there is none. */
  readonly template: () => ChatTemplate;
  readonly tokenizer: Tokenizer;
  /** `answers`: answers and their end-of-turn tokens; `all`: every token. */
  readonly supervise: 'answers' | 'all';
  /**
   * What control tokens spelled in the data become. `auto`: text inside messages and prompts, control tokens in plain texts and in
   * prompts that hold the chat template's markup already.
   */
  readonly specialTokens: 'auto' | SpecialTokens;
}

class RowRefused extends Error {}

/** Tokenises an example. Throws only what is wrong with the model or the machine, never for the example's sake. */
export function encodeExample(example: Example, options: EncodeOptions): Encoded | Refused {
  try {
    const { notes, raw, sequences } = encode(example, options);
    const learnt = example.unfinished ? sequences.map((sequence) => withoutTurnEnd(sequence, options)) : sequences;
    return { sequences: learnt, raw, notes: [...(example.notes ?? []), ...notes] };
  } catch (error) {
    if (error instanceof RowRefused) return { reason: error.message };
    if (error instanceof ConversationRefused) return { reason: error.reason, detail: error.detail };
    if (error instanceof TextRefused) return { reason: error.reason };
    throw error;
  }
}

function encode(example: Example, options: EncodeOptions): Encoded {
  if (example.kind === 'text') return encodeWhole(example.text, options);
  if (example.kind === 'chat') return encodeChat(example.messages, example.tools, options);
  const { prompt, completion } = example;
  const template = templateOrNull(options);
  if (!template) return encodeRaw(prompt, completion, '', options);
  const markup = options.specialTokens === 'text' ? null : markupOf(prompt, template);
  const moved = markup?.kind === 'unfinished' ? movedBoundary(prompt, completion, markup) : null;
  if (markup?.kind === 'unfinished' && !moved)
    throw new RowRefused(
      `the prompt holds the chat template's markup and does not end in what asks for an answer (${JSON.stringify(markup.expected)})`,
    );
  if (markup) {
    const { completion: answer, prompt: asked } = moved ?? { prompt, completion };
    const encoded = encodeRaw(asked, answer, markup.turnEnd, options);
    const notes = [...encoded.notes, "prompts that hold the chat template's markup already are taken as they are"];
    if (moved) notes.push('what asks for an answer stands at the beginning of completions: it is given, not learnt');
    return { ...encoded, notes };
  }
  if (options.specialTokens !== 'text' && holdsChat(completion, template))
    throw new RowRefused("the completion holds a whole chat in the template's markup");
  // As peers do: the prompt is what a user says, so that chat, which renders the same template, gets the completion as its answer.
  const messages = [
    { role: 'user', content: prompt },
    { role: 'assistant', content: completion },
  ];
  return encodeChat(messages, undefined, options);
}

function templateOrNull({ template }: EncodeOptions): ChatTemplate | null {
  try {
    return template();
  } catch (error) {
    if (error instanceof NomoatError && error.fields.code === noChatTemplate) return null;
    throw error;
  }
}

type ChatExample = Extract<Example, { kind: 'chat' }>;

const specialTokensOf = ({ specialTokens }: EncodeOptions): SpecialTokens =>
  specialTokens === 'control' ? 'control' : 'text';

function encodeChat(given: ChatExample['messages'], tools: ChatExample['tools'], options: EncodeOptions): Encoded {
  const { supervise, tokenizer } = options;
  const template = options.template();
  const special = specialTokensOf(options);
  const { cut, emptied, messages } = plainEnds(given, tokenizer);
  if (emptied) throw new RowRefused('an answer is nothing but an end-of-turn token');
  const key =
    special === 'text'
      ? controlKey([messages.map((message) => message.tool_calls ?? []), tools ?? []], tokenizer)
      : null;
  if (key !== null) throw new ConversationRefused('a key of a call or a tool spells a control token', key);
  const notes = [
    ...(cut ? [endsNote] : []),
    ...foreignMarkup(messages, tokenizer.controlTexts),
    ...doubledTags(messages, template),
  ];
  if (supervise === 'all') {
    const whole = template.renderMarked(messages, { tools, addGenerationPrompt: false });
    const { notes: more, refusal } = leftOut(whole, messages, tools, new Set());
    if (refusal) throw new ConversationRefused(refusal.fault, refusal.detail);
    const all = { text: whole.text, answers: [{ start: 0, end: whole.text.length }], data: whole.spans };
    const sequences = encodeRendering(all, options).map((sequence) => withoutTail(sequence, options));
    const spelled = spelledNote(whole.text, whole.spans, tokenizer, special);
    return { sequences, raw: false, notes: [...notes, ...more, ...(spelled === null ? [] : [spelled])] };
  }
  const unrolled = unroll(template, messages, tools);
  if (unrolled.renderings.length === 0)
    throw new RowRefused('has no answer to learn (no assistant message, or all of weight 0)');
  const found = new Set([...notes, ...unrolled.notes]);
  const sequences = unrolled.renderings.flatMap((rendering) => {
    if (special === 'control' && stopsInText(rendering, tokenizer))
      throw new RowRefused('an answer spells an end-of-turn token inside its text');
    const spelled = spelledNote(rendering.text, rendering.data, tokenizer, special);
    if (spelled !== null) found.add(spelled);
    const made = encodeRendering(rendering, options);
    for (const note of notesOn(made)) found.add(note);
    const rows = made.map((sequence) => withoutTail(sequence, options));
    const ended = leavesAnswersOpen(template) ? rows.map((row) => withTurnEnd(row, options)) : rows;
    if (ended.some(({ tokens }, i) => tokens.length > rows[i]!.tokens.length)) found.add(openNote);
    return ended;
  });
  return { sequences, raw: false, notes: [...found] };
}

const endsNote = 'answers that end in the end-of-turn token are taken without it: the template adds it';
const openNote = "the template writes no end behind the last answer: the model's own end token is learnt there";
const headlessNote = 'answers begin their row: the first token is given, not learnt, since nothing stands before it';
const apartNote =
  'answers are tokenised apart from their prompt, as chat does, since a token would reach across the boundary';

/** A text is learnt whole, its end too: rendered chats and several documents in one text among them. */
function encodeWhole(text: string, options: EncodeOptions): Encoded {
  const { specialTokens, tokenizer } = options;
  const data = specialTokens === 'text' ? [{ start: 0, end: text.length }] : [];
  const tokens = withBos(encodeText(text, data, tokenizer, 'text'), tokenizer);
  const supervised = tokens.map((_, t) => (t === 0 ? 0 : 1));
  const control = controlTokensIn(text, tokenizer).length > 0;
  const notes = foreignMarkup([{ role: 'assistant', content: text }], tokenizer.controlTexts);
  if (control)
    notes.push(
      `control tokens spelled in texts are taken as ${specialTokens === 'text' ? 'text' : "control tokens; `specialTokens: 'text'` makes them text"}`,
    );
  return { sequences: [withEnd({ tokens, supervised }, options)], raw: false, notes };
}

/** A prompt and its completion as they are, the completion with the end of its turn. */
function encodeRaw(prompt: string, completion: string, turnEnd: string, options: EncodeOptions): Encoded {
  const { specialTokens, supervise, tokenizer } = options;
  const asText = specialTokens === 'text';
  const answer = { start: prompt.length, end: prompt.length + completion.length };
  const ended = withoutEnds(completion, tokenizer) !== null;
  const text = `${prompt}${completion}${ended ? '' : turnEnd}`;
  const rendering: Rendering = {
    text,
    answers: [supervise === 'all' ? { start: 0, end: text.length } : { start: prompt.length, end: text.length }],
    data: asText ? [{ start: 0, end: answer.end }] : ended ? [] : [answer],
  };
  const made = encodeRendering(rendering, options);
  const sequences = made.map((sequence) => withEnd(withoutTail(sequence, options), options));
  return { sequences, raw: turnEnd === '', notes: notesOn(made) };
}

interface EncodedRendering extends Sequence {
  /** Whether the answer's tokens are its own, where those of the whole would reach across its boundary. */
  readonly apart: boolean;
  /** Whether an answer begins the row: nothing predicts its first token, which is given. */
  readonly headless: boolean;
}

const notesOn = (made: readonly EncodedRendering[]): string[] => [
  ...(made.some(({ apart }) => apart) ? [apartNote] : []),
  ...(made.some(({ headless }) => headless) ? [headlessNote] : []),
];

/**
 * The tokens of a rendering, and which of them belong to answers. What stands before an answer must be the tokens that chat sends: it is
 * tokenised on its own and must begin the whole; an answer for which it does not gets a sequence of its own, its tokens behind those.
 * Of an answer with an end-of-generation token nothing after that is supervised: generation never gets there.
 */
function encodeRendering({ answers, data, text }: Rendering, options: EncodeOptions): EncodedRendering[] {
  const { supervise, tokenizer } = options;
  const boundaries = new Boundaries(text, data, tokenizer, specialTokensOf(options));
  const tokens = [...boundaries.tokens];
  const supervised = new Array<number>(tokens.length).fill(0);
  const weights = answers.some(({ weight = 1 }) => weight !== 1) ? supervised.map(() => 1) : null;
  const apart: EncodedRendering[] = [];
  let learnt = 0;
  for (const answer of answers) {
    const { start, end, weight = 1 } = answer;
    const [first, last] = [boundaries.tokensBefore(start), boundaries.tokensBefore(end)];
    if (first === null || last === null) {
      apart.push(encodeApart(boundaries, answer, options));
      continue;
    }
    weights?.fill(weight, first, last);
    learnt++;
    const stop = supervise === 'all' ? -1 : endOfGeneration(tokens, first, last, tokenizer);
    const said = boundaries.lastData(start, end);
    if (stop >= 0 && said !== null && (boundaries.tokensBefore(said) ?? 0) > stop + 1)
      throw new RowRefused(stopsInside);
    supervised.fill(1, first, stop < 0 ? last : stop + 1);
  }
  const headless = supervise !== 'all' && supervised[0] === 1;
  // Nothing predicts the first token, and the one that begins every text is given, never generated.
  if (supervised.length > 0) supervised[0] = 0;
  const shared = { tokens, supervised, ...(weights ? { weights } : {}), apart: false, headless };
  return learnt > 0 || answers.length === 0 ? [shared, ...apart] : apart;
}

const stopsInside =
  'the template ends a turn inside the answer, where generation would stop: what follows could not be learnt';

/** The prompt's own tokens, and the answer's behind them. */
function encodeApart(
  boundaries: Boundaries,
  { end, start, weight = 1 }: Rendering['answers'][number],
  { tokenizer }: EncodeOptions,
): EncodedRendering {
  const before = boundaries.encode(0, start);
  const answer = boundaries.encode(start, end);
  const stop = endOfGeneration(answer, 0, answer.length, tokenizer);
  const said = boundaries.lastData(start, end);
  if (stop >= 0 && said !== null && boundaries.encode(start, said).length > stop + 1) throw new RowRefused(stopsInside);
  const kept = stop < 0 ? answer : answer.slice(0, stop + 1);
  const supervised = [...before.map(() => 0), ...kept.map(() => 1)];
  supervised[0] = 0;
  const weights = weight === 1 ? {} : { weights: supervised.map(() => weight) };
  return { tokens: [...before, ...kept], supervised, ...weights, apart: true, headless: before.length === 0 };
}
