/** The document is whole: what it refers to is there, and what it says of bodies is what requests are held against. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { chatParameters, chatRefusals } from '../chat-request.ts';
import { components } from './components.ts';
import { openApiDocument } from './document.ts';

interface Operation {
  readonly parameters: readonly { name: string; in: string; required: boolean; schema: Record<string, unknown> }[];
  readonly requestBody?: { content: Record<string, { schema: Record<string, unknown> }> };
  readonly security: readonly Record<string, readonly string[]>[];
  readonly operationId: string;
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: Record<string, Record<string, unknown>>;
}
const text = JSON.stringify(openApiDocument());
const document = JSON.parse(text) as Document;

test('every reference has something at its end, and every component is referred to', () => {
  const references = new Set(
    [...text.matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)].map(([, kind, name]) => `${kind}/${name}`),
  );
  expect(references.size).toBeGreaterThan(15);
  expect(text.match(/"\$ref"/g)).toHaveLength([...text.matchAll(/"\$ref":"#\/components\//g)].length);
  for (const kind of ['schemas', 'responses'])
    for (const name of Object.keys(document.components[kind]!))
      expect(references.delete(`${kind}/${name}`), name).toBe(true);
  expect([...references]).toEqual([]);
});

test('names of operations differ', () => {
  const ids = Object.values(document.paths).flatMap((path) =>
    Object.values(path).map(({ operationId }) => operationId),
  );
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toContain('post_v_chat_completions');
});

test('a body has all that is supported and refused, and nothing else', () => {
  const { content } = document.paths['/v1/chat/completions']!['post']!.requestBody!;
  const schema = content['application/json']!.schema as {
    properties: Record<string, unknown>;
    required: string[];
    additionalProperties: boolean;
  };
  expect(Object.keys(schema.properties)).toEqual([...Object.keys(chatParameters.shape), ...Object.keys(chatRefusals)]);
  expect(schema.required).toEqual(['model', 'messages']);
  expect(schema.additionalProperties).toBe(false);
  expect(schema.properties['store']).toMatchObject({ enum: [null, false] });
});

test('queries are typed as they are meant, and forms are flat', () => {
  const list = document.paths['/v1/files']!['get']!.parameters;
  expect(list.find(({ name }) => name === 'limit')).toMatchObject({
    in: 'query',
    required: false,
    schema: { type: 'integer', minimum: 1, maximum: 10_000 },
  });
  const { content } = document.paths['/v1/files']!['post']!.requestBody!;
  expect(Object.keys(content['multipart/form-data']!.schema['properties'] as object)).toEqual([
    'file',
    'purpose',
    'expires_after[anchor]',
    'expires_after[seconds]',
  ]);
});

test('each says its scope', () => {
  expect(document.paths['/healthz']!['get']!.security).toEqual([]);
  expect(document.paths['/v1/files']!['post']!.security).toEqual([{ key: ['tune'] }, {}]);
});

test('schemas with a name are JSON Schema by themselves', () => {
  const { schemas } = document.components;
  expect(Object.keys(schemas!)).toContain('FineTuningJob');
  expect(z.fromJSONSchema(schemas!['UploadPart'] as z.core.JSONSchema.JSONSchema).safeParse({ id: 1 }).success).toBe(
    false,
  );
  expect(text).not.toContain(String(Number.MAX_SAFE_INTEGER));
  expect(components).toBeDefined();
});
