/** Answers held against what /openapi.json says of them. */
import { expect } from 'vitest';
import { z } from 'zod';
import { errorSchema } from '../../src/server/openapi/components.ts';
import { descriptions } from '../../src/server/openapi/descriptions.ts';

/** An answer has what its schema says; a key that the schema does not know would be missing in what it makes of the answer. */
export function assertDescribed(schema: z.ZodType, answer: unknown, what: string): void {
  const { data, error } = schema.safeParse(answer);
  expect(error && z.prettifyError(error), `src/server/openapi of ${what}`).toBeUndefined();
  expect(data, `src/server/openapi of ${what}`).toEqual(answer);
}

const patterns = Object.keys(descriptions).map((endpoint) => {
  const [method, path = ''] = endpoint.split(' ');
  return { endpoint, method, path: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`) };
});

/** fetch that holds every answer in JSON against its description. */
export const describedFetch: typeof fetch = async (input, init) => {
  const answer = await fetch(input, init);
  const { pathname } = new URL(input instanceof Request ? input.url : input);
  const found = patterns.find(
    ({ method, path }) => method === (init?.method?.toUpperCase() ?? 'GET') && path.test(pathname),
  );
  if (!found || !/^application\/json/.test(answer.headers.get('content-type') ?? '')) return answer;
  const schema = answer.ok ? descriptions[found.endpoint]!.answer : errorSchema;
  if (schema instanceof z.ZodType) assertDescribed(schema, await answer.clone().json(), found.endpoint);
  return answer;
};
