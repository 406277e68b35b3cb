/** The builtin tests of jinja2: https://jinja.palletsprojects.com/en/stable/templates/#list-of-builtin-tests. */
import { hasItems } from './access.ts';
import { classTests } from './char-classes.ts';
import { isDict } from './dict.ts';
import { typeError } from './errors.ts';
import { filterNames } from './filter-names.ts';
import { LoopContext } from './loop-context.ts';
import { Macro } from './macro.ts';
import { isStr, Markup, textOf } from './marked-text.ts';
import { binary, compare, contains, equal } from './operators.ts';
import { bind, parameters } from './signature.ts';
import { str } from './to-text.ts';
import { isIterable } from './types.ts';
import { Callable, isInt, isNum, type Kwargs, PyFloat, plain, Undefined, type Value } from './values.ts';

export type Test = (args: readonly Value[], kwargs: Kwargs) => boolean;

const table = new Map<string, Test>();

function test(names: string, signature: string, run: (...args: Value[]) => boolean): void {
  const accepted = parameters(signature);
  for (const name of names.split(' ')) table.set(name, (args, kwargs) => run(...bind(name, accepted, args, kwargs)));
}

test('defined', 'value', (value) => !(value instanceof Undefined));
test('undefined', 'value', (value) => value instanceof Undefined);
test('none', 'value', (value) => value === null);
test('boolean', 'value', (value) => typeof value === 'boolean');
test('true', 'value', (value) => value === true);
test('false', 'value', (value) => value === false);
test('integer', 'value', (value) => isInt(plain(value)));
test('float', 'value', (value) => plain(value) instanceof PyFloat);
test('number', 'value', (value) => typeof value === 'boolean' || isNum(plain(value)));
test('string', 'value', (value) => isStr(value));
test('mapping', 'value', isDict);
test('sequence', 'value', hasItems);
test('iterable', 'value', (value) => isIterable(value) || value instanceof LoopContext);
test(
  'callable',
  'value',
  (value) =>
    value instanceof Callable || value instanceof Macro || value instanceof LoopContext || value instanceof Undefined,
);
test('escaped', 'value', (value) => value instanceof Markup);
test('lower', 'value', (value) => classTests.islower!(textOf(str(value))));
test('upper', 'value', (value) => classTests.isupper!(textOf(str(value))));
test('odd', 'value', (value) => equal(binary('%', value, 2), 1));
test('even', 'value', (value) => equal(binary('%', value, 2), 0));
test('divisibleby', 'value, num', (value, by) => equal(binary('%', value, by), 0));
test(
  'sameas',
  'value, other',
  (value, other) => plain(value) === plain(other) || (isStr(value) && equal(value, other)),
);
test('in', 'value, seq', (value, seq) => contains(seq, value));
test('eq equalto ==', 'a, b, /', (a, b) => compare('==', a, b));
test('ne !=', 'a, b, /', (a, b) => compare('!=', a, b));
test('lt lessthan <', 'a, b, /', (a, b) => compare('<', a, b));
test('le <=', 'a, b, /', (a, b) => compare('<=', a, b));
test('gt greaterthan >', 'a, b, /', (a, b) => compare('>', a, b));
test('ge >=', 'a, b, /', (a, b) => compare('>=', a, b));
test('filter', 'value', (value) => filterNames.has(named(value)));
test('test', 'value', (value) => table.has(named(value)));

function named(value: Value): string {
  if (!isStr(value)) throw typeError('the name must be a str');
  return textOf(value);
}

export const tests: ReadonlyMap<string, Test> = table;
