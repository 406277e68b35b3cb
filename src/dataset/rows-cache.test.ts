import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { mutations } from '../../test/mutate.ts';
import { readJson } from '../formats/exact-json.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { listCache, rowsCacheFolder } from '../store/cache.ts';
import { withChatTemplate } from '../text/chat-template.ts';
import type { Example, Message } from '../text/example.ts';
import type { EncodedRows } from '../tokens/rows.ts';
import { cachedRows, keepRows, rowsKey } from './rows-cache.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-rows-'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});
let homes = 0;
beforeEach(() => vi.stubEnv('NOMOAT_HOME', join(folder, String(homes++))));
const model = openGguf(join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf'));
afterAll(() => model.close());

const source = (line: number) => ({ file: 'a.jsonl', line });
const completion = (completion: string, line = 1): Example => ({
  kind: 'completion',
  prompt: 'a',
  completion,
  source: source(line),
});
const options = { supervise: 'answers', specialTokens: 'text' } as const;
const keyOf = (...examples: readonly Example[]): string => rowsKey(examples, { model, options })!;
const examples = [completion('b'), completion('c', 2), completion('d', 3)];
const rows: EncodedRows = [
  {
    source: source(1),
    encoded: {
      raw: true,
      notes: ['a note'],
      sequences: [
        { tokens: Int32Array.of(1, -2, 300_000), supervised: Uint8Array.of(0, 1, 1) },
        { tokens: new Int32Array(), supervised: new Uint8Array() },
        { tokens: Int32Array.of(4, 5), supervised: Uint8Array.of(0, 1), weights: Float32Array.of(1, 0.3) },
      ],
    },
  },
  { source: source(2), encoded: { reason: 'is refused', detail: 'for this' } },
  {
    source: source(3),
    encoded: { raw: false, notes: [], sequences: [{ tokens: Int32Array.of(7), supervised: Uint8Array.of(1) }] },
  },
];

const facts = { addsBos: true, bosToken: 5, isEndOfGeneration: (token: number) => token === 7 || token === 8 };
/** The rows alone. */
const found = (key: string, of: readonly Example[]): EncodedRows | null => cachedRows(key, of)?.rows ?? null;

test('what was kept comes back, under the places of whoever asks', () => {
  const key = keyOf(...examples);
  expect(found(key, examples)).toBeNull();
  keepRows(key, { rows, facts });
  expect(found(key, examples)).toEqual(rows);
  const kept = cachedRows(key, examples)!.facts;
  expect(kept).toMatchObject({ addsBos: true, bosToken: 5 });
  expect([1, 7].map(kept.isEndOfGeneration)).toEqual([false, true]);
  const moved = examples.map((example) => ({ ...example, source: { file: 'b.jsonl', line: 9 } }));
  expect(keyOf(...moved)).toBe(key);
  expect(found(key, moved)!.map((row) => row.source)).toEqual(moved.map((example) => example.source));
  expect(found(key, examples.slice(1))).toBeNull();
  expect(listCache().map(({ kind, path }) => [kind, path])).toEqual([['rows', join(rowsCacheFolder(), `${key}.rows`)]]);
  if (process.platform !== 'win32') expect(statSync(join(rowsCacheFolder(), `${key}.rows`)).mode & 0o777).toBe(0o600);
});

test('another example, setting, template or spelling is another name', () => {
  const call = (json: string): Example => ({
    kind: 'chat',
    source: source(1),
    messages: [{ role: 'assistant', content: null, tool_calls: [readJson(json)] }],
  });
  const said = (message: Message): Example => ({ kind: 'chat', source: source(1), messages: [message] });
  const keys = [
    keyOf(completion('b')),
    keyOf(completion('c')),
    keyOf(completion('b'), completion('b')),
    keyOf({ ...completion('b'), notes: ['x'] }),
    keyOf({ kind: 'text', text: 'b', source: source(1) }),
    rowsKey([completion('b')], { model, options: { ...options, supervise: 'all' } }),
    rowsKey([completion('b')], { model, options: { ...options, specialTokens: 'control' } }),
    rowsKey([completion('b')], { model: withChatTemplate(model, '{{ messages }}'), options }),
    keyOf(call('{"x":1.0}')),
    keyOf(call('{"x":1}')),
    keyOf(call('{"x":"1.0"}')),
    keyOf(call('{"2":1,"1":1}')),
    keyOf(call('{"1":1,"2":1}')),
    keyOf(said({ role: 'assistant', content: 'b' })),
    keyOf(said({ role: 'assistant', content: 'b', weight: 0 })),
    keyOf(said({ role: 'assistant', content: null })),
  ];
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys).not.toContain(null);
});

test('a damaged file is none, and never other rows', () => {
  const key = keyOf(...examples);
  keepRows(key, { rows, facts });
  const path = join(rowsCacheFolder(), `${key}.rows`);
  const whole = readFileSync(path);
  for (const { bytes, how } of mutations(whole, 1, 300)) {
    writeFileSync(path, bytes);
    expect(found(key, examples), how).toEqual(whole.equals(bytes) ? rows : null);
  }
});

test('a folder that cannot be written costs nothing but time', () => {
  vi.stubEnv('NOMOAT_HOME', join(folder, 'file'));
  writeFileSync(join(folder, 'file'), '');
  const key = keyOf(...examples);
  keepRows(key, { rows, facts });
  expect(found(key, examples)).toBeNull();
});

test('what is read was used now: others go first', () => {
  const [old, other] = [keyOf(completion('b')), keyOf(completion('c'))];
  for (const [i, key] of [old, other].entries()) {
    keepRows(key, { rows: rows.slice(0, 1), facts });
    utimesSync(join(rowsCacheFolder(), `${key}.rows`), i + 1, i + 1);
  }
  const names = (): string[] => listCache().map(({ name }) => name);
  expect(names()).toEqual([`${old}.rows`, `${other}.rows`]);
  expect(cachedRows(old, [completion('b')])).not.toBeNull();
  expect(names()).toEqual([`${other}.rows`, `${old}.rows`]);
});

test('a limit of nothing keeps nothing', () => {
  vi.stubEnv('NOMOAT_CACHE_LIMIT', '0');
  const key = keyOf(...examples);
  keepRows(key, { rows, facts });
  expect(existsSync(rowsCacheFolder()) ? readdirSync(rowsCacheFolder()) : []).toEqual([]);
});
