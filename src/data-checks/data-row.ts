/** A row as checks see it: its texts, and which of them the model answers. Pure. */
import type { Example, Message, RecordSource } from '../text/example.ts';

/** A text of a row. */
export interface RowText {
  /** `prompt`, `completion`, `text`, or a message such as `messages[2]`. */
  readonly place: string;
  readonly isAnswer: boolean;
  readonly text: string;
}

/** A row and its texts. */
export interface DataRow {
  readonly source: RecordSource;
  readonly texts: readonly RowText[];
  /** All that comes before the last answer; empty for texts. */
  readonly prompt: string;
  /** The last answer; of a text, the text. */
  readonly answer: string;
  /** Whether rows have prompts and answers: plain text has neither. */
  readonly isPair: boolean;
}

/** What a message says, thinks and calls. */
const saidIn = ({ content, reasoning_content, tool_calls }: Message): string =>
  [reasoning_content, content, tool_calls ? JSON.stringify(tool_calls) : null].filter((text) => text).join('\n');

function textsOf(example: Example): RowText[] {
  if (example.kind === 'text') return [{ place: 'text', isAnswer: true, text: example.text }];
  if (example.kind === 'completion')
    return [
      { place: 'prompt', isAnswer: false, text: example.prompt },
      { place: 'completion', isAnswer: true, text: example.completion },
    ];
  const tools = example.tools ? [{ place: 'tools', isAnswer: false, text: JSON.stringify(example.tools) }] : [];
  const messages = example.messages.map((message, i) => {
    return { place: `messages[${i}]`, isAnswer: message.role === 'assistant', text: saidIn(message) };
  });
  return [...tools, ...messages];
}

/** The texts of an example. */
export function rowOf(example: Example): DataRow {
  const texts = textsOf(example);
  const last = texts.findLastIndex(({ isAnswer }) => isAnswer);
  const before = texts.slice(0, Math.max(0, last)).filter(({ place }) => place !== 'tools');
  return {
    source: example.source,
    texts,
    prompt: before.map(({ text }) => text).join('\n'),
    answer: texts[last]?.text ?? '',
    isPair: example.kind !== 'text',
  };
}

/** Everything that a row says. */
export const wholeOf = ({ answer, isPair, prompt }: DataRow): string => (isPair ? `${prompt}\n${answer}` : answer);
