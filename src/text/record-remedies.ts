/** What helps against a record that was refused, by its reason: each was seen to help. Pure. */
import { roles } from './messages.ts';

const anExample = '{"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}';

/** In the order in which they are looked for. */
const remedies: readonly (readonly [reason: RegExp, remedy: string])[] = [
  [
    /part that is no text/,
    'Only texts can be learnt: leave out images, sounds and files, or the records that need them.',
  ],
  [
    /^a message has no content/,
    'Give it a content: "" where a user says nothing. An assistant\'s message without an answer is left out.',
  ],
  [/^an answer is empty/, 'Leave the message out, or keep it out of the loss with "weight": 0.'],
  [/^the (output|completion|text) is empty/, 'Leave out records without anything to learn.'],
  [
    /^the conversation .*as Python prints it/,
    'Write the column with json.dumps before to_csv, or save as JSON Lines: to_json(FILE, orient="records", lines=True).',
  ],
  [/^the conversation is no valid JSON/, 'Write the column as JSON: json.dumps, JSON.stringify.'],
  [/^the conversation is (no list|empty)/, `A conversation is a list of messages with role and content: ${anExample}.`],
  [/unknown role|has no role/, `Roles are ${roles.join(', ')}, and what other data sets call them (human, gpt, ...).`],
  [
    /^a weight is not from/,
    'Give a number from 0 to 100, or leave the weight out: 1 is usual, and 0 keeps an answer out of the loss.',
  ],
  [/^the mark /, 'Give true or false, or leave the mark out.'],
  [
    /half a character/,
    'A text was cut inside a character: cut it in whole ones. In Python: text.encode("utf-8", "replace").decode().',
  ],
  [/arguments of a call are no valid JSON/, 'Write arguments as an object, or as the JSON text of one (json.dumps).'],
  [
    /a call has no name|no JSON with a name|no list of calls|function that is no object|no object with a name/,
    'A call is written {"type": "function", "function": {"name": "...", "arguments": {...}}}, in a list under tool_calls.',
  ],
  [/^tools is/, 'tools is a list of {"type": "function", "function": {"name": "...", "parameters": {...}}}.'],
  [/two different thoughts/, 'Keep one of them.'],
  [/has both|in its content and beside it/, 'Keep one of them.'],
  [/ is no text$|is a list without messages/, 'Write it as a text: lists and objects as their JSON text (json.dumps).'],
];

/** What helps against this reason, or null. */
export const remedyOf = (reason: string): string | null =>
  remedies.find(([pattern]) => pattern.test(reason))?.[1] ?? null;
