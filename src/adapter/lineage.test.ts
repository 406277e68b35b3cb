/** Who begot an adapter: kept with it, whatever form it takes, and never a circle. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openGguf } from '../formats/gguf/read.ts';
import { sha256OfFile } from '../store/file-digest.ts';
import { readAdapterBase, writeAdapterBase } from './adapter-base.ts';
import { exportAdapter } from './export.ts';
import { assertNoCircle, begetEntries, foundling, type LineageEntry } from './lineage.ts';
import { parentAt, readAncestry, writeLineage } from './lineage-files.ts';
import { readAdapter } from './read-adapter.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-lineage-'));
afterAll(() => rmSync(folder, { recursive: true }));
const model = openGguf(join(fixtures, 'reference/llama/base.gguf'));
afterAll(() => model.close());

const base = { file: 'base.gguf', bytes: 7, sha256: 'b'.repeat(64) };
const id = (digit: string): string => digit.repeat(64);
const entry = (digit: string, ...parents: string[]): LineageEntry => ({
  ...foundling(`n${digit}`, [], id(digit)),
  parents: parents.map((each) => ({ id: id(each) })),
});

/** An adapter that somebody else made, told of as a run's. */
function told(name: string): string {
  const path = join(folder, name);
  cpSync(join(fixtures, 'merge', name), path, { recursive: true });
  writeLineage(path, { base, name: path }, { how: 'tune', parents: [], data: [{ file: 'd.jsonl', sha256: id('d') }] });
  return path;
}

describe('a lineage', () => {
  it.each([
    ['of itself', [entry('a', 'a')], 'na is made of na'],
    ['of two', [entry('a', 'b'), entry('b', 'a')], 'na is made of nb is made of na'],
    [
      'further up',
      [entry('a', 'b'), entry('b', 'c', 'd'), entry('c', 'd'), entry('d', 'b')],
      'nb is made of nd is made of nb',
    ],
  ])('with a circle %s is refused by name', (_, entries, said) => {
    expect(() => assertNoCircle('x', entries)).toThrow(said);
  });

  it('may meet in one ancestor, and be long', () => {
    assertNoCircle('x', [entry('a', 'b', 'c'), entry('b', 'd'), entry('c', 'd'), entry('d')]);
    const name = (i: number): string => i.toString(16).padStart(64, '0');
    const chain = Array.from({ length: 2000 }, (_, i) => ({
      ...entry('0'),
      id: name(i),
      parents: [{ id: name(i + 1) }],
    }));
    assertNoCircle('x', chain);
    expect(() =>
      assertNoCircle('x', [...chain, { ...entry('0'), id: name(2000), parents: [{ id: name(0) }] }]),
    ).toThrow('cyclic');
  });

  it('that was forged into a circle is refused where it is read', () => {
    const path = told('first');
    const file = join(path, 'nomoat.json');
    const value = JSON.parse(readFileSync(file, 'utf8')) as {
      lineage: { entries: { id: string; parents: unknown[] }[] };
    };
    value.lineage.entries[0]!.parents = [{ id: value.lineage.entries[0]!.id }];
    writeFileSync(file, JSON.stringify(value));
    expect(() => readAncestry(path)).toThrow(/has a cyclic lineage: first is made of first/);
    value.lineage.entries[0]!.parents = [{ id: 'short' }];
    writeFileSync(file, JSON.stringify(value));
    expect(() => readAncestry(path)).toThrow(/has a lineage that cannot be read \(entries.0.parents.0.id: /);
    rmSync(path, { recursive: true });
  });

  it('goes with the adapter through GGUF and back, where the same weights are the same adapter', async () => {
    const path = told('first');
    const adapter = readAdapter(path, model);
    const begotten = { how: 'convert', parents: [parentAt(path)], settings: { to: 'gguf' } } as const;
    const [gguf, back] = [join(folder, 'one.gguf'), join(folder, 'back')];
    await exportAdapter({ format: 'gguf', adapter, model, out: gguf, begotten });
    const { entries } = readAncestry(gguf);
    expect(entries.map(({ how, name }) => [how, name])).toEqual([['convert', 'one.gguf'], ['tune', 'first']]); // biome-ignore format: pairs
    expect([entries[0]!.id, entries[0]!.parents, entries[0]!.base]).toEqual([
      sha256OfFile(gguf),
      [{ id: entries[1]!.id }],
      base,
    ]);
    // Of bfloat16 weights PEFT's file is another one; what it holds is told of all the same.
    const parents = [parentAt(gguf)];
    await exportAdapter({
      format: 'peft',
      adapter: readAdapter(gguf, model),
      model,
      out: back,
      begotten: { how: 'convert', parents },
    });
    const first = readAncestry(back).entries;
    expect([first[0]!.files.map(({ file }) => file), readAdapterBase(back)]).toEqual([
      ['adapter_config.json', 'adapter_model.safetensors'],
      base,
    ]);
    const again = join(folder, 'again');
    await exportAdapter({
      format: 'peft',
      adapter: readAdapter(back, model),
      model,
      out: again,
      begotten: { how: 'convert', parents: [parentAt(back)] },
    });
    expect(readAncestry(again).entries).toEqual(first);
    rmSync(path, { recursive: true });
  });

  it('of other weights than are there is not believed', () => {
    const path = told('first');
    cpSync(join(fixtures, 'merge/second/adapter_model.safetensors'), join(path, 'adapter_model.safetensors'));
    const { entries, faults } = readAncestry(path);
    expect([entries.length, entries[0]!.how]).toEqual([1, 'unknown']);
    expect(faults).toEqual([expect.stringMatching(/^first: its weights are not those that its nomoat.json tells of/)]);
    rmSync(path, { recursive: true });
  });
});

it('of two parents with one origin names it once', () => {
  const parents = [
    { entries: [entry('b', 'd'), entry('d')], weight: 0.5 },
    { entries: [entry('c', 'd'), entry('d')], weight: 2 },
  ];
  const made = begetEntries({ id: id('a'), name: 'a', files: [], base: null }, { how: 'merge', parents });
  expect(made.map((each) => each.name)).toEqual(['a', 'nb', 'nd', 'nc']);
  expect(made[0]!.parents).toEqual([{ id: id('b'), weight: 0.5 }, { id: id('c'), weight: 2 }]); // biome-ignore format: pairs
});

it('a nomoat.json without a base is one where a lineage stands in it, and none otherwise', () => {
  writeAdapterBase(folder, null, { version: 1, entries: [] });
  expect(readAdapterBase(folder)).toBeNull();
  writeAdapterBase(folder, null);
  expect(() => readAdapterBase(folder)).toThrow('does not say which base');
});
