/** A variable that is not set stands in a script as "": it is refused by name wherever a path or a name belongs, and never means "here". */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mini, workspace, writeRows } from './support.ts';

const patience = 60_000;
const { folder, nomoat } = workspace();
writeRows(join(folder, 'ok.jsonl'), [{ prompt: 'say 1', completion: 'word 1' }]);
// What lies in the current folder is not what was asked for.
copyFileSync(mini, join(folder, 'here.gguf'));
writeFileSync(join(folder, 'train.jsonl'), '{"prompt": "a", "completion": "b"}\n');

test.each([
  [['tune', ''], 'DATA'],
  [['tune', 'ok.jsonl', '--model', ''], '--model'],
  [['tune', 'ok.jsonl', '--run', ''], '--run'],
  [['tune', 'ok.jsonl', '--recipe', ''], '--recipe'],
  [['tune', 'ok.jsonl', '--initial-adapter', ' '], '--initial-adapter'],
  [['tune', 'ok.jsonl', '--validation', ''], '--validation'],
  [['tune', 'ok.jsonl', '--chat-template', ''], '--chat-template'],
  [['tune', '--resume', ''], '--resume'],
  [['pretrain', 'ok.jsonl', '--tokenizer', ''], '--tokenizer'],
  [['preview', 'ok.jsonl', '--text-column', ''], '--text-column'],
  [['export', '.', '--to', 'gguf', '--out', ''], '--out'],
  [['pretrain', 'ok.jsonl', '--recipe', ''], '--recipe'],
  [['plan', 'ok.jsonl', '--recipe', ''], '--recipe'],
  [['preview', ''], 'DATA'],
  [['chat', '', '--prompt', 'hi'], 'the model'],
  [['chat', '--adapter', '', '--prompt', 'hi'], '--adapter'],
  [['chat', '--chat-template', '', '--prompt', 'hi'], '--chat-template'],
  [['export', '', '--to', 'gguf', '--out', 'a.gguf'], 'the run'],
  [['pull', ''], 'the name'],
  [['quickstart', '--run', ''], '--run'],
])('%j is refused: %s is empty', { timeout: patience }, (args, part) => {
  const { code, err } = nomoat(args);
  expect(err).toContain(`${part}: is empty`);
  expect(err).toContain('see why what stands in its place (a variable?) is empty');
  expect(code).toBe(2);
});

test('a system prompt may be empty: it takes the one of the run away', { timeout: patience }, () => {
  expect(nomoat(['chat', '--system', '', '--prompt', 'hi', '--max-tokens', '1']).code).toBe(0);
});
