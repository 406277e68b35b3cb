/** JSON within bounds: what is nested beyond use is refused, and no text in it is too long. */
import { expect, test } from 'vitest';
import { parseBounded } from './bounded-json.ts';

test('texts of megabytes are read, whatever brackets and quotes are in them', () => {
  const values = ['x'.repeat(10_000_000), '['.repeat(1_000_000), '"\\'.repeat(100_000), '\\\\', '\\"', '{"a":"'];
  for (const value of values)
    expect(parseBounded(JSON.stringify({ value, other: [value] }))).toEqual({ value: { value, other: [value] } });
});

test('what is nested beyond use is refused, behind texts too', () => {
  const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
  for (const text of [deep, `{"a\\\\":"\\"","b":${deep}}`]) expect(parseBounded(text)).toBe('is nested too deeply');
  for (const text of ['{"a":"', '"\\"', 'x'.repeat(200), `"${'a'.repeat(200)}`])
    expect(parseBounded(text)).toBe('is no valid JSON');
});
