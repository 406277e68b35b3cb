/** What the handlers of all routes have in common: their types, and a request's body as JSON. */
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { z } from 'zod';
import type { Usage } from './answer.ts';
import { ApiError } from './api-error.ts';
import type { Caller } from './keys.ts';
import { readParameters } from './parameters.ts';
import type { ServedModel } from './served-model.ts';

/** What a request's handlers know of it. */
export interface Asked {
  readonly id: string;
  /** Aborted where the client leaves or the server ends, with the ApiError to answer with. */
  readonly signal: AbortSignal;
  readonly noted: { model: ServedModel | null; usage: Usage | null; route: string; caller: Caller | null };
  /** Counts tokens to the key that asked, whether its answer is read to the end or not. */
  readonly spend: (tokens: number) => void;
}

export interface Environment {
  readonly Bindings: HttpBindings;
  readonly Variables: { asked: Asked };
}
export type Handler = (context: Context<Environment>) => Promise<Response> | Response;

/** The body as JSON, whatever was said of its type. Throws ApiError. */
export async function jsonOf(context: Context<Environment>): Promise<unknown> {
  // Pages of other sites may send any other type without being asked for leave first.
  if (!/^application\/json\s*(;|$)/i.test(context.req.header('content-type') ?? ''))
    throw new ApiError({
      status: 415,
      code: 'unsupported_media_type',
      message: 'Send JSON, with Content-Type: application/json.',
    });
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await context.req.arrayBuffer());
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError({ status: 400, code: 'invalid_json', message: 'The body is no valid JSON in UTF-8.' });
  }
}

/** Of a route that takes no body: an empty one or an empty object passes. Rejects with ApiError. */
export async function noBody(context: Context<Environment>): Promise<void> {
  const text = await context.req.text();
  if (text.trim() === '') return;
  readParameters(await jsonOf(context), z.object({}), {});
}
