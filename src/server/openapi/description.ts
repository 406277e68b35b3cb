/** What a description of an endpoint says. Types alone. */
import type { z } from 'zod';
import type { RefusedTable } from '../parameters.ts';

/** What an endpoint takes and gives. */
export interface Description {
  /** Behind the question mark. */
  readonly query?: z.ZodObject;
  /** Whether `metadata[key]=value` may stand there too. */
  readonly metadataQuery?: true;
  /** The body as JSON, with what is refused of it by name. */
  readonly json?: { readonly schema: z.ZodObject; readonly refusals?: RefusedTable };
  /** The body as multipart/form-data: the part with the file, and the fields. */
  readonly form?: { readonly part: string; readonly fields: z.ZodObject };
  /** The answer as JSON, or a body of another type. */
  readonly answer: z.ZodType | { readonly type: string };
  /** What each server-sent event holds, where a stream can be asked for. */
  readonly events?: z.ZodType;
}
