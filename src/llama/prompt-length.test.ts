/** Long texts are refused after their first slices, and others have their turn in between. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NomoatError } from '../errors.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';
import { openChatModel } from './chat-engine.ts';
import { assertMayFit } from './prompt-length.ts';
import { openTokenizer } from './tokenizer.ts';

const modelPath = join(import.meta.dirname, '../../models/nomoat-mini/nomoat-mini.gguf');
let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await openTokenizer(modelPath);
});
afterAll(() => tokenizer.close());

const story = 'What a long story this is: it goes on, and on. ';

test('what is refused has more tokens than the context; what may fit is counted as it is', async () => {
  for (const characters of [20_000, 50_000, 300_000]) {
    const text = story.repeat(characters / story.length);
    const exact = tokenizer.encode(text, false).length;
    await assertMayFit([text], tokenizer, { contextSize: exact, trained: exact });
    const refused = assertMayFit([text], tokenizer, { contextSize: Math.floor(exact * 0.95), trained: 1e6 });
    await expect(refused).rejects.toThrow(/has at least \d+ tokens, and the context holds \d+/);
  }
  let asked = 0;
  const counting = {
    encode: (text: string): number[] => {
      asked += text.length;
      return Array<number>(text.length).fill(0);
    },
  };
  await assertMayFit([story, story], counting, { contextSize: 1, trained: 1 });
  expect(asked).toBe(0);
  await expect(assertMayFit([story.repeat(100_000)], counting, { contextSize: 40_000, trained: 1 })).rejects.toThrow();
  expect(asked).toBeLessThan(60_000);
});

test('others have their turn while it is counted, and whoever leaves ends it', async () => {
  let turns = 0;
  const turn = setInterval(() => turns++, 0);
  await assertMayFit([story.repeat(20_000)], tokenizer, { contextSize: 1e9, trained: 1e9 });
  expect(turns).toBeGreaterThan(5);
  clearInterval(turn);
  const encode = (): number[] => {
    throw new Error('was counted');
  };
  await assertMayFit([story.repeat(1000)], { encode }, { contextSize: 1, trained: 1 }, AbortSignal.abort());
});

test('a conversation of megabytes is refused by an open model without being tokenised whole', async () => {
  await using model = await openChatModel({ modelPath, threads: 1 });
  const content = story.repeat(80_000);
  const whole = tokenizer.encode(content, false).length;
  const asks = [
    () => model.generate([{ role: 'user', content }]),
    () => model.continue(content),
    () => model.complete(content),
  ];
  for (const ask of asks) {
    const { fields, message } = (await ask().then(undefined, (error: unknown) => error)) as NomoatError;
    expect(message).toContain('has at least');
    expect(Number(fields['promptTokens'])).toBeLessThan(whole / 10);
  }
});
