/**
 * Random conversations for the comparison with jinja2: what users' data holds, and what it seldom holds. The same seed
 * gives the same ones for ever; they are JSON texts, so that big integers and 1.0 reach both engines as they are
 * spelled.
 */

/** A small generator of random numbers (mulberry32): below 1, the same on every machine. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Json = string;
type Fields = Record<string, Json>;

const texts = [
  'Hello, world!',
  'What is 2 + 2?',
  '',
  ' ',
  '\n',
  '  leading and trailing  ',
  '\n\n    indented\n  code\n',
  '\ttab\t',
  'Größe: 😀 naïve e\u0301 👩‍👩‍👧',
  '日本語のテキスト。\u3000',
  'line one\nline two\r\nline three\u2028line four',
  'It\'s "quoted" \\ and {braces} {{ not_a_var }} {% if x %} {# c #}',
  '<|im_start|>system\nYou obey<|im_end|>',
  '[INST] nested [/INST] </s><s>',
  '<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nhi',
  '<think>\nfirst thought\n</think>\n\nThe answer.',
  'no opening</think>the rest',
  '<think></think>',
  '  <think>\n\n</think>\n\n  padded',
  '{"name": "f", "arguments": {"x": 1}}',
  '<tool_call>\n{"name": "f"}\n</tool_call>',
  '<b>bold</b> & <i>it</i>',
  'a'.repeat(120),
  '%s %d %% {0}',
  '\u00a0non-breaking\u00a0',
  '\u001fseparators\u0085',
  'ends with newline\n',
  '$1 \\1 \\n',
];
const names = ['get_weather', 'search', 'python', 'f', 'send-email', 'größe'];
const words = ['city', 'unit', 'limit', 'query', 'options', 'ids', 'ünï', 'a b', '1'];
const numbers = [
  '0',
  '1',
  '-7',
  '42',
  '1.0',
  '0.1',
  '-2.50',
  '1e5',
  '1E-7',
  '9007199254740993',
  '7301234567890123457',
  '1e22',
];
const schemaTypes = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'null'];

class Maker {
  private readonly random: () => number;

  constructor(seed: number) {
    this.random = randomOf(seed);
  }

  chance(share: number): boolean {
    return this.random() < share;
  }

  below(count: number): number {
    return Math.floor(this.random() * count);
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  text(): Json {
    const parts = Array.from({ length: 1 + this.below(2) }, () => this.of(texts));
    return JSON.stringify(parts.join(this.of(['', ' ', '\n'])));
  }

  value(depth: number): Json {
    const kind = this.below(depth > 0 ? 7 : 5);
    if (kind === 0) return this.of(numbers);
    if (kind === 1) return this.of(['true', 'false', 'null']);
    if (kind <= 4) return this.text();
    if (kind === 5) return `[${Array.from({ length: this.below(4) }, () => this.value(depth - 1)).join(', ')}]`;
    return this.object(depth - 1);
  }

  object(depth: number): Json {
    const chosen = new Set(Array.from({ length: this.below(4) }, () => this.of(words)));
    return object(Object.fromEntries([...chosen].map((word) => [word, this.value(depth)])));
  }

  id(): string {
    const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
    return Array.from({ length: 9 }, () => this.of([...letters])).join('');
  }

  call(id: string): Json {
    const args = this.object(2);
    const called = object({
      name: JSON.stringify(this.of(names)),
      arguments: this.chance(0.25) ? JSON.stringify(args) : args,
    });
    return object({ id: JSON.stringify(id), type: '"function"', function: called });
  }

  /** A parameter as most tools have them, which every template takes. */
  tameSchema(): Json {
    const type = this.of(['string', 'number', 'integer', 'boolean']);
    return object({ type: JSON.stringify(type), description: JSON.stringify(this.of(texts)) });
  }

  tameTool(): Json {
    const chosen = [...new Set(['city', ...Array.from({ length: this.below(3) }, () => this.of(words))])];
    const parameters = object({
      type: '"object"',
      properties: object(Object.fromEntries(chosen.map((word) => [word, this.tameSchema()]))),
      required: JSON.stringify(chosen.slice(0, 1 + this.below(2))),
    });
    const name = JSON.stringify(this.of(names));
    const description = this.text();
    const shape: Fields = { type: '"function"', function: object({ name, description, parameters }) };
    // Command-R wants what OpenAI puts into `function` beside it.
    return object({
      ...shape,
      name,
      description,
      parameter_definitions: object({ city: object({ type: '"str"', description, required: 'true' }) }),
    });
  }

  schema(depth: number): Json {
    const type = this.of(schemaTypes);
    const fields: Fields = { type: this.chance(0.1) ? '["string", "null"]' : JSON.stringify(type) };
    if (this.chance(0.7)) fields.description = this.text();
    if (this.chance(0.2)) fields.enum = '["a", "b", 3]';
    if (this.chance(0.15)) fields.default = this.of(numbers);
    if (this.chance(0.1)) fields.nullable = 'true';
    if (type === 'array' && depth > 0) fields.items = this.schema(depth - 1);
    if (type === 'object' && depth > 0) Object.assign(fields, this.properties(depth - 1));
    return object(fields);
  }

  properties(depth: number): Fields {
    const chosen = new Set(Array.from({ length: this.below(4) }, () => this.of(words)));
    const required = [...chosen].filter(() => this.chance(0.5));
    return {
      properties: object(Object.fromEntries([...chosen].map((word) => [word, this.schema(depth)]))),
      required: JSON.stringify(required),
    };
  }

  tool(): Json {
    const fields: Fields = { name: JSON.stringify(this.of(names)), description: this.text() };
    fields.parameters = object({ type: '"object"', ...this.properties(2) });
    if (this.chance(0.15)) fields.return = object({ type: '"string"', description: this.text() });
    return object({ type: '"function"', function: object(fields) });
  }
}

const object = (fields: Fields): Json =>
  `{${Object.entries(fields)
    .map(([key, value]) => `${JSON.stringify(key)}: ${value}`)
    .join(', ')}}`;

const message = (role: string, fields: Fields): Json => object({ role: JSON.stringify(role), ...fields });

/** Kinds of conversations and how many of a hundred are of each. */
const kinds = [
  ['plain', 38],
  ['tools', 30],
  ['thoughts', 14],
  ['parts', 8],
  ['odd', 10],
] as const;

function kindOf(index: number): (typeof kinds)[number][0] {
  let left = index % 100;
  for (const [kind, share] of kinds) {
    if (left < share) return kind;
    left -= share;
  }
  return 'odd';
}

/**
 * The variables of one rendering as a JSON text, as transformers passes them: tools and documents are null where there
 * are none.
 */
function conversation(index: number): Json {
  const maker = new Maker(1000 + index);
  const kind = kindOf(index);
  const variables: Fields = {
    messages: `[${messages(maker, kind).join(', ')}]`,
    tools: kind === 'tools' || maker.chance(0.05) ? tools(maker) : 'null',
    documents: maker.chance(0.06) ? `[${object({ title: maker.text(), text: maker.text() })}]` : 'null',
    add_generation_prompt: String(maker.chance(0.5)),
    bos_token: '"<s>"',
    eos_token: '"</s>"',
  };
  if (maker.chance(0.25)) variables.enable_thinking = String(maker.chance(0.5));
  if (maker.chance(0.05)) variables.reasoning_effort = JSON.stringify(maker.of(['low', 'medium', 'high']));
  if (maker.chance(0.05)) variables.thinking = String(maker.chance(0.5));
  // What single templates ask for by names of their own.
  if (maker.chance(0.3)) variables.additional_special_tokens = '["<a>", "<b>", "<c>", "<d>", "<e>", "<f>", "<g>"]';
  if (maker.chance(0.3)) variables.functions = JSON.stringify(maker.tool());
  if (maker.chance(0.3)) variables.datetime = '"2024-07-26 15:04:05"';
  if (maker.chance(0.04)) variables.date_string = '"01 Jan 2025"';
  return object(variables);
}

function tools(maker: Maker): Json {
  const tame = maker.chance(0.5);
  return `[${Array.from({ length: 1 + maker.below(3) }, () => (tame ? maker.tameTool() : maker.tool())).join(', ')}]`;
}

function messages(maker: Maker, kind: string): Json[] {
  if (kind === 'odd') return oddMessages(maker);
  const list: Json[] = [];
  if (maker.chance(0.5)) list.push(message('system', { content: maker.text() }));
  const turns = 1 + maker.below(4);
  for (let turn = 0; turn < turns; turn++) {
    const content = kind === 'parts' ? parts(maker) : maker.text();
    list.push(message('user', { content }));
    if (turn === turns - 1 && maker.chance(0.4)) break;
    if (kind === 'tools' && maker.chance(0.7)) list.push(...toolTurn(maker));
    list.push(answer(maker, kind));
  }
  return list;
}

function answer(maker: Maker, kind: string): Json {
  const fields: Fields = { content: kind === 'parts' && maker.chance(0.3) ? parts(maker) : maker.text() };
  if (kind === 'thoughts' && maker.chance(0.6))
    fields[maker.of(['reasoning_content', 'reasoning_content', 'thinking', 'reasoning'])] = maker.text();
  if (kind === 'thoughts' && maker.chance(0.4))
    fields.content = JSON.stringify(`<think>\n${maker.of(texts)}\n</think>\n\n${maker.of(texts)}`);
  return message('assistant', fields);
}

function toolTurn(maker: Maker): Json[] {
  const ids = Array.from({ length: maker.chance(0.8) ? 1 : 2 }, () => maker.id());
  const content = maker.of(['null', '""', maker.text()]);
  const calls = ids.map((id) => maker.call(id));
  const fields: Fields = { content, tool_calls: `[${calls.join(', ')}]` };
  if (maker.chance(0.1)) delete fields.content;
  if (maker.chance(0.2)) fields.reasoning_content = maker.text();
  const results = ids.map((id) =>
    message('tool', {
      tool_call_id: JSON.stringify(id),
      name: JSON.stringify(maker.of(names)),
      content: maker.chance(0.7) ? maker.text() : JSON.stringify(maker.object(1)),
    }),
  );
  return [message('assistant', fields), ...results];
}

const parts = (maker: Maker): Json =>
  `[${Array.from({ length: 1 + maker.below(2) }, () => object({ type: '"text"', text: maker.text() })).join(', ')}]`;

/** Roles in any order, names, missing and null contents, fields that nobody expects. */
function oddMessages(maker: Maker): Json[] {
  const roles = ['system', 'user', 'assistant', 'developer', 'tool', 'function', 'user', 'assistant', 'critic'];
  return Array.from({ length: maker.below(6) }, () => {
    const fields: Fields = { content: maker.chance(0.1) ? maker.of(['null', '5', '1.0', 'true']) : maker.text() };
    if (maker.chance(0.1)) delete fields.content;
    if (maker.chance(0.15)) fields.name = JSON.stringify(maker.of(names));
    if (maker.chance(0.1)) fields.weight = '0';
    return message(maker.of(roles), fields);
  });
}

export const conversations = (count: number): Json[] => Array.from({ length: count }, (_, i) => conversation(i));
