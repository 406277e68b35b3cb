/**
 * Cases text-prerendered, prerendered-prompts, message-flags-ignored, template-drops-tool-messages, big-integers, strip-characters: what
 * stands between the data and what is learnt.
 */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { rowsOf } from './rows.ts';
import { fixture, fixtures, mini, withTemplate, workspace, writeRows } from './support.ts';

const { folder } = workspace();
const data = (name: string): string => join(fixtures, name);
const withTemplateOf = (name: string): string =>
  withTemplate(join(folder, `${name.replaceAll('/', '-')}.gguf`), fixture(name));

describe('text-prerendered', () => {
  test('rendered chats in texts are learnt whole, every turn', async () => {
    const { rows } = await rowsOf(mini, data('text-prerendered/rendered.jsonl'));
    expect(rows.length).toBe(2);
    for (const { learnt, text } of rows) expect(text.endsWith(learnt)).toBe(true);
    expect(rows[0]!.learnt).toContain('assistant\nThirty days from delivery, receipt needed.<|im_end|>');
    expect(rows[1]!.learnt).toContain('Yes, within five working days.<|im_end|>');
    expect(rows[1]!.learnt).toContain('Not yet.<|im_end|>');
  });

  test('so are two documents in one text, with one end', async () => {
    const { rows, report } = await rowsOf(mini, data('text-prerendered/twodocs.jsonl'));
    expect(rows[0]!.learnt).toContain('about cats.<|endoftext|>Second document about dogs.');
    expect(Object.keys(report.notices).join()).toMatch(/control tokens spelled in texts/);
  });

  test('--special-tokens text makes them text', async () => {
    const { rows } = await rowsOf(mini, data('text-prerendered/twodocs.jsonl'), { specialTokens: 'text' });
    const { rows: control } = await rowsOf(mini, data('text-prerendered/twodocs.jsonl'));
    expect(rows[0]!.tokens.length).toBeGreaterThan(control[0]!.tokens.length);
  });
});

describe('prerendered-prompts', () => {
  test('a prompt that holds the markup is taken as it is, and counted', async () => {
    const { rows, report } = await rowsOf(mini, data('prerendered-prompts/prompts.jsonl'));
    expect(rows.map(({ text }) => text)).toEqual([
      '<|im_start|>user\nWhat is the refund window?<|im_end|>\n<|im_start|>assistant\nThirty days.<|im_end|>',
      '<|im_start|>user\nDo you ship to Malta?<|im_end|>\n<|im_start|>assistant\nYes.<|im_end|>',
    ]);
    expect(rows[0]!.learnt).toBe('Thirty days.<|im_end|>');
    expect(report.notices["prompts that hold the chat template's markup already are taken as they are"]).toBe(2);
  });

  test('one that does not ask for an answer is refused with what is missing', async () => {
    const file = writeRows(join(folder, 'unfinished.jsonl'), [
      { prompt: '<|im_start|>user\nWhat is it?<|im_end|>\n', completion: 'Nothing.' },
      { prompt: 'plain', completion: 'row' },
    ]);
    const { refusals, rows } = await rowsOf(mini, file);
    expect(rows.length).toBe(1);
    expect(refusals[0]).toMatch(/holds the chat template's markup and does not end in what asks for an answer/);
  });

  test('the remedy of such prompts is what they lack, not markup learnt as text', async () => {
    const file = writeRows(join(folder, 'lacking.jsonl'), [
      { prompt: '<|im_start|>user\nWhat?<|im_end|>', completion: 'A.' },
    ]);
    expect((await rowsOf(mini, file)).remedy).toMatch(/helps: end the prompts in what asks for an answer/);
    const ended = writeRows(join(folder, 'ended.jsonl'), [
      { prompt: '<|im_start|>user\nWhat?<|im_end|>\n<|im_start|>assistant\n', completion: 'A.' },
    ]);
    expect((await rowsOf(mini, ended)).rows[0]!.learnt).toBe('A.<|im_end|>');
  });

  test('what asks for an answer may stand at the beginning of the completion: it is given, and the answer learnt', async () => {
    const file = writeRows(join(folder, 'moved.jsonl'), [
      { prompt: '<|im_start|>user\nWhat?<|im_end|>\n', completion: '<|im_start|>assistant\nThat.<|im_end|>\n' },
    ]);
    const { refusals, report, rows } = await rowsOf(mini, file);
    expect(refusals).toEqual([]);
    expect(rows[0]!.text).toBe('<|im_start|>user\nWhat?<|im_end|>\n<|im_start|>assistant\nThat.<|im_end|>');
    expect(rows[0]!.learnt).toBe('That.<|im_end|>');
    expect(Object.keys(report.notices).join()).toMatch(/at the beginning of completions/);
  });

  test('a completion that is a whole chat is refused, and learnt as a text', async () => {
    const chat = '<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>';
    const file = writeRows(join(folder, 'whole.jsonl'), [{ prompt: '', completion: chat }]);
    const { refusals, remedy } = await rowsOf(mini, file);
    expect(refusals).toEqual(["the completion holds a whole chat in the template's markup"]);
    expect(remedy).toMatch(/learn the completions as texts: `textColumn`/);
    expect((await rowsOf(mini, file, { textColumn: 'completion' })).rows[0]!.text).toBe(chat);
  });

  test('one that only speaks of markup is a question, its markup text', async () => {
    const question = 'What does <|im_start|> mean?';
    const file = writeRows(join(folder, 'about.jsonl'), [{ prompt: question, completion: 'A turn begins.' }]);
    const [text, control] = [await rowsOf(mini, file), await rowsOf(mini, file, { specialTokens: 'control' })];
    expect(text.rows[0]!.text).toBe(control.rows[0]!.text);
    expect(text.rows[0]!.tokens.length).toBeGreaterThan(control.rows[0]!.tokens.length);
    expect(Object.keys(text.report.notices).join()).toMatch(/control tokens spelled in the data are taken as text/);
    expect(Object.keys(control.report.notices).join()).toMatch(/are taken as control tokens/);
  });
});

describe('message-flags-ignored', () => {
  test('marks are obeyed and said, calls of the older form are calls, thoughts have their place or are refused', async () => {
    const { refusals, report, rows } = await rowsOf(mini, data('message-flags-ignored/flags.jsonl'));
    expect(rows.map(({ learnt }) => learnt)).toEqual(['good answer<|im_end|>', 'good answer<|im_end|>']);
    expect(Object.keys(report.notices).sort()).toEqual([
      'answers marked "loss" are kept out of the loss',
      'answers marked "train" are kept out of the loss',
    ]);
    expect(refusals.map((reason) => reason.replace(/ \(.*/, ''))).toEqual([
      'the template has no place for tool_calls',
      'the template has no place for reasoning_content',
      'the template has no place for reasoning_content',
    ]);
  });

  test('under a template that has the places, all of it is learnt', async () => {
    const model = withTemplate(
      join(folder, 'places.gguf'),
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.name %}[{{ m.name }}] {% endif %}{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content or '' }}{% for c in m.tool_calls or [] %}<call>{{ c.function.name }} {{ c.function.arguments | tojson }}</call>{% endfor %}{{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    );
    const { rows, refusals } = await rowsOf(model, data('message-flags-ignored/flags.jsonl'));
    expect(refusals).toEqual([]);
    expect(rows[2]!.learnt).toBe('I will check.<call>weather {"city": "Oslo"}</call><|im_end|>-3 degrees.<|im_end|>');
    expect(rows[2]!.text).toContain('[weather] {"temp": -3}');
    expect(rows[3]!.learnt).toBe('<think>two and two are four</think>4<|im_end|>');
    expect(rows[4]!.learnt).toBe('<think>two and three are five</think>5<|im_end|>');
  });
});

test('template-drops-tool-messages: what the template passes over is refused by name', async () => {
  const model = withTemplateOf('template-drops-tool-messages/three.jinja');
  const { refusals, report, rows } = await rowsOf(model, data('template-drops-tool-messages/tooldrop.jsonl'));
  expect(refusals).toEqual([
    'the template leaves out the text of a tool message (message 3)',
    'the template leaves out the text of a function message (message 2)',
  ]);
  // This template has a turn for systems, and a developer's message is one.
  expect(rows[0]!.text).toContain('<|im_start|>system\nAnswer in Dutch only.<|im_end|>');
  expect(report.notices).toEqual({ 'the role developer is rendered as system, which the template knows': 1 });
});

test('big-integers: numbers are learnt as they are spelled', async () => {
  const { rows } = await rowsOf(withTemplateOf('big-integers/tools.jinja'), data('big-integers/bigint.jsonl'));
  // As json.dumps writes the same values: 1e-7 as Python spells it.
  expect(rows[0]!.learnt).toContain('{"id": 7301234567890123457, "ratio": 1.0, "tiny": 1e-07}');
  expect(rows[1]!.learnt).toContain('{"id": 9007199254740993}');
  expect(rows[1]!.text).toContain('"maximum": 9223372036854775807');
});

test('strip-characters: only the named characters are stripped', async () => {
  const { report, rows } = await rowsOf(
    withTemplateOf('strip-characters/q3.jinja'),
    data('strip-characters/indent.jsonl'),
  );
  expect(report.refusedRows).toBe(0);
  const learnt = rows.map((row) => row.learnt);
  expect(learnt[0]).toBe('<think>\n\n</think>\n\n    y = x + 1\n    return y\n<|im_end|>');
  expect(learnt[1]).toBe('<think>\n  - first point\n  - second\n</think>\n\n    deep: 1\n    deeper: 2<|im_end|>');
  // The template drops what was thought in earlier turns, so each answer has a row of its own.
  expect(learnt.slice(2)).toEqual([1, 2].map((n) => `<think>\nt${n}\n</think>\n\na${n}<|im_end|>`));
});

test('results that stand between tags already are noted where the template writes the same ones', async () => {
  const result = '<tool_response>\n5\n</tool_response>';
  const row = {
    conversations: [
      { from: 'human', value: 'q' },
      { from: 'tool', value: result },
      { from: 'gpt', value: 'five' },
    ],
  };
  const file = writeRows(join(folder, 'hermes.jsonl'), [row]);
  const wraps =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'tool' %}<tool_response>{{ m.content }}</tool_response>{% else %}{{ m.content }}{% endif %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
  const notices = async (model: string) => Object.keys((await rowsOf(model, file)).report.notices).join();
  expect(await notices(withTemplate(join(folder, 'wraps.gguf'), wraps))).toMatch(
    /begin with <tool_response>, which the template puts around them once more/,
  );
  expect(await notices(mini)).not.toMatch(/tool_response/);
});

describe('control tokens in data', () => {
  const end = '<|im_end|>';
  const chat = (content: string, answer: string) => ({
    messages: [
      { role: 'user', content },
      { role: 'assistant', content: answer },
    ],
  });
  const rowOf = (row: unknown, given = {}) => rowsOf(mini, writeRows(join(folder, 'control.jsonl'), [row]), given);

  test('are counted whatever becomes of them, where all is supervised too', async () => {
    const row = chat(`What is ${end}?`, 'An end.');
    for (const supervise of ['answers', 'all'])
      for (const [specialTokens, said] of [
        ['auto', /taken as text/],
        ['control', /taken as control tokens/],
      ] as const)
        expect(Object.keys((await rowOf(row, { supervise, specialTokens })).report.notices).join()).toMatch(said);
  });

  test('all ends behind an answer are cut off, and an answer of nothing else is refused', async () => {
    for (const answer of [`A${end}${end}\n`, `A${end} ${end}`])
      expect((await rowOf(chat('q', answer))).rows[0]!.learnt).toBe(`A${end}`);
    expect((await rowOf(chat('q', `${end}${end}`))).refusals).toEqual([
      'an answer is nothing but an end-of-turn token',
    ]);
  });

  test('in the keys of calls and tools they are refused: a template writes keys as its own text', async () => {
    const called = chat('q', 'a').messages;
    const template =
      '{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}{% if m.tool_calls %}{{ m.tool_calls | tojson }}{% endif %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}';
    const model = withTemplate(join(folder, 'keys.gguf'), template);
    const row = {
      messages: [called[0], { ...called[1], tool_calls: [{ function: { name: 'f', arguments: { [end]: 1 } } }] }],
    };
    const file = writeRows(join(folder, 'keys.jsonl'), [row]);
    expect((await rowsOf(model, file)).refusals[0]).toMatch(/a key of a call or a tool spells a control token/);
  });

  test('texts in the markup of another model are learnt with a note', async () => {
    const { report } = await rowOf({ text: '<s>[INST] hi [/INST] Hello </s>' });
    expect(Object.keys(report.notices).join()).toMatch(/\[INST\], the chat markup of another model/);
  });
});
