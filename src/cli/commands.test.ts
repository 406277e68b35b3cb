/** Whatever fails, what was opened is closed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { NomoatError } from '../errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-commands-'));
afterAll(() => rmSync(folder, { recursive: true }));
const opened: string[] = [];
const closed: string[] = [];
beforeEach(() => {
  opened.length = 0;
  closed.length = 0;
});

const fault = new NomoatError({ part: 'the test', fault: 'fails', remedy: 'Go on.' });
vi.mock('../llama/chat-engine.ts', () => ({
  openChatModel: async () => {
    opened.push('chat');
    return { notes: [], generate: () => Promise.reject(fault), close: async () => void closed.push('chat') };
  },
}));
vi.mock('../llama/tokenizer.ts', () => ({
  openTokenizer: async () => {
    opened.push('tokenizer');
    const encode = (): never => {
      throw fault;
    };
    return { encode, controlTexts: [], close: async () => void closed.push('tokenizer') };
  },
}));
vi.mock('../formats/gguf/read.ts', async (original) => {
  const real = await original<typeof import('../formats/gguf/read.ts')>();
  const openGguf: typeof real.openGguf = (path) => {
    const file = real.openGguf(path);
    opened.push('model');
    const { close } = file;
    return Object.assign(file, {
      close: () => {
        closed.push('model');
        close.call(file);
      },
    });
  };
  return { ...real, openGguf };
});
const { command: chatCommand } = await import('./chat.ts');
const { command: previewCommand } = await import('./preview.ts');

test('chat', async () => {
  const words = ['--prompt', 'x', '--threads', '1'];
  await expect(chatCommand().parseAsync(words, { from: 'user' })).rejects.toThrow(fault);
  expect(opened).toContain('chat');
  expect(closed.sort()).toEqual(opened.sort());
});

test('preview', async () => {
  const data = join(folder, 'data.jsonl');
  writeFileSync(data, '{"prompt":"a","completion":"b"}');
  await expect(previewCommand().parseAsync([data], { from: 'user' })).rejects.toThrow(fault);
  expect(opened).toEqual(['model', 'tokenizer']);
  expect(closed).toEqual(['tokenizer', 'model']);
});
