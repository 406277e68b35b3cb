/**
 * 20,000 generated conversations, each under one of the real templates: no text of a record is missing from its rows without a note or a
 * refusal. The judge is not the product's own: every text holds words that stand nowhere else, and these are looked for in the rows.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Random } from '../../src/batches/random.ts';
import { ChatTemplate } from '../../src/text/chat-template.ts';
import type { Example } from '../../src/text/example.ts';
import { namedTemplates } from '../../src/text/named-templates.ts';
import { parseRecord } from '../../src/text/records.ts';
import { type EncodeOptions, encodeExample } from '../../src/tokens/encode-example.ts';
import { fakeTokenizer } from '../fake-tokenizer.ts';

const conversations = 20_000;
const folder = join(import.meta.dirname, '../fixtures/templates');
const templates: [string, string][] = [
  ...readdirSync(folder)
    .filter((name) => name.endsWith('.jinja'))
    .map((name): [string, string] => [name, readFileSync(join(folder, name), 'utf8')]),
  ...Object.entries(namedTemplates),
];

const controlTokens = /<\|[\w ]{1,40}\|>|<｜[^｜\s]{1,40}｜>|<\/?(?:s|bos|eos|start_of_turn|end_of_turn)>|\[\/?INST\]/g;
const endNames = /im_end|endoftext|end_of|end▁of|\|end\||eot|eom|eos|return|<\/s>/i;
const optionsOf = (source: string): EncodeOptions => {
  const spelled = [...new Set([...(source.match(controlTokens) ?? []), '</s>', '<s>'])];
  const ends = ['</s>', ...spelled.filter((text) => endNames.test(text))];
  const template = new ChatTemplate(source, { bosToken: '<s>', eosToken: '</s>' });
  return {
    template: () => template,
    tokenizer: fakeTokenizer(spelled, ends),
    supervise: 'answers',
    specialTokens: 'auto',
  };
};

const random = new Random(1515);
const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!;
const chance = (percent: number): boolean => random.below(100) < percent;

/** Words that stand nowhere else, with what they belong to. */
interface Marked {
  readonly word: string;
  readonly of: string;
}
let words: Marked[] = [];
let counter = 0;
function word(of: string): string {
  const made = `w${(counter++).toString(36)}q`;
  words.push({ word: made, of });
  return made;
}

const junk = [
  ' ',
  '\n',
  '\n\n',
  '  ',
  '\t',
  'é',
  '日本',
  '😀',
  '{{ x }}',
  '{% if %}',
  '<|im_end|>',
  '</s>',
  '[INST]',
  '"',
  "'",
  '\\',
  '**',
  '<b>',
  'None',
  '🏳️‍🌈',
  '\u200b',
  '\u202e',
  'e\u0301',
  '\ufeff',
  '\r\n',
  '<think>',
  '</think>',
  '<tool_call>',
  '<|im_start|>user\n',
  '<end_of_turn>',
];
const text = (of: string): string => {
  let out = chance(20) ? pick(junk) : '';
  for (let n = 1 + random.below(3); n > 0; n--)
    out += word(of) + (chance(60) ? pick(junk) : ' ') + (chance(20) ? pick(junk) : '');
  return chance(40) ? out : out.trim();
};

function value(of: string, depth: number): unknown {
  const kind = random.below(depth > 1 ? 4 : 6);
  if (kind === 0) return text(of);
  if (kind === 1) return 1000003 + random.below(1_000_000);
  if (kind === 2) return chance(50);
  if (kind === 3) return null;
  if (kind === 4) return Array.from({ length: random.below(3) }, () => value(of, depth + 1));
  return Object.fromEntries(Array.from({ length: 1 + random.below(2) }, () => [word(of), value(of, depth + 1)]));
}

const args = (): Record<string, unknown> =>
  Object.fromEntries(Array.from({ length: 1 + random.below(3) }, () => [word('argument'), value('argument', 0)]));

/** Arguments as an object, as JSON text, and as JSON inside JSON text. */
function written(value: unknown): unknown {
  const kind = random.below(6);
  if (kind < 3) return value;
  return kind < 5 ? JSON.stringify(value) : JSON.stringify(JSON.stringify(value));
}

function call(id: string): Record<string, unknown> {
  const called = { name: word('call'), arguments: chance(10) ? pick(['', '{}', null]) : written(args()) };
  return chance(85) ? { id, type: 'function', function: called } : { id, ...called };
}

/** A text as it is, or in parts. */
const contentOf = (of: string): unknown =>
  chance(85) ? text(of) : [{ type: 'text', text: text(of) }, text(of), { type: 'output_text', text: word(of) }];

const ids = ['call12345', 'call67890'];

function assistant(last: boolean): Record<string, unknown> {
  const learnt = last || chance(80);
  const of = learnt ? 'answer' : 'earlier answer';
  const thoughts = chance(25) ? text('thought').replace(/<\/?think>/g, '') : null;
  const inside = thoughts !== null && chance(50);
  const calls = chance(15) ? ids.slice(0, chance(70) ? 1 : 2).map(call) : null;
  const silent = calls !== null && chance(50) && !inside;
  const content = silent ? null : inside ? `<think>\n${thoughts}\n</think>\n\n${text(of)}` : contentOf(of);
  const beside = thoughts !== null && (!inside || chance(20));
  return {
    role: 'assistant',
    content,
    ...(beside ? { [pick(['reasoning_content', 'thinking', 'reasoning'])]: thoughts } : {}),
    ...(calls ? { tool_calls: calls } : {}),
    ...(chance(3) ? { name: word('name') } : {}),
    ...(learnt ? {} : pick([{ weight: 0 }, { train: false }, { mask: true }])),
  };
}

const toolRole = (): string => (chance(85) ? 'tool' : pick(['function', 'ipython']));

function record(): Record<string, unknown> {
  const messages: Record<string, unknown>[] = [];
  if (chance(40)) messages.push({ role: chance(90) ? 'system' : 'developer', content: contentOf('system') });
  if (chance(4)) messages.push(assistant(false));
  const turns = 1 + random.below(3);
  for (let t = 0; t < turns; t++) {
    for (let n = chance(4) ? 2 : 1; n > 0; n--)
      messages.push({
        role: 'user',
        content: contentOf('user'),
        ...(chance(5) ? { name: word('name') } : {}),
        ...(chance(2) ? { thinking: text('thought of a user') } : {}),
      });
    if (chance(3)) messages.push({ role: 'system', content: text('system') });
    const answer = assistant(t === turns - 1);
    messages.push(answer);
    if (answer.tool_calls) {
      for (const id of ids.slice(0, (answer.tool_calls as unknown[]).length))
        messages.push({
          role: toolRole(),
          tool_call_id: id,
          content: contentOf('tool'),
          ...(chance(20) ? { name: word('name') } : {}),
        });
      messages.push({ role: 'assistant', content: contentOf('answer') });
    }
  }
  if (chance(5)) messages.push({ role: 'user', content: text('behind') });
  const tools = chance(20)
    ? {
        tools: [
          {
            type: 'function',
            function: {
              name: word('tool name'),
              description: text('tool description'),
              parameters: { type: 'object', properties: { [word('tool part')]: { type: 'string' } } },
            },
          },
        ],
      }
    : {};
  return { messages, ...tools };
}

/** Notes that account for words of each kind that are in no row; nothing accounts for the others. */
const accounts: Readonly<Record<string, RegExp>> = {
  behind: /behind the last answer/,
  name: /no place for the name/,
  'earlier answer': /earlier answers/,
  'thought of a user': /no place for the reasoning_content of a user/,
  thought: /earlier answers/,
  system: /changes the text of a (system|developer)/,
  user: /changes the text of a user/,
  tool: /changes the text of a tool/,
  'tool description': /parts of the description of tools/,
  'tool part': /parts of the description of tools/,
};

test(`${conversations} conversations under ${templates.length} templates: no text is lost without a note`, () => {
  const prepared = templates.map(([name, source]): [string, EncodeOptions] => [name, optionsOf(source)]);
  const kept = new Map<string, number>();
  const lost: string[] = [];
  for (let i = 0; i < conversations; i++) {
    words = [];
    const [name, options] = prepared[i % prepared.length]!;
    const raw = record();
    const example = parseRecord('messages', raw, { file: 'generated', line: i + 1 });
    // Answers of junk may begin with thoughts of their own.
    if ('reason' in example && example.reason === 'a message has two different thoughts') continue;
    expect('kind' in example, JSON.stringify(example)).toBe(true);
    const encoded = encodeExample(example as Example, options);
    if ('reason' in encoded) continue;
    kept.set(name, (kept.get(name) ?? 0) + 1);
    const { tokenizer } = options;
    const rows = encoded.sequences.map(({ tokens }) => tokenizer.decode(tokens)).join('\u0000');
    const learnt = encoded.sequences
      .map(({ tokens, supervised }) => tokenizer.decode(tokens.filter((_, t) => supervised[t] === 1)))
      .join('\u0000');
    const notes = encoded.notes.join('; ');
    // The first letter of a row is given.
    const given = /the first token is given/.test(notes) ? rows.slice(0, 1) : '';
    for (const { of, word: sought } of words) {
      const there =
        of === 'answer' || of === 'argument' || of === 'call'
          ? (given + learnt).includes(sought) || (!(of === 'answer') && rows.includes(sought))
          : rows.includes(sought);
      if (!there && !accounts[of]?.test(notes))
        lost.push(`${name}: ${of} ${sought}: ${notes}\n${JSON.stringify(raw)}\n${rows}`);
    }
    // An answer is learnt once.
    for (const { of, word: sought } of words)
      if (of === 'answer' && learnt.split(sought).length > 2)
        lost.push(`${name}: learnt twice: ${sought}\n${JSON.stringify(raw)}`);
  }
  expect(lost.slice(0, 3).join('\n\n')).toBe('');
  // Most templates take most conversations: a test of refusals alone would prove nothing.
  expect([...kept.values()].reduce((a, b) => a + b, 0)).toBeGreaterThan(conversations / 3);
}, 240_000);
