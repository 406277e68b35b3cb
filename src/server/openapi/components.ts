/** What several descriptions of endpoints are made of. Pure. */
import { z } from 'zod';

/** Schemas that the document has by name. */
export const components = z.registry<{ readonly id: string; readonly description?: string }>();

/** Gives a schema its name in the document. */
export function named<Schema extends z.ZodType>(id: string, schema: Schema, description?: string): Schema {
  components.add(schema, description === undefined ? { id } : { id, description });
  return schema;
}

/** Seconds since 1970. */
export const time = z.int().min(0).describe('seconds since 1970');

/** Every fault of every endpoint. */
export const errorSchema = named(
  'Error',
  z.object({
    error: z.object({
      message: z.string(),
      type: z.enum(['invalid_request_error', 'server_error']),
      param: z.string().nullable().describe('the place of the parameter at fault, such as `messages[0].content`'),
      code: z.string().nullable(),
    }),
  }),
);

/** A page of a list. */
export const listOf = <Item extends z.ZodType>(id: string, item: Item) =>
  named(
    id,
    z.object({
      object: z.literal('list'),
      data: z.array(item),
      first_id: z.string().nullable(),
      last_id: z.string().nullable(),
      has_more: z.boolean(),
    }),
  );

/** What is answered to the removal of an object. */
export const deletedOf = (id: string, object: string) =>
  named(id, z.object({ id: z.string(), object: z.literal(object), deleted: z.literal(true) }));
