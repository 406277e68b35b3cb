import { expect, test } from 'vitest';
import type { AnswerToken } from '../chat/chat-model.ts';
import { StopFilter } from './stop-filter.ts';
import { TextPlaces, TokenPlaces } from './token-places.ts';

const token = (text: string, endsAnswer = false): AnswerToken => ({
  id: 0,
  text,
  bytes: new Uint8Array(),
  logProbability: 0,
  alternatives: [],
  endsAnswer,
});

/** The texts of the tokens that each piece is made of, where `pieces` are tokens and what the model gives with them. */
function placed(pieces: readonly (readonly [token: string, heard: string])[], stops: readonly string[] = []) {
  const places = new TokenPlaces();
  const texts = new TextPlaces();
  let end = 0;
  const out: [piece: string, tokens: string[]][] = [];
  const tokensOf = (text: string) => places.take(texts.give(text.length)).map((each) => each.token.text);
  const filter = new StopFilter(stops, (text) => out.push([text, tokensOf(text)]));
  for (const [text, heard] of pieces) {
    places.push(token(text));
    if (heard === '') continue;
    places.heard(heard);
    end += heard.length;
    texts.push(heard.length, end);
    filter.push(heard);
  }
  filter.end();
  return { out, rest: filter.stopped ? [] : places.rest() };
}

test('each token is with the piece that it begins in', () => {
  expect(placed([['a', 'a'], ['bc', 'bc']]).out).toEqual([['a', ['a']], ['bc', ['bc']]]); // biome-ignore format: pairs
});

test('parts of a character are with the character', () => {
  expect(placed([['a', 'a'], ['1/2', ''], ['2/2', '😀'], ['b', 'b']]).out).toEqual([['a', ['a']], ['😀', ['1/2', '2/2']], ['b', ['b']]]); // biome-ignore format: pairs
});

test('what is held back comes with its tokens, and what a stop sequence cuts off does not', () => {
  expect(placed([['aE', 'aE'], ['N', 'N'], ['x', 'x']], ['END']).out).toEqual([['a', ['aE']], ['ENx', ['N', 'x']]]); // biome-ignore format: pairs
  expect(placed([['a', 'a'], ['bE', 'bE'], ['ND', 'ND'], ['x', 'x']], ['END'])).toEqual({ out: [['a', ['a']], ['b', ['bE']]], rest: [] }); // biome-ignore format: pairs
});

test('a token without a text is in its place, and one at the end is the rest', () => {
  const { out, rest } = placed([['a', 'a'], ['<control>', ''], ['b', 'b'], ['<end>', '']]); // biome-ignore format: pairs
  expect(out).toEqual([['a', ['a']], ['b', ['<control>', 'b']]]); // biome-ignore format: pairs
  expect(rest.map((each) => [each.token.text, each.offset])).toEqual([['<end>', 2]]);
});

test('texts that are given out in other pieces, with gaps between them, keep their places', () => {
  const texts = new TextPlaces();
  texts.push(3, 3);
  texts.push(4, 10);
  expect([texts.give(2), texts.give(2), texts.give(3)]).toEqual([2, 7, 10]);
});
