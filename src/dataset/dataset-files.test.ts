import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Random } from '../batches/random.ts';
import { NomoatError } from '../errors.ts';
import { maxRecordBytes } from '../records/raw-record.ts';
import { type Example, type Message, placeOf } from '../text/example.ts';
import { type Dataset, type ReadOptions, readExamples } from './dataset-files.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures/data');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-data-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}
const read = (name: string, content: string | Uint8Array, options: ReadOptions = {}): Promise<Dataset> =>
  readExamples([write(name, content)], options);
const messagesOf = (example: Example | undefined): readonly Message[] => {
  if (example?.kind !== 'chat') throw new Error('no conversation');
  return example.messages;
};
const short = (example: Example | undefined): string[] =>
  messagesOf(example).map(({ role, content }) => `${role}: ${content}`);
const refused = ({ refusals }: Dataset): [number, string][] =>
  refusals.map(({ source, reason }) => [source.line, reason]);

describe('formats, detected by their keys', () => {
  test.each([
    ['messages.jsonl', 'messages', 'by the keys messages', 3],
    ['prompt-completion.jsonl', 'prompt-completion', 'by the keys prompt and completion', 2],
    ['text.jsonl', 'text', 'by the keys text', 2],
    ['alpaca.json', 'alpaca', 'by the keys instruction and output', 2],
    ['sharegpt.jsonl', 'sharegpt', 'by the keys conversations', 2],
  ])('%s is %s', async (name, format, why, rows) => {
    const data = await readExamples([join(fixtures, name)]);
    expect(data.files).toEqual([{ path: join(fixtures, name), rows, format, why }]);
    expect([data.format, data.train.length, data.refusals, data.validation]).toEqual([format, rows, [], null]);
  });

  test('messages keep weights, tool calls and tools; parts of a content are joined', async () => {
    const { train } = await readExamples([join(fixtures, 'messages.jsonl')]);
    expect(messagesOf(train[1]).map(({ weight }) => weight)).toEqual([undefined, 0, undefined, 1]);
    const [asked, call, result] = messagesOf(train[2]);
    expect(asked!.content).toBe('Weather in Bern?');
    expect(call).toMatchObject({ content: null, tool_calls: [{ function: { name: 'weather' } }] });
    expect(result).toEqual({ role: 'tool', content: 'sunny', tool_call_id: 'c1' });
    expect(train[2]).toMatchObject({ tools: [{ function: { name: 'weather' } }], source: { line: 3 } });
  });

  test('of conversational prompts only the completion is learnt', async () => {
    const { train } = await readExamples([join(fixtures, 'prompt-completion.jsonl')]);
    expect(train[0]).toMatchObject({ kind: 'completion', prompt: 'Capital of France?', completion: 'Paris' });
    expect(messagesOf(train[1]).map(({ content, weight }) => [content, weight])).toEqual([
      ['2+2?', 0],
      ['4', 0],
      ['And 3+3?', 0],
      ['6', undefined],
    ]);
  });

  test('alpaca and sharegpt become conversations; lines of a JSON list are those of the file', async () => {
    const alpaca = await readExamples([join(fixtures, 'alpaca.json')]);
    expect(short(alpaca.train[0])).toEqual(['user: Translate.\n\nbonjour', 'assistant: hello']);
    expect(short(alpaca.train[1])).toEqual([
      'system: Be kind.',
      'user: Who?',
      'assistant: Me.',
      'user: Say [hi], "quoted".',
      'assistant: hi',
    ]);
    expect(alpaca.train.map(({ source }) => source.line)).toEqual([2, 3]);
    expect(alpaca.notes.join()).toMatch(/not read: text/);
    const { train } = await readExamples([join(fixtures, 'sharegpt.jsonl')]);
    expect(short(train[0])).toEqual(['system: Be brief.', 'user: Capital of France?', 'assistant: Paris']);
    expect(messagesOf(train[1])[1]).toMatchObject({
      role: 'assistant',
      tool_calls: [{ function: { name: 'weather' } }],
    });
    expect(train[1]).toMatchObject({ tools: [{ name: 'weather' }] });
  });

  test('CSV by chosen columns, with any of three delimiters, quotes and line ends; lines are those of the file', async () => {
    const options = { promptColumn: 'question', completionColumn: 'answer' };
    const path = join(fixtures, 'questions.csv');
    const { train, format, notes } = await readExamples([path], options);
    expect(train).toEqual([
      { kind: 'completion', prompt: 'Capital, of France?', completion: 'Paris', source: { file: path, line: 2 } },
      { kind: 'completion', prompt: 'Two\r\nlines', completion: 'say "hi"', source: { file: path, line: 3 } },
    ]);
    expect([format, notes]).toEqual(['csv (prompt-completion)', [`${path}: not read: category`]]);
    for (const delimiter of [';', '\t']) {
      const other = await read('d.csv', `question${delimiter}answer\n"a, b"${delimiter}c\n`, options);
      expect(other.train).toMatchObject([{ prompt: 'a, b', completion: 'c' }]);
    }
    expect((await read('t.csv', 'text,label\nhello,1\n')).train).toMatchObject([{ kind: 'text', text: 'hello' }]);
    expect(
      (await read('swap.csv', 'prompt,completion\na,b\n', { promptColumn: 'completion', completionColumn: 'prompt' }))
        .train,
    ).toMatchObject([{ prompt: 'b', completion: 'a' }]);
    expect((await read('data.txt', 'text\nhello\n', { format: 'csv' })).train.length).toBe(1);
  });

  test('columns are chosen in JSONL, too', async () => {
    const data = await read('q.jsonl', '{"q": "a", "a": "b"}\n{"q": "c"}\n', {
      promptColumn: 'q',
      completionColumn: 'a',
    });
    expect(data.train).toMatchObject([{ prompt: 'a', completion: 'b' }]);
    expect(refused(data)).toEqual([[2, 'has no "completion"']]);
    expect(data.files[0]!.why).toBe('by the chosen columns');
  });

  test('a column that is chosen under the name of another is read once, and not said to be unread', async () => {
    const options = { promptColumn: 'question', completionColumn: 'prompt' };
    const data = await read('shift.csv', 'question,prompt,completion\nq,p,c\n', options);
    expect(data.train).toMatchObject([{ prompt: 'q', completion: 'p' }]);
    expect(data.notes).toEqual([]);
    const text = await read('shift.jsonl', '{"text": "t", "body": "b"}\n', { textColumn: 'body' });
    expect(text.train).toMatchObject([{ text: 'b' }]);
  });

  test('a forced format wins over what the keys say', async () => {
    const line = '{"text": "t", "prompt": "p", "completion": "c"}\n';
    expect((await read('f.jsonl', line)).format).toBe('prompt-completion');
    expect((await read('f.jsonl', line, { format: 'text' })).train).toMatchObject([{ kind: 'text', text: 't' }]);
    await expect(read('f.jsonl', line, { format: 'messages' })).rejects.toThrow(
      /no usable record of the format messages .*f.jsonl:1 has no "messages"/,
    );
  });

  test('a list in a .jsonl, JSONL in a .json, one object, several files at once', async () => {
    expect(
      (await read('list.jsonl', ' \n[{"text": "a"},\n{"text": "b"}]')).train.map(({ source }) => source.line),
    ).toEqual([2, 3]);
    expect((await read('lines.json', '{"text": "a"}\n{"text": "b"}\n')).train.length).toBe(2);
    expect((await read('object.json', '{\n"text": "a"\n}')).train.length).toBe(1);
    const both = await readExamples([join(fixtures, 'text.jsonl'), join(fixtures, 'alpaca.json')]);
    expect([both.train.length, both.format, both.files.length]).toEqual([4, 'text, alpaca', 2]);
  });
});

describe('folders', () => {
  test('train, valid and test files; the test file is left alone where there is a valid one', async () => {
    const data = await readExamples([join(fixtures, 'folder')]);
    expect([data.train.length, data.validation?.length]).toEqual([3, 1]);
    expect(data.validation).toMatchObject([{ completion: 'Rome' }]);
    expect(data.notes.join()).toMatch(/test.jsonl is left alone/);
  });

  test('a test file alone serves as validation, which is said; other files are named', async () => {
    const path = join(folder, 'tests');
    mkdirSync(path);
    for (const name of ['train.csv', 'test.csv', 'extra.csv']) writeFileSync(join(path, name), `text\n${name}\n`);
    const data = await readExamples([path]);
    expect(data.validation).toMatchObject([{ text: 'test.csv' }]);
    expect(data.notes.join()).toMatch(/serves as validation.*not read.*extra.csv/);
  });

  test('without a train file, it says what there is', async () => {
    const path = join(folder, 'none');
    mkdirSync(path);
    writeFileSync(join(path, 'a.jsonl'), '');
    await expect(readExamples([path])).rejects.toThrow(/without a train file \(it holds a.jsonl\)/);
  });
});

describe('bad input', () => {
  test('every bad record is named by line and reason', async () => {
    const lines = [
      '{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}',
      'not json',
      '',
      '[]',
      '{"text": "x"}',
      '{"messages": []}',
      '{"messages": [{"content": "q"}]}',
      '{"messages": [{"role": "narrator", "content": "q"}]}',
      '{"messages": [{"role": "user"}]}',
      '{"messages": [{"role": "user", "content": {"a": 3}}]}',
      '{"messages": [{"role": "assistant", "content": ""}]}',
      '{"messages": [{"role": "assistant", "content": "a", "weight": -0.5}]}',
      '{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}',
      '{"messages": [{"role": "user", "content": "\\ud800"}]}',
      '{"messages": "x"}',
      '{"messages": [{"role": "user", "content": "q"}], "tools": {}}',
    ];
    const data = await read('bad.jsonl', lines.join('\r\n'));
    expect(data.train.length).toBe(2);
    expect(refused(data)).toEqual([
      [2, 'is no valid JSON'],
      [4, 'is no JSON object'],
      [6, 'the conversation is empty'],
      [7, 'a message has no role'],
      [8, 'a message is of an unknown role'],
      [9, 'a message has no content'],
      [10, "a message's content is no text"],
      [11, 'an answer is empty'],
      [12, 'a weight is not from 0 to 100'],
      [13, 'a content has a part that is no text'],
      [14, "a message's content holds half a character (a lone surrogate)"],
      [15, 'the conversation is no valid JSON'],
      [16, 'tools is no list'],
    ]);
    expect(data.files[0]!.rows).toBe(15);
    expect(data.refusals[4]).toMatchObject({ detail: 'message 1: narrator' });
  });

  test('byte order marks are no matter; bytes that are no UTF-8 spoil their line only', async () => {
    const bytes = Buffer.concat([
      Buffer.from('\ufeff{"text": "a"}\n{"text": "'),
      Buffer.from([0xff, 0x80]),
      Buffer.from('"}\n{"text": "é"}'),
    ]);
    const data = await read('bytes.jsonl', bytes);
    expect(data.train).toMatchObject([{ text: 'a' }, { text: 'é' }]);
    expect(refused(data)).toEqual([[2, 'is not valid UTF-8']]);
    await expect(read('bytes.csv', Buffer.concat([Buffer.from('text\nok\n'), Buffer.from([0xff])]))).rejects.toThrow(
      /bytes.csv:3: is not valid UTF-8/,
    );
    expect((await read('bom.csv', '\ufefftext\nhello\n')).train.length).toBe(1);
  });

  test('a line that is too long is skipped, not held', async () => {
    const data = await read('long.jsonl', `{"text": "a"}\n{"text": "${'x'.repeat(maxRecordBytes)}"}\n{"text": "b"}\n`);
    expect(data.train.map(({ source }) => source.line)).toEqual([1, 3]);
    expect(refused(data)).toEqual([[2, `is longer than ${maxRecordBytes} bytes`]]);
  });

  test('lines that lie across the chunks of reading stay whole', async () => {
    const texts = Array.from({ length: 30_000 }, (_, i) => `${i} ${'ä😀'.repeat(i % 40)}`);
    const data = await read('chunks.jsonl', texts.map((text) => JSON.stringify({ text })).join('\n'));
    expect(data.train.map((example) => (example as { text: string }).text)).toEqual(texts);
  });

  test.each([
    ['nothing.jsonl', '', /is empty/],
    ['white.jsonl', ' \n\r\n', /is empty/],
    ['nothing.csv', 'a,b\n', /has columns \(a, b\) and no rows/],
    ['list.json', '[]', /is empty/],
    [
      'unanswered.jsonl',
      '{"prompt": "q", "id": 3}',
      /has "prompt" and no answers in "completion" \(keys of its first record: prompt, id\)/,
    ],
    ['odd.jsonl', '{"a": 1, "b": 2}', /is of no known format \(keys of its first record: a, b\).*prompt, completion/],
    ['odd.csv', 'x,y\n1,2\n', /its columns: x, y.*`promptColumn`/],
    ['pairs.jsonl', '{"prompt": "q", "chosen": "a", "rejected": "a"}', /pairs.jsonl:1 both answers are equal/],
    ['plain.jsonl', 'a story\nof lines\n', /plain.jsonl:1: is no valid JSON .*none of the first 2 records/],
    ['x.parquet', 'PAR1', /Parquet file that is damaged or cut off/],
    ['y.parquet', 'a,b', /is no Parquet file, whatever its name says/],
    ['x.jsonl', 'PAR1....', /Parquet/],
    ['y.jsonl', Buffer.from([0x1f, 0x8b, 8]), /gzip/],
    ['z.csv', Buffer.from('text\na', 'utf16le'), /UTF-16 without a byte order mark/],
    ['story.txt', 'a story', /unknown extension .txt.*\.jsonl/],
    ['bare', 'a', /no extension/],
    ['quotes.csv', 'text\n"open\nmore\n', /quotes.csv:\d+: is no valid CSV/],
    ['twice.csv', 'text,text\na,b\n', /two columns named "text"/],
  ])('%s is refused by name', async (name, content, message) => {
    await expect(read(name, content)).rejects.toThrow(message);
    await expect(read(name, content)).rejects.toThrow(NomoatError);
  });

  test('a list that is cut off keeps what is whole; a broken element does not hide the others', async () => {
    expect(refused(await read('cut.json', '[{"text": "a"},\n{"text": "b"},\n{"te'))).toEqual([
      [3, 'is cut off: the list has no end'],
    ]);
    const broken = await read('broken.json', '[{"text": "a"},\n{"text": b},\n,{"text": "c"}] x');
    expect(broken.train.map(({ source }) => source.line)).toEqual([1, 3]);
    expect(refused(broken)).toEqual([
      [2, 'is no valid JSON'],
      [3, 'is no valid JSON'],
      [3, 'stands after the end of the list'],
    ]);
  });

  test('CSV records with fields too many or too few are refused one by one', async () => {
    const data = await read('ragged.csv', 'prompt,completion\n\na,b\nc\nd,e,f\n"g\r\nh",i\n,j\nk,\n');
    expect(data.train.map(({ source }) => source.line)).toEqual([3, 6, 8]);
    expect(refused(data)).toEqual([
      [4, 'has another number of fields than the first line'],
      [5, 'has another number of fields than the first line'],
      [9, 'the completion is empty'],
    ]);
  });

  test('columns that are not there, or chosen by halves, are said', async () => {
    const csv = 'question,answer\na,b\n';
    await expect(read('c.csv', csv, { promptColumn: 'qestion', completionColumn: 'answer' })).rejects.toThrow(
      /no column "qestion".*question, answer.*Did you mean "question"/,
    );
    await expect(read('c.csv', csv, { promptColumn: 'question' })).rejects.toThrow(/only one of prompt and completion/);
    const all = { promptColumn: 'question', completionColumn: 'answer', textColumn: 'answer' };
    await expect(read('c.csv', csv, all)).rejects.toThrow(/besides prompt and completion/);
    await expect(read('c.csv', csv, { textColumn: 'answer', format: 'messages' })).rejects.toThrow(
      /`format` is messages/,
    );
  });

  test('paths that do not exist or are no files', async () => {
    await expect(readExamples([join(folder, 'nowhere.jsonl')])).rejects.toThrow(/nowhere.jsonl: does not exist/);
    await expect(readExamples(['/dev/null'])).rejects.toThrow(NomoatError);
  });
});

/** One random change: bytes replaced, removed, doubled, swapped, or the end cut off. */
function mutate(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length);
  const length = 1 + random.below(20);
  const special = [0x22, 0x5b, 0x7b, 0x7d, 0x5d, 0x2c, 0x0a, 0x0d, 0x5c, 0x00, 0xff, 0xef, 0x3b, 0x09];
  const kinds = [
    () => bytes.subarray(0, at),
    () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]),
    () => Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]),
    () => Buffer.concat([bytes.subarray(at), bytes.subarray(0, at)]),
    () =>
      Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from([special[random.below(special.length)]!]),
        bytes.subarray(at + 1),
      ]),
    () => Buffer.concat([bytes.subarray(0, at), Buffer.from([random.below(256)]), bytes.subarray(at)]),
    () => Buffer.concat([bytes.subarray(0, at), Buffer.from('['.repeat(5000)), bytes.subarray(at)]),
  ];
  return kinds[random.below(kinds.length)]!();
}

describe('700 mutations each: counted or refused, never anything else, within a second', () => {
  test.each([
    ['messages.jsonl', {}],
    ['sharegpt.jsonl', {}],
    ['alpaca.json', {}],
    ['questions.csv', { promptColumn: 'question', completionColumn: 'answer' }],
  ])('%s', async (name, options) => {
    const original = readFileSync(join(fixtures, name));
    const random = new Random(31);
    let [readable, refusedFiles, slowest] = [0, 0, 0];
    for (let i = 0; i < 700; i++) {
      let bytes: Buffer = original;
      for (let k = 0; k <= random.below(4) && bytes.length > 0; k++) bytes = mutate(bytes, random);
      const path = write(`fuzz-${name}`, bytes);
      const start = performance.now();
      try {
        const { train, refusals, files } = await readExamples([path], options);
        expect(train.length + refusals.length).toBe(files[0]!.rows);
        expect(refusals.every(({ source, reason }) => source.line > 0 && reason.length > 0)).toBe(true);
        readable++;
      } catch (error) {
        expect(error).toBeInstanceOf(NomoatError);
        expect((error as NomoatError).part).toContain(name);
        refusedFiles++;
      }
      slowest = Math.max(slowest, performance.now() - start);
    }
    expect(slowest).toBeLessThan(1000);
    // Both ends are reached, or the mutations would show nothing.
    expect(readable).toBeGreaterThan(50);
    expect(refusedFiles).toBeGreaterThan(50);
  });
});

test('rows of a JSON list on one line are told apart; a text beside a label says how to learn the label', async () => {
  const list = join(folder, 'list.json');
  writeFileSync(list, '[{"prompt":"a","completion":"b"},{"prompt":"c"},{"prompt":"d","completion":"e"}]');
  const { refusals, train } = await readExamples([list]);
  expect(train.map(({ source }) => source.record)).toEqual([1, 3]);
  expect(placeOf(refusals[0]!.source)).toBe(`${list}:1, record 2`);
  const labelled = join(folder, 'labelled.csv');
  writeFileSync(labelled, 'text,category\nhello,greeting\n');
  expect((await readExamples([labelled])).notes[0]).toContain("`promptColumn: 'text', completionColumn: 'category'`");
  const chosen = await readExamples([labelled], { promptColumn: 'text', completionColumn: 'category' });
  expect(chosen.train[0]).toMatchObject({ kind: 'completion', completion: 'greeting' });
});
