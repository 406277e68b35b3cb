/** Small text files that an editor saved again: a byte order mark is none of their text, UTF-16 is read, and other bytes are refused by name. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readPeft, writePeft } from '../../src/adapter/peft.ts';
import { readBoundedJson } from '../../src/formats/bounded-json.ts';
import { initLora } from '../../src/lora/init.ts';
import { resolveChatTemplate } from '../../src/settings/chat-template.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-marks-'));
afterAll(() => rmSync(folder, { recursive: true }));

const config = '{"peft_type": "LORA", "r": 2, "lora_alpha": 7, "target_modules": ["q_proj"]}';
const adapter = initLora({
  rank: 2,
  alpha: 7,
  rslora: false,
  dropout: 0,
  targetModules: ['q_proj'],
  seed: 0,
  baseModel: '',
  layers: 1,
  dimensions: () => ({ inFeatures: 4, outFeatures: 4 }),
});
const template = '{% for m in messages %}{{ m.content }}{% endfor %}';

const forms: readonly [string, (text: string) => Uint8Array][] = [
  ['a byte order mark', (text) => Buffer.from(`\ufeff${text}`)],
  ['UTF-16', (text) => Buffer.from(`\ufeff${text}`, 'utf16le')],
];
const put = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

describe.each(forms)('%s', (_, encode) => {
  test("an adapter's config", () => {
    const path = join(folder, 'adapter');
    mkdirSync(path, { recursive: true });
    writePeft(path, adapter);
    put('adapter/adapter_config.json', encode(config));
    expect(readPeft(path).pairs[0]!.alpha).toBe(7);
  });

  test('a chat template', () => {
    expect(resolveChatTemplate(put('t.jinja', encode(template)))).toBe(template);
  });

  test('run.json and nomoat.json', () => {
    expect(readBoundedJson(put('run.json', encode('{"a": 1}')), 100, { remedy: '' })).toEqual({ a: 1 });
  });
});

test('bytes that are no text are refused by name, not replaced', () => {
  const latin = Buffer.from('{{ "caf\xe9" }}', 'latin1');
  expect(() => resolveChatTemplate(put('l.jinja', latin))).toThrow(/l\.jinja: is not valid UTF-8 \(line 1\)/);
  expect(() => readBoundedJson(put('l.json', latin), 100, { remedy: '' })).toThrow(/l\.json: is not valid UTF-8/);
});
