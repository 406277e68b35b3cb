/** Lineages of what merges and conversions write, and what is found of what they name. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { writeLineage } from '../adapter/lineage-files.ts';
import { rewriteModel } from '../adapter/rewrite-model.ts';
import { treeLines } from '../cli/lineage.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { sha256OfFile } from '../store/file-digest.ts';
import { convertAdapter } from './convert-adapter.ts';
import { extractAdapter } from './extract-adapter.ts';
import { lineage } from './lineage.ts';
import { mergeAdapters } from './merge-adapters.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
const model = join(fixtures, 'reference/llama/base.gguf');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-lineages-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (...names: string[]): string => join(folder, ...names);

it('a merge names its parents, an extraction its model; what is missing and what is there is said', async () => {
  mkdirSync(at('data'));
  writeFileSync(at('data/one.jsonl'), '{}\n');
  const [first, second] = ['first', 'second'].map((name) => {
    cpSync(join(fixtures, 'merge', name), at('parents', name), { recursive: true });
    return at('parents', name);
  }) as [string, string];
  const data = [
    { file: 'one.jsonl', sha256: sha256OfFile(at('data/one.jsonl')) },
    { file: 'gone.jsonl', sha256: 'f'.repeat(64) },
  ];
  writeLineage(first, { base: null, name: first }, { how: 'tune', parents: [], data });
  await mergeAdapters([first, second], {
    base: model,
    out: at('out/merged'),
    method: 'dare',
    weights: [0.75, 0.25],
    seed: 3,
  });
  const { checks, entries, faults } = await lineage(at('out/merged'), {
    verify: true,
    within: [at('parents'), at('data')],
  });
  expect(faults).toEqual([]);
  expect(entries.map(({ how, name }) => [name, how])).toEqual([['merged', 'merge'], ['first', 'tune'], ['second', 'unknown']]); // biome-ignore format: pairs
  expect(entries[0]).toMatchObject({
    settings: { method: 'dare', density: 0.5, seed: 3, weights: [0.75, 0.25] },
    tool: expect.stringMatching(/^nomoat \d/),
  });
  expect(checks!.map(({ file, path, state }) => [file, state, path])).toEqual([
    ['adapter_model.safetensors', 'same', at('out/merged/adapter_model.safetensors')],
    ['adapter_model.safetensors', 'same', join(first, 'adapter_model.safetensors')],
    ['one.jsonl', 'same', at('data/one.jsonl')],
    ['gone.jsonl', 'missing', null],
    ['adapter_model.safetensors', 'same', join(second, 'adapter_model.safetensors')],
  ]);
  expect(treeLines(entries).map((line) => line.replace(/ \(sha256.*/, ''))).toEqual([
    'merged, merged',
    expect.stringContaining('│ dare, by nomoat'),
    '├─ 0.75 x first, trained',
    expect.stringContaining('│    on one.jsonl'),
    expect.stringContaining('│    by nomoat'),
    '└─ 0.25 x second, of unknown origin',
  ]);
  // Another file of that name is not the one, and nobody says that it should be.
  writeFileSync(at('data/one.jsonl'), '{ }\n');
  const later = await lineage(at('out/merged'), { verify: true, within: [at('data')] });
  expect(later.checks!.find(({ file }) => file === 'one.jsonl')!.state).toBe('missing');
  expect((await lineage(at('out/merged'))).checks).toBeNull();

  await convertAdapter(at('out/merged'), { to: 'merged-gguf', base: model, out: at('tuned.gguf'), type: 'F16' });
  await extractAdapter(at('tuned.gguf'), model, { out: at('extracted'), rank: 2 });
  const [own, source] = (await lineage(at('extracted'))).entries;
  expect([own!.how, own!.settings, source!.name, source!.id]).toEqual([
    'extract',
    { rank: 2 },
    'tuned.gguf',
    sha256OfFile(at('tuned.gguf')),
  ]);
});

it.each([
  [{ within: ['/nowhere'], verify: true }, /`within`: \/nowhere is no folder/],
  [{ verify: 'yes' as never }, /`verify`/],
])('%j is refused', async (options, said) => {
  await expect(lineage(join(fixtures, 'merge/first'), options)).rejects.toThrow(said);
  await expect(lineage(at('nowhere'))).rejects.toThrow('there is no such file or folder');
});

it.each([
  [{ state: 'done', warning: null, before: 2.5, after: 1.25 }, 'done, held-out loss 2.5000 -> 1.2500'],
  [{ state: 'done', warning: null, before: null, after: null }, 'done, nothing was held out'],
  [
    { state: 'stopped', warning: 'too short', before: 2.5, after: null },
    'stopped, held-out loss 2.5000 -> not measured: too short',
  ],
  [{ state: 'done', warning: null, before: null, after: 1.25 }, 'done, held-out loss 1.2500'],
])('a verdict in words: %j', async (verdict, said) => {
  const path = at(`said-${said.length}`);
  cpSync(join(fixtures, 'merge', 'first'), path, { recursive: true });
  writeLineage(path, { base: null, name: path }, { how: 'tune', parents: [], verdict });
  expect(treeLines((await lineage(path)).entries)).toContain(`  ${said}`);
});

it('a merged model says what is in its weights, and what was in those of its base', async () => {
  const path = at('told');
  cpSync(join(fixtures, 'merge', 'first'), path, { recursive: true });
  const base = { file: 'base.gguf', bytes: statSync(model).size, sha256: sha256OfFile(model) };
  writeLineage(path, { base, name: path }, { how: 'tune', parents: [] });
  const [once, twice] = [at('once.gguf'), at('twice.gguf')];
  await convertAdapter(path, { to: 'merged-gguf', base: model, out: once, type: 'F16' });
  const { entries } = await lineage(once);
  expect(entries.map(({ how, name }) => [name, how])).toEqual([['once.gguf', 'convert'], ['told', 'tune']]); // biome-ignore format: pairs
  expect(entries[0]).toMatchObject({ id: sha256OfFile(once), base, settings: { to: 'merged-gguf', type: 'F16' } });
  expect(treeLines(entries)[1]).toMatch(/^│ as F16 merged into base\.gguf \(sha256 /);

  const second = join(fixtures, 'merge', 'second');
  await convertAdapter(second, { to: 'ollama', base: once, out: at('ollama'), type: 'F16' });
  const both = (await lineage(at('ollama/model.gguf'))).entries;
  expect(both.map(({ name }) => name)).toEqual(['ollama', 'second', 'once.gguf', 'told']);
  expect(both[0]!.parents.map(({ id }) => id)).toEqual([both[1]!.id, sha256OfFile(once)]);
  // Written again without an adapter it is none of these.
  const file = openGguf(once);
  rewriteModel(twice, file, { type: 'F32' });
  file.close();
  expect((await lineage(twice)).entries).toMatchObject([{ how: 'unknown', name: 'twice.gguf', parents: [] }]);
});
