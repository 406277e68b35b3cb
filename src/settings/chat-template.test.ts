import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { resolveChatTemplate } from './chat-template.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-template-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const template = '{% for m in messages %}{{ m.content }}{% endfor %}';
const at = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

test('the hub keeps templates inside JSON: it was taken as a template itself', () => {
  expect(resolveChatTemplate(at('a.jinja', template))).toBe(template);
  expect(resolveChatTemplate(at('chat_template.json', JSON.stringify({ chat_template: template })))).toBe(template);
  const several = [
    { name: 'tool_use', template: '{{ tools }}' },
    { name: 'default', template },
  ];
  expect(resolveChatTemplate(at('tokenizer_config.json', JSON.stringify({ chat_template: several }, null, 2)))).toBe(
    template,
  );
  expect(() => resolveChatTemplate(at('config.json', '{"a": "{% x %}"}'))).toThrow(/is JSON without a chat_template/);
  const braced = '{{ bos_token }}';
  expect(resolveChatTemplate(at('braced.jinja', braced))).toBe(braced);
});
