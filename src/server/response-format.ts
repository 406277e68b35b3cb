/** `response_format`: answers that are JSON. Knows nothing of grammars but whether there is one for a schema. */
import { z } from 'zod';
import { jsonGrammar } from '../llama/grammar/json-grammar.ts';
import type { JsonSchema } from '../settings/json-schema.ts';

const name = z.string().regex(/^[\w-]{1,64}$/, 'expected up to 64 letters, digits, _ or -');
const schemaFields = {
  name,
  description: z.string().nullish(),
  schema: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
};
const jsonSchema = z.strictObject(schemaFields);

/** As OpenAI has it. */
export const responseFormat = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('text') }),
    z.strictObject({ type: z.literal('json_object') }),
    z.strictObject({ type: z.literal('json_schema'), json_schema: jsonSchema }),
  ])
  .nullish()
  .describe(
    '`text`, `json_object`, or `json_schema`, whether `strict` or not: the answer is held to it token by token, and is such JSON unless it is cut. Properties come in their order, with no others beside them; supported are type, enum, const, properties, required, additionalProperties, items, prefixItems, bounds of lengths and numbers, format (date, time, date-time, uuid), anyOf, oneOf (as anyOf), $ref within the schema; other keywords are refused by their place',
  );

/** The same as /v1/responses has it. */
export const textFormat = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({ type: z.literal('json_schema'), ...schemaFields }),
]);

/** As chat completions have it. */
export function inChat(format: z.output<typeof textFormat> | null | undefined): z.output<typeof responseFormat> {
  if (format?.type !== 'json_schema') return format;
  const { type, ...schema } = format;
  return { type, json_schema: schema };
}

/** What answers have to be; undefined where any text will do. Throws NomoatError that names a keyword that cannot be held to. */
export function jsonSchemaOf(given: z.output<typeof responseFormat>): JsonSchema | undefined {
  if (!given || given.type === 'text') return undefined;
  const schema = given.type === 'json_object' ? { type: 'object' } : (given.json_schema.schema ?? {});
  // Known before a model is waited for.
  jsonGrammar(schema);
  return schema;
}
