/** Parquet and Arrow files that pyarrow, pandas and datasets wrote (bench/oracles/make_table_cases.py). */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { writeJson } from '../formats/exact-json.ts';
import { openDataFile } from './data-files.ts';
import type { RawRecord } from './raw-record.ts';
import { day, decimal, float, integer, moment, recordsOf, signedBytes, text } from './table-values.ts';

const tables = join(import.meta.dirname, '../../test/fixtures/data/tables');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-tables-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function all(path: string): Promise<{ records: RawRecord[]; notes: readonly string[] }> {
  const { records, remarks } = await openDataFile(path, false);
  const found: RawRecord[] = [];
  for await (const batch of records) found.push(...batch);
  return { records: found, notes: remarks.notes };
}
const values = async (name: string): Promise<unknown[]> =>
  (await all(join(tables, name))).records.map((record) => ('value' in record ? record.value : record.fault));

const names = ['none', 'snappy', 'gzip', 'brotli', 'zstd', 'lz4', 'v2'].map((codec) => `messages-${codec}.parquet`);

describe('every codec, page version and container says the same', () => {
  test.each([...names, 'messages.arrow'])('%s', async (name) => {
    const rows = await values(name);
    expect(rows.length).toBe(6);
    expect(writeJson({ ...(rows[0] as object), raw: null })).toBe(
      '{"messages":[{"role":"user","content":"Say 0 ü漢🙂"},{"role":"assistant","content":"0!"}],"id":9007199254740993,' +
        '"score":1.0,"day":"2024-01-01","when":"2024-01-01T12:00:00.123456","price":12345678901234567890.10,' +
        '"raw":null,"u":18446744073709551615,"tags":["a","b"],"m":{"k":1},"f":true}',
    );
    expect(rows.map((row) => writeJson((row as { score?: unknown }).score))).toEqual([
      '1.0',
      '0.5',
      'null',
      'null',
      '2.5',
      '1e+300',
    ]);
    expect((rows[1] as { tags: unknown }).tags).toEqual([]);
    expect(rows[2]).not.toHaveProperty('tags');
    expect((rows[0] as { raw: unknown }).raw).toBeInstanceOf(Uint8Array);
  });
});

test.each(['tools.parquet', 'tools.arrow'])(
  '%s: numbers of arguments keep their spelling, fields without a value are left out',
  async (name) => {
    const rows = await values(name);
    expect(rows.map((row) => writeJson((row as { completion: unknown[] }).completion[0]))).toEqual([
    '{"role":"assistant","tool_calls":[{"type":"function","function":{"name":"f","arguments":{"id":7301234567890123457,"x":1.0}}}]}',
    '{"role":"assistant","tool_calls":[{"type":"function","function":{"name":"f","arguments":{"id":1,"x":2.5,"city":"Bern"}}}]}',
  ]); // biome-ignore format: as they are
  },
);

test.each(['pairs.parquet', 'pairs.feather', 'pairs-zstd.feather', 'pairs-lz4.feather'])('%s', async (name) => {
  expect(await values(name)).toEqual([
    { prompt: 'say 0', completion: 'word 0', n: 1 },
    { prompt: 'say 1', completion: 'word 1', n: 2 },
    { prompt: 'say 2', completion: 'word 2', n: 3 },
    { completion: 'x', n: 4 },
  ]);
});

test('a dictionary stands for its values', async () => {
  expect(await values('dictionary.arrow')).toEqual([
    { prompt: 'a', completion: 'x' },
    { prompt: 'b', completion: 'y' },
    { prompt: 'a', completion: 'z' },
    { completion: 'w' },
  ]);
});

test('LZ4 over several blocks, repeated and random text', async () => {
  const rows = await values('long-lz4.feather');
  expect(rows.length).toBe(4000);
  expect(rows[3999]).toEqual({ text: `3999 ${'ab'.repeat(3999 % 50)} ${(3999 * 2654435761) % 4294967296}` });
});

describe('files that are not whole', () => {
  const parquet = readFileSync(join(tables, 'messages-zstd.parquet'));
  const arrow = readFileSync(join(tables, 'messages.arrow'));
  const write = (name: string, bytes: Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };

  test('cut off', async () => {
    await expect(all(write('cut.parquet', parquet.subarray(0, -20)))).rejects.toThrow(/Parquet file that is damaged/);
    await expect(all(write('cut.arrow', arrow.subarray(0, 2000)))).rejects.toThrow(/Arrow file that is damaged/);
    await expect(
      all(write('cut.feather', readFileSync(join(tables, 'pairs.feather')).subarray(0, -8))),
    ).rejects.toThrow(/Arrow file that is damaged or cut off \(it has no end\)/);
  });

  test('an Arrow stream without its end, or with another behind it, is noted', async () => {
    const open = await all(write('open.arrow', arrow.subarray(0, -8)));
    expect([open.records.length, open.notes.join()]).toEqual([6, expect.stringMatching(/without the mark of an end/)]);
    const two = await all(write('two.arrow', Buffer.concat([arrow, arrow])));
    expect([two.records.length, two.notes.join()]).toEqual([6, expect.stringMatching(/4096 bytes after the end/)]);
  });

  test('a name matters no more than a packing', async () => {
    expect((await all(write('named.jsonl', parquet))).records.length).toBe(6);
    expect((await all(write('packed.parquet.gz', gzipSync(parquet)))).records.length).toBe(6);
    expect((await all(write('packed.arrow.gz', gzipSync(arrow)))).records.length).toBe(6);
  });
});

describe('values', () => {
  test('whole numbers and fractions', () => {
    expect([5n, 2n ** 53n, -(2n ** 63n)].map((value) => writeJson(integer(value)))).toEqual([
      '5',
      '9007199254740992',
      '-9223372036854775808',
    ]);
    expect([1, -0.5, 1e15, 1e16, 1.5e300].map((value) => writeJson(float(value)))).toEqual([
      '1.0',
      '-0.5',
      '1000000000000000.0',
      '1e+16',
      '1.5e+300',
    ]);
    expect(float(Number.NaN)).toBeNull();
    expect(() => float(Number.POSITIVE_INFINITY)).toThrow('holds an infinite number');
  });

  test('decimals', () => {
    expect(
      [decimal(-5n, 2), decimal(1200n, 2), decimal(7n, 0), decimal(7n, -2)].map((value) => writeJson(value)),
    ).toEqual(['-0.05', '12.00', '7', '700']);
    expect([
      signedBytes(Uint8Array.of(0xff, 0xfe)),
      signedBytes(Uint8Array.of(1, 0)),
      signedBytes(new Uint8Array(0)),
    ]).toEqual([-2n, 256n, 0n]);
  });

  test('days and moments', () => {
    expect([day(0), day(-1), day(19723)]).toEqual(['1970-01-01', '1969-12-31', '2024-01-01']);
    expect(() => day(2 ** 31 - 1)).toThrow('holds a date');
    expect([moment(0n, 3), moment(-1n, 6), moment(1_704_110_400_123_456n, 6), moment(1_704_110_400n, 0)]).toEqual([
      '1970-01-01T00:00:00',
      '1969-12-31T23:59:59.999999',
      '2024-01-01T12:00:00.123456',
      '2024-01-01T12:00:00',
    ]);
    expect(() => moment(2n ** 62n, 3)).toThrow('holds a date');
  });

  test('bytes that are no text stay bytes, and no row has them inside a list', () => {
    expect([text(Buffer.from('ü')), text(Uint8Array.of(0xff))]).toEqual(['ü', Uint8Array.of(0xff)]);
    const column = ['c', { kind: 'list', of: { kind: 'leaf', read: text } }] as const;
    const cells = [[Buffer.from('a')], [Uint8Array.of(0xff)]];
    expect([...recordsOf([column], (_, row) => cells[row], 2, 7)]).toEqual([
      { line: 7, value: { c: ['a'] } },
      { line: 8, fault: 'holds bytes that are no text inside a list or struct' },
    ]);
  });

  test('a row of more text than a record may have is refused, its neighbours are not', () => {
    const column = ['c', { kind: 'leaf', read: text }] as const;
    const rows = [...recordsOf([column], (_, row) => 'x'.repeat(row === 0 ? 2 ** 24 + 1 : 1), 2, 1)];
    expect(rows.map((row) => ('fault' in row ? row.fault : 'read'))).toEqual([
      expect.stringMatching(/is longer than/),
      'read',
    ]);
  });
});
