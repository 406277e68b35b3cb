import { expect, test } from 'vitest';
import type { RunEvent } from '../events.ts';
import { resolvePretrainSettings } from '../settings/load.ts';
import type { RunRecord } from './run-folder.ts';
import { shareable } from './shareable.ts';

const settings = {
  ...resolvePretrainSettings([import.meta.filename], {}, null),
  data: ['/home/me/a/train.jsonl', '/home/me/b/train.jsonl', '/home/me/set'],
  validation: '/home/me/held.jsonl',
  modelPath: '/home/me/runs/r/start.gguf',
  run: '/home/me/runs/r',
};
const record: RunRecord = {
  nomoat: '0',
  state: 'done',
  created: '',
  modelDigest: '',
  dataDigests: { 'train.jsonl': '1', '/home/me/b/train.jsonl': '2' },
  machine: {},
  systemPrompt: null,
  validationBefore: null,
  validationAfter: null,
  settings,
};

test('files are named so that they can be told apart, and no path leads to them', () => {
  const notice = 'cut /home/me/set/train.jsonl:3, /home/me/runs/r2, /mnt/home/me and /home/me/.cache/x';
  const sample = { type: 'sample', prompt: 'cd /home/me/set', expected: '', before: '', after: '' } as const;
  const given: RunEvent[] = [
    { type: 'checkpoint-saved', step: 1, path: '/home/me/runs/r/checkpoints/000001', best: true },
    { type: 'notice', code: 'data', message: notice },
    sample,
  ];
  const { events, record: shared } = shareable(record, given, '/home/me');
  expect(shared.settings).toMatchObject({
    data: ['a/train.jsonl', 'b/train.jsonl', 'set'],
    validation: 'held.jsonl',
    modelPath: 'start.gguf',
    run: 'r',
  });
  expect(shared.dataDigests).toEqual({ 'train.jsonl': '1', 'b/train.jsonl': '2' });
  expect(events[0]).toMatchObject({ path: 'r/checkpoints/000001', step: 1, best: true });
  expect(events[1]).toMatchObject({ message: 'cut set/train.jsonl:3, ~/runs/r2, /mnt/home/me and ~/.cache/x' });
  expect(events[2]).toBe(sample);
  expect(JSON.stringify([shared, events[0]])).not.toContain('/home');
});

test('paths of Windows are shortened as well', () => {
  const windows = { ...record, settings: { ...settings, data: ['C:\\me\\my data.jsonl'], run: 'C:\\me\\runs\\r' } };
  const { record: shared } = shareable(windows, [], 'C:\\me');
  expect(shared.settings).toMatchObject({ data: ['my data.jsonl'], run: 'r' });
});
