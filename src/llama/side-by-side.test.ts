/** Several answers at once, and several models on one base: each as it would be alone, and together cheaper. */
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Token } from 'node-llama-cpp';
import { afterAll, describe, expect, test } from 'vitest';
import { writeGgufLora } from '../adapter/gguf-lora.ts';
import { readPeft } from '../adapter/peft.ts';
import { rewriteModel } from '../adapter/rewrite-model.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { openModel } from '../library.ts';
import type { Message } from '../text/example.ts';
import { openTeam, teamShape } from './answer-team.ts';
import { openChatModel } from './chat-engine.ts';
import { openContext } from './engine.ts';
import { alone, Batches, fairShares, Sequences } from './sequences.ts';
import { openBase } from './shared-base.ts';

const root = join(import.meta.dirname, '../..');
const mini = join(root, 'models/nomoat-mini/nomoat-mini.gguf');
const llama = join(root, 'test/fixtures/reference/llama');
const modelPath = join(llama, 'base.gguf');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-side-by-side-'));
afterAll(() => rmSync(folder, { recursive: true }));

const user = (content: string): Message[] => [{ role: 'user', content }];
const questions = ['What is your name?', 'What is the capital of France?', 'Tell me a story.', 'Who wrote Hamlet?'];
const greedy = { temperature: 0, maxTokens: 40 };

/** The adapter after 20 steps of the reference, and the one before it, as GGUF. */
function lora(name: string, weights: string): string {
  const path = join(folder, name);
  const gguf = openGguf(modelPath);
  writeGgufLora(path, readPeft(join(llama, weights)), gguf);
  gguf.close();
  return path;
}

describe('answers side by side', () => {
  test('are those that each would be alone, come in turns, and are cut one by one', async () => {
    await using one = await openChatModel({ modelPath: mini, threads: 1 });
    const apart: string[] = [];
    for (const question of questions) apart.push((await one.generate(user(question), greedy)).text);
    await using four = await openChatModel({ modelPath: mini, threads: 1, sequences: 4 });
    expect([one.sequences, four.sequences]).toEqual([1, 4]);
    expect(four.memory.context).toBeGreaterThan(2 * one.memory.context);
    const speakers: number[] = [];
    const together = await Promise.all(
      questions.map((question, i) => four.generate(user(question), { ...greedy, onText: () => speakers.push(i) })),
    );
    expect(together.map(({ text }) => text)).toEqual(apart);
    expect(new Set(speakers.slice(0, 12)).size).toBe(4);
    const cut = new AbortController();
    const [ended, whole] = await Promise.all([
      four.generate(user(questions[0]!), { ...greedy, signal: cut.signal, onText: () => cut.abort() }),
      four.generate(user(questions[1]!), greedy),
    ]);
    expect([ended.stopReason, ended.tokens, whole.text]).toEqual(['aborted', 1, apart[1]]);
  });

  test('a newcomer on a sequence that holds another conversation does not wait for others to end', async () => {
    await using model = await openChatModel({ modelPath: mini, threads: 1, sequences: 3 });
    // Each sequence holds something that has to go.
    await Promise.all(questions.slice(0, 3).map((question) => model.generate(user(question), greedy)));
    const ended: string[] = [];
    const long = { temperature: 0, maxTokens: 200 };
    const others = ['Tell me a long story.', 'Tell me another story.'].map((question) => {
      let tell = (): void => {};
      const begun = new Promise<void>((resolve) => {
        tell = resolve;
      });
      const answer = model
        .generate(user(question), { ...long, onText: () => tell() })
        .then(({ tokens }) => ended.push(`other, ${tokens} tokens`));
      return { begun, answer };
    });
    await Promise.all(others.map(({ begun }) => begun));
    const newcomer = model
      .generate(user(questions[3]!), { temperature: 0, maxTokens: 2 })
      .then(() => ended.push('newcomer'));
    await Promise.all([newcomer, ...others.map(({ answer }) => answer)]);
    expect(ended[0]).toBe('newcomer');
    expect(ended).toHaveLength(3);
  });

  test('more than there are sequences wait in their order; who leaves while waiting is no burden', async () => {
    await using model = await openChatModel({ modelPath: mini, threads: 1, sequences: 2 });
    const ends: number[] = [];
    const ask = (i: number, signal?: AbortSignal) =>
      model
        .generate(user(questions[0]!), { temperature: 0, maxTokens: 8, ...(signal ? { signal } : {}) })
        .then((answer) => {
          ends.push(i);
          return answer;
        });
    const left = new AbortController();
    const asked = [ask(0), ask(1), ask(2, left.signal), ask(3)];
    left.abort();
    expect(await asked[2]!).toMatchObject({ text: '', tokens: 0, stopReason: 'aborted' });
    expect(ends).toEqual([2]);
    const answers = await Promise.all(asked);
    expect(answers[3]!.text).toBe(answers[0]!.text);
    expect([ends[0], ends[3]]).toEqual([2, 3]);
  });

  test('a conversation goes on where it was evaluated, whatever was asked in between', async () => {
    await using model = await openChatModel({ modelPath: mini, threads: 1, sequences: 2 });
    const first = await model.generate(user(questions[0]!), greedy);
    const other = await model.generate(user(questions[2]!), greedy);
    const next = await model.generate(
      [...user(questions[0]!), { role: 'assistant', content: first.text }, ...user('And mine?')],
      greedy,
    );
    const otherNext = await model.generate(
      [...user(questions[2]!), { role: 'assistant', content: other.text }, ...user('And then?')],
      greedy,
    );
    expect(next.reusedTokens).toBeGreaterThanOrEqual(first.promptTokens + first.tokens - 1);
    expect(otherNext.reusedTokens).toBeGreaterThanOrEqual(other.promptTokens + other.tokens - 1);
  });
});

test('as many sequences as llama.cpp has', async () => {
  for (const sequences of [0, 1.5, 257])
    await expect(openModel({ model: mini, sequences }), String(sequences)).rejects.toThrow(
      'no whole number from 1 to 256',
    );
});

describe('a team', () => {
  test('answers as one context does, whoever of it is asked', async () => {
    await using one = await openChatModel({ modelPath: mini, threads: 1 });
    const apart: string[] = [];
    for (const question of questions) apart.push((await one.generate(user(question), greedy)).text);
    await using team = await openTeam({ modelPath: mini, threads: 3, longest: 200 });
    expect(team.atOnce).toBe(24);
    const together = await Promise.all(
      [...questions, ...questions].map((question) => team.generate(user(question), greedy)),
    );
    expect(together.map(({ text }) => text)).toEqual([...apart, ...apart]);
  });

  test('has a context for each thread, as far as the memory goes', () => {
    expect(teamShape(mini, { threads: 2, longest: 300 })).toEqual({
      contexts: 2,
      sequences: 8,
      threads: 1,
      contextSize: 300,
    });
    expect(teamShape(mini, { threads: 16, longest: 1e6 })).toMatchObject({ contexts: 4, threads: 4, contextSize: 512 });
    expect(teamShape(mini, { threads: 1, longest: 10 })).toMatchObject({ contexts: 1, contextSize: 256 });
  });
});

describe('batches', () => {
  const item = (length: number, evaluationPriority = 5) =>
    ({ tokens: Array<Token>(length).fill(0 as Token), logits: [], evaluationPriority }) as Parameters<
      typeof fairShares
    >[0][number];

  test('the shortest first, each its share, and what is measured alone by itself', () => {
    const [token, prompt, long] = [item(1), item(300), item(900)];
    const shares = fairShares([long, prompt, token], 512).map(({ item, processAmount }) => [item, processAmount]);
    expect(shares).toEqual([[token, 1], [prompt, 256], [long, 255]]); // biome-ignore format: pairs
    const measured = item(700, alone);
    expect(fairShares([long, measured, token], 512)).toEqual([{ item: measured, processAmount: 512 }]);
    expect(fairShares([item(5), item(5), item(5)], 2).map(({ processAmount }) => processAmount)).toEqual([1, 1]);
    // In the order of their sequences, which llama.cpp computes together only so.
    const [third, first, second] = [item(1, 4), item(9, 2), item(1, 3)];
    expect(fairShares([third, first, second], 512).map((share) => share.item)).toEqual([first, second, third]);
  });

  test('those that come one after the other are soon one batch', async () => {
    const base = await openBase(mini);
    const batches = new Batches();
    /** Of batches while all four generate. */
    const sizes: number[] = [];
    const context = await openContext(base.model, {
      contextSize: 256,
      sequences: 4,
      threads: 1,
      batching: {
        dispatchSchedule: (dispatch) => dispatch(),
        itemPrioritizationStrategy: (given) => {
          const shares = batches.strategy(given);
          if (shares.length > 0 && batches.generating === 4) sizes.push(shares.length);
          return shares;
        },
      },
    });
    const lanes = new Sequences(context, batches);
    /** Calls `next` when it has some tokens. */
    const run = async (prompt: Token[], next: () => void): Promise<void> => {
      const lane = (await lanes.take(prompt, undefined))!;
      batches.generating++;
      let tokens = 0;
      for await (const _ of lane.sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
        if (++tokens === 5) next();
        if (tokens === 60) break;
      }
      batches.generating--;
      lanes.give(lane);
    };
    const runs: Promise<void>[] = [];
    for (const question of questions)
      await new Promise<void>((next) => runs.push(run(base.model.tokenize(question), next)));
    await Promise.all(runs);
    await context.dispose();
    await base.release();
    expect(sizes.length).toBeGreaterThan(30);
    // Of those that did not wait for each other none was; on a busy machine some are late.
    expect(sizes.filter((size) => size === 4).length / sizes.length).toBeGreaterThan(0.5);
  });
});

describe('models on one base', () => {
  test('share it, until the last is closed', async () => {
    const [one, two] = [await openBase(modelPath), await openBase(modelPath)];
    expect(two.model).toBe(one.model);
    await one.release();
    await one.release();
    expect(two.model.disposed).toBe(false);
    await two.release();
    expect(two.model.disposed).toBe(true);
    // Whoever leaves while it is loaded ends nobody else's loading.
    const leaving = new AbortController();
    const [left, stays] = [openBase(modelPath, leaving.signal), openBase(modelPath)];
    leaving.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    const base = await stays;
    expect(base.model.disposed).toBe(false);
    await base.release();
  });

  test('another file in the same place is another base', async () => {
    const path = join(folder, 'replaced.gguf');
    copyFileSync(modelPath, path);
    const before = await openBase(path);
    rmSync(path);
    copyFileSync(join(root, 'test/fixtures/reference/qwen2/base.gguf'), path);
    const after = await openBase(path);
    expect(after.model).not.toBe(before.model);
    await Promise.all([before.release(), after.release()]);
  });

  test('the base beside adapters has its own log-probabilities, bit for bit', async () => {
    const row: Message[] = [...user('number 3'), { role: 'assistant', content: 'odd number' }];
    const values = async (model: Pick<Awaited<ReturnType<typeof openChatModel>>, 'score'>) =>
      (await model.score(row)).tokens.map(({ logProbability }) => logProbability);
    const own = await openChatModel({ modelPath, threads: 1 });
    const expected = await values(own);
    await own.close();
    const adapterPath = lora('after.gguf', 'lora.after20.safetensors');
    await using base = await openChatModel({ modelPath, threads: 1, sequences: 3 });
    await using tuned = await openChatModel({ modelPath, threads: 1, adapterPath, sequences: 2 });
    await using half = await openChatModel({ modelPath, threads: 1, adapters: [{ path: adapterPath, scale: 0.5 }] });
    await using none = await openChatModel({ modelPath, threads: 1, adapters: [{ path: adapterPath, scale: 0 }] });
    await using twice = await openChatModel({
      modelPath,
      threads: 1,
      adapterPath,
      adapters: [{ path: adapterPath, scale: 0 }],
    });
    const own20 = await values(tuned);
    expect(own20).not.toEqual(expected);
    const busy = [base, base, tuned, half].map((model, i) =>
      model.generate(user(`number ${i}`), { temperature: 1, seed: i, maxTokens: 60 }),
    );
    expect(await Promise.all([values(base), values(tuned), values(base)])).toEqual([expected, own20, expected]);
    await Promise.all(busy);
    expect(await values(base)).toEqual(expected);
    expect(await values(none)).toEqual(expected);
    const [at1, at05] = [own20, await values(half)];
    expect(at05.some((value, i) => value === at1[i])).toBe(false);
    expect(await values(twice)).toEqual(own20);
    // All three hold the weights of the one adapter.
    expect(tuned.memory.base).toBe(base.memory.base);
  });

  test('nor does a bit of a score change where batches of other sizes round otherwise, as with float16 weights', async () => {
    const half = join(folder, 'f16.gguf');
    const gguf = openGguf(mini);
    rewriteModel(half, gguf, { type: 'F16' });
    gguf.close();
    const score = async (model: Awaited<ReturnType<typeof openChatModel>>, messages: Message[]) =>
      (await model.score(messages)).tokens.map(({ logProbability }) => logProbability);
    await using model = await openChatModel({ modelPath: half, threads: 1, sequences: 4 });
    const { text } = await model.generate(user(questions[1]!), greedy);
    // The answer was evaluated token by token, and beside others it would have been with them.
    const asked: Message[] = [
      ...user(questions[1]!),
      { role: 'assistant', content: text },
      ...user('Sure?'),
      { role: 'assistant', content: 'No.' },
    ];
    const alone = await score(model, asked);
    const busy = questions
      .slice(1)
      .map((question, i) => model.generate(user(question), { temperature: 1, seed: i, maxTokens: 50 }));
    const beside = await score(model, asked);
    await Promise.all(busy);
    await using fresh = await openChatModel({ modelPath: half, threads: 1 });
    expect([beside, await score(model, asked), await score(fresh, asked)]).toEqual([alone, alone, alone]);
  });

  test('an adapter is loaded once in every format, anew where its file is another one, and leaves no file', async () => {
    const temporaryFolder = process.env.TMPDIR;
    process.env.TMPDIR = folder;
    try {
      const text = async (adapterPath: string) => {
        await using model = await openChatModel({ modelPath, threads: 1, adapterPath });
        return (await model.generate(user('hello'), { temperature: 0, maxTokens: 16 })).text;
      };
      await using held = await openChatModel({ modelPath, threads: 1 });
      const peft = join(llama, 'lora.after20.safetensors');
      const [bare, after] = [held.memory.base, await text(peft)];
      const loaded = held.memory.base;
      expect(loaded).toBeGreaterThan(bare);
      expect([await text(peft), held.memory.base]).toEqual([after, loaded]);
      const path = lora('changing.gguf', 'lora.after20.safetensors');
      expect(await text(path)).toBe(after);
      lora('changing.gguf', 'lora.start.safetensors');
      expect(await text(path)).not.toBe(after);
      expect(readdirSync(folder).filter((entry) => entry.startsWith('nomoat-adapter-'))).toEqual([]);
    } finally {
      process.env.TMPDIR = temporaryFolder;
    }
  });
});
