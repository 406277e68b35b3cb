/** Chats of the studio: kept, not written over, and what they are learnt from. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { conversationsOf, type KeptAnswer, type KeptChat } from '../../src/server/studio/chat-form.ts';
import { folder, type Served, served } from './support.ts';

const runs = join(folder, 'talk');
let server: Served;
beforeAll(async () => {
  server = await served({ runs });
});

const said = (text: string, more: Partial<KeptAnswer> = {}): KeptAnswer => ({
  model: 'one', text, thoughts: '', calls: [], cut: false, fault: null, mark: null, better: null, ...more,
}); // biome-ignore format: a table
const turn = (prompt: string, ...answers: (KeptAnswer | null)[]) => ({ prompt, answers, order: null, vote: null });
const chat: KeptChat = {
  title: 'Colours',
  models: ['one', 'two'],
  system: 'Shout.',
  sampling: { temperature: 0, topP: null, maxTokens: 9, seed: null },
  blind: false,
  turns: [
    turn('Grass?', said('GREEN!', { mark: 'good' }), said('It is', { model: 'two', cut: true })),
    turn('Snow?', said('BLACK!', { mark: 'bad', better: 'WHITE!' }), said('', { model: 'two', fault: 'gone' })),
    { ...turn('Coal?', said('BLACK!'), said('black', { model: 'two', mark: 'bad' })), vote: { best: 0 } },
  ],
};

async function ask(method: string, path: string, body?: object): Promise<{ status: number; body: never }> {
  const json = body ? { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } } : {};
  const answer = await fetch(`${server.url}/studio/v1/${path}`, { method, ...json });
  return { status: answer.status, body: (await answer.json()) as never };
}

test('each side of a chat is a conversation; what failed, was cut or is bad is not learnt', () => {
  expect(conversationsOf(chat)).toEqual([
    {
      messages: [
        { role: 'system', content: 'Shout.' },
        { role: 'user', content: 'Grass?' },
        { role: 'assistant', content: 'GREEN!' },
        { role: 'user', content: 'Snow?' },
        { role: 'assistant', content: 'BLACK!', weight: 0 },
        { role: 'user', content: 'Coal?' },
        { role: 'assistant', content: 'BLACK!' },
      ],
      feedback: [
        { message: 2, mark: 'good' },
        { message: 4, mark: 'bad', better: 'WHITE!' },
      ],
      model: 'one',
    },
    {
      messages: [
        { role: 'system', content: 'Shout.' },
        { role: 'user', content: 'Grass?' },
        { role: 'assistant', content: 'It is', weight: 0 },
        { role: 'user', content: 'Coal?' },
        { role: 'assistant', content: 'black', weight: 0 },
      ],
      feedback: [{ message: 4, mark: 'bad' }],
      model: 'two',
    },
  ]);
});

test('a chat is kept, listed with its marks and votes, and not written over by a tab that is behind', async () => {
  const at = 'chats/chat-of-colours';
  const first = await ask('POST', at, { ...chat, saved: null });
  const { saved } = first.body as { saved: string };
  expect((await ask('POST', at, { ...chat, saved: null })).status).toBe(409);
  expect((await ask('GET', at)).body).toEqual({ chat, saved });
  const summary = { title: 'Colours', turns: 3, answers: 5, marks: { good: 1, bad: 2, better: 1 } };
  const votes = [{ models: ['one', 'two'], best: 0 }];
  expect((await ask('GET', 'chats')).body).toMatchObject({ chats: [{ ...summary, votes, saved }] });
  for (const id of ['x', '..%2f..%2fescape-from', 'a.b-c-d-e'])
    expect((await ask('POST', `chats/${id}`, { ...chat, saved: null })).status, id).toBe(400);
  expect((await ask('GET', 'chats/no-such-chat')).status).toBe(404);
});

test('marks and conversations become data sets with what they were made of; an example is one at once', async () => {
  const made = await ask('POST', 'data-sets', { from: 'marks', to: 'dpo', name: 'my marks/../x' });
  const { file, path, rows } = made.body as { file: { id: string; filename: string }; path: string; rows: number };
  expect([rows, file.filename, path]).toEqual([1, 'my-marks-x.jsonl', join(runs, 'data-sets/my-marks-x.jsonl')]);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({
    rejected: [{ role: 'assistant', content: 'BLACK!' }],
    chosen: [{ role: 'assistant', content: 'WHITE!' }],
  });
  expect(JSON.parse(readFileSync(`${path}.provenance.json`, 'utf8'))).toMatchObject({ kind: 'dpo', rows: 1 });
  // What the marks are best for: three labels, and the better answer as a good one.
  expect((await ask('POST', 'data-sets', { from: 'marks', name: 'my marks/../x' })).body).toMatchObject({
    rows: 4,
    file: { filename: 'my-marks-x-2.jsonl' },
  });
  const all = await ask('POST', 'data-sets', { from: 'conversations', chats: ['chat-of-colours'] });
  expect(all.body).toMatchObject({ rows: 2, file: { filename: 'conversations.jsonl' } });
  const example = await ask('POST', 'data-sets', { from: 'example', example: 'intents' });
  expect(example.body).toMatchObject({ rows: 280, path: null });
  const content = await fetch(`${server.url}/v1/files/${(example.body as { file: { id: string } }).file.id}/content`);
  expect((await content.text()).split('\n')[0]).toContain('AddToPlaylist');
});

test('of a chat that is removed nothing is learnt any more', async () => {
  expect((await ask('DELETE', 'chats/chat-of-colours')).status).toBe(200);
  expect(readdirSync(join(runs, '.server/conversations'))).toEqual([]);
  expect((await ask('POST', 'data-sets', { from: 'marks' })).body).toMatchObject({
    error: { code: 'no_conversation' },
  });
  expect(existsSync(join(runs, 'data-sets/my-marks-x.jsonl'))).toBe(true);
});
