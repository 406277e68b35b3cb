import { describe, expect, test } from 'vitest';
import { Draft, plainPaste } from './draft.ts';

describe('a draft', () => {
  test('a pasted text of several lines is one message when Enter ends it, whatever its lines look like', () => {
    const draft = new Draft();
    expect(draft.paste('/reset\n  code \\\n\nlast \\', '', '')).toEqual({
      done: '/reset\n  code \\\n\n',
      line: 'last \\',
    });
    expect(draft.enter('last \\')).toEqual({ kind: 'message', text: '/reset\n  code \\\n\nlast \\' });
    expect(draft.enter('/reset')).toEqual({ kind: 'reset' });
  });

  test('it stands where the cursor was, and more can be pasted and typed', () => {
    const draft = new Draft();
    expect(draft.paste('one\ntwo', 'see ', ' there')).toEqual({ done: 'see one\n', line: 'two there' });
    expect(draft.paste('x', 'two', ' there')).toBe(null);
    expect(draft.paste('\n', 'twox there', '')).toEqual({ done: 'twox there\n', line: '' });
    expect(draft.enter('end')).toEqual({ kind: 'message', text: 'see one\ntwox there\nend' });
  });

  test('after a typed command it is what the command is given', () => {
    const draft = new Draft();
    draft.paste('Be brief.\nAlways.', '/system ', '');
    expect(draft.enter('Always.')).toEqual({ kind: 'system', text: 'Be brief.\nAlways.' });
  });

  test('copied line ends at its end are no part of it, and an empty paste is nothing', () => {
    const draft = new Draft();
    draft.paste('a\nb\n\n', '', '');
    expect(draft.enter('')).toEqual({ kind: 'message', text: 'a\nb' });
    draft.paste('\n\n', '', '');
    expect(draft.enter('')).toEqual({ kind: 'empty' });
  });

  test('separators that readline takes for line ends stay what they are', () => {
    const draft = new Draft();
    expect(draft.paste('a\u2028b', '', '')).toEqual({ done: 'a\u2028b', line: '' });
    expect(draft.enter('c')).toEqual({ kind: 'message', text: 'a\u2028bc' });
  });

  test('what was cleared is gone', () => {
    const draft = new Draft();
    draft.paste('a\nb', '', '');
    draft.clear();
    expect(draft.enter('c \\')).toBe(null);
    expect(draft.enter('d')).toEqual({ kind: 'message', text: 'c \nd' });
  });
});

test('control characters of a paste are left out and counted; line ends become LF, tabs stay', () => {
  expect(plainPaste('a\r\nb\rc\td\u001b[31m\u0003\u0085')).toEqual({ text: 'a\nb\nc\td[31m', leftOut: 3 });
});
