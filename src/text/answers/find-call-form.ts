/**
 * Finds out how a chat template writes calls, from what it renders of known ones. Promises: a form that is found reads the template's own
 * calls back as they were. Pure.
 */
import type { ChatTemplate, RenderOptions } from '../chat-template.ts';
import { commonLength } from '../common-length.ts';
import { isObject } from '../refused.ts';
import type { CallForm, HeadPart, JsonCall, MarkedCall, ParameterMarkup } from './answer-form.ts';
import { AnswerReader } from './answer-reader.ts';
import { keys, type Place, type Probe, type ProbeCall, probeCall, probeOf, probeTools } from './call-probe.ts';
import { offeredTools } from './offered-tools.ts';

/** Where a call stands in a rendering: from the first of what is the call's own to the last, and inside of that. */
interface Core {
  readonly start: number;
  readonly end: number;
  readonly call: JsonCall | MarkedCall;
}

const plainOf = (value: unknown): unknown => (typeof value === 'string' ? parsedOr(value) : value);
function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const sameJson = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The keys that lead to a value, through objects only; null where it is not there. */
function pathTo(value: unknown, wanted: (each: unknown) => boolean): string[] | null {
  if (!isObject(value)) return null;
  for (const [key, each] of Object.entries(value)) {
    if (wanted(each)) return [key];
    const inner = pathTo(each, wanted);
    if (inner) return [key, ...inner];
  }
  return null;
}

/** The object of JSON that begins at `start`, and where it ends; null where none does. */
function objectAt(text: string, start: number): { value: unknown; end: number } | null {
  for (let end = text.indexOf('}', start); end >= 0; end = text.indexOf('}', end + 1)) {
    const value = parsedOr(text.slice(start, end + 1));
    if (isObject(value)) return { value, end: end + 1 };
  }
  return null;
}

/** Objects of JSON that begin before `before`, the outer ones first. */
function* objectsFrom(
  text: string,
  from: number,
  before: number,
): Generator<{ value: unknown; start: number; end: number }> {
  for (let start = text.indexOf('{', from); start >= 0 && start < before; start = text.indexOf('{', start + 1)) {
    const found = objectAt(text, start);
    if (found) yield { start, ...found };
  }
}

const keysInside = (value: unknown): string[] =>
  isObject(value) ? Object.entries(value).flatMap(([key, each]) => [key, ...keysInside(each)]) : [];

/** The call as an object of JSON that has both its name and its arguments; null where it is none. */
function jsonCore(text: string, from: number, places: readonly Place[], call: ProbeCall): Core | null {
  const name = places.find(({ what }) => what === 'name')!;
  for (const { end, start, value } of objectsFrom(text, from, name.start)) {
    const namePath = pathTo(value, (each) => each === call.function.name);
    const argumentsPath = pathTo(value, (each) => sameJson(plainOf(each), call.function.arguments));
    if (!namePath || !argumentsPath || end < name.end) continue;
    const own = new Set([...namePath, ...argumentsPath, ...keys]);
    const others = keysInside(value).filter((key) => !own.has(key));
    const form: JsonCall = {
      kind: 'json',
      before: '',
      after: '',
      name: namePath,
      arguments: argumentsPath,
      others,
    };
    return { start, end, call: form };
  }
  return null;
}

/** What stands between the parts of a call before its arguments. */
function headOf(text: string, places: readonly Place[], argumentsAt: number): HeadPart[] {
  const head: HeadPart[] = [];
  let at = places[0]!.start;
  for (const { end, start, what } of places) {
    if (start > at) head.push({ text: text.slice(at, start) });
    head.push({ field: what === 'name' ? what : 'other' });
    at = end;
  }
  return argumentsAt > at ? [...head, { text: text.slice(at, argumentsAt) }] : head;
}

/** From the first tag on. */
const fromTag = (text: string): string => text.slice(Math.max(0, text.search(/[<[]/)));
/** Up to the end of the last tag. */
const toTag = (text: string): string => text.slice(0, Math.max(text.lastIndexOf('>'), text.lastIndexOf(']')) + 1);

const reversed = (text: string): string => [...text].reverse().join('');
const commonPrefix = (a: string, b: string): string => a.slice(0, commonLength(a, b));
const commonSuffix = (a: string, b: string): string => reversed(commonPrefix(reversed(a), reversed(b)));

/** The end of both texts, as far as it is whole markup. */
function sharedEnd(a: string, b: string): string {
  const shared = commonSuffix(a, b);
  return shared === a || shared === b ? shared : /[<[]/.test(shared) ? fromTag(shared) : '';
}

/** The beginning of both texts, as far as it is whole markup. */
function sharedStart(a: string, b: string): string {
  const shared = commonPrefix(a, b);
  return shared === a || shared === b ? shared : toTag(shared);
}

/** A call with markup around its name, and its arguments in whatever form; null where that is none that is known. */
function markedCore(text: string, places: readonly Place[], call: ProbeCall, after: string): Core | null {
  const first = places.findIndex(({ what }) => what === 'argument');
  const [head, given] = [places.slice(0, first), places.slice(first)];
  if (first < 1 || given.some(({ what }) => what !== 'argument')) return null;
  const named = head.at(-1)!.end;
  for (const { end, start, value } of objectsFrom(text, named, given[0]!.start))
    if (sameJson(value, call.function.arguments)) {
      const form: MarkedCall = { kind: 'marked', head: headOf(text, head, start), parameters: null, after: '' };
      return { start: head[0]!.start, end, call: form };
    }
  const found = parametersOf(text, given, named, after);
  if (!found) return null;
  const form: MarkedCall = {
    kind: 'marked',
    head: headOf(text, head, named + found.nameEnd.length),
    parameters: found.markup,
    after: '',
  };
  return { start: head[0]!.start, end: given.at(-1)!.end + found.markup.end.length, call: form };
}

/** Markup of arguments that stand one by one. `after` is what follows the last value. */
function parametersOf(
  text: string,
  [first, second]: readonly Place[],
  named: number,
  after: string,
): { markup: ParameterMarkup; nameEnd: string } | null {
  if (!first || !second) return null;
  const firstKey = text.indexOf(keys[0]!, named);
  const secondKey = text.indexOf(keys[1]!, first.end);
  if (firstKey < 0 || firstKey >= first.start || secondKey < 0 || secondKey >= second.start) return null;
  const toFirst = text.slice(named, firstKey);
  const between = text.slice(first.end, secondKey);
  const value = text.slice(firstKey + keys[0]!.length, first.start);
  const key = fromTag(commonSuffix(toFirst, between));
  const end = sharedStart(between, after);
  if (key.trim() === '' || end.trim() === '' || value.trim() === '') return null;
  return { markup: { key, value, end }, nameEnd: toFirst.slice(0, toFirst.length - key.length) };
}

/** The cores of a rendering's calls; null where one is in no known form. */
function coresOf({ calls, places, text }: Probe): Core[] | null {
  const cores: Core[] = [];
  for (const [i, call] of calls.entries()) {
    const own = places.filter((place) => place.call === i);
    const next = places.find((place) => place.call > i);
    if (!own.some(({ what }) => what === 'name')) return null;
    const last = own.at(-1)!.end;
    const core =
      jsonCore(text, cores.at(-1)?.end ?? 0, own, call) ?? markedCore(text, own, call, text.slice(last, next?.start));
    if (!core) return null;
    cores.push(core);
  }
  return cores;
}

/** The form of one call alone, of a template that knows no more. */
function formOfOne(probe: Probe, { call, end, start }: Core): CallForm {
  return { open: '', between: '', close: '', call: around(call, probe.text.slice(0, start), probe.text.slice(end)) };
}

/** The call with the markup around it. */
function around(call: Core['call'], before: string, after: string): CallForm['call'] {
  if (call.kind === 'json') return { ...call, before, after };
  return { ...call, head: before === '' ? call.head : [{ text: before }, ...call.head], after };
}

/** What is around each call is what two calls have between them and around both; the rest is around all calls. */
function formOfTwo(one: Probe, [core]: readonly Core[], two: Probe, [first, second]: readonly Core[]): CallForm {
  const before = one.text.slice(0, core!.start);
  const after = one.text.slice(core!.end);
  const between = two.text.slice(first!.end, second!.start);
  const own = sharedEnd(before, between);
  const ownEnd = sharedStart(after, between.slice(0, between.length - own.length));
  return {
    open: before.slice(0, before.length - own.length),
    between: between.slice(ownEnd.length, between.length - own.length),
    close: after.slice(ownEnd.length),
    call: around(core!.call, own, ownEnd),
  };
}

/** Whether a text in this form is read as the calls that it was made of. */
function isReadBack({ calls, text }: Probe, form: CallForm): boolean {
  const read: { name: string; arguments: string }[] = [];
  let isLost = false;
  const reader = new AnswerReader({ thoughts: null, calls: form, noCalls: null }, offeredTools(probeTools), (part) => {
    if (part.kind === 'call') read.push({ name: part.name, arguments: '' });
    else if (part.kind === 'arguments') read.at(-1)!.arguments += part.text;
    else if (part.kind !== 'call-end') isLost = true;
  });
  reader.push(text);
  reader.end();
  const found = read.map((call) => ({ name: call.name, arguments: parsedOr(call.arguments) }));
  return (
    !isLost &&
    sameJson(
      found,
      calls.map((call) => call.function),
    )
  );
}

/** How the template writes calls; null where it writes none, or in a way that is not known. */
export function findCallForm(template: ChatTemplate, options: RenderOptions): CallForm | null {
  const [a, b] = [probeCall(0), probeCall(1)];
  const one = probeOf(template, [a], options);
  const cores = one && coresOf(one);
  if (!one || !cores) return null;
  const two = probeOf(template, [a, b], options);
  const both = two?.places.some(({ call }) => call === 1) ? coresOf(two) : null;
  const form = two && both ? formOfTwo(one, cores, two, both) : formOfOne(one, cores[0]!);
  const none = probeOf(template, [{ ...a, function: { ...a.function, arguments: {} } }], options);
  const probes = [one, ...(two && both ? [two] : []), ...(none ? [none] : [])];
  return probes.every((probe) => isReadBack(probe, form)) ? form : null;
}
