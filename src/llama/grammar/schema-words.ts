/** The words of JSON Schema that grammars are made of. Pure. */
import { z } from 'zod';

export const typeNames = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'] as const;
export type TypeName = (typeof typeNames)[number];
export const types = z.union([z.enum(typeNames).transform((name) => [name]), z.array(z.enum(typeNames)).min(1)]);

/** What says nothing of which values there may be. */
export const annotations: ReadonlySet<string> = new Set(['title', 'description', 'default', 'examples', '$schema', '$id', '$comment', '$defs', 'definitions', 'deprecated', 'readOnly', 'writeOnly']); // biome-ignore format: a list

/** The keywords that are about each type. */
const range = ['minimum', 'exclusiveMinimum', 'maximum', 'exclusiveMaximum'];
export const keywordsOf: Readonly<Record<TypeName, readonly string[]>> = {
  object: ['properties', 'required', 'additionalProperties'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength', 'format'],
  number: range,
  integer: range,
  boolean: [],
  null: [],
};

/** Without a type: that which its keywords are about; none where they say nothing of it. */
export const guessed = (schema: object): TypeName[] =>
  typeNames.filter((type) => keywordsOf[type].some((name) => name in schema)).slice(0, 1);

export const isOf: Readonly<Record<TypeName, (value: unknown) => boolean>> = {
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: Number.isInteger,
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
};
