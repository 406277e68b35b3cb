/** Data as other tools leave it: compressed, wrapped, joined, in other encodings, damaged in one place. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { NomoatError } from '../errors.ts';
import { writeJson } from '../formats/exact-json.ts';
import { type Dataset, type ReadOptions, readExamples } from './dataset-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-forms-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}
const read = (name: string, content: string | Uint8Array, options: ReadOptions = {}): Promise<Dataset> =>
  readExamples([write(name, content)], options);
const pairs = ({ train }: Dataset): string[] =>
  train.map((example) => (example.kind === 'completion' ? `${example.prompt}=${example.completion}` : example.kind));
const refused = ({ refusals }: Dataset): string[] =>
  refusals.map(({ source, reason }) => `${source.record ?? source.line} ${reason}`);
const two = [
  { prompt: 'a', completion: 'b' },
  { prompt: 'c', completion: 'd' },
];
const lines = two.map((pair) => JSON.stringify(pair)).join('\n');
const both = ['a=b', 'c=d'];

describe('compressed files', () => {
  test.each(['x.jsonl.gz', 'x.jsonl', 'x.gz', 'x.JSONL.GZ'])('gzip named %s', async (name) => {
    expect(pairs(await read(name, gzipSync(lines)))).toEqual(both);
  });

  test('members one after another, CSV and lists', async () => {
    const members = Buffer.concat([gzipSync(`${JSON.stringify(two[0])}\n`), gzipSync(JSON.stringify(two[1]))]);
    expect(pairs(await read('members.jsonl.gz', members))).toEqual(both);
    expect(pairs(await read('list.gz', gzipSync(JSON.stringify(two))))).toEqual(both);
    expect(pairs(await read('table.csv.gz', gzipSync('prompt,completion\na,b\nc,d\n')))).toEqual(both);
  });

  test('in folders; a packed copy beside the file is left out', async () => {
    write('packed/train.jsonl.gz', gzipSync(lines));
    write('packed/valid.csv.gz', gzipSync('prompt,completion\na,b\n'));
    const data = await readExamples([join(folder, 'packed')]);
    expect([pairs(data), data.validation?.length]).toEqual([both, 1]);
    write('packed/train.jsonl', lines);
    const copied = await readExamples([join(folder, 'packed')]);
    expect([pairs(copied), copied.notes.join()]).toEqual([
      both,
      expect.stringMatching(/train.jsonl.gz left out as packed copies/),
    ]);
  });

  test('cut off, damaged, packed twice, a bomb', async () => {
    const packed = gzipSync(Buffer.from(lines.repeat(50).replaceAll('}{', '}\n{')));
    const damaged = Buffer.from(packed);
    damaged.fill(0x55, 30, 50);
    await expect(read('cut.jsonl.gz', packed.subarray(0, -9))).rejects.toThrow(/is cut off: its gzip data has no end/);
    await expect(read('bad.jsonl.gz', damaged)).rejects.toThrow(/is damaged: its gzip data cannot be unpacked/);
    await expect(read('twice.jsonl.gz', gzipSync(packed))).rejects.toThrow(/is packed twice/);
    const bomb = Buffer.concat(Array.from({ length: 70 }, () => gzipSync(Buffer.alloc(16 << 20))));
    await expect(read('bomb.jsonl.gz', bomb)).rejects.toThrow(/unpacks to more than 1.1 GB/);
  }, 60_000);

  test.each([
    ['a.jsonl', Buffer.from('BZh91AY'), /bzip2/],
    ['a.jsonl.xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), /xz/],
    ['a.parquet', Buffer.from('version https://git-lfs.github.com/spec/v1\n'), /git lfs pull/],
    ['a.jsonl', Buffer.from('<!DOCTYPE html><html>'), /a web page/],
    ['a.tar.gz', gzipSync(Buffer.concat([Buffer.alloc(257, 97), Buffer.from('ustar\0')])), /a tar archive/],
  ])('%s: what cannot be read is named', async (name, bytes, message) => {
    await expect(read(name, bytes)).rejects.toThrow(message);
  });
});

describe('records inside other JSON', () => {
  const columns = { prompt: ['a', 'c'], completion: ['b', 'd'] };
  test.each([
    ['rows', { rows: two }, 'in the list under "rows"'],
    ['deep', { result: { data: two } }, 'in the list under "data", under "result"'],
    ['train', { version: 2, train: two, test: [two[0]] }, 'in the list under "train"'],
    ['two', { en: [two[0]], fr: [two[1]] }, 'in the lists under "en", "fr"'],
    ['columns', columns, 'in lists by column'],
    ['deep columns', { data: columns }, 'in lists by column, under "data"'],
    ['pandas', { prompt: { 0: 'a', 5: 'c' }, completion: { 0: 'b', 5: 'd' } }, "in pandas' layout by column and row"],
    ['index', { x: two[0], y: two[1] }, 'in an object with a key for each'],
    [
      'split',
      {
        columns: ['prompt', 'completion'],
        index: [0, 1],
        data: [
          ['a', 'b'],
          ['c', 'd'],
        ],
      },
      "in pandas' split layout",
    ],
    [
      'table',
      { schema: { fields: [] }, data: two.map((pair, index) => ({ index, ...pair })) },
      'in the list under "data"',
    ],
    [
      'server',
      { features: [{ name: 'prompt' }], rows: two.map((row, row_idx) => ({ row_idx, row, truncated_cells: [] })) },
      "as the hub's data server gives rows",
    ],
  ])('%s', async (name, value, layout) => {
    for (const [ending, text] of [
      ['json', JSON.stringify(value, null, 2)],
      ['jsonl', JSON.stringify(value)],
    ] as const) {
      const data = await read(`${name}.${ending}`, text);
      expect([pairs(data), data.files[0]!.why]).toEqual([both, `by the keys prompt and completion, ${layout}`]);
    }
  });

  test('conversations: a list of turns is a record, a list of records is not', async () => {
    const turns = [
      { from: 'human', value: 'q' },
      { from: 'gpt', value: 'a' },
    ];
    expect((await read('one.json', JSON.stringify({ conversations: turns }))).train.length).toBe(1);
    const many = { conversations: [{ conversations: turns }, { conversations: turns }] };
    expect((await read('many.json', JSON.stringify(many))).train.length).toBe(2);
    const messages = [
      { role: 'user', content: 'q' },
      { role: 'assistant', content: 'a' },
    ];
    expect((await read('column.json', JSON.stringify({ messages: [messages, messages, messages] }))).train.length).toBe(
      3,
    );
    const trl = { prompt: [messages[0]], completion: [messages[1]] };
    expect((await read('trl.json', JSON.stringify(trl))).train.length).toBe(1);
  });

  test('what is left alone is noted; chosen columns count as keys', async () => {
    const { notes } = await read('left.json', JSON.stringify({ version: 2, train: two, test: [two[0]] }));
    expect(notes.join('\n')).toMatch(
      /the 1 records under "test" are left alone[\s\S]*not read beside the records: version/,
    );
    const options = { promptColumn: 'q', completionColumn: 'r' };
    expect(pairs(await read('chosen.json', JSON.stringify({ items: [{ q: 'a', r: 'b' }] }), options))).toEqual(['a=b']);
    const cut = { rows: [{ row: two[0], truncated_cells: ['prompt'] }] };
    await expect(read('cut.json', JSON.stringify(cut))).rejects.toThrow(/texts the data server cut off \(1 of 1/);
    const rows = { rows: [{ row: two[0], truncated_cells: [] }], num_rows_total: 9 };
    expect((await read('page.json', JSON.stringify(rows))).notes.join()).toContain("1 of the data set's 9 rows");
  });

  test.each([
    [{ prompt: ['a'], completion: ['b', 'c'] }, /columns of different lengths \(prompt 1, completion 2\)/],
    [{ prompt: { 0: 'a', 1: 'c' }, completion: { 0: 'b' } }, /columns of different lengths \(prompt 2, completion 1\)/],
    [{ columns: ['prompt', 'completion'], data: [['a', 'b'], ['c']] }, /row 2 has 1, and there are 2 columns/],
  ])('%j is refused by name', async (value, message) => {
    await expect(read('wrong.json', JSON.stringify(value))).rejects.toThrow(message);
  });

  test('a bad record inside is one refusal', async () => {
    const data = await read(
      'bad.json',
      `{"version": 1,\n"data": [\n${JSON.stringify(two[0])},\n{"prompt": "x", "completion": NaN},\n${JSON.stringify(two[1])}]}`,
    );
    expect(pairs(data)).toEqual(both);
    expect(refused(data)).toEqual(['2 is no valid JSON: it holds NaN or Infinity']);
    expect(data.refusals[0]!.source.line).toBe(4);
  });
});

describe('lines', () => {
  test('objects over several lines, as jq prints them', async () => {
    const text = two.map((pair) => JSON.stringify(pair, null, 2)).join('\n');
    for (const name of ['jq.json', 'jq.jsonl']) {
      const data = await read(name, text);
      expect([pairs(data), data.train.map(({ source }) => source.line)]).toEqual([both, [1, 5]]);
    }
  });

  test('ends of CR alone, at the boundary of pieces too, and byte order marks inside', async () => {
    const text = Array.from({ length: 20_000 }, (_, i) => JSON.stringify({ text: `${i} ${'x'.repeat(i % 97)}` }));
    for (const end of ['\r', '\r\n', '\n'])
      expect((await read('ends.jsonl', text.join(end))).train.length).toBe(20_000);
    const joined = await read('joined.jsonl', `\ufeff${JSON.stringify(two[0])}\n\ufeff${JSON.stringify(two[1])}`);
    expect([pairs(joined), joined.notes.join()]).toEqual([
      both,
      expect.stringContaining('1 byte order mark inside the file left out'),
    ]);
    const csv = await read('joined.csv', '\ufeffprompt,completion\na,b\n\ufeffprompt,completion\nc,d\n');
    expect(pairs(csv)).toEqual(both);
    expect(refused(csv)).toEqual(['3 has the names of the columns once more']);
  });

  test('UTF-16 by its mark; Latin-1, NUL bytes and mixed encodings are named', async () => {
    for (const name of ['wide.jsonl', 'wide.json'])
      expect(pairs(await read(name, Buffer.from(`\ufeff${lines}`, 'utf16le')))).toEqual(both);
    expect(pairs(await read('wide.jsonl', Buffer.from(`\ufeff${lines}`, 'utf16le').swap16()))).toEqual(both);
    await expect(read('wide.jsonl', Buffer.from(lines, 'utf16le'))).rejects.toThrow(/UTF-16 without a byte order mark/);
    const mixed = Buffer.concat([
      Buffer.from(`${lines}\n{"prompt": "`),
      Buffer.from([0xfc]),
      Buffer.from('", "completion": "x"}\n{"prompt": "\0", "completion": "x"}'),
    ]);
    const data = await read('mixed.jsonl', mixed);
    expect(pairs(data)).toEqual(both);
    expect(refused(data)).toEqual(['3 is not valid UTF-8', '4 is no valid JSON: it holds NUL bytes']);
    expect(data.refusals[0]!.detail).toContain('iconv -f WINDOWS-1252');
    await expect(read('latin.csv', Buffer.from('text\ncaf\xe9\n', 'latin1'))).rejects.toThrow(
      /latin.csv:2: is not valid UTF-8.*iconv/,
    );
    expect(refused(await read('nul.csv', 'prompt,completion\na,b\nc,\0\n'))).toEqual(['3 holds NUL bytes']);
  });

  test.each([
    ['{"prompt": NaN, "completion": "x"}', 'it holds NaN or Infinity'],
    ['{"prompt": -Infinity}', 'it holds NaN or Infinity'],
    ["{'prompt': 'x'}", 'it is written as Python prints it'],
    ['{"prompt": None}', 'it is written as Python prints it'],
    ['{"prompt": "x",}', 'a comma stands before a closing bracket'],
    ['{"prompt": "x", "completion": "y"},', 'a comma follows it'],
    ['{prompt: "x"}', 'a key stands without quotes'],
    ['{"prompt": "NaN, None and it\'s {\'fine\': 1}"', ''],
  ])('%s is one refused row, and says why', async (line, why) => {
    const data = await read('one-bad.jsonl', `${lines}\n${line}\n`);
    expect(pairs(data)).toEqual(both);
    expect(refused(data)).toEqual([`3 is no valid JSON${why === '' ? '' : `: ${why}`}`]);
  });

  test('a hundred thousand brackets are a refused row', async () => {
    const deep = `{"text": "x", "extra": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const numbers = `{"text": "x", "extra": ${'['.repeat(100_000)}1.0${']'.repeat(100_000)}}`;
    for (const [name, text] of [
      ['deep.jsonl', `${lines}\n${deep}\n${numbers}`],
      ['deep.json', `[${JSON.stringify(two[0])},${JSON.stringify(two[1])},${deep},${numbers}]`],
    ] as const) {
      const data = await read(name, text);
      expect(pairs(data)).toEqual(both);
      expect(refused(data)).toEqual(['3 is nested deeper than 200 levels', '4 is nested deeper than 200 levels']);
    }
  });
});

test('numbers keep their spelling from the file on', async () => {
  const call = '{"type":"function","function":{"name":"f","arguments":{"id":7301234567890123457,"x":1.0,"y":1e5}}}';
  const row = `{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[${call}]}]}`;
  for (const [name, text] of [
    ['n.jsonl', row],
    ['n.json', `[${row}]`],
    ['w.json', `{"data":[${row}]}`],
  ] as const) {
    const { train } = await read(name, text);
    expect(writeJson(train)).toContain(call);
  }
});

test('weights of messages are numbers from 0 to 100, in any spelling', async () => {
  const row = (weight: string): string =>
    `{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a","weight":${weight}}]}`;
  const data = await read(
    'weights.jsonl',
    ['1.0', '0.0', '1', '0.5', '"0.25"', 'true', '-1', '101', '"much"'].map(row).join('\n'),
  );
  expect(data.train.map((example) => example.kind === 'chat' && example.messages[1]!.weight)).toEqual([
    1, 0, 1, 0.5, 0.25, 1,
  ]);
  expect(refused(data)).toEqual([
    '7 a weight is not from 0 to 100',
    '8 a weight is not from 0 to 100',
    '9 the mark "weight" of a message is neither true nor false',
  ]);
});

test('a weight beside the data is the record’s; a text there is another column', async () => {
  const row = (weight: string): string => `{"prompt":"q","completion":"a","weight":${weight}}`;
  const data = await read('rows.jsonl', ['0.5', '1', '"2"', '"heavy"', '0', '-3'].map(row).join('\n'));
  expect(data.train.map(({ weight }) => weight)).toEqual([0.5, undefined, 2, undefined]);
  expect(refused(data)).toEqual(['5 has the weight 0: nothing of it is learnt', '6 a weight is not from 0 to 100']);
  expect(data.notes.join()).toContain('weight');
  const table = await read('rows.csv', 'prompt,completion,weight\nq,a,0.5\nq,b,\n');
  expect(table.train.map(({ weight }) => weight)).toEqual([0.5, undefined]);
});

describe('CSV', () => {
  test.each(['sep=;\r\n', '"sep=;"\n', 'SEP=;\r'])('%j as the first line', async (first) => {
    const data = await read('sep.csv', `\ufeff${first}prompt;completion\na,1;b\nc;d\n`);
    expect([pairs(data), data.train.map(({ source }) => source.line)]).toEqual([
      ['a,1=b', 'c=d'],
      [3, 4],
    ]);
  });

  test('tabs and bars', async () => {
    expect(pairs(await read('t.tsv', 'prompt\tcompletion\na\tb\nc\td\n'))).toEqual(both);
    expect(pairs(await read('t.csv', 'sep=\t\nprompt\tcompletion\na\tb\nc\td\n'))).toEqual(both);
    expect(pairs(await read('b.csv', 'prompt|completion\na|b\nc|d\n'))).toEqual(both);
  });
});

describe('formats', () => {
  test('rows of several formats are read each as its own, with counts', async () => {
    const data = await read('mixed.jsonl', `${lines}\n{"text": "t"}\n{"instruction": "i", "output": "o"}\n{"odd": 1}`);
    expect(data.train.map(({ kind }) => kind)).toEqual(['completion', 'completion', 'text', 'chat']);
    expect(data.files[0]!.format).toBe('prompt-completion and text and alpaca');
    expect(data.notes.join()).toContain(
      'rows of several formats, each read as its own: prompt-completion 2, text 1, alpaca 1',
    );
    expect(refused(data)).toEqual(['5 has no "prompt"']);
    const forced = await read('mixed.jsonl', `${lines}\n{"text": "t"}`, { format: 'prompt-completion' });
    expect(refused(forced)).toEqual(['3 has no "prompt"']);
  });

  test('keys that are not read are counted, and one that looks like a label is named', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({
      text: `t${i}`,
      id: `n${i}`,
      kind: ['x', 'y'][i % 2],
      ...(i < 3 ? { rare: 1 } : {}),
    }));
    const { notes } = await read('labels.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
    expect(notes).toEqual([
      expect.stringMatching(
        /not read: id, kind, rare \(3 of 40 rows\); "kind" looks like a label.*`promptColumn: 'text', completionColumn: 'kind'`$/,
      ),
    ]);
  });

  test('the remedy for other names tries the ones that are there', async () => {
    await expect(read('qa.jsonl', '{"Question": "a", "Answer": "b"}')).rejects.toThrow(
      "Try `promptColumn: 'Question', completionColumn: 'Answer'`.",
    );
  });
});

describe('folders', () => {
  test('a folder for each split, names with the role in them, other files noted', async () => {
    write('splits/train/part-2.jsonl', JSON.stringify(two[1]));
    write('splits/train/part-1.jsonl', JSON.stringify(two[0]));
    write('splits/validation/all.jsonl', lines);
    const data = await readExamples([join(folder, 'splits')]);
    expect([pairs(data), data.validation?.length]).toEqual([both, 2]);
    write('words/alpaca_train.jsonl', lines);
    write('words/dev-v2.0.json', JSON.stringify(two));
    write('words/._train.jsonl', 'of a Mac');
    write('words/latest.jsonl', lines);
    const words = await readExamples([join(folder, 'words')]);
    expect([words.train.length, words.validation?.length, words.notes.join()]).toEqual([
      2,
      2,
      expect.stringContaining('latest.jsonl'),
    ]);
  });

  test('parts in the order of their numbers, 10 after 9; an empty part is no fault', async () => {
    for (let i = 0; i < 11; i++) {
      const name = `parts/train-${String(i).padStart(5, '0')}-of-00011.jsonl`;
      write(name, i === 3 ? '' : JSON.stringify({ prompt: `${i}`, completion: 'x', id: i }));
    }
    const data = await readExamples([join(folder, 'parts')]);
    expect(pairs(data)).toEqual([0, 1, 2, 4, 5, 6, 7, 8, 9, 10].map((i) => `${i}=x`));
    expect(data.notes).toEqual([expect.stringMatching(/train-\*-of-11: not read: id$/)]);
  });

  test('paths that lead nowhere, and a pipe that nobody writes to', async () => {
    const pipe = join(folder, 'pipe.jsonl');
    execFileSync('mkfifo', [pipe]);
    await expect(readExamples([pipe])).rejects.toThrow(/pipe.jsonl: is no regular file/);
    write('file.jsonl', lines);
    await expect(readExamples([join(folder, 'file.jsonl/inside')])).rejects.toThrow(NomoatError);
    await expect(readExamples(['a\0b.jsonl'])).rejects.toThrow(NomoatError);
    await expect(readExamples([`${'x'.repeat(300)}.jsonl`])).rejects.toThrow(NomoatError);
  });

  test('parts of Arrow without their descriptions, and a cache that names the splits', async () => {
    const saved = join(import.meta.dirname, '../../test/fixtures/data/tables/saved-dict/train');
    for (const i of [0, 1, 2])
      write(`bare/data-0000${i}-of-00003.arrow`, readFileSync(join(saved, `data-0000${i}-of-00003.arrow`)));
    expect((await readExamples([join(folder, 'bare')])).train.length).toBe(8);
    for (const split of ['train', 'test'])
      write(`cache/words-${split}.arrow`, readFileSync(join(saved, 'data-00000-of-00003.arrow')));
    write('cache/dataset_info.json', '{}');
    const cached = await readExamples([join(folder, 'cache')]);
    expect([cached.train.length, cached.validation?.length]).toEqual([3, 3]);
  });

  test('sets that do not fit are refused by name', async () => {
    write('mixed-sets/train-00000-of-00001.jsonl', lines);
    write('mixed-sets/train-00000-of-00002.jsonl', lines);
    write('mixed-sets/train-00001-of-00002.jsonl', lines);
    await expect(readExamples([join(folder, 'mixed-sets')])).rejects.toThrow(/has parts of a set of 1 and of one of 2/);
    write('lacking/train/data-00000-of-00003.jsonl', lines);
    await expect(readExamples([join(folder, 'lacking')])).rejects.toThrow(
      /lacks data-00001-of-00003.jsonl, data-00002-of-00003.jsonl, 2 of 3 parts/,
    );
  });
});

test('a long broken line of nothing but quotes takes no time to explain', async () => {
  const start = performance.now();
  const data = await read('quotes.jsonl', `${lines}\n{"a": "${'\\"'.repeat(500_000)}`);
  expect(refused(data)).toEqual(['3 is no valid JSON']);
  expect(performance.now() - start).toBeLessThan(5000);
});
