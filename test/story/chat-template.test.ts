/** A chat template that was chosen is the run's: in training, chat, and every export. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openGguf } from '../../src/formats/gguf/read.ts';
import { resolveChat } from '../../src/library.ts';
import { openChatModel } from '../../src/llama/chat-engine.ts';
import { openTokenizer } from '../../src/llama/tokenizer.ts';
import { namedTemplates } from '../../src/text/named-templates.ts';
import { mini, workspace, writeRows } from '../cases/support.ts';

const { folder, nomoat } = workspace();
const question = 'What is 3?';
const asked = `### Instruction:\n${question}\n\n### Response:\n`;

test('--chat-template NAME: training, chat, PEFT, merged GGUF and Ollama have it', async () => {
  writeRows(
    join(folder, 'data.jsonl'),
    Array.from({ length: 8 }, (_, i) => ({ prompt: `What is ${i}?`, completion: `number ${i}` })),
  );
  const preview = nomoat(['preview', 'data.jsonl', '--chat-template', 'alpaca', '--rows', '1']);
  expect(preview.out.replaceAll(/[│«»⏎]/g, '')).toContain('### Instruction:');
  const tune = nomoat(['tune', 'data.jsonl', '--chat-template', 'alpaca', '--max-steps', '2', '--run', 'r', '--yes']);
  expect(tune.code, tune.err).toBe(0);
  // What the chat asks is what was trained.
  const run = join(folder, 'r');
  const { modelPath, adapters, chatTemplate, specialTokens } = await resolveChat({ model: run });
  expect(chatTemplate).toBe(namedTemplates.alpaca);
  const chat = await openChatModel({ modelPath, adapters, chatTemplate, specialTokens, threads: 1 });
  const own = await openChatModel({ modelPath, threads: 1 });
  try {
    const messages = [{ role: 'user', content: question }];
    const tokenizer = await openTokenizer(modelPath);
    expect(chat.promptTokens(messages)).toEqual(tokenizer.encode(asked, true));
    expect(own.promptTokens(messages)).not.toEqual(chat.promptTokens(messages));
    await tokenizer.close();
  } finally {
    await chat.close();
    await own.close();
  }
  // The adapter by itself is asked so, too.
  expect((await resolveChat({ model: mini, adapter: join(run, 'adapter') })).chatTemplate).toBe(namedTemplates.alpaca);
  for (const [to, out] of [
    ['peft', 'p'],
    ['merged-gguf', 'm.gguf'],
    ['ollama', 'o'],
  ] as const) {
    const { code, err } = nomoat(['export', 'r', '--to', to, '--out', out]);
    expect(code, err).toBe(0);
  }
  expect(readFileSync(join(folder, 'p/chat_template.jinja'), 'utf8')).toBe(namedTemplates.alpaca);
  for (const path of ['m.gguf', 'o/model.gguf']) {
    const model = openGguf(join(folder, path));
    expect(model.string('tokenizer.chat_template')).toBe(namedTemplates.alpaca);
    model.close();
  }
  expect(readFileSync(join(folder, 'o/Modelfile'), 'utf8')).toContain('### Instruction:');
}, 180_000);

test('--chat-template FILE, and what is none', () => {
  writeFileSync(
    join(folder, 't.jinja'),
    '{% for m in messages %}[{{ m.role }}] {{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}',
  );
  writeRows(join(folder, 'one.jsonl'), [{ prompt: 'a', completion: 'b' }]);
  const { out } = nomoat(['preview', 'one.jsonl', '--chat-template', 't.jinja']);
  expect(out.replaceAll(/[│«»⏎]/g, '')).toContain('[user] a<|im_end|>[assistant] b<|im_end|>');
  const wrong = nomoat(['preview', 'one.jsonl', '--chat-template', 'chatlm']);
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('Did you mean chatml?')]);
  writeFileSync(join(folder, 'plain.txt'), 'no template');
  const none = nomoat(['preview', 'one.jsonl', '--chat-template', 'plain.txt']);
  expect([none.code, none.err]).toEqual([2, expect.stringContaining('holds no Jinja template')]);
});
