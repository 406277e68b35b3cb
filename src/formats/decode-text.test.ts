import { expect, test } from 'vitest';
import { assertDecoded, decodeText } from './decode-text.ts';

const text = 'caf\u00e9 \u{1f600}\n';
const utf16 = (value: string, big: boolean): Buffer => {
  const bytes = Buffer.from(`\ufeff${value}`, 'utf16le');
  return big ? bytes.swap16() : bytes;
};

test('a byte order mark is left out, and UTF-16 with one is read', () => {
  expect(decodeText('x', Buffer.from(text))).toBe(text);
  expect(decodeText('x', Buffer.from(`\ufeff${text}`))).toBe(text);
  expect(decodeText('x', utf16(text, false))).toBe(text);
  expect(decodeText('x', utf16(text, true))).toBe(text);
  expect(decodeText('x', Buffer.alloc(0))).toBe('');
  // Only the first one is a mark.
  expect(decodeText('x', Buffer.from('\ufeff\ufeffa'))).toBe('\ufeffa');
});

test('what is no text is refused by name and place', () => {
  const refusal = (bytes: Uint8Array): RegExp | string => {
    try {
      return decodeText('standard input', bytes);
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(refusal(Buffer.from('one\ntwo caf\xe9\n', 'latin1'))).toContain(
    'standard input: is not valid UTF-8 (line 2). Give it as UTF-8',
  );
  expect(refusal(Buffer.from([0xff, 0xfe, 0x00, 0xd8]))).toContain('is not valid UTF-16LE');
  expect(refusal(Buffer.from([0xff, 0xfe, 0, 0, 0x41, 0, 0, 0]))).toContain('UTF-32');
  expect(refusal(Buffer.from('hello', 'utf16le'))).toContain('NUL byte (byte 2)');
  expect(refusal(Buffer.from([0xe2, 0x82]))).toContain('is not valid UTF-8 (line 1)');
});

test('an argument that Node could not decode is refused', () => {
  assertDecoded('--prompt', text);
  expect(() => assertDecoded('--prompt', 'caf\ufffd')).toThrow(/--prompt: holds U\+FFFD \(character 4\)/);
});
