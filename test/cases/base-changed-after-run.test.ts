/** A base that is another file than the one that was trained on is refused by name wherever the run or its adapter is opened. */
import { copyFileSync, cpSync, existsSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openGguf } from '../../src/formats/gguf/read.ts';
import { writeGguf } from '../../src/formats/gguf/write.ts';
import { fixtures, mini, workspace } from './support.ts';

const patience = 120_000;
const { folder, nomoat } = workspace();
const data = join(fixtures, 'base-changed-after-run/ok.jsonl');
const base = join(folder, 'base.gguf');

/** Another model of the same shapes and size. */
function change(): void {
  const model = openGguf(mini);
  const bytes = (name: string): Uint8Array => {
    const read = model.readBytes(name);
    return name.includes('ffn_down') ? read.fill(3) : read;
  };
  const tensors = [...model.tensors.values()].map((info) => ({ ...info, bytes: () => bytes(info.name) }));
  writeGguf(base, { metadata: model.metadata, tensors }, { overwrite: true });
  model.close();
}

beforeAll(() => {
  copyFileSync(mini, base);
  const { code, err } = nomoat(['tune', data, '--model', 'base.gguf', '--max-steps', '3', '--run', 'rb', '--yes']);
  expect(code, err).toBe(0);
  cpSync(join(folder, 'rb/adapter'), join(folder, 'copied'), { recursive: true });
  expect(nomoat(['export', 'rb', '--to', 'peft', '--out', 'peft']).code).toBe(0);
}, patience);

const uses: [string, string[]][] = [
  ['chat', ['chat', 'rb', '--prompt', 'hi', '--max-tokens', '3']],
  ['chat with the adapter of the run', ['chat', 'base.gguf', '--adapter', 'rb', '--prompt', 'hi', '--max-tokens', '3']],
  ['chat with a copy of it', ['chat', 'base.gguf', '--adapter', 'copied', '--prompt', 'hi', '--max-tokens', '3']],
  [
    'chat with its GGUF file',
    ['chat', 'base.gguf', '--adapter', 'copied/adapter.gguf', '--prompt', 'hi', '--max-tokens', '3'],
  ],
  ['chat with an export', ['chat', 'base.gguf', '--adapter', 'peft', '--prompt', 'hi', '--max-tokens', '3']],
  ['export', ['export', 'rb', '--to', 'merged-gguf', '--out', 'm.gguf']],
  [
    'a run from the run',
    ['tune', data, '--model', 'base.gguf', '--initial-adapter', 'rb', '--max-steps', '1', '--run', 'next', '--yes'],
  ],
  [
    'a run from a copy',
    ['tune', data, '--model', 'base.gguf', '--initial-adapter', 'copied', '--max-steps', '1', '--run', 'next', '--yes'],
  ],
];
const clean = (): void => {
  for (const name of ['m.gguf', 'next']) rmSync(join(folder, name), { recursive: true, force: true });
};

describe('with the base as it was', { timeout: patience }, () => {
  test.each(uses)('%s', (_, args) => {
    const { code, err } = nomoat(args);
    expect(err).not.toMatch(/another file/);
    expect(code, err).toBe(0);
    clean();
  });

  test('touched, or copied to the same place: the same contents are the same base', () => {
    utimesSync(base, new Date(), new Date(Date.now() - 100_000));
    expect(nomoat(uses[0]![1]).code).toBe(0);
    rmSync(base);
    copyFileSync(mini, base);
    expect(nomoat(uses[0]![1]).code).toBe(0);
  });

  test('another file name is said, not refused', () => {
    const { code, err } = nomoat(['chat', mini, '--adapter', 'copied', '--prompt', 'hi', '--max-tokens', '3']);
    expect(code, err).toBe(0);
    change();
    renameSync(base, join(folder, 'other.gguf'));
    const other = nomoat(['chat', 'other.gguf', '--adapter', 'copied', '--prompt', 'hi', '--max-tokens', '3']);
    expect(other.code, other.err).toBe(0);
    expect(other.err).toMatch(
      /copied was trained on base\.gguf, not on other\.gguf \(sha256 \w{12} then, \w{12} now\)/,
    );
  });
});

describe('with another base', { timeout: patience }, () => {
  test.each([
    ['written anew', false],
    ['written anew, its time set back', true],
  ])('%s', (_, setBack) => {
    copyFileSync(mini, base);
    const { atime, mtime, size } = statSync(base);
    change();
    expect(statSync(base).size).toBe(size);
    if (setBack) utimesSync(base, atime, mtime);
    for (const [name, args] of uses) {
      const { code, err, out } = nomoat(args);
      expect(err, name).toMatch(/base\.gguf is another file than the .*sha256 \w{12} then, \w{12} now/);
      expect(err, name).toMatch(/Put back the file/);
      expect([code, out], name).toEqual([2, '']);
    }
    expect(existsSync(join(folder, 'm.gguf'))).toBe(false);
    expect(existsSync(join(folder, 'next'))).toBe(false);
  });

  test('gone', () => {
    rmSync(base);
    for (const args of [uses[0]![1], uses[5]![1]]) {
      const { code, err } = nomoat(args);
      expect(err).toMatch(/its base model \S*base\.gguf is not there any more\. Put it back; its sha256 is \w{64}/);
      expect(code).toBe(2);
    }
  });

  test('the adapter names its base without a path of the machine', () => {
    const text = readFileSync(join(folder, 'rb/adapter/nomoat.json'), 'utf8');
    expect(JSON.parse(text)).toEqual({
      lineage: expect.any(Object),
      base: { file: 'base.gguf', bytes: statSync(mini).size, sha256: expect.stringMatching(/^\w{64}$/) },
    });
    expect(text).not.toContain(folder);
  });
});
