import { expect, test } from 'vitest';
import { isSpelledNumber, plainNumber, readJson, writeJson } from './exact-json.ts';
import { orderedKeys } from './ordered-json.ts';

test.each([
  '7301234567890123457',
  '-9007199254740993',
  '1.0',
  '0.10',
  '1e5',
  '-0',
  '-0.0',
  '1E+2',
  '12345678901234567890.5',
])('the number %s keeps its spelling', (text) => {
  const { a } = readJson(`{"a":${text}}`) as { a: unknown };
  expect(isSpelledNumber(a)).toBe(true);
  expect(writeJson({ a, list: [a] })).toBe(`{"a":${text},"list":[${text}]}`);
  expect(plainNumber(a)).toBe(Number(text));
});

test('numbers that JavaScript spells alike are numbers, beside those that it does not', () => {
  expect(readJson('[1, 0.5, 1.0]')).toEqual([1, 0.5, expect.objectContaining({ value: '1.0' })]);
  expect(readJson('{"a": 1, "text": "7301234567890123457 is 1.0"}')).toEqual({
    a: 1,
    text: '7301234567890123457 is 1.0',
  });
});

test('all else is as JSON.parse has it', () => {
  const text = '{"a": 1.0, "b": {"__proto__": 3}, "c": "\\u00e9\\ud83d\\ude00", "d": [null, true, {}], "a": 2.50}';
  const plain = (value: unknown): unknown => JSON.parse(writeJson(value));
  expect(plain(readJson(text))).toEqual(JSON.parse(text));
  expect(() => readJson('{"a": 1.0')).toThrow(SyntaxError);
});

test('keys that JavaScript reorders keep the order of the text', () => {
  const text =
    '{"b": {"10": 1.0, "9": [{"2": "x", "1": "}\\" ,"}]}, "__proto__": 1, "a": -0, "10": null, "b2": true, "10": false}';
  const value = readJson(text) as Record<string, unknown>;
  expect(JSON.parse(writeJson(value))).toEqual(JSON.parse(text));
  expect(orderedKeys(value)).toEqual(['b', '__proto__', 'a', '10', 'b2']);
  const inner = value.b as Record<string, unknown>;
  expect(orderedKeys(inner)).toEqual(['10', '9']);
  expect(orderedKeys({ ...inner, z: 1 })).toEqual(['10', '9', 'z']);
  expect(orderedKeys((inner['9'] as object[])[0]!)).toEqual(['2', '1']);
  expect(isSpelledNumber(inner['10'])).toBe(true);
  expect(() => readJson('{"1": }')).toThrow(SyntaxError);
});
