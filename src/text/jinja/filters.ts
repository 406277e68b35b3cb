/** All filters by name; those that run other filters or tests, and those on numbers, are here. */
import { attributeGetter } from './attribute-path.ts';
import { fixed, rounded } from './decimal.ts';
import { MissingConstruct, PythonError, typeError } from './errors.ts';
import { filterNames } from './filter-names.ts';
import { type Filter, filter } from './filter-table.ts';
import { sequenceFilters } from './filters-sequence.ts';
import { int, textFilters } from './filters-text.ts';
import { isStr, textOf } from './marked-text.ts';
import { arithmetic, floatOf, truncated } from './numbers.ts';
import { negative, order } from './operators.ts';
import { parseFloatText, parseIntText } from './parse-number.ts';
import { tests } from './tests.ts';
import { isTrue, iterate, typeName } from './types.ts';
import { type Kwargs, Lazy, PyFloat, plain, toNum, Undefined, type Value } from './values.ts';

const argumentError = (message: string): PythonError => new PythonError('FilterArgumentError', message);

function nameOf(value: Value): string {
  if (!isStr(value)) throw typeError('the name of a filter or test must be a str');
  return textOf(value);
}

function callFilter(name: Value, args: readonly Value[], kwargs: Kwargs): Value {
  return filterNamed(nameOf(name))(args, kwargs);
}

function callTest(name: Value, args: readonly Value[], kwargs: Kwargs): boolean {
  return testNamed(nameOf(name))(args, kwargs);
}

function* map(args: readonly Value[], kwargs: Kwargs): Generator<Value> {
  const [value, name, ...rest] = args;
  if (!isTrue(value)) return;
  const change = mapper(name, rest, kwargs);
  const iterator = iterate(value);
  for (let step = iterator.next(); !step.done; step = iterator.next()) yield change(step.value);
}

function mapper(name: Value | undefined, rest: readonly Value[], kwargs: Kwargs): (item: Value) => Value {
  if (name === undefined && kwargs.has('attribute')) {
    const odd = [...kwargs.keys()].find((key) => key !== 'attribute' && key !== 'default');
    if (odd !== undefined) throw argumentError(`Unexpected keyword argument '${odd}'`);
    return attributeGetter(kwargs.get('attribute'), kwargs.get('default') ?? null);
  }
  if (name === undefined) throw argumentError('map requires a filter argument');
  return (item) => callFilter(name, [item, ...rest], kwargs);
}

/** select, reject, selectattr and rejectattr: by a test, or by whether a value is true. */
function chooser(wanted: boolean, byAttribute: boolean): (args: readonly Value[], kwargs: Kwargs) => Generator<Value> {
  return function* choose([value, ...args], kwargs) {
    if (!isTrue(value)) return;
    if (byAttribute && args.length === 0) throw argumentError('Missing parameter for attribute name');
    const read = byAttribute ? attributeGetter(args[0]) : (item: Value) => item;
    const [name, ...rest] = byAttribute ? args.slice(1) : args;
    const iterator = iterate(value);
    for (let step = iterator.next(); !step.done; step = iterator.next()) {
      const read1 = read(step.value);
      const passes = name === undefined ? isTrue(read1) : callTest(name, [read1, ...rest], kwargs);
      if (passes === wanted) yield step.value;
    }
  };
}

const lazily =
  (make: (args: readonly Value[], kwargs: Kwargs) => Iterator<Value>): Filter =>
  (args, kwargs) =>
    new Lazy(make(args, kwargs));

function toInt(value: Value, otherwise: Value, base: Value): Value {
  if (value instanceof Undefined) throw value.error();
  const number = toNum(value);
  if (number !== null)
    return number instanceof PyFloat
      ? Number.isFinite(number.value)
        ? truncated(number.value)
        : infinite(number, otherwise)
      : number;
  if (!isStr(value)) return otherwise;
  const whole = parseIntText(textOf(value), int(base));
  if (whole !== null) return whole;
  const float = parseFloatText(textOf(value));
  return float === null || !Number.isFinite(float) ? otherwise : truncated(float);
}

/** int(inf) is an OverflowError that the filter lets through; int(nan) a ValueError that it does not. */
function infinite(number: PyFloat, otherwise: Value): Value {
  return Number.isNaN(number.value) ? otherwise : truncated(number.value);
}

function toFloat(value: Value, otherwise: Value): Value {
  if (value instanceof Undefined) throw value.error();
  const number = toNum(value);
  if (number !== null) return new PyFloat(floatOf(number));
  const float = isStr(value) ? parseFloatText(textOf(value)) : null;
  return float === null ? otherwise : new PyFloat(float);
}

function round(value: Value, precision: Value, method: Value): Value {
  const how = isStr(method) ? textOf(method) : '';
  if (!['common', 'ceil', 'floor'].includes(how)) throw argumentError('method must be common, ceil or floor');
  if (value instanceof Undefined) throw value.error();
  const number = toNum(value);
  if (number === null) throw typeError(`type ${typeName(value)} doesn't define __round__ method`);
  const places = int(precision);
  if (how === 'common') {
    if (number instanceof PyFloat) return new PyFloat(rounded(number.value, places));
    if (places < -String(number).length) return 0;
    return places >= 0 ? number : arithmetic('*', roundedInt(number, -places), 10n ** BigInt(-places));
  }
  const scale = arithmetic('**', 10, places);
  const scaled = arithmetic('*', number, scale);
  const whole =
    scaled instanceof PyFloat ? truncated(how === 'ceil' ? Math.ceil(scaled.value) : Math.floor(scaled.value)) : scaled;
  return arithmetic('/', whole, scale);
}

/** An integer divided by a power of ten, halves to even. */
function roundedInt(value: number | bigint, places: number): bigint {
  const scale = 10n ** BigInt(places);
  const whole = BigInt(value);
  const remainder = ((whole % scale) + scale) % scale;
  const floor = (whole - remainder) / scale;
  const up = remainder * 2n > scale || (remainder * 2n === scale && floor % 2n !== 0n);
  return up ? floor + 1n : floor;
}

function filesizeformat(value: Value, binary: Value): string {
  const number = toFloat(value, null);
  if (!(number instanceof PyFloat)) throw typeError('float() argument must be a string or a real number');
  const base = isTrue(binary) ? 1024 : 1000;
  const bytes = number.value;
  if (bytes === 1) return '1 Byte';
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`;
  const prefixes = isTrue(binary)
    ? ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB']
    : ['kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
  const found = prefixes.findIndex((_, i) => bytes < base ** (i + 2));
  const place = found < 0 ? prefixes.length - 1 : found;
  return `${fixed((base * bytes) / base ** (place + 2), 1)} ${prefixes[place]}`;
}

function otherwiseIf(value: Value, otherwise: Value, boolean: Value): Value {
  return value instanceof Undefined || (isTrue(boolean) && !isTrue(value)) ? otherwise : value;
}

function abs(value: Value): Value {
  if (value instanceof Undefined) throw value.error();
  const number = toNum(value);
  if (number === null) throw typeError(`bad operand type for abs(): '${typeName(value)}'`);
  if (number instanceof PyFloat) return new PyFloat(Math.abs(number.value));
  return order(number, 0) < 0 ? negative(number) : plain(number);
}

const table: ReadonlyMap<string, Filter> = new Map([
  ...textFilters,
  ...sequenceFilters,
  ['map', lazily(map)] as const,
  ['select', lazily(chooser(true, false))] as const,
  ['reject', lazily(chooser(false, false))] as const,
  ['selectattr', lazily(chooser(true, true))] as const,
  ['rejectattr', lazily(chooser(false, true))] as const,
  ...filter('default d', "value, default_value='', boolean=False", otherwiseIf),
  ...filter('int', 'value, default=0, base=10', toInt),
  ...filter('float', 'value, default=0.0', toFloat),
  ...filter('round', "value, precision=0, method='common'", round),
  ...filter('abs', 'x, /', abs),
  ...filter('filesizeformat', 'value, binary=False', filesizeformat),
]);

/** Whether jinja2 has a filter of that name. */
export const isFilter = (name: string): boolean => filterNames.has(name);

export function filterNamed(name: string): Filter {
  const found = table.get(name);
  if (found) return found;
  if (isFilter(name)) throw new MissingConstruct(`the filter \`${name}\``);
  throw new PythonError('TemplateRuntimeError', `No filter named '${name}' found.`);
}

export function testNamed(name: string): (args: readonly Value[], kwargs: Kwargs) => boolean {
  const found = tests.get(name);
  if (found) return found;
  throw new PythonError('TemplateRuntimeError', `No test named '${name}' found.`);
}
