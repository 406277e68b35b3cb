import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ModelList } from './model-list.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-list-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const model = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');

function put(...path: readonly string[]): string {
  const inside = join(folder, ...path.slice(0, -1));
  mkdirSync(inside, { recursive: true });
  cpSync(model, join(inside, path.at(-1)!));
  return inside;
}
const listOf = (...models: readonly string[]) => new ModelList({ models, runs: join(folder, 'runs') }, 0);
const names = async (list: ModelList): Promise<string[]> => (await list.all()).map(({ id }) => id);

test('GGUF files of the folders, then those of this machine, no file twice and none under the name of another', async () => {
  const [a, b, c] = [put('a', 'same.gguf'), put('b', 'same.gguf'), put('c', 'same.gguf')];
  put('a', 'other.gguf');
  put('a', 'deeper', 'unseen.gguf');
  writeFileSync(join(a, 'notes.txt'), 'no model');
  const list = listOf(a, b, c, a);
  expect(await names(list)).toEqual(['other', 'same', 'local/same', 'local/same-2', 'nomoat-mini']);
  expect((await list.find('same'))!.path).toBe(join(a, 'same.gguf'));
  expect((await list.find('local/same-2'))!.path).toBe(join(c, 'same.gguf'));
  expect(await list.find(join(a, 'same.gguf'))).toBeNull();
});

test('a folder that is not there is told at first, and one that is taken away has no models any more', async () => {
  await expect(listOf(join(folder, 'nowhere')).all()).rejects.toThrow(
    'is no folder of models that can be read (ENOENT)',
  );
  const gone = put('gone', 'model.gguf');
  const list = listOf(gone);
  expect(await names(list)).toEqual(['model', 'nomoat-mini']);
  rmSync(gone, { recursive: true });
  expect(await names(list)).toEqual(['nomoat-mini']);
});
