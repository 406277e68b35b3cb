import { describe, expect, test } from 'vitest';
import type { NomoatError } from '../errors.ts';
import { readJson } from '../formats/exact-json.ts';
import { ChatTemplate, ConversationRefused, chatTemplateOf, noChatTemplate } from './chat-template.ts';
import type { Message } from './example.ts';
import { unroll } from './unroll.ts';

const specials = { bosToken: '<s>', eosToken: '</s>' };
const plain =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
const withDefaultSystem = `{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nBe good<|im_end|>\n' }}{% endif %}${plain}`;
/** No generation prompt of its own, answers trimmed, roles in turns. */
const instructions =
  "{{ bos_token }}{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + ' [/INST]' }}{% else %}{{ ' ' + m['content'] | trim + eos_token }}{% endif %}{% endfor %}";
/** As Qwen3: an answer after the last question has its thoughts, an earlier one has lost them; tools and calls are rendered. */
const thinking = `{%- if tools %}{{- '<|im_start|>system\n' }}{%- for tool in tools %}{{- tool | tojson }}{%- endfor %}{{- '<|im_end|>\n' }}{%- endif %}
{%- set ns = namespace(last=0) %}
{%- for m in messages %}{%- if m.role == 'user' %}{%- set ns.last = loop.index0 %}{%- endif %}{%- endfor %}
{%- for m in messages %}
{%- if m.role == 'assistant' %}
{{- '<|im_start|>assistant\n' }}
{%- if loop.index0 > ns.last %}{{- '<think>\n' + (m.reasoning_content if m.reasoning_content is defined else '') + '\n</think>\n\n' }}{%- endif %}
{{- m.content if m.content else '' }}
{%- for call in m.tool_calls or [] %}{{- '<tool_call>' + (call.function | tojson) + '</tool_call>' }}{%- endfor %}
{{- '<|im_end|>\n' }}
{%- else %}{{- '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}`;

const of = (source: string): ChatTemplate => new ChatTemplate(source, specials);
const user = (content: string): Message => ({ role: 'user', content });
const answer = (content: string, more: Partial<Message> = {}): Message => ({ role: 'assistant', content, ...more });
const whole = (template: ChatTemplate, messages: Message[], tools?: unknown[]): string =>
  template.render(messages, { ...(tools ? { tools } : {}), addGenerationPrompt: false });
const supervised = (pieces: { text: string; supervised: boolean }[]): string[] =>
  pieces.filter((piece) => piece.supervised).map(({ text }) => text);
/** The renderings of a conversation cut at the boundaries of its answers. */
const unrolled = (
  template: ChatTemplate,
  messages: Message[],
  tools?: unknown[],
): { text: string; supervised: boolean }[][] =>
  unroll(template, messages, tools).renderings.map(({ answers, text }) => {
    const pieces: { text: string; supervised: boolean }[] = [];
    let position = 0;
    for (const { start, end } of answers) {
      if (start > position) pieces.push({ text: text.slice(position, start), supervised: false });
      pieces.push({ text: text.slice(start, end), supervised: true });
      position = end;
    }
    if (position < text.length) pieces.push({ text: text.slice(position), supervised: false });
    return pieces;
  });
const joined = (pieces: { text: string }[]): string => pieces.map(({ text }) => text).join('');

describe('answers apart', () => {
  const talk = [user('one'), answer('two'), user('three'), answer('four'), user('five')];

  test.each([
    ['plain ChatML', plain, ['two<|im_end|>\n', 'four<|im_end|>\n']],
    ['a default system prompt', withDefaultSystem, ['two<|im_end|>\n', 'four<|im_end|>\n']],
    ['instructions without a generation prompt', instructions, [' two</s>', ' four</s>']],
  ])('%s: the pieces are the rendering, the answers apart', (_, source, answers) => {
    const template = of(source);
    const [pieces, ...more] = unrolled(template, talk);
    expect(more).toEqual([]);
    expect(joined(pieces!)).toBe(whole(template, talk.slice(0, 4)));
    expect(supervised(pieces!)).toEqual(answers);
    expect(unroll(template, talk).notes).toEqual(['messages behind the last answer that is learnt are not used']);
  });

  test('each answer stands behind the prompt that asks for it', () => {
    for (const source of [plain, withDefaultSystem, instructions, thinking]) {
      const template = of(source);
      const all = unrolled(template, talk).flatMap((pieces) => {
        let before = '';
        return pieces.flatMap(({ text, supervised: learnt }) => {
          const prompt = before;
          before += text;
          return learnt ? [prompt] : [];
        });
      });
      expect(all).toEqual([1, 3].map((n) => template.render(talk.slice(0, n), { addGenerationPrompt: true })));
    }
  });

  test('weight 0 keeps an answer out; consecutive answers are both learnt; tool messages are not', () => {
    const template = of(plain);
    const messages = [user('q'), answer('a', { weight: 0 }), answer('b'), { role: 'tool', content: 't' }, answer('c')];
    const [pieces] = unrolled(template, messages);
    expect(supervised(pieces!)).toEqual(['b<|im_end|>\n', 'c<|im_end|>\n']);
    expect(joined(pieces!)).toBe(whole(template, messages));
    expect(unrolled(template, [user('q'), answer('a', { weight: 0 })])).toEqual([]);
    expect(unrolled(template, [user('q')])).toEqual([]);
  });
});

describe('templates that rewrite earlier turns', () => {
  const template = of(thinking);
  const talk = [user('q1'), answer('a1', { reasoning_content: 'r1' }), user('q2'), answer('a2')];

  test('gives every answer the rendering in which it is asked for, once', () => {
    const renderings = unrolled(template, talk);
    expect(renderings.map(supervised)).toEqual([
      ['<think>\nr1\n</think>\n\na1<|im_end|>\n'],
      ['<think>\n\n</think>\n\na2<|im_end|>\n'],
    ]);
    expect(renderings.map(joined)).toEqual([whole(template, talk.slice(0, 2)), whole(template, talk)]);
  });

  test('answers that agree share a rendering', () => {
    const steps = [user('q'), answer('a'), { role: 'tool', content: 't' }, answer('b'), user('q2'), answer('c')];
    expect(unrolled(template, steps).map((pieces) => supervised(pieces).length)).toEqual([2, 1]);
  });
});

describe('what is refused', () => {
  const refusal = (run: () => unknown): ConversationRefused => {
    try {
      run();
    } catch (error) {
      expect(error).toBeInstanceOf(ConversationRefused);
      return error as ConversationRefused;
    }
    throw new Error('nothing was refused');
  };

  test('what the template raises is the reason', () => {
    const { reason } = refusal(() => unroll(of(instructions), [user('a'), user('b'), answer('c')]));
    expect(reason).toContain('roles must alternate');
    expect(
      refusal(() => of(plain).render([{ role: 'user', content: null }], { addGenerationPrompt: true })).reason,
    ).toMatch(/cannot render it/);
  });

  test('a template that would leave something out', () => {
    const deaf = of("{% for m in messages if m.role != 'system' %}{{ m.role + ':' + m.content + '\n' }}{% endfor %}");
    const system = { role: 'system', content: 'be brief' };
    expect(refusal(() => unroll(deaf, [system, user('q'), answer('a')]))).toMatchObject({
      reason: 'the template leaves out the text of a system message',
      detail: 'message 1',
    });
    const call = { type: 'function', function: { name: 'f', arguments: '{"x": 1}' } };
    const calling: Message = { role: 'assistant', content: '', tool_calls: [call] };
    expect(refusal(() => unroll(of(plain), [user('q'), calling])).reason).toBe(
      'the template has no place for tool_calls',
    );
    expect(refusal(() => unroll(of(plain), [user('q'), answer('a')], [{ name: 'f' }])).reason).toBe(
      'the template has no place for tools',
    );
    expect(refusal(() => unroll(of(plain), [user('q'), answer('a', { reasoning_content: 'r' })])).reason).toBe(
      'the template has no place for reasoning_content',
    );
    const [pieces] = unrolled(of(thinking), [user('q'), calling], [{ name: 'f' }]);
    expect(supervised(pieces!)[0]).toContain('<tool_call>{"name": "f", "arguments": {"x": 1}}</tool_call>');
  });

  test('a prompt that no answer stands behind', () => {
    const forced = of(`${plain}{% if add_generation_prompt %}{{ 'Answer now: ' }}{% endif %}`);
    expect(refusal(() => unroll(forced, [user('q'), answer('a')])).reason).toMatch(/does not put the answer behind/);
  });

  test('a template that cannot be parsed, and a model without one', () => {
    expect(() => of('{% if %}')).toThrow(/the chat template: cannot be parsed/);
    const model = { path: 'x.gguf', metadata: new Map(), string: () => undefined, number: () => undefined };
    try {
      chatTemplateOf(model);
      expect.unreachable();
    } catch (error) {
      expect((error as NomoatError).fields.code).toBe(noChatTemplate);
    }
  });
});

test('special tokens come from the model file', () => {
  const metadata = new Map([['tokenizer.ggml.tokens', { value: ['<a>', '<b>'] }]]);
  const template = chatTemplateOf({
    path: 'x.gguf',
    metadata,
    string: (key) =>
      key === 'tokenizer.chat_template' ? '{{ bos_token + messages[0].content + eos_token }}' : undefined,
    number: (key) => ({ 'tokenizer.ggml.bos_token_id': 0, 'tokenizer.ggml.eos_token_id': 1 })[key],
  });
  expect(template.render([user('x')], { addGenerationPrompt: false })).toBe('<a>x<b>');
});

test('the date stands still, and nothing else of a template that prints it changes', () => {
  const dated =
    "\n{% if strftime_now is defined %}{{ strftime_now('%d %b %Y, %A') }}{% endif %}{{ messages[0].content }}";
  expect(of(dated).render([user('x')], { addGenerationPrompt: false })).toBe('\n26 Jul 2024, Fridayx');
});

test('a call without text: null for templates that ask for it, no text for those that put it together', () => {
  const specials = { bosToken: '', eosToken: '</s>' };
  const messages: Message[] = [
    { role: 'user', content: 'weather?' },
    { role: 'assistant', content: null, tool_calls: [{ function: { name: 'weather', arguments: {} } }] },
  ];
  const asks = new ChatTemplate(
    '{% for m in messages %}{% if m.content is none %}[{{ m.tool_calls[0].function.name }}]{% else %}{{ m.content }}|{% endif %}{% endfor %}',
    specials,
  );
  expect(asks.render(messages, { addGenerationPrompt: false })).toBe('weather?|[weather]');
  const joins = new ChatTemplate("{% for m in messages %}{{ m.content.strip() + '|' }}{% endfor %}", specials);
  expect(joins.render(messages, { addGenerationPrompt: false })).toBe('weather?||');
});

test('arguments keep the order of their keys, numbers their spelling, in texts and in objects', () => {
  const written = '{"10": 1.0, "9": {"b": 2, "1": 7301234567890123457}}';
  const call = (args: unknown): Message => ({
    role: 'assistant',
    content: '',
    tool_calls: [{ function: { name: 'f', arguments: args } }],
  });
  for (const args of [written, readJson(written)]) {
    const [pieces] = unrolled(of(thinking), [user('q'), call(args)]);
    expect(supervised(pieces!)[0]).toContain(`"arguments": ${written}`);
    expect(whole(of(thinking), [user('q'), call(args)])).toContain(`"arguments": ${written}`);
  }
});

test('thoughts stand under the names that transformers gives them', () => {
  const source =
    "{% for m in messages %}{{ m.role ~ ': ' ~ (m.thinking ~ '|' if m.thinking is defined else '') ~ m.content ~ '\n' }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}";
  const [pieces] = unrolled(of(source), [user('q'), answer('a', { reasoning_content: 'hm' })]);
  expect(supervised(pieces!)).toEqual(['hm|a\n']);
});
