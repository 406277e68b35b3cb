/**
 * Calls of functions, as data sets write them (OpenAI's list, its older single call, LLaMA-Factory's turns of JSON text), in one form.
 * Promises: a call has a name and arguments that are what was meant, an object where they are JSON; what is neither is refused. Pure.
 */
import { readJson } from '../formats/exact-json.ts';
import { type Fields, isObject, RecordRefused, textOf } from './refused.ts';

/** How often arguments are JSON inside JSON text: APIs do it once, and who stores their answers once more. */
const maxPacked = 2;

/** The value of a JSON text; undefined where it is none. */
function jsonOf(text: string): unknown {
  try {
    return readJson(text);
  } catch {
    return undefined;
  }
}

/** Arguments as an object: no arguments are none, JSON text is read. A text that is no JSON stays one, unless it was to be JSON. */
function argumentsOf(given: unknown, where: string, notes: Set<string>): unknown {
  let value = given ?? {};
  for (let packed = 0; typeof value === 'string' && packed < maxPacked; packed++) {
    const text = textOf(value, 'the arguments of a call').trim();
    if (text === '') return {};
    const read = jsonOf(text);
    if (read === undefined && /^[{[]/.test(text))
      throw new RecordRefused('the arguments of a call are no valid JSON', `${where}: ${text.slice(0, 40)}`);
    if (read === undefined || read === null) break;
    value = read;
  }
  if (typeof value !== 'object') notes.add('arguments of calls that are no JSON object are learnt as they are');
  return value;
}

/** A call, its name and arguments beside its id or inside `function`. */
function callOf(call: Fields, where: string, notes: Set<string>): Fields {
  const { arguments: beside, function: inside, name, ...rest } = call;
  if (inside !== undefined && !isObject(inside))
    throw new RecordRefused('a call has a function that is no object', where);
  const called: Fields = inside ?? { name, arguments: beside };
  if (typeof called.name !== 'string' || called.name.trim() === '')
    throw new RecordRefused('a call has no name', where);
  textOf(called.name, 'the name of a call');
  // Where the arguments stand is an order that some templates keep.
  return {
    ...(inside ? {} : { type: 'function' }),
    ...rest,
    function: { ...called, arguments: argumentsOf(called.arguments, where, notes) },
  };
}

/** LLaMA-Factory's `function_call` turns hold a call, or a list of parallel ones, as JSON text. Throws RecordRefused. */
export function callsInText(value: unknown, where: string, notes: Set<string>): Fields[] {
  const read = typeof value === 'string' ? jsonOf(textOf(value, 'a function call')) : value;
  const calls = Array.isArray(read) ? read : [read];
  if (calls.length === 0 || !calls.every((call) => isObject(call) && typeof call.name === 'string'))
    throw new RecordRefused('a function call is no JSON with a name', where);
  return calls.map((call: Fields) => callOf({ type: 'function', function: call }, where, notes));
}

/** Calls of a message, as a list or, in tables, its JSON text; OpenAI's older single `function_call` among them. Throws RecordRefused. */
export function toolCallsOf(fields: Fields, where: string, notes: Set<string>): { tool_calls?: readonly unknown[] } {
  const { function_call: older, tool_calls: written } = fields;
  const read = typeof written === 'string' && written.trim() !== '' ? jsonOf(written) : written || [];
  const calls = read ?? [];
  if (read === undefined || !Array.isArray(calls) || !calls.every(isObject))
    throw new RecordRefused('tool_calls is no list of calls', where);
  if (older === undefined || older === null)
    return calls.length > 0 ? { tool_calls: calls.map((call) => callOf(call, where, notes)) } : {};
  if (calls.length > 0) throw new RecordRefused('a message has both function_call and tool_calls', where);
  if (!isObject(older) || typeof older.name !== 'string')
    throw new RecordRefused('function_call is no object with a name', where);
  return { tool_calls: [callOf({ type: 'function', function: older }, where, notes)] };
}
