import { afterEach, expect, test, vi } from 'vitest';
import { namedEngine } from '../settings/engine.ts';
import { engineChange, wantedEngine } from './engine.ts';
import type { RunRecord } from './run-record.ts';

const native = 'native avx512-vnni';
afterEach(() => void vi.unstubAllEnvs());

test('a run goes on by the engine that it began with, unless another is named, and begins by what is set', () => {
  const settings = { engine: 'auto' } as RunRecord['settings'];
  vi.stubEnv('NOMOAT_ENGINE', undefined);
  expect(wantedEngine({ settings }, false)).toBe('auto');
  expect(wantedEngine({ engine: native, settings }, false)).toBe('auto');
  // Runs from before it was written down were onnxruntime's.
  expect(wantedEngine({ settings }, true)).toBe('onnxruntime');
  expect(wantedEngine({ engine: native, settings }, true)).toBe('native');
  vi.stubEnv('NOMOAT_ENGINE', 'onnxruntime');
  expect(wantedEngine({ engine: native, settings }, true)).toBe('onnxruntime');
  vi.stubEnv('NOMOAT_ENGINE', 'native');
  expect(wantedEngine({ settings: { ...settings, engine: 'onnxruntime' } }, false)).toBe('native');
});

test('another engine is refused where nobody asked for it, and said where somebody did', () => {
  vi.stubEnv('NOMOAT_ENGINE', undefined);
  expect(engineChange('run', undefined, 'onnxruntime')).toBeNull();
  expect(engineChange('run', native, native)).toBeNull();
  expect(() => engineChange('run', native, 'onnxruntime')).toThrow(
    expect.objectContaining({ code: 'engine-changed', fields: { began: native, now: 'onnxruntime' } }),
  );
  expect(() => engineChange('run', native, 'native avx2')).toThrow(/began on the engine native avx512-vnni/);
  vi.stubEnv('NOMOAT_ENGINE', 'onnxruntime');
  expect(engineChange('run', native, 'onnxruntime')).toMatch(/NOMOAT_ENGINE asks for it/);
});

test('what the environment names comes before the setting, and what is no engine names none', () => {
  vi.stubEnv('NOMOAT_ENGINE', 'auto');
  expect(namedEngine()).toBe('auto');
  vi.stubEnv('NOMOAT_ENGINE', 'torch');
  expect(namedEngine()).toBeNull();
  vi.stubEnv('NOMOAT_ENGINE', '');
  expect(namedEngine()).toBeNull();
});
