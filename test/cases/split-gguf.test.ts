/** A model in two files, as gguf-split and the hub have them: opened as one, whichever part is given. */
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { openGguf } from '../../src/formats/gguf/read.ts';
import type { GgufFile, GgufValue } from '../../src/formats/gguf/types.ts';
import { writeGguf } from '../../src/formats/gguf/write.ts';
import { fixtures, mini, withMetadata, workspace } from './support.ts';

const { folder, nomoat } = workspace();
const data = join(fixtures, 'split-gguf/ok.jsonl');

interface Part {
  /** From 0. */
  readonly number: number;
  readonly count: number;
  readonly holds: (name: string) => boolean;
}

/** A part of the model: the tensors that it holds, metadata in the first. */
function writePart(path: string, model: GgufFile, { count, holds, number }: Part): void {
  const metadata = new Map<string, GgufValue>(number === 0 ? model.metadata : []);
  metadata.set('split.no', { type: 'uint16', value: number });
  metadata.set('split.count', { type: 'uint16', value: count });
  metadata.set('split.tensors.count', { type: 'int32', value: model.tensors.size });
  const tensors = [...model.tensors.values()].filter(({ name }) => holds(name));
  writeGguf(path, { metadata, tensors: tensors.map((info) => ({ ...info, bytes: () => model.readBytes(info.name) })) });
}

/** nomoat-mini in two files, in a folder of its own. */
function split(where: string): [string, string] {
  mkdirSync(where, { recursive: true });
  const model = openGguf(mini);
  const late = (name: string): boolean => Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? 0) >= 3;
  const parts: [string, string] = [join(where, 'x-00001-of-00002.gguf'), join(where, 'x-00002-of-00002.gguf')];
  writePart(parts[0], model, { number: 0, count: 2, holds: (name) => !late(name) });
  writePart(parts[1], model, { number: 1, count: 2, holds: late });
  model.close();
  return parts;
}

const [first, second] = split(join(folder, 'models'));
const tune = (model: string, run: string, ...more: string[]): ReturnType<typeof nomoat> =>
  nomoat(['tune', data, '--model', model, '--max-steps', '1', '--safety-share', '0', '--run', run, '--yes', ...more]);
const chat = (model: string, ...more: string[]): ReturnType<typeof nomoat> =>
  nomoat(['chat', model, '--prompt', 'hi', '--temperature', '0', '--max-tokens', '8', ...more]);

beforeAll(() => {
  const { code, err } = tune(first, 'one');
  expect(err).toMatch(/x-00001-of-00002\.\w+\.F32\.gguf: .*passed/);
  expect(code).toBe(0);
});

test('the parts are the model', () => {
  const [whole, divided] = [openGguf(mini), openGguf(second)];
  expect(divided.path).toBe(first);
  expect([...divided.tensors.keys()].sort()).toEqual([...whole.tensors.keys()].sort());
  expect([...divided.metadata]).toEqual([...whole.metadata]);
  for (const name of whole.tensors.keys()) expect(divided.readBytes(name)).toEqual(whole.readBytes(name));
  whole.close();
  divided.close();
});

test('either part trains, chats and goes on as the other', () => {
  expect(tune(second, 'two').code).toBe(0);
  const digest = (run: string): unknown => JSON.parse(readFileSync(join(folder, run, 'run.json'), 'utf8')).modelDigest;
  expect(digest('two')).toBe(digest('one'));
  const weights = (run: string): Buffer => readFileSync(join(folder, run, 'adapter/adapter_model.safetensors'));
  expect(weights('two')).toEqual(weights('one'));
  expect(chat(second)).toMatchObject({ code: 0, out: chat(mini).out });
  expect(chat('one').code).toBe(0);
});

test('exports and whole trained models are one file', () => {
  const out = join(folder, 'merged.gguf');
  expect(nomoat(['export', 'one', '--to', 'merged-gguf', '--out', out]).code).toBe(0);
  expect(chat(out).code).toBe(0);
  expect(tune(second, 'full', '--method', 'full').code).toBe(0);
  expect(chat(join(folder, 'full/model/model.gguf')).code).toBe(0);
});

test('the list has it once, by a name that opens it', () => {
  const [there] = split(join(folder, 'home/models/mine'));
  const { out } = nomoat(['models']);
  expect(out.split('\n').filter((line) => line.includes('models/mine/'))).toEqual([expect.stringContaining(there)]);
  expect(out).toMatch(/^ {2}x +\d+ MB/m);
  expect(chat('x').code).toBe(0);
  expect(chat(join(folder, 'home/models/mine')).code).toBe(0);
});

test('parts that are missing, renamed or of another model are named', () => {
  const [alone, other] = split(join(folder, 'broken'));
  const says = (path: string, fault: string): void => {
    const { code, err } = tune(path, 'never');
    expect(err).toContain(fault);
    expect(code).not.toBe(0);
  };
  rmSync(other);
  says(alone, 'is a part of a model in 2 files, without x-00002-of-00002.gguf');
  copyFileSync(mini, other);
  says(alone, 'x-00002-of-00002.gguf: is no part of the model that x-00001-of-00002.gguf is a part of');
  copyFileSync(first, other);
  says(alone, 'x-00002-of-00002.gguf: says inside that it is part 1 of 2');
  const renamed = join(folder, 'broken/y.gguf');
  copyFileSync(first, renamed);
  says(renamed, 'is part 1 of a model in 2 files, and its name does not say so');
  rmSync(other);
  const small: [string, GgufValue][] = [['split.tensors.count', { type: 'int32', value: 3 }]];
  rmSync(alone);
  copyFileSync(second, other);
  withMetadataOfPart(first, alone, Object.fromEntries(small));
  says(alone, 'says that the model has 3 tensors, and its 2 parts hold');
});

/** A copy of a part with other metadata: openGguf would open the whole model. */
function withMetadataOfPart(part: string, path: string, changes: Readonly<Record<string, GgufValue>>): void {
  const model = openGguf(part);
  const late = (name: string): boolean => Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? 0) >= 3;
  const plain = join(folder, 'plain.gguf');
  writePart(plain, model, { number: 0, count: 1, holds: (name) => !late(name) });
  model.close();
  withMetadata(plain, path, { 'split.count': { type: 'uint16', value: 2 }, ...changes });
}
