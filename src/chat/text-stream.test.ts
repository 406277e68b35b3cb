import { describe, expect, it } from 'vitest';
import { TextStream } from './text-stream.ts';

/** Tokens are bytes. */
const bytes = (tokens: readonly number[]): string => Buffer.from(tokens).toString('utf8');

describe('TextStream', () => {
  it('never gives out part of a character, and loses nothing', () => {
    const text = 'a é 日本 😀!';
    const pieces: string[] = [];
    const stream = new TextStream(bytes, [], (piece) => pieces.push(piece));
    for (const byte of Buffer.from(text)) stream.push(byte);
    stream.end();
    expect(pieces).toEqual([...text]);
    expect(stream.text).toBe(text);
    expect(bytes(stream.tokens)).toBe(text);
  });

  it('gives out a broken character at the end, and does not wait for ever inside', () => {
    const pieces: string[] = [];
    const stream = new TextStream(bytes, [], (piece) => pieces.push(piece));
    for (let i = 0; i < 40; i++) stream.push(0x80);
    expect(pieces.length).toBeGreaterThan(0);
    stream.push(0xf0);
    stream.end();
    expect(pieces.join('')).toBe(stream.text);
    expect(stream.text.length).toBe(41);
  });

  it('shows the tokens before, the prompt at first, to the detokenizer', () => {
    const seen: (readonly number[])[] = [];
    const stream = new TextStream(
      (tokens: readonly number[], before) => {
        seen.push(before);
        return String(tokens);
      },
      [1, 2, 3, 4, 5, 6],
    );
    stream.push(7);
    stream.push(8);
    expect(seen).toEqual([
      [3, 4, 5, 6],
      [4, 5, 6, 7],
    ]);
  });

  it('asks the same of the detokenizer behind a long answer as behind a short one', () => {
    let most = 0;
    const stream = new TextStream((tokens: readonly number[], before) => {
      most = Math.max(most, tokens.length + before.length);
      return String(tokens);
    }, []);
    // With the answer copied for each token, these would be half a minute.
    for (let i = 0; i < 100_000; i++) stream.push(i);
    expect(most).toBe(5);
    expect(stream.tokens).toHaveLength(100_000);
  });
});
