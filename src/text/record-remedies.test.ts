import { expect, test } from 'vitest';
import { remedyOf } from './record-remedies.ts';
import { parseRecord, type RecordFormat } from './records.ts';

const source = { file: 'f', line: 1 };
const answers = (...after: unknown[]) => ({ messages: [{ role: 'user', content: 'q' }, ...after] });
const said = (more: Record<string, unknown>) => answers({ role: 'assistant', ...more });
const good = said({ content: 'a' });
const half = { messages: [{ role: 'user' }, { role: 'assistant', content: 'a' }] };
const calls = (...list: unknown[]) => said({ tool_calls: list });

interface Case {
  readonly refused: unknown;
  readonly remedy: RegExp;
  /** The record with what the remedy says. */
  readonly better: unknown;
  readonly format?: RecordFormat;
}

// biome-ignore format: a table
const cases: Readonly<Record<string, Case>> = {
  'a picture': { refused: answers({ role: 'user', content: [{ type: 'image_url' }] }), remedy: /leave out images/, better: good },
  'no content': { refused: half, remedy: /""/, better: { messages: [{ role: 'user', content: '' }, half.messages[1]] } },
  'an empty answer': { refused: said({ content: ' ' }), remedy: /"weight": 0/, better: said({ content: ' ', weight: 0 }) },
  'an unknown role': { refused: answers({ role: 'narrator', content: 'a' }), remedy: /Roles are .*assistant/, better: good },
  'a weight below 0': { refused: said({ content: 'a', weight: -1 }), remedy: /0 to 100/, better: said({ content: 'a', weight: 0.5 }) },
  'a mark': { refused: said({ content: 'a', train: 'maybe' }), remedy: /true or false/, better: said({ content: 'a', train: true }) },
  'broken arguments': { refused: calls({ function: { name: 'f', arguments: '{"x"' } }), remedy: /as an object/, better: calls({ function: { name: 'f', arguments: { x: 1 } } }) },
  'a call without a name': { refused: calls({ arguments: {} }), remedy: /under tool_calls/, better: calls({ type: 'function', function: { name: 'f', arguments: {} } }) },
  'one tool': { refused: { ...good, tools: { name: 'f' } }, remedy: /tools is a list/, better: { ...good, tools: [{ name: 'f' }] } },
  'two thoughts': { refused: said({ content: 'a', thinking: 'x', reasoning: 'y' }), remedy: /Keep one/, better: said({ content: 'a', thinking: 'x' }) },
  'a list': { refused: { instruction: 'i', output: ['a'] }, remedy: /json.dumps/, better: { instruction: 'i', output: '["a"]' }, format: 'alpaca' },
  'a list of labels': { refused: { prompt: 'p', completion: ['a'] }, remedy: /json.dumps/, better: { prompt: 'p', completion: '["a"]' }, format: 'prompt-completion' },
  'a turn alone': { refused: { messages: { role: 'user', content: 'q' } }, remedy: /list of messages/, better: good },
  "Python's words": { refused: { messages: "[{'role': 'user'}]" }, remedy: /json.dumps before to_csv/, better: { messages: JSON.stringify(good.messages) } },
  'half a character': { refused: said({ content: '\ud83d' }), remedy: /cut inside a character/, better: said({ content: '?' }) },
};

test.each(Object.entries(cases))(
  '%s: the remedy is named, and with it the record is read',
  (_, { refused, remedy, better, format = 'messages' }) => {
    const refusal = parseRecord(format, refused, source);
    expect('reason' in refusal && remedyOf(refusal.reason)).toMatch(remedy);
    expect(parseRecord(format, better, source)).toHaveProperty('kind');
  },
);
