/** Grammars of JSON Schemas, read by llama.cpp itself: what it takes and leaves of each is held against zod's own reading of the schema. */
import type { LlamaGrammar } from 'node-llama-cpp';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { JsonSchema } from '../../settings/json-schema.ts';
import { llamaEngine } from '../engine.ts';
import { jsonGrammar } from './json-grammar.ts';

/** Whether llama.cpp would let this whole text through: it has no public name for it. */
function taking(grammar: LlamaGrammar): (text: string) => boolean {
  const test: unknown = Reflect.get(grammar, '_testText');
  if (typeof test !== 'function') throw new Error('another node-llama-cpp');
  return (text) => Reflect.apply(test, grammar, [text]) === true;
}

async function reader(schema: JsonSchema): Promise<(text: string) => boolean> {
  const llama = await llamaEngine();
  return taking(await llama.createGrammar({ grammar: jsonGrammar(schema) }));
}

const object = (properties: object, more: object = {}): JsonSchema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
});
const list = { type: 'array', items: { type: 'integer' } };
const tree = object({ name: { type: 'string' }, children: { type: 'array', items: { $ref: '#/$defs/node' } } });

/** What is taken, and what is not. */
const cases: readonly (readonly [name: string, schema: JsonSchema, taken: readonly string[], left: readonly string[]])[] = [
  ['any', {}, ['{}', '[]', '"a"', '-1.5e3', 'null', '{"a": [1, {"b": true}]}', '{ "a":1 }'], ['', '{', '{\n"a":1}', '{"a":}', '01', '1.', '{"a":1,}', '[1,]', "'a'", '{}  ', 'nul']],
  ['any object', { type: 'object' }, ['{}', '{"a": [1]}'], ['[]', '"a"', '{a: 1}']],
  ['text', { type: 'string' }, ['""', '"né 😀\\n\\u00e9"'], ['"\n"', '"\\x"', '"', '"a"b"']],
  ['text of bounded length', { type: 'string', minLength: 2, maxLength: 3 }, ['"ab"', '"a\\n"', '"😀😀😀"'], ['"a"', '"abcd"']],
  ['dates', { type: 'string', format: 'date' }, ['"2026-02-28"'], ['"2026-13-01"', '"2026-02-30"', '"x"']],
  ['times', { type: 'string', format: 'date-time' }, ['"2026-02-28T23:59:59Z"', '"2026-02-28T00:00:00.5+01:00"'], ['"2026-02-28"', '"2026-02-28T24:00:00Z"']],
  ['uuid', { type: 'string', format: 'uuid' }, ['"123e4567-e89b-42d3-a456-426614174000"'], ['"123e4567"']],
  ['numbers', { type: 'number' }, ['0', '-0.5', '12e-3', '1E10'], ['.5', '1e', '+1', '00']],
  ['whole numbers', { type: 'integer' }, ['0', '-12', '999'], ['1.5', '1e3', '01']],
  ['several types', { type: ['integer', 'null'] }, ['5', 'null'], ['"5"', 'true']],
  ['given values', { enum: ['a "b"', 3, null] }, ['"a \\"b\\""', '3', 'null'], ['"a"', '4']],
  ['given values of a type', { type: 'string', enum: ['a', 3] }, ['"a"'], ['3']],
  ['one value', { const: 'é\n' }, ['"é\\n"'], ['"e"']],
  ['lists', list, ['[]', '[1]', '[1, 2,3]'], ['[1 2]', '["a"]', '[,]']],
  ['lists of bounded length', { ...list, minItems: 1, maxItems: 2 }, ['[1]', '[1,2]'], ['[]', '[1,2,3]']],
  ['lists of one length', { ...list, minItems: 2, maxItems: 2 }, ['[1,2]'], ['[1]', '[1,2,3]']],
  ['lists of at least', { ...list, minItems: 2 }, ['[1,2]', '[1,2,3]'], ['[1]', '[]']],
  ['empty lists', { ...list, maxItems: 0 }, ['[]'], ['[1]']],
  ['pairs', { type: 'array', prefixItems: [{ type: 'string' }, { type: 'boolean' }], items: false }, ['["a", true]'], ['["a"]', '["a",true,1]']],
  ['pairs and more', { type: 'array', prefixItems: [{ type: 'string' }], items: { type: 'null' }, minItems: 2, maxItems: 3 }, ['["a",null]', '["a",null,null]'], ['["a"]', '["a",null,null,null]', '["a",1]']],
  ['required properties, in order', object({ a: { type: 'integer' }, 'b"c': { type: 'string' } }), ['{"a": 1, "b\\"c": "x"}', '{"a":1,"b\\"c":"x"}'], ['{"a": 1}', '{}', '{"a": 1, "b\\"c": "x", "d": 1}']],
  ['optional properties', object({ a: { type: 'null' }, b: { type: 'null' }, c: { type: 'null' } }, { required: [] }), ['{}', '{"a":null}', '{"b":null}', '{"a":null,"c":null}', '{"a":null,"b":null,"c":null}'], ['{,"b":null}', '{"a":null,}', '{"a":null "b":null}']],
  ['some required', object({ a: { type: 'null' }, b: { type: 'null' }, c: { type: 'null' } }, { required: ['b'] }), ['{"b":null}', '{"a":null,"b":null}', '{"b":null,"c":null}'], ['{}', '{"a":null}', '{"c":null}']],
  ['required without a schema', { type: 'object', required: ['x'] }, ['{"x": 1}', '{"x": []}'], ['{}', '{"y": 1}']],
  ['maps', { type: 'object', additionalProperties: { type: 'integer' } }, ['{}', '{"a": 1, "b": 2}'], ['{"a": "b"}']],
  ['no properties', { type: 'object', additionalProperties: false }, ['{}', '{ }'], ['{"a": 1}']],
  ['alternatives', { anyOf: [{ type: 'integer' }, object({ a: { const: 1 } })] }, ['5', '{"a":1}'], ['{"a":2}', '""']],
  ['one schema of all', { allOf: [{ type: 'boolean' }] }, ['true'], ['1']],
  ['itself', { ...tree, $defs: { node: tree } }, ['{"name": "a", "children": [{"name": "b", "children": []}]}'], ['{"name": "a", "children": [1]}']],
  ['the root', object({ next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } }), ['{"next": {"next": null}}'], ['{"next": 1}']],
  ['without a type', { properties: { a: { minimum: 1 } }, required: ['a'] }, ['{"a": 1}'], ['{"a": 0}', '{"a": "x"}']],
]; // biome-ignore format: a table

describe('grammars', () => {
  test.each(cases)('%s', async (_name, schema, taken, left) => {
    const takes = await reader(schema);
    const holds = z.fromJSONSchema({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...schema });
    for (const text of taken) {
      expect(takes(text), text).toBe(true);
      expect(holds.safeParse(JSON.parse(text)).error?.issues, text).toBeUndefined();
    }
    for (const text of left) expect(takes(text), text).toBe(false);
  });

  test('of white space there is one space at most between values, and none around them', async () => {
    const takes = await reader({ type: 'array' });
    expect(takes('[ 1 , 2 ]')).toBe(true);
    for (const text of ['[1,\n2]', '[1,  2]', '[\t1]', '[1] ', ' [1]', '[1]\n']) expect(takes(text), text).toBe(false);
  }); // biome-ignore format: lines

  const bounds = [0, 1, 7, 9, 10, 19, 42, 99, 100, 105, 999, 1000];
  test('whole numbers of every range: those, and no others', async () => {
    for (const a of bounds)
      for (const b of bounds.filter((each) => each >= a)) {
        for (const [low, high] of [[a, b], [-b, -a], [-a, b]]) { // biome-ignore format: pairs
          const takes = await reader({ type: 'integer', minimum: low, maximum: high });
          for (const edge of [low!, high!])
            for (const value of [edge - 11, edge - 1, edge, edge + 1, edge + 11, -edge])
              expect(takes(String(value)), `${value} of ${low} to ${high}`).toBe(value >= low! && value <= high!);
        }
      }
    const above = await reader({ type: 'integer', exclusiveMinimum: 5 });
    expect([5, 6, 10 ** 14].map((value) => above(String(value)))).toEqual([false, true, true]);
  }); // biome-ignore format: pairs

  test('decimals of a range', async () => {
    const share = await reader({ type: 'number', minimum: 0, maximum: 1 });
    expect(['0', '1', '0.5', '0.05', '0.125'].map(share)).toEqual([true, true, true, true, true]);
    expect(['-0.5', '1.5', '2', '1.0', '0.', '1e5'].map(share)).toEqual([false, false, false, false, false, false]);
    const around = await reader({ type: 'number', exclusiveMinimum: -1.5, maximum: 20 });
    expect(['-1', '-0.25', '19.75', '20'].map(around)).toEqual([true, true, true, true]);
    expect(['-1.5', '-1.25', '20.5', '-2'].map(around)).toEqual([false, false, false, false]);
  });
});

test.each([
  [{ type: 'string', pattern: '^a' }, '/pattern is not supported'],
  [object({ a: { type: 'number', multipleOf: 2 } }), '/properties/a/multipleOf is not supported'],
  [{ type: 'array', uniqueItems: true }, '/uniqueItems is not supported'],
  [{ not: {} }, '/not is not supported'],
  [{ allOf: [{}, {}] }, '/allOf is supported for one schema alone'],
  [{ anyOf: [{}], properties: {} }, '/properties is not supported beside anyOf'],
  [{ $ref: 'https://example.com/x' }, '/$ref "https://example.com/x" is none within the schema'],
  [{ $ref: '#/$defs/x' }, '/$ref "#/$defs/x" is not there'],
  [{ type: 'text' }, '/type is wrong'],
  [{ type: 'string', format: 'email' }, '/format "email" is not supported (date, time, date-time, uuid are)'],
  [{ type: 'string', minLength: -1 }, '/minLength is wrong'],
  [{ type: 'string', minLength: 5, maxLength: 4 }, '/maxLength is below minLength'],
  [{ type: 'string', minLength: 5000 }, '/minLength is supported up to 1000'],
  [{ type: 'integer', minimum: 5, maximum: 4 }, 'it leaves no number that could be written'],
  [{ type: 'string', enum: [1] }, '/enum has no value of the type'],
  [{ items: false, minItems: 1 }, '/minItems is more than there may be'],
  [object({ a: false }), '/properties/a admits nothing'],
  [object({ a: 5 }), '/properties/a is no schema'],
  [{ type: 'object', required: ['a'], additionalProperties: false }, '/required names "a", which may not be there'],
  [JSON.parse(`${'{"items":'.repeat(200)}{}${'}'.repeat(200)}`), 'it is nested deeper than 100'],
  [{ enum: [1], type: 'integer', minimum: 0 }, '/minimum is not supported beside enum'],
  [object(Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`p${i}`, { type: 'null' }]))), 'is too large'],
])('%#: refused by name and place', (schema, message) => {
  expect(() => jsonGrammar(schema as JsonSchema)).toThrow(message);
});
