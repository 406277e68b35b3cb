import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ChatSession } from '../chat/session.ts';
import { readExamples } from '../dataset/dataset-files.ts';
import { learntFrom } from '../dataset/learnt-from.ts';
import { type CollectOptions, collect } from './collect.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-collect-'));
afterAll(() => rmSync(folder, { recursive: true }));
let made = 0;
const fresh = (): string => join(folder, `made-${made++}.jsonl`);

const user = (content: string) => ({ role: 'user', content });
const said = (content: string) => ({ role: 'assistant', content });
const asked = (question: string, answer: string, ...feedback: object[]) => ({
  messages: [user(question), said(answer)],
  feedback: feedback.map((mark) => ({ message: 1, ...mark })),
});
const good = { mark: 'good' };
const bad = { mark: 'bad' };
const better = (text: string) => ({ mark: 'bad', better: text });

/** A file of records; a text is a line as it is. */
function source(...records: (object | string)[]): string {
  const path = fresh();
  const lines = records.map((record) => (typeof record === 'string' ? record : JSON.stringify(record)));
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

async function collected(records: (object | string)[], options: Partial<CollectOptions> = {}) {
  const out = fresh();
  const data = await collect(source(...records), { out, ...options });
  const lines = readFileSync(out, 'utf8').trimEnd().split('\n');
  const reasons = Object.fromEntries(data.leftOut.map(({ count, reason }) => [reason, count]));
  return { data, out, reasons, rows: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('rows', () => {
  it('of a chat with better answers are pairs, which dpo learns from', async () => {
    const session = new ChatSession('Be brief.');
    session.ask('one');
    session.answer('1!', true);
    session.mark({ mark: 'bad', better: '1' });
    session.ask('two');
    session.answer('2?', false);
    session.mark({ mark: 'bad', better: '2' });
    const { data, out, rows } = await collected([session.toRecord()]);
    const before = [{ role: 'system', content: 'Be brief.' }, user('one')];
    expect(data).toMatchObject({
      kind: 'dpo',
      rows: 2,
      unmarked: 0,
      leftOut: [],
      marks: { good: 0, bad: 0, better: 2 },
    });
    expect(rows).toEqual([
      { prompt: before, chosen: [said('1')], rejected: [said('1!')] },
      { prompt: [...before, said('1!'), user('two')], chosen: [said('2')], rejected: [said('2?')] },
    ]);
    const { refusals, train } = await readExamples([out], {});
    expect(refusals).toEqual([]);
    const learnt = learntFrom(train, 'dpo').examples[1]!;
    if (learnt.kind !== 'chat' || learnt.rejected?.kind !== 'chat') throw new Error('is no pair');
    expect(learnt.messages.map(({ content, weight }) => `${weight ?? ''} ${content}`)).toEqual([
      '0 Be brief.',
      '0 one',
      '0 1!',
      '0 two',
      ' 2',
    ]);
    expect(learnt.rejected.messages.at(-1)).toEqual(said('2?'));
  });

  it('of good and bad answers have labels, which kto learns from; a better answer is a good one', async () => {
    const { data, out, rows } = await collected([
      asked('a', 'yes', good),
      asked('b', 'no', bad),
      asked('c', 'hm', bad),
      asked('d', 'so', better('so so')),
    ]);
    expect(data).toMatchObject({ kind: 'kto', rows: 5, notes: [] });
    expect(rows.map(({ completion, label }) => [(completion as { content: string }[])[0]!.content, label])).toEqual([
      ['yes', true],
      ['no', false],
      ['hm', false],
      ['so', false],
      ['so so', true],
    ]);
    const { examples, notes } = learntFrom((await readExamples([out], {})).train, 'kto');
    expect(examples.map(({ label }) => label)).toEqual([true, false, false, false, true]);
    expect(notes).toEqual(['2 of the answers are labelled good, 3 bad.']);
  });

  it('of good answers alone are messages, of which only the answer is learnt', async () => {
    const messages = [user('a'), said('b'), user('c'), said('d')];
    const records = [{ messages, feedback: [{ message: 3, ...good }] }];
    const { data, out, rows } = await collected(records);
    expect(data).toMatchObject({ kind: 'sft', unmarked: 1 });
    expect(rows).toEqual([{ messages: [user('a'), { ...said('b'), weight: 0 }, user('c'), said('d')] }]);
    expect(learntFrom((await readExamples([out], {})).train, 'lora').examples).toHaveLength(1);
  });

  it('are of the kind that is asked for, and what makes none of them is counted', async () => {
    const records = [asked('a', 'yes', good), asked('b', 'no', bad), asked('c', 'hm', better('ah'))];
    const pairs = await collected(records, { to: 'dpo' });
    expect(pairs.rows.map(({ chosen }) => chosen)).toEqual([[said('ah')]]);
    expect(pairs.reasons).toEqual({
      'marked good without a better answer, which makes no pair': 1,
      'marked bad without a better answer, which makes no pair': 1,
    });
    const answers = await collected(records, { to: 'sft' });
    expect(answers.rows.map(({ messages }) => (messages as { content: string }[]).at(-1)!.content)).toEqual([
      'yes',
      'ah',
    ]);
    expect(answers.reasons).toEqual({ 'marked bad without a better answer': 1 });
    const labels = await collected([asked('a', 'yes', good)], { to: 'kto' });
    expect(labels.data.notes).toEqual([
      "All answers are good: `method: 'kto'` wants bad ones too, and `to: 'sft'` makes rows that are learnt without.",
    ]);
  });

  it('come of logs with one label for a conversation too, and keep their tools', async () => {
    const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }];
    const { data, rows } = await collected([
      { messages: [user('a'), said('b')], tools, label: true },
      { messages: [user('c'), said('d')], system: 'Be brief.', rating: '👎' },
    ]);
    expect(data.kind).toBe('kto');
    expect(rows).toEqual([
      { tools, prompt: [user('a')], completion: [said('b')], label: true },
      { prompt: [{ role: 'system', content: 'Be brief.' }, user('c')], completion: [said('d')], label: false },
    ]);
  });
});

describe('what is left out', () => {
  it('is what was found good and bad, is there twice, or was cut', async () => {
    const { data, reasons } = await collected(
      [
        asked('a', 'yes', good),
        asked('a', 'yes', good),
        asked('b', 'no', good, bad),
        asked('c', 'x', better('y')),
        asked('c', 'y', bad),
        asked('d', 'z', better('w')),
        asked('d', 'z', better('v')),
        { messages: [user('e'), { ...said('part'), weight: 0 }], feedback: [{ message: 1, ...good }] },
      ],
      { to: 'kto' },
    );
    // yes, z (once), w and v.
    expect(data).toMatchObject({ rows: 4, kind: 'kto' });
    expect(reasons).toEqual({
      'the same mark of the same answer stands there already': 1,
      'the same answer to the same question was found good and bad': 4,
      'a good answer that was stopped, cut or has weight 0': 1,
      'a row that another mark made already': 1,
    });
  });

  it('is what cannot be read, by line, and spoils nothing else', async () => {
    const { data, reasons } = await collected([
      { prompt: 'q', completion: 'a' },
      '{"messages": oops}',
      { messages: [user('a'), said('b')], feedback: [{ message: 0, ...good }] },
      { messages: [user('a'), said('b')], feedback: [{ message: 1, mark: 'fine' }] },
      { messages: [said('b')], feedback: [{ message: 0, ...good }] },
      asked('a', 'b', better(' ')),
      asked('a', 'b', better('b ')),
      asked('a', 'b', { ...good, better: 'c' }),
      asked('a', 'b', good),
    ]);
    expect(data).toMatchObject({ rows: 1, sources: [{ conversations: 1 }] });
    expect(Object.keys(reasons)).toEqual([
      'is no conversation with messages',
      'is no valid JSON',
      'a mark is of no answer',
      'a mark is none',
      'an answer that is marked stands behind no question',
      'the better answer is empty',
      'the better answer is the one that was given',
      'an answer is marked good and has a better one',
    ]);
    expect(data.leftOut[2]!.first).toMatch(/:3$/);
  });
});

describe('files', () => {
  it('say beside the data what each row was made of', async () => {
    const sources = join(folder, 'chats');
    mkdirSync(sources);
    writeFileSync(join(sources, 'a.jsonl'), `${JSON.stringify(asked('a', 'b', good))}\n`);
    writeFileSync(join(sources, 'b.jsonl'), `\n${JSON.stringify(asked('c', 'd', good))}\n`);
    writeFileSync(join(sources, 'notes.txt'), 'mine');
    const out = fresh();
    const data = await collect([sources, join(sources, 'a.jsonl')], { out });
    expect(data.sources.map(({ path }) => basename(path))).toEqual(['a.jsonl', 'b.jsonl']);
    const provenance = JSON.parse(readFileSync(`${out}.provenance.json`, 'utf8')) as Record<string, unknown>;
    expect(provenance).toMatchObject({
      version: 1,
      tool: expect.stringMatching(/^nomoat \d/),
      created: expect.stringMatching(/^\d{4}-.*Z$/),
      kind: 'sft',
      rows: 2,
      marks: { good: 2, bad: 0, better: 0 },
      madeOf: [
        { source: 0, line: 1, message: 1 },
        { source: 1, line: 2, message: 1 },
      ],
    });
    const sha256 = createHash('sha256')
      .update(readFileSync(join(sources, 'a.jsonl')))
      .digest('hex');
    expect(data.sources[0]).toMatchObject({ sha256, conversations: 1, marks: { good: 1, bad: 0, better: 0 } });
    expect(provenance['sources']).toEqual(data.sources);
  });

  it('that say so are no data of a folder', async () => {
    const split = join(folder, 'split');
    mkdirSync(split);
    await collect(source(asked('a', 'b', good)), { out: join(split, 'train.jsonl') });
    expect((await readExamples([split], {})).files.map(({ path }) => basename(path))).toEqual(['train.jsonl']);
  });

  it('are never overwritten, and none is written where nothing can be learnt or it is stopped', async () => {
    const marked = source(asked('a', 'b', good));
    const out = fresh();
    await expect(collect(marked, { out: join(folder, 'x.txt') })).rejects.toThrow(/is not named as JSONL/);
    await expect(collect(marked, { out: marked })).rejects.toThrow(/exists already/);
    writeFileSync(`${out}.provenance.json`, '{}');
    await expect(collect(marked, { out })).rejects.toThrow(/provenance\.json: exists already/);
    rmSync(`${out}.provenance.json`);
    await expect(collect(source(asked('a', 'b')), { out })).rejects.toThrow(
      /hold no mark of an answer \(1 without one\)/,
    );
    await expect(collect(source(asked('a', 'b', bad)), { out })).rejects.toThrow(/1 bad .*nothing can be learnt/);
    await expect(collect(marked, { out, to: 'dpo' })).rejects.toThrow(/`to: 'dpo'` makes no row: marked good without/);
    await expect(collect(marked, { out, to: 'ppo' as 'dpo' })).rejects.toThrow(/"ppo" is none of dpo, kto, sft/);
    await expect(collect(join(folder, 'nowhere'), { out })).rejects.toThrow(/does not exist/);
    await expect(collect(marked, { out, signal: AbortSignal.abort() })).rejects.toThrow(/was stopped/);
    expect([out, `${out}.provenance.json`].filter(existsSync)).toEqual([]);
  });
});
