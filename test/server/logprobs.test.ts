/** Log-probabilities over HTTP, whole and streamed: the library's own, placed where their text is. */
import type OpenAI from 'openai';
import { beforeAll, describe, expect, test } from 'vitest';
import { type AnswerToken, type Model, openModel } from '../../src/index.ts';
import { served } from './support.ts';

let client: OpenAI;
let model: Model;
beforeAll(async () => {
  ({ client } = await served());
  model = await openModel({ model: 'nomoat-mini', threads: 1 });
  return () => model.close();
});

const messages = [{ role: 'user' as const, content: 'What is your name?' }];
const mini = { model: 'nomoat-mini', temperature: 0, max_tokens: 12 };
const chat = { ...mini, messages, logprobs: true, top_logprobs: 3 };
const completion = { ...mini, prompt: 'Once upon', logprobs: 2 };

type Logprobs = OpenAI.Completion['choices'][number]['logprobs'];
const rounding = 5;

/** The values of a server's answer are those of the library's. */
function expectSame(found: readonly (number | null | undefined)[], tokens: readonly AnswerToken[]): void {
  expect(found).toHaveLength(tokens.length);
  tokens.forEach(({ logProbability }, i) => void expect(found[i]).toBeCloseTo(logProbability, rounding));
}

describe('chat', () => {
  test('of each token of the text, with alternatives and bytes', async () => {
    const own = await model.generate(messages, { temperature: 0, maxTokens: 12, logProbabilities: 3 });
    const [choice] = (await client.chat.completions.create(chat)).choices;
    const content = choice!.logprobs!.content!;
    expect(choice!.logprobs!.refusal).toBeNull();
    expect(content.map(({ token }) => token).join('')).toBe(choice!.message.content);
    expect(Buffer.from(content.flatMap(({ bytes }) => bytes!)).toString()).toBe(choice!.message.content);
    expectSame(
      content.map(({ logprob }) => logprob),
      own.logProbabilities!.filter(({ endsAnswer }) => !endsAnswer),
    );
    for (const { logprob, token, top_logprobs } of content) {
      expect(top_logprobs).toHaveLength(3);
      // At temperature 0 the likeliest one is taken.
      expect(top_logprobs[0]).toMatchObject({ token, logprob });
    }
  });

  test('none unless asked for, and no alternatives unless asked for', async () => {
    const { top_logprobs: _, ...few } = chat;
    expect((await client.chat.completions.create({ ...few, logprobs: false })).choices[0]!.logprobs).toBeNull();
    const { content } = (await client.chat.completions.create(few)).choices[0]!.logprobs!;
    expect(content!.length).toBeGreaterThan(3);
    expect(content!.every(({ top_logprobs }) => top_logprobs.length === 0)).toBe(true);
  });

  test('streamed, with the piece that they are of', async () => {
    const whole = (await client.chat.completions.create({ ...chat, n: 2 })).choices;
    const parts: OpenAI.ChatCompletionTokenLogprob[][] = [[], []];
    for await (const { choices } of await client.chat.completions.create({ ...chat, n: 2, stream: true })) {
      const { delta, index, logprobs } = choices[0]!;
      if (delta.content) expect(logprobs!.content!.map(({ token }) => token).join('')).toBe(delta.content);
      parts[index]!.push(...(logprobs?.content ?? []));
    }
    expect(parts).toEqual(whole.map(({ logprobs }) => logprobs!.content));
  });

  test('of what comes before a stop sequence', async () => {
    const whole = (await client.chat.completions.create(chat)).choices[0]!;
    const stop = whole.logprobs!.content![3]!.token;
    const cut = (await client.chat.completions.create({ ...chat, stop })).choices[0]!;
    expect(cut.logprobs!.content!.map(({ token }) => token).join('')).toBe(cut.message.content);
    expect(cut.logprobs!.content!.length).toBeLessThanOrEqual(3);
  });
});

describe('completions', () => {
  const whole = (more: object = {}): Promise<OpenAI.Completion> =>
    client.completions.create({ ...completion, ...more });
  const offsets = (tokens: readonly string[]): number[] => tokens.map((_, i) => tokens.slice(0, i).join('').length);

  test('four lists', async () => {
    const own = await model.continue('Once upon', { temperature: 0, maxTokens: 12, logProbabilities: 2 });
    const [{ logprobs, text }] = (await whole()).choices as [OpenAI.CompletionChoice];
    const { text_offset, token_logprobs, tokens, top_logprobs } = logprobs!;
    expect(tokens!.join('')).toBe(text);
    expect(text_offset).toEqual(offsets(tokens!));
    expectSame(token_logprobs!, own.logProbabilities!);
    for (const [i, top] of top_logprobs!.entries()) {
      expect(Object.keys(top)).toHaveLength(2);
      expect(top[tokens![i]!]).toBe(token_logprobs![i]);
    }
  });

  test('a token that is none of the likeliest is among them', async () => {
    const bias = { temperature: 0, max_tokens: 1, logit_bias: { 40: 100 } };
    const { tokens, top_logprobs } = (await whole(bias)).choices[0]!.logprobs!;
    expect(Object.keys(top_logprobs![0]!)).toHaveLength(3);
    expect(Object.keys(top_logprobs![0]!)).toContain(tokens![0]);
  });

  test('the token that ended the answer is the last', async () => {
    const { choices } = await whole({
      prompt: '<|im_start|>user\nWhat is your name?<|im_end|>\n<|im_start|>assistant\n',
      max_tokens: 60,
    });
    expect(choices[0]!.finish_reason).toBe('stop');
    const { text_offset, tokens } = choices[0]!.logprobs!;
    expect(tokens!.at(-1)).toBe('<|im_end|>');
    expect(text_offset!.at(-1)).toBe(choices[0]!.text.length);
  });

  test('streamed', async () => {
    const { logprobs } = (await whole()).choices[0]!;
    const joined = { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] } as Record<string, unknown[]>;
    for await (const { choices } of await client.completions.create({ ...completion, stream: true }))
      for (const [name, values] of Object.entries((choices[0]!.logprobs ?? {}) as NonNullable<Logprobs>))
        joined[name]!.push(...(values as unknown[]));
    expect(joined).toEqual(logprobs);
  });

  test('the prompt before the answer, with its own', async () => {
    const own = await model.scoreText('Once upon a time', { alternatives: 2 });
    const plain = (await whole({ prompt: 'Once upon a time' })).choices[0]!;
    const { logprobs, text } = (await whole({ prompt: 'Once upon a time', echo: true })).choices[0]!;
    expect(text).toBe(`Once upon a time${plain.text}`);
    const { text_offset, token_logprobs, tokens, top_logprobs } = logprobs!;
    expect(text_offset).toEqual(offsets(tokens!));
    expect([token_logprobs![0], top_logprobs![0]]).toEqual([null, null]);
    const count = own.tokens.length;
    expect(token_logprobs!.slice(1, count)).toEqual(own.tokens.slice(1).map(({ logProbability }) => logProbability));
    for (const [i, top] of top_logprobs!.slice(1).entries()) {
      expect(Object.values(top).sort((a, b) => b - a)[0]).toBeGreaterThanOrEqual(token_logprobs![i + 1]!);
      expect(top[tokens![i + 1]!]).toBe(token_logprobs![i + 1]);
    }
    expect(tokens!.slice(count)).toEqual(plain.logprobs!.tokens);
    const textAlone = (await whole({ prompt: 'Once upon a time', echo: true, logprobs: null })).choices[0]!;
    expect(textAlone).toMatchObject({ text, logprobs: null });
  });

  test('as evaluation harnesses ask: lists of tokens, no answer or one token, what prompts share only once', async () => {
    const texts = ['The cat sat on the mat.', 'The cat sat on the dog.', 'A bird sang.'];
    const prompt = texts.map((text) => model.tokenize(text));
    const harness = { model: 'nomoat-mini', temperature: 0, logprobs: 1, echo: true, seed: 1234 };
    for (const max_tokens of [0, 1]) {
      const { choices, usage } = await client.completions.create({ ...harness, prompt, max_tokens });
      for (const [i, { finish_reason, index, logprobs, text }] of choices.entries()) {
        expect([index, finish_reason === 'length' || max_tokens === 1]).toEqual([i, true]);
        expect(logprobs!.tokens).toHaveLength(prompt[i]!.length + max_tokens);
        expect(text.startsWith(texts[i]!)).toBe(true);
        const { tokens } = await model.scoreText(texts[i]!, { alternatives: 1 });
        const values = tokens.map(({ logProbability }) => logProbability);
        expect(logprobs!.token_logprobs!.slice(0, tokens.length)).toEqual(values);
      }
      expect(usage!.prompt_tokens).toBe(prompt.flat().length);
      const shared = prompt[0]!.findIndex((id, i) => id !== prompt[1]![i]);
      expect(usage!.prompt_tokens_details!.cached_tokens).toBeGreaterThanOrEqual(shared - 1);
    }
    // A single list, which spells the same.
    const one = await client.completions.create({ ...harness, prompt: prompt[0]!, max_tokens: 0 });
    expect(one.choices[0]!.text).toBe(texts[0]);
  });

  test('what cannot be', async () => {
    const wrong = async (body: object, param: string): Promise<void> => {
      await expect(whole(body), JSON.stringify(body)).rejects.toMatchObject({ status: 400, param });
    };
    await wrong({ max_tokens: 0 }, 'max_tokens');
    await wrong({ prompt: [] }, 'prompt');
    await wrong({ prompt: [[]] }, 'prompt[0]');
    await wrong({ prompt: ['a', 5] }, 'prompt[1]');
    await wrong({ prompt: [1, 100_000] }, 'prompt');
    await wrong({ prompt: [1, 100_000], echo: true }, 'prompt');
    await wrong({ prompt: Array.from({ length: 17 }, () => 'a') }, 'prompt');
    await wrong({ prompt: 'a', n: 17 }, 'n');
    await wrong({ prompt: 'a '.repeat(5000), echo: true }, 'prompt');
    await wrong({ logprobs: 21 }, 'logprobs');
  });
});
