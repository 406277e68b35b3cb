import { afterEach, expect, test, vi } from 'vitest';
import { engineChange, wantedEngine } from './engine.ts';

const native = 'native avx512-vnni';
afterEach(() => void vi.unstubAllEnvs());

test('a run goes on by the engine that it began with, unless another is named', () => {
  vi.stubEnv('NOMOAT_ENGINE', undefined);
  expect(wantedEngine({})).toBe('onnxruntime');
  expect(wantedEngine({ engine: native })).toBe('native');
  vi.stubEnv('NOMOAT_ENGINE', 'onnxruntime');
  expect(wantedEngine({ engine: native })).toBe('onnxruntime');
  vi.stubEnv('NOMOAT_ENGINE', 'native');
  expect(wantedEngine({ engine: 'onnxruntime' })).toBe('native');
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
