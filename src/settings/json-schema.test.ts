import { expect, test } from 'vitest';
import { z } from 'zod';
import { NomoatError } from '../errors.ts';
import { type CommandSettings, commandSettings } from './command-settings.ts';
import { fieldOf } from './fields.ts';
import { commandNames, settingsSchema } from './json-schema.ts';

const properties = (command: string): Record<string, Record<string, unknown>> =>
  z.record(z.string(), z.record(z.string(), z.unknown())).parse(settingsSchema(command)['properties']);

/** zod's own reading of a JSON Schema, as another party's. */
const reader = (command: string): z.ZodType => z.fromJSONSchema(settingsSchema(command));

test.each(commandNames)('%s: every setting is there, with its words and default, as plain JSON', (command) => {
  const { argument, options }: CommandSettings = commandSettings[command];
  const found = properties(command);
  expect(Object.keys(found)).toEqual([...Object.keys(argument), ...Object.keys(options)]);
  for (const [name, option] of Object.entries({ ...argument, ...options })) {
    expect(found[name]!['description'], name).toMatch(/\w/);
    const { fallback, kind } = fieldOf(option);
    if (kind !== 'list' && fallback !== undefined) expect(found[name]!['default'], name).toEqual(fallback);
  }
  expect(JSON.stringify(settingsSchema(command))).not.toMatch(/"argument"|"negated"|9007199254740991/);
});

test('every number says what it counts, or is a ratio that has no unit', () => {
  const ratios = [
    'learningRate',
    'rank',
    'alpha',
    'dropout',
    'weightDecay',
    'beta2',
    'maxGradientNorm',
    'seed',
    'temperature',
    'topP',
    'minP',
    'repeatPenalty',
    'frequencyPenalty',
    'presencePenalty',
    'sampleShare',
    'verdictShare',
    'safetyShare',
    'mixBase',
    'density',
    'factor',
    'beta',
    'gamma',
    'labelSmoothing',
    'sftShare',
    'desirableWeight',
    'undesirableWeight',
    'neftuneAlpha',
    'promptWeight',
  ];
  for (const command of commandNames) {
    const { options }: CommandSettings = commandSettings[command];
    for (const [name, option] of Object.entries(options)) {
      const { kind, words } = fieldOf(option);
      if (kind === 'number') expect(words.unit !== undefined, name).toBe(!ratios.includes(name));
    }
  }
});

const data = 'a.jsonl';
test.each([
  ['tune', { data }, true],
  ['tune', { data: [data], rank: 8, memory: '8GB', validation: 0.1, targetModules: ['q_proj'], shuffle: false }, true],
  ['tune', {}, false],
  ['tune', { data, rank: true }, false],
  ['tune', { data, rank: 257 }, false],
  ['tune', { data, schedule: 'cosin' }, false],
  ['tune', { data, lerningRate: 1e-3 }, false],
  ['tune', { data, validation: 1.5 }, false],
  ['tune', { data, memory: 5e6 }, false],
  ['tune', { data, targetModules: ['k_prj'] }, false],
  ['pretrain', { data, size: 'nano', vocabulary: null }, true],
  ['pretrain', { data, size: 'huge' }, false],
  ['plan', { data, watts: -1 }, false],
  ['chat', { topP: 0 }, false],
  ['chat', { topP: 1, maxTokens: 5 }, true],
  ['export', { run: 'r', to: 'gguf', out: 'x' }, true],
  ['export', { run: 'r', out: 'x' }, false],
])('%s %j: %s', (command, value, good) => {
  expect(reader(command).safeParse(value).success).toBe(good);
});

test('a command that has no settings is named, with the nearest that has', () => {
  expect(() => settingsSchema('tun')).toThrow('tun is no command with settings (did you mean tune?)');
  for (const name of ['toString', '', '__proto__']) expect(() => settingsSchema(name)).toThrow(NomoatError);
});
