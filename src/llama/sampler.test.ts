/** Penalties and biases, on a model of some thousand weights: whatever it would say, arithmetic of the logits says what it has to say now. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GenerateOptions, Model } from '../chat/chat-model.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';
import { openChatModel } from './chat-engine.ts';
import { openTokenizer } from './tokenizer.ts';

const modelPath = join(import.meta.dirname, '../../test/fixtures/reference/llama/base.gguf');
let model: Model;
let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await openTokenizer(modelPath);
  model = await openChatModel({ modelPath, threads: 1 });
});
afterAll(async () => {
  await model.close();
  await tokenizer.close();
});

const greedy = { temperature: 0, maxTokens: 100 };
const prompt = 'Once upon';
const say = (options: GenerateOptions) => model.continue(prompt, { ...greedy, ...options });

const tokenOf = (text: string): number => {
  const ids = tokenizer.encode(text, true);
  expect(ids).toHaveLength(1);
  return ids[0]!;
};

/** An answer of letters that are forced, so that its text says its tokens. */
async function letters(biases: Readonly<Record<string, number>>, options: GenerateOptions): Promise<string> {
  const logitBias = Object.fromEntries(Object.entries(biases).map(([letter, bias]) => [tokenOf(letter), bias]));
  return (await say({ logitBias, ...options })).text;
}

test('penalties take from tokens that the answer has, for each time or once, over the whole answer', async () => {
  // Beside 100, what the model itself thinks of its tokens is little: 1.2 for each time make it good after some 83 times.
  const counted = /^a*/.exec(await letters({ a: 100 }, { frequencyPenalty: 1.2 }))![0].length;
  expect(counted).toBeGreaterThan(76);
  expect(counted).toBeLessThan(90);
  expect(await letters({ a: 100 }, { presencePenalty: 2 })).toBe('a'.repeat(100));
  const alike = Object.fromEntries([...'abcdefghij'].map((letter) => [letter, 100]));
  const said = async (options: GenerateOptions) => new Set(await letters(alike, options)).size;
  expect(await said({ presencePenalty: 2 })).toBeGreaterThan(await said({}));
  // A negative one asks for repetitions.
  expect(await said({ presencePenalty: -2 })).toBe(1);
  // What the prompt has is not punished.
  const first = { maxTokens: 1 };
  expect((await say({ ...first, frequencyPenalty: 2, presencePenalty: 2 })).text).toBe((await say(first)).text);
});

test('beside a penalty by count, the multiplying one works too', async () => {
  const one = await say({ presencePenalty: 0.01 });
  const both = await say({ presencePenalty: 0.01, repeatPenalty: 100 });
  expect(both.text).not.toBe(one.text);
});

test('a bias of 100 forces a token and one of -100 forbids it, those that end an answer among them', async () => {
  const z = tokenOf('z');
  expect((await say({ logitBias: { [z]: 100 }, maxTokens: 5 })).text).toBe('zzzzz');
  const plain = await say({ maxTokens: 1 });
  const first = tokenOf(plain.text);
  expect((await say({ maxTokens: 1, logitBias: { [first]: -100 } })).text).not.toBe(plain.text);
  const end = tokenizer.eosToken!;
  const ended = await say({ logitBias: { [end]: 100 } });
  expect(ended).toMatchObject({ text: '', tokens: 0, stopReason: 'end-of-turn' });
  // Of two that are forced alike, the one that is not forbidden.
  const goesOn = await say({ logitBias: { [end]: -100, [z]: 100 }, maxTokens: 3 });
  expect(goesOn).toMatchObject({ text: 'zzz', stopReason: 'length' });
});

test('biases of what is no token, or beyond the range, and penalties beyond theirs are refused', async () => {
  await expect(say({ logitBias: { 100000: 1 } })).rejects.toThrow('the model has no token 100000; its ids are 0 to');
  await expect(say({ logitBias: { 5: 101 } })).rejects.toThrow('101 for token 5 is not from -100 to 100');
  await expect(say({ logitBias: { 5: Number.NaN } })).rejects.toThrow('NaN for token 5');
  await expect(say({ frequencyPenalty: 2.1 })).rejects.toThrow('frequency penalty 2.1 is not from -2 to 2');
});
