/** Settings and records of runs that were never made, for tests. */
import type { PlanEvent } from '../src/events.ts';
import type { RunRecord } from '../src/run/run-folder.ts';
import { type Given, resolveOptions } from '../src/settings/load.ts';
import type { RunSettings } from '../src/settings/run-settings.ts';

/** Those given as flags, then those of `more`; the others have their defaults, and those that the data chooses small ones. */
export function runSettings(given: Given = {}, more: Partial<RunSettings> = {}): RunSettings {
  const options = resolveOptions(given);
  return {
    ...options,
    sequenceLength: options.sequenceLength ?? 512,
    batchSize: options.batchSize ?? 4,
    epochs: options.epochs ?? 1,
    rank: options.rank ?? 8,
    learningRate: options.learningRate ?? 1e-4,
    pretrain: null,
    data: ['data.jsonl'],
    model: 'model',
    modelPath: 'model.gguf',
    run: 'run',
    ...more,
  };
}

const plan: PlanEvent = {
  type: 'plan',
  measured: false,
  precision: 'f32',
  activations: 'keep',
  streamed: false,
  firstStepSeconds: 1,
  seconds: 10,
  tokensPerSecond: 1000,
  peakMemoryBytes: 1e9,
  diskBytes: 1e6,
};

/** A run that has just begun: in float32, with its activations kept. */
export const runRecord = (settings: RunSettings): RunRecord => ({
  nomoat: '0.0.0',
  state: 'running',
  created: '2026-01-01T00:00:00.000Z',
  modelDigest: '',
  dataDigests: {},
  machine: {},
  systemPrompt: null,
  validationBefore: null,
  validationAfter: null,
  settings,
  plan,
});
