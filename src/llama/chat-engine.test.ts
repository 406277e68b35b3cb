import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeGgufLora } from '../adapter/gguf-lora.ts';
import { readPeft } from '../adapter/peft.ts';
import type { ChatModel } from '../chat/chat-model.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { chatTemplateOf } from '../text/chat-template.ts';
import type { Message } from '../text/example.ts';
import { buildRows } from '../tokens/rows.ts';
import { openChatModel } from './chat-engine.ts';
import { openTokenizer } from './tokenizer.ts';

const root = join(import.meta.dirname, '../..');
const reference = join(root, 'test/fixtures/reference');
const realModel = process.env.NOMOAT_TEST_MODEL ?? join(root, '../shared/models/SmolLM2-135M-Instruct.Q4_1.gguf');
const noRealModel = existsSync(realModel) ? '' : ` (skipped: no model at NOMOAT_TEST_MODEL or ${realModel})`;
const folder = mkdtempSync(join(tmpdir(), 'nomoat-engine-'));
// Converted adapters go to the folder for temporary files: one of our own shows whether any stays.
const temporaryFolder = process.env.TMPDIR;
process.env.TMPDIR = folder;
afterAll(() => {
  if (temporaryFolder === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = temporaryFolder;
  rmSync(folder, { recursive: true });
});

const user = (content: string): Message => ({ role: 'user', content });
const assistant = (content: string): Message => ({ role: 'assistant', content });
const conversations: Message[][] = [
  [user('What is 2 + 2?'), assistant('4')],
  [{ role: 'system', content: 'Sei knapp. 😀' }, user(' spaces  and\n\nlines '), assistant('日本 é')],
  [user('a'), assistant('b'), user('<|im_end|> typed by a user'), assistant('d')],
];

/** For every answer of every conversation: the ids that training sees before it, and those that chat asks with. */
async function promptPairs(modelPath: string, chat: ChatModel): Promise<[number[], number[]][]> {
  const gguf = openGguf(modelPath);
  const tokenizer = await openTokenizer(modelPath);
  try {
    const template = chatTemplateOf(gguf);
    return conversations.map((messages) => {
      const source = { file: 'test', line: 1 };
      const { rows } = buildRows([{ kind: 'chat', messages, source }], {
        template: () => template,
        tokenizer,
        sequenceLength: 256,
        tooLong: 'refuse',
        supervise: 'answers',
        specialTokens: 'auto',
      });
      const { tokens, supervised } = rows[0]!;
      const lastAnswer = supervised.lastIndexOf(0) + 1;
      return [[...tokens.subarray(0, lastAnswer)], chat.promptTokens(messages.slice(0, -1))];
    });
  } finally {
    gguf.close();
    await tokenizer.close();
  }
}

describe.each(['llama', 'qwen2', 'qwen3'])('chat with the reference model %s', (name) => {
  const modelPath = join(reference, name, 'base.gguf');
  let chat: ChatModel;
  beforeAll(async () => {
    chat = await openChatModel({ modelPath, threads: 2 });
  });
  afterAll(() => chat.close());

  it('asks with the very tokens that training puts before the answer', async () => {
    for (const [trained, asked] of await promptPairs(modelPath, chat)) expect(asked).toEqual(trained);
  });

  it('streams what it returns, the same at temperature 0 and with equal seeds, whatever was evaluated before', async () => {
    const messages = conversations[0]!.slice(0, 1);
    const pieces: string[] = [];
    const greedy = { temperature: 0, maxTokens: 12 };
    const first = await chat.generate(messages, { ...greedy, onText: (piece) => pieces.push(piece) });
    expect(pieces.join('')).toBe(first.text);
    expect(first.promptTokens).toBe(chat.promptTokens(messages).length);
    if (first.stopReason === 'length') expect(first.tokens).toBe(12);
    await chat.generate(conversations[1]!.slice(0, 2), greedy);
    expect((await chat.generate(messages, greedy)).text).toBe(first.text);
    const sampled = (seed: number) =>
      chat.generate(messages, { temperature: 2, topK: 0, topP: 1, minP: 0, maxTokens: 12, seed });
    const [one, again, other] = [await sampled(1), await sampled(1), await sampled(2)];
    expect(again.text).toBe(one.text);
    expect(other.text).not.toBe(one.text);
  });

  it('evaluates only what is new of a conversation, with the answer of a fresh model', async () => {
    const greedy = { temperature: 0, maxTokens: 8 };
    const second = conversations[2]!.slice(0, 3);
    const [one, fresh] = [
      await openChatModel({ modelPath, threads: 2 }),
      await openChatModel({ modelPath, threads: 2 }),
    ];
    const first = await one.generate(second.slice(0, 1), greedy);
    expect(first.reusedTokens).toBe(0);
    const reused = await one.generate(second, greedy);
    expect(reused.reusedTokens).toBeGreaterThanOrEqual(first.promptTokens - 1);
    const whole = await fresh.generate(second, greedy);
    expect(whole.reusedTokens).toBe(0);
    expect(reused.text).toBe(whole.text);
    await one.close();
    await fresh.close();
  });

  it('uses an adapter as PEFT folder or GGUF LoRA alike, and leaves no temporary file', async () => {
    const adapterPath = join(reference, name, 'lora.after20.safetensors');
    const gguf = openGguf(modelPath);
    const lora = join(folder, `${name}.gguf`);
    writeGgufLora(lora, readPeft(adapterPath), gguf);
    gguf.close();
    expect(tmpdir()).toBe(folder);
    const answers: string[] = [];
    for (const path of [null, adapterPath, lora]) {
      const model = await openChatModel({ modelPath, threads: 2, adapterPath: path });
      answers.push((await model.generate([user('hello')], { temperature: 0, maxTokens: 16 })).text);
      await model.close();
    }
    expect(answers[1]).toBe(answers[2]);
    expect(answers[1]).not.toBe(answers[0]);
    expect(readdirSync(folder).filter((entry) => entry.startsWith('nomoat-adapter-'))).toEqual([]);
  });

  it('stops when told to, before or during an answer, and goes on afterwards', async () => {
    const controller = new AbortController();
    let pieces = 0;
    const cut = await chat.generate([user('go')], {
      temperature: 2,
      seed: 3,
      signal: controller.signal,
      onText: () => {
        if (++pieces === 2) controller.abort();
      },
    });
    expect(cut.stopReason).toBe('aborted');
    const never = await chat.generate([user('go')], { signal: controller.signal });
    expect(never).toMatchObject({ text: '', tokens: 0, stopReason: 'aborted' });
    expect((await chat.generate([user('go')], { temperature: 0, maxTokens: 3 })).stopReason).not.toBe('aborted');
  });
});

describe('limits', () => {
  const modelPath = join(reference, 'llama', 'base.gguf');

  it('fills the context and no more, and refuses a conversation that does not fit', async () => {
    const chat = await openChatModel({ modelPath, threads: 2, contextSize: 64 });
    expect(chat.contextSize).toBe(64);
    const full = await chat.generate([user('x')], { temperature: 0 });
    expect(full.promptTokens + full.tokens).toBe(63);
    expect(full.stopReason).toBe('length');
    await expect(chat.generate([user('word '.repeat(60))])).rejects.toThrow(
      /the conversation: has \d+ tokens, and the context holds 64 .*a larger `contextSize`/,
    );
    await expect(chat.generate([user('x')], { temperature: -1, topP: 0, seed: 1.5 })).rejects.toThrow(
      /temperature -1 .*; top-p 0 .*; seed 1.5/,
    );
    await expect(chat.generate([])).rejects.toThrow(/the conversation: is no list with at least one message/);
    await expect(chat.generate([{ role: 'robot', content: 'x' }])).rejects.toThrow(/unknown role "robot"/);
    await chat.close();
    await expect(chat.generate([user('x')])).rejects.toThrow(/the model: is closed/);
  });

  it('refuses what is no model, no adapter, or made for another', async () => {
    const open = (options: { modelPath?: string; adapterPath?: string; contextSize?: number }) =>
      openChatModel({ modelPath, threads: 2, ...options });
    await expect(open({ modelPath: join(folder, 'none.gguf') })).rejects.toThrow(/none.gguf: cannot be opened/);
    await expect(open({ adapterPath: join(reference, 'qwen2/base.gguf') })).rejects.toThrow(/is no adapter/);
    await expect(open({ adapterPath: join(reference, 'qwen3/lora.start.safetensors') })).rejects.toThrow(/is made for/);
    await expect(open({ contextSize: 1e6 })).rejects.toThrow(/cannot have a context of 1000000 tokens/);
    // Right architecture, wrong shapes: llama.cpp's own finding is passed on.
    const gguf = openGguf(join(reference, 'qwen3/base.gguf'));
    const wrong = join(folder, 'wrong.gguf');
    writeGgufLora(wrong, readPeft(join(reference, 'qwen3/lora.start.safetensors')), gguf);
    gguf.close();
    await expect(open({ adapterPath: wrong })).rejects.toThrow(/is an adapter for qwen3, and the model is llama/);
  });
});

describe(`chat with a real model${noRealModel}`, () => {
  it.skipIf(noRealModel !== '')('answers, reuses the conversation, and asks with the tokens of training', async () => {
    const chat = await openChatModel({ modelPath: realModel, threads: 2 });
    const messages = [user('What is the capital of France? Answer in one sentence.')];
    const { text, stopReason } = await chat.generate(messages, { temperature: 0, maxTokens: 40 });
    expect(text).toContain('Paris');
    expect(stopReason).toBe('end-of-turn');
    expect(text).not.toContain('<|im_end|>');
    const next = await chat.generate([...messages, assistant(text), user('And of Italy?')], {
      temperature: 0,
      maxTokens: 40,
    });
    expect(next.text).toContain('Rome');
    for (const [trained, asked] of await promptPairs(realModel, chat)) expect(asked).toEqual(trained);
    await chat.close();
  });
});
