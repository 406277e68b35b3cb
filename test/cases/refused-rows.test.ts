/**
 * Cases answer-border, generation-prompt-opens-thoughts, system-prompt-in-last-question, template-language-gaps, tokenizer-long-run,
 * long-conversation: rows that were refused, or took everything down.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openGguf } from '../../src/formats/gguf/read.ts';
import { openTokenizer } from '../../src/llama/tokenizer.ts';
import { chatTemplateOf } from '../../src/text/chat-template.ts';
import { rowsOf } from './rows.ts';
import { fixture, fixtures, mini, repo, withMetadata, withTemplate, workspace, writeRows } from './support.ts';

const { folder, nomoat } = workspace();
const data = (name: string): string => join(fixtures, name);

describe('answer-border', () => {
  test('an answer that begins with line ends is learnt behind the very tokens that chat sends', async () => {
    const { report, rows } = await rowsOf(mini, data('answer-border/nn.jsonl'));
    expect(rows.map(({ learnt }) => learnt)).toEqual([2, 3, 4, 5].map((n) => `\n\nIt is ${n}.<|im_end|>`));
    const model = openGguf(mini);
    const tokenizer = await openTokenizer(mini);
    const prompt = chatTemplateOf(model).render([{ role: 'user', content: 'What is 0+2?' }], {
      addGenerationPrompt: true,
    });
    const asked = tokenizer.encode(prompt, true);
    expect(rows[0]!.tokens.slice(0, asked.length)).toEqual(asked);
    await tokenizer.close();
    model.close();
    expect(report.refusedRows).toBe(0);
  });

  test('so is one behind a prompt that ends in a space, without a template', async () => {
    const bare = withMetadata(mini, join(folder, 'bare.gguf'), { 'tokenizer.chat_template': null });
    const { report, rows } = await rowsOf(bare, data('answer-border/sp.jsonl'));
    expect(rows.map(({ learnt }) => learnt.replace(/<\|\w+\|>$/, ''))).toEqual([2, 3, 4, 5].map((n) => `It is ${n}.`));
    expect(report.refusedRows).toBe(0);
  });
});

describe('generation-prompt-opens-thoughts', () => {
  const model = (): string =>
    withTemplate(join(folder, `ct${Math.random()}.gguf`), fixture('generation-prompt-opens-thoughts/template.jinja'));

  test('the row is as it will be asked: the prompt opens the thoughts, the answer goes on from there', async () => {
    const { report, rows } = await rowsOf(model(), data('generation-prompt-opens-thoughts/think.jsonl'));
    expect(rows[0]!.text).toBe(
      '<|im_start|>user\n2+2?<|im_end|>\n<|im_start|>assistant\n<think>\nTwo and two make four.\n</think>\n\n4<|im_end|>',
    );
    expect(rows[0]!.learnt).toBe('Two and two make four.\n</think>\n\n4<|im_end|>');
    expect(report.notices).toEqual({ 'answers go on from the thoughts that the prompt opens': 2 });
  });

  test('an answer without thoughts closes them at once, and that is said', async () => {
    const file = writeRows(join(folder, 'plain.jsonl'), [{ prompt: '2+2?', completion: '4' }]);
    const { report, rows } = await rowsOf(model(), file);
    expect(rows[0]!.learnt).toBe('\n</think>\n\n4<|im_end|>');
    expect(Object.keys(report.notices).join()).toMatch(/have no thoughts/);
  });

  test('thoughts of a field of their own, and of every turn of a conversation', async () => {
    const file = writeRows(join(folder, 'turns.jsonl'), [
      {
        messages: [
          { role: 'user', content: 'a?' },
          { role: 'assistant', content: 'A', reasoning_content: 'first' },
          { role: 'user', content: 'b?' },
          { role: 'assistant', content: '<think>\nsecond\n</think>\n\nB' },
        ],
      },
    ]);
    const { rows } = await rowsOf(model(), file);
    expect(rows.map(({ learnt }) => learnt)).toEqual([
      'first\n</think>\n\nA<|im_end|>',
      'second\n</think>\n\nB<|im_end|>',
    ]);
    // In use the earlier answer stands there without its thoughts.
    expect(rows[1]!.text).toContain('<|im_start|>assistant\nA<|im_end|>\n<|im_start|>user\nb?');
  });
});

test('system-prompt-in-last-question: every answer stands behind the prompt that asks for it', async () => {
  const model = withTemplate(join(folder, 'siu.gguf'), fixture('system-prompt-in-last-question/sysinuser.jinja'));
  const { refusals, rows } = await rowsOf(model, data('system-prompt-in-last-question/multi.jsonl'));
  expect(refusals).toEqual([]);
  expect(rows.map(({ learnt }) => learnt)).toEqual(expect.arrayContaining(['a1<|im_end|>', 'a2<|im_end|>']));
  expect(rows[1]!.text).toContain('Be brief.\n\nq2<|im_end|>');
});

describe('template-language-gaps', () => {
  test('a template that formats with % renders', async () => {
    const model = withTemplate(join(folder, 'fmt.gguf'), fixture('template-language-gaps/fmt.jinja'));
    const { refusals, rows } = await rowsOf(model, data('system-prompt-in-last-question/multi.jsonl'));
    expect(refusals).toEqual([]);
    expect(rows[0]!.text).toContain('q1');
  });

  test('what cannot be rendered is named with the construct, and a template that works', () => {
    withTemplate(join(folder, 'include.gguf'), "{% include 'x' %}{{ messages[0].content }}");
    const file = writeRows(join(folder, 'pairs.jsonl'), [{ prompt: 'a', completion: 'b' }]);
    const { code, err } = nomoat(['tune', file, '--model', 'include.gguf', '--yes']);
    expect(code).toBe(2);
    expect(err).toMatch(/include/);
    expect(err).toMatch(/--chat-template/);
    expect(err).not.toMatch(/Check the roles/);
    const preview = nomoat(['preview', file, '--model', 'include.gguf', '--chat-template', 'chatml']);
    expect([preview.code, preview.out]).toEqual([0, expect.stringContaining('1 rows')]);
  });
});

test('remedies are tried on the very rows', async () => {
  const noSystem = withTemplate(
    join(folder, 'nosys.gguf'),
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
  );
  const messages = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'q' },
    { role: 'assistant', content: 'a' },
  ];
  const file = writeRows(join(folder, 'system.jsonl'), [{ messages }]);
  const { remedy } = await rowsOf(noSystem, file);
  expect(remedy).toMatch(/this helps: put the system prompt at the beginning of the first question/);
  const { code, err } = nomoat(['tune', file, '--model', 'nosys.gguf', '--yes']);
  expect([code, err]).toEqual([2, expect.stringContaining('this helps: put the system prompt')]);
});

test('a template whose ends are no tokens of the model is refused with one whose ends are, in preview as in a run', async () => {
  const row = {
    messages: [
      { role: 'user', content: 'q' },
      { role: 'assistant', content: 'a' },
    ],
  };
  const file = writeRows(join(folder, 'endless.jsonl'), [row]);
  const asked = (command: string, ...more: string[]) =>
    nomoat([command, file, '--model', mini, '--chat-template', 'llama3', ...more]);
  const helps = /Tried on the row, this helps: --chat-template chatml/;
  expect(asked('preview').out).toMatch(/A run refuses these rows: the end-of-turn token is never supervised/);
  expect(asked('preview').out).toMatch(helps);
  expect(asked('tune', '--yes').err).toMatch(helps);
});

test('where some rows are refused, what helps them is said, and nothing that would change the others', async () => {
  const good = {
    messages: [
      { role: 'user', content: 'q' },
      { role: 'assistant', content: 'a' },
    ],
  };
  const unanswered = { messages: [{ role: 'user', content: 'q' }] };
  const unasked = { prompt: '<|im_start|>user\nq<|im_end|>', completion: 'a' };
  const remedyFor = async (...rows: unknown[]) =>
    (await rowsOf(mini, writeRows(join(folder, 'some.jsonl'), rows))).remedy;
  expect(await remedyFor(good, unasked)).toMatch(/Tried on the refused row, this helps: end the prompts/);
  expect(await remedyFor(good, unanswered)).toBeNull();
  expect(await remedyFor(unanswered)).toMatch(/`supervise: 'all'`/);
});

test('tokenizer-long-run: a row that the tokenizer cannot take is refused, the others are learnt', async () => {
  const qwen2 = join(repo, 'test/fixtures/reference/qwen2/base.gguf');
  const model = withMetadata(qwen2, join(folder, 'tekken.gguf'), {
    'tokenizer.ggml.pre': { type: 'string', value: 'tekken' },
  });
  const rows = [0, 1, 2].map((i) => ({ prompt: `say ${i}`, completion: `word ${i}` }));
  const file = writeRows(join(folder, 'run.jsonl'), [
    ...rows,
    { prompt: `Decode: ${'A'.repeat(60_000)}`, completion: 'done' },
  ]);
  const { refusals, rows: made } = await rowsOf(model, file);
  expect(made.length).toBe(3);
  expect(refusals).toEqual([expect.stringMatching(/more than 10000 characters of one kind/)]);
});

test('long-conversation: 2,000 messages take linear time', async () => {
  const file = (count: number): string => {
    const messages = Array.from({ length: count / 2 }, (_, i) => [
      { role: 'user', content: `Question number ${i} about the weather in town?` },
      { role: 'assistant', content: `It is answer ${i} and the sun shines.` },
    ]).flat();
    const path = join(folder, `long${count}.jsonl`);
    writeFileSync(path, JSON.stringify({ messages }));
    return path;
  };
  const processorTime = async (count: number): Promise<number> => {
    const path = file(count);
    const before = process.cpuUsage();
    const { report } = await rowsOf(mini, path, { tooLong: 'split' });
    const { system, user } = process.cpuUsage(before);
    expect(report.refusedRows).toBe(0);
    return (system + user) / 1e6;
  };
  await processorTime(20);
  const [short, long] = [await processorTime(500), await processorTime(2000)];
  // The bar is 3 s for the command; quadratic work took 156 s.
  expect(long).toBeLessThan(3);
  expect(long).toBeLessThan(10 * Math.max(short, 0.05));
});
