/** What clients think of answers: kept by the server, one a line, and made a data set by `collect`. */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { collect } from '../../src/index.ts';
import { FeedbackFile } from '../../src/server/state/feedback-file.ts';
import { describedFetch } from './described.ts';
import { folder, served } from './support.ts';

const runs = join(folder, 'runs-with-feedback');
const kept = join(runs, '.server/feedback.jsonl');
const conversation = (question: string, answer: string) => [
  { role: 'user', content: question },
  { role: 'assistant', content: answer },
];

test('marks are kept with their conversations, as collect reads them', async () => {
  const { url } = await served({ runs });
  const send = async (body: object) => {
    const answer = await describedFetch(`${url}/v1/feedback`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: answer.status, ...((await answer.json()) as { error?: { param: string; message: string } }) };
  };
  const ok = { status: 200, object: 'feedback', kept: true };
  const asked = { messages: conversation('2+3?', '4'), mark: 'bad', better: '5', model: 'mini' };
  expect(await send(asked)).toEqual(ok);
  // As a kill in the middle of a line leaves it.
  appendFileSync(kept, '{"messages": [');
  expect(await send({ messages: conversation('Hello?', 'Hi.'), mark: 'good' })).toEqual(ok);
  const lines = readFileSync(kept, 'utf8').trimEnd().split('\n');
  expect(JSON.parse(lines[0]!)).toEqual({
    messages: [asked.messages[0], { ...asked.messages[1], weight: 0 }],
    feedback: [{ message: 1, mark: 'bad', better: '5' }],
    model: 'mini',
    created: expect.stringMatching(/^\d{4}-.*Z$/),
  });

  const wrong = async (param: string, change: object): Promise<void> => {
    expect(await send({ ...asked, ...change }), JSON.stringify(change)).toMatchObject({
      status: 400,
      error: { param },
    });
  };
  await wrong('mark', { mark: 'fine' });
  await wrong('better', { mark: 'good' });
  await wrong('better', { better: ' 4' });
  await wrong('better', { better: ' ' });
  await wrong('messages', { messages: conversation('a', 'b').reverse() });
  await wrong('messages', { messages: [{ role: 'user', content: 'a' }] });
  await wrong('score', { score: 5 });
  expect(readFileSync(kept, 'utf8').trimEnd().split('\n')).toHaveLength(3);

  const data = await collect(kept, { out: join(folder, 'collected.jsonl'), to: 'kto' });
  expect(data).toMatchObject({ rows: 3, marks: { good: 1, bad: 0, better: 1 }, leftOut: [{ count: 1 }] });
});

test('the file has a bound', () => {
  const file = new FeedbackFile(folder, 30);
  file.add({ small: 'enough' });
  expect(() => file.add({ not: 'any more' })).toThrow(/has its 30 bytes/);
  expect(readFileSync(file.path, 'utf8')).toBe('{"small":"enough"}\n');
});
