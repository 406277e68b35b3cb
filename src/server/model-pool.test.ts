/** Which models are open: as few bases as there are files, as many contexts as memory allows, and none closed that is in use. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { writeGgufLora } from '../adapter/gguf-lora.ts';
import { readPeft } from '../adapter/peft.ts';
import { openGguf } from '../formats/gguf/read.ts';
import type { OpenChatModel } from '../llama/chat-engine.ts';
import { serverLimits } from './limits.ts';
import { ModelPool } from './model-pool.ts';
import { namedStack } from './named-stack.ts';
import type { ServedModel } from './served-model.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-pool-'));
afterAll(() => rmSync(folder, { recursive: true }));
const reference = join(root, 'test/fixtures/reference/llama');

const model = (id: string, path: string, base: string | null = null): ServedModel => ({
  id,
  path,
  base,
  aliases: [],
  created: 0,
  ownedBy: 'local',
  parent: null,
});
const baseFile = join(folder, 'base.gguf');
copyFileSync(join(reference, 'base.gguf'), baseFile);
const base = model('base', baseFile);
const mini = model('mini', join(root, 'models/nomoat-mini/nomoat-mini.gguf'));

/** An adapter of the reference as a GGUF LoRA: the one before training does nothing. */
function adapter(id: string, weights = 'lora.after20.safetensors'): ServedModel {
  const inside = join(folder, id);
  mkdirSync(inside);
  const gguf = openGguf(baseFile);
  writeGgufLora(join(inside, 'adapter.gguf'), readPeft(join(reference, weights)), gguf);
  gguf.close();
  return model(id, join(inside, 'adapter.gguf'), baseFile);
}
const [one, two, three] = ['one', 'two', 'three'].map((id) => adapter(id)) as [ServedModel, ServedModel, ServedModel];

const never = new AbortController().signal;
const opened: string[] = [];
const pools: ModelPool[] = [];
function poolOf(memory: number, limits: Partial<typeof serverLimits> = {}): ModelPool {
  opened.length = 0;
  const pool = new ModelPool({
    limits: { ...serverLimits, ...limits },
    contextSize: null,
    threads: 1,
    memory,
    onOpened: (id) => opened.push(id),
  });
  pools.push(pool);
  return pool;
}
afterEach(async () => void (await Promise.all(pools.splice(0).map((pool) => pool.close()))));

const row = [
  { role: 'user', content: 'number 3' },
  { role: 'assistant', content: 'odd number' },
];
const score = async (opened: OpenChatModel) =>
  (await opened.score(row)).tokens.map(({ logProbability }) => logProbability);
const plenty = 4e9;

test('adapters on one base share it, and the base beside them has its own log-probabilities, bit for bit', async () => {
  const pool = poolOf(plenty);
  const alone = await pool.use(base, never, score);
  const bytes = pool.bytes();
  const all = await Promise.all([one, two, base, three].map((each) => pool.use(each, never, score)));
  expect(all[2]).toEqual(alone);
  expect(all[0]).not.toEqual(alone);
  expect([all[1], all[3]]).toEqual([all[0], all[0]]);
  const contexts = pool.contexts();
  expect(new Set(contexts.map((each) => each.base))).toEqual(new Set(['base.gguf']));
  // Four contexts, and what is beyond is the weights of adapters.
  const together = contexts.reduce((sum, each) => sum + each.bytes, 0);
  expect(contexts).toHaveLength(4);
  expect(pool.bytes() - together).toBeLessThan(2 * (bytes - together / 4));
  expect(await pool.use(base, never, score)).toEqual(alone);
});

test('adapters by request: their scale counts, several are added, the own one can be weakened, and nothing is nothing', async () => {
  const pool = poolOf(plenty);
  const ask = (served: ServedModel, ...adapters: readonly (readonly [ServedModel, number])[]) =>
    pool.use(
      served,
      never,
      score,
      adapters.map(([each, scale], i) => ({ served: each, scale, param: `lora[${i}].id` })),
    );
  const [plain, whole] = [await ask(base), await ask(one)];
  expect(await ask(base, [one, 1])).toEqual(whole);
  expect(await ask(base, [one, 0])).toEqual(plain);
  expect(await ask(one, [one, 0])).toEqual(plain);
  const half = await ask(base, [one, 0.5]);
  expect(half).not.toEqual(plain);
  expect(half).not.toEqual(whole);
  expect(await ask(one, [one, 0.5])).toEqual(half);
  // Two halves of the same weights are the whole, but for their order of summation.
  const both = await ask(base, [one, 0.5], [two, 0.5]);
  both.forEach((value, i) => {
    expect(value).toBeCloseTo(whole[i]!, 3);
  });
  const stacked = await ask(one, [two, 1]);
  expect(stacked).not.toEqual(whole);
  // A name that is a stack asks for the same.
  const named = namedStack('base+one@0.5', (name) => [base, one].find(({ id }) => id === name) ?? null);
  expect(await ask(named!)).toEqual(half);
  await expect(ask(mini, [one, 1])).rejects.toMatchObject({
    message: "Invalid value for 'lora[0].id': 'one' is an adapter of another model.",
    param: 'lora[0].id',
  });
  await expect(ask(base, [one, 1], [mini, 1])).rejects.toMatchObject({
    message: "Invalid value for 'lora[1].id': 'mini' is no adapter.",
    param: 'lora[1].id',
  });
});

test('what was used longest ago makes room, never what is in use', async () => {
  const measuring = poolOf(plenty);
  for (const each of [base, one, two]) await measuring.use(each, never, score);
  // For three contexts; one that is about to open is expected to take more than it does, and a fourth has no room.
  const memory = measuring.bytes() + 1e6;
  const pool = poolOf(memory);
  for (const each of [base, one, two, base, three]) await pool.use(each, never, score);
  expect(pool.names()).toEqual(['two', 'base', 'three']);
  await pool.use(one, never, score);
  expect(pool.names()).toEqual(['base', 'three', 'one']);
  expect(pool.bytes()).toBeLessThanOrEqual(memory);
  expect(opened).toEqual(['base', 'one', 'two', 'three', 'one']);
  let done = (): void => {};
  const busy = [base, three, one].map((each) =>
    pool.use(
      each,
      never,
      () =>
        new Promise<void>((resolve) => {
          const before = done;
          done = () => {
            before();
            resolve();
          };
        }),
    ),
  );
  await expect(pool.use(two, never, score)).rejects.toMatchObject({ status: 429, headers: { 'Retry-After': '2' } });
  done();
  await Promise.all(busy);
  await pool.use(two, never, score);
});

test('a model that alone takes more than there is is refused with both numbers, and one that could not be opened is tried again', async () => {
  const pool = poolOf(1e6);
  await expect(pool.use(mini, never, score)).rejects.toMatchObject({
    status: 503,
    message: expect.stringMatching(/^mini takes .* MB, and models may take 1 MB here\.$/) as string,
  });
  expect(pool.bytes()).toBe(0);
  const path = join(folder, 'later.gguf');
  const other = poolOf(plenty);
  await expect(other.use(model('later', path), never, score)).rejects.toThrow('later.gguf');
  copyFileSync(baseFile, path);
  expect(await other.use(model('later', path), never, score)).toHaveLength(10);
});

test('where more ask than there are sequences, a larger context takes over, as far as there is memory', async () => {
  const pool = poolOf(plenty, { sequences: 8 });
  const seen = (served: ServedModel, count: number) => {
    const speakers: number[] = [];
    const all = Array.from({ length: count }, (_, i) =>
      pool.use(served, never, async (each) => {
        const options = { temperature: 0, maxTokens: 30, onText: () => speakers.push(i) };
        const { text } = await each.generate([{ role: 'user', content: `number ${i % 2}` }], options);
        return { text, sequences: each.sequences };
      }),
    );
    return Promise.all(all).then((answers) => ({ answers, speakers }));
  };
  const alone = [await seen(mini, 1)].map(({ answers }) => answers[0]!)[0]!;
  expect(alone.sequences).toBe(1);
  const { answers, speakers } = await seen(mini, 6);
  expect(Math.max(...answers.map(({ sequences }) => sequences))).toBe(8);
  expect(answers.filter((_, i) => i % 2 === 0).every(({ text }) => text === alone.text)).toBe(true);
  expect(new Set(speakers.slice(0, 30)).size).toBeGreaterThan(3);
  // The small one is gone.
  await expect.poll(() => pool.contexts().length).toBe(1);
  const { baseBytes, bytes } = pool.contexts()[0]!;
  // With memory for twice a single sequence, there are four at most, or one.
  const tight = poolOf(baseBytes + bytes / 4, { sequences: 8 });
  const few = await Promise.all(
    [1, 2, 3, 4, 5, 6].map(() => tight.use(mini, never, (each) => Promise.resolve(each.sequences))),
  );
  expect(Math.max(...few)).toBeLessThan(4);
  expect(tight.bytes()).toBeLessThan(baseBytes + bytes / 4);
});

test('who leaves while a model is opened ends nothing for others', async () => {
  const pool = poolOf(plenty);
  const left = new AbortController();
  const [gone, stays] = [pool.use(mini, left.signal, score), pool.use(mini, never, () => Promise.resolve('answered'))];
  left.abort(new Error('left'));
  await expect(gone).rejects.toThrow('left');
  expect(await stays).toBe('answered');
  expect(pool.users).toBe(0);
});

test('more than may be at a model are told to come again', async () => {
  const pool = poolOf(plenty, { sequences: 2, waitingPerModel: 1 });
  const all = Array.from({ length: 5 }, () =>
    pool.use(mini, never, () => Promise.resolve('answered')).catch((error: { status: number }) => error.status),
  );
  expect(await Promise.all(all)).toEqual(['answered', 'answered', 'answered', 429, 429]);
});
