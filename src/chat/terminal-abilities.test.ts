import { expect, test } from 'vitest';
import { movesCursor, showsColour } from './terminal-abilities.ts';

const terminal = { isTTY: true };
const file = {};

// biome-ignore format: a table
test.each([
  [terminal, {}, true, true],
  [file, {}, false, false],
  [terminal, { TERM: 'dumb' }, false, false],
  [terminal, { NO_COLOR: '1' }, false, true],
  [terminal, { NO_COLOR: '' }, true, true],
  [file, { FORCE_COLOR: '1' }, true, false],
  [file, { FORCE_COLOR: '0' }, false, false],
  [terminal, { FORCE_COLOR: 'false' }, false, true],
  [terminal, { FORCE_COLOR: '1', TERM: 'dumb' }, true, false],
  [terminal, { FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
] as const)('%j with %j: colours %s, cursor %s', (stream, env, colour, cursor) => {
  expect(showsColour(stream, env)).toBe(colour);
  expect(movesCursor(stream, env)).toBe(cursor);
});
