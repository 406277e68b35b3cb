/**
 * JSON while it is written. Promises: each character is given out once it is sure that it belongs to valid JSON, so that what is given
 * out is at any time the beginning of a JSON text. Pure.
 */
import { type Reading, type TextSource, Unreadable } from './text-source.ts';

/** Deeper values are no arguments of anything, and the readers call each other. */
const mostDepth = 64;
/** Longer numbers and words are none. */
const mostScalar = 64;
const escapes = '"\\/bfnrt';
const hexDigits = 4;

type Say = (text: string) => void;
const silent: Say = () => {};

/** A string with its quotes, as it is written. */
export function* jsonString(source: TextSource, say: Say = silent): Reading<string> {
  let raw = yield* expected(source, '"', say);
  const take = (character: string): void => {
    raw += character;
    say(character);
  };
  for (;;) {
    const character = yield* source.next();
    if (character < ' ') throw new Unreadable();
    if (character !== '\\') {
      take(character);
      if (character === '"') return raw;
      continue;
    }
    const escaped = yield* source.next();
    let digits = '';
    if (escaped === 'u') for (let i = 0; i < hexDigits; i++) digits += yield* source.next();
    const isEscape = escaped === 'u' ? /^[\da-fA-F]{4}$/.test(digits) : escapes.includes(escaped);
    if (!isEscape) throw new Unreadable();
    take(character + escaped + digits);
  }
}

function* expected(source: TextSource, character: string, say: Say): Reading<string> {
  if ((yield* source.next()) !== character) throw new Unreadable();
  say(character);
  return character;
}

/** White space, which is given out too. */
function* space(source: TextSource, say: Say): Reading<void> {
  while (/[ \t\r\n]/.test(yield* source.peek())) say(yield* source.next());
}

/** A number, true, false or null. */
function* scalar(source: TextSource, say: Say): Reading<void> {
  let raw = '';
  while (/[-+.\w]/.test(yield* source.peek())) {
    raw += yield* source.next();
    if (raw.length > mostScalar) throw new Unreadable();
  }
  try {
    JSON.parse(raw);
  } catch {
    throw new Unreadable();
  }
  say(raw);
}

/**
 * What stands between the brackets of a list or an object, their signs included; `each` reads an entry. White space before and behind an
 * entry is read here.
 */
export function* jsonEntries(
  source: TextSource,
  brackets: '[]' | '{}',
  say: Say,
  each: () => Reading<void>,
): Reading<void> {
  yield* expected(source, brackets[0]!, say);
  yield* space(source, say);
  if ((yield* source.peek()) === brackets[1]) {
    yield* expected(source, brackets[1]!, say);
    return;
  }
  for (;;) {
    yield* space(source, say);
    yield* each();
    yield* space(source, say);
    const sign = yield* source.next();
    if (sign !== ',' && sign !== brackets[1]) throw new Unreadable();
    say(sign);
    if (sign !== ',') return;
  }
}

/** The key of an entry of an object and its colon; the value comes next. */
export function* jsonKey(source: TextSource, say: Say = silent): Reading<string> {
  const key = yield* jsonString(source, say);
  yield* space(source, say);
  yield* expected(source, ':', say);
  yield* space(source, say);
  return JSON.parse(key) as string;
}

/** Any value. Throws Unreadable. */
export function* jsonValue(source: TextSource, say: Say = silent, depth = 0): Reading<void> {
  if (depth > mostDepth) throw new Unreadable();
  const first = yield* source.peek();
  if (first === '"') yield* jsonString(source, say);
  else if (first === '[') yield* jsonEntries(source, '[]', say, () => jsonValue(source, say, depth + 1));
  else if (first === '{')
    yield* jsonEntries(source, '{}', say, function* () {
      yield* jsonKey(source, say);
      yield* jsonValue(source, say, depth + 1);
    });
  else yield* scalar(source, say);
}

/** An object. Throws Unreadable where it is another value. */
export function* jsonObject(source: TextSource, say: Say): Reading<void> {
  if ((yield* source.peek()) !== '{') throw new Unreadable();
  yield* jsonValue(source, say);
}
