/** The OpenAPI document of the server, made of the tables that requests and answers are held against. Pure but for the package's version. */
import { z } from 'zod';
import { ownVersion } from '../../store/installed-version.ts';
import { endpoints } from '../compatibility.ts';
import type { RefusedTable } from '../parameters.ts';
import { scopeOf } from '../scopes.ts';
import { components, errorSchema } from './components.ts';
import type { Description } from './description.ts';
import { descriptions } from './descriptions.ts';

type Json = Readonly<Record<string, unknown>>;

const place = '#/components/schemas/';
/** JavaScript's safe integers bound what has no other bounds: of no use to a reader. */
const boundless = ({ jsonSchema }: { readonly jsonSchema: Record<string, unknown> }): void => {
  if (jsonSchema['maximum'] === Number.MAX_SAFE_INTEGER) delete jsonSchema['maximum'];
  if (jsonSchema['minimum'] === Number.MIN_SAFE_INTEGER) delete jsonSchema['minimum'];
};

/** Without what stands once for the whole document. */
const bare = ({ $schema: _, $id: __, ...rest }: Json): Json => rest;

function schemasByName(): Json {
  const { schemas } = z.toJSONSchema(components, { uri: (id) => `${place}${id}`, io: 'input', override: boundless });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, bare(schema)]));
}

/** A schema in its place: by its name where it has one. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output' = 'input'): Json {
  const id = components.get(schema)?.id;
  return id === undefined ? bare(z.toJSONSchema(schema, { io, override: boundless })) : { $ref: `${place}${id}` };
}

/** Refused parameters pass with the values that ask for nothing; what is in neither table is refused. */
function bodyOf(schema: z.ZodObject, refusals: RefusedTable = {}): Json {
  const refused = Object.entries(refusals).map(([name, { nothing = [], why }]) => [
    name,
    { enum: [null, ...nothing], description: `not supported: ${why}` },
  ]);
  const { properties, ...rest } = schemaOf(schema);
  const all = { ...(properties as Json), ...Object.fromEntries(refused) };
  return { ...rest, properties: all, additionalProperties: false };
}

/** Fields of forms are flat: an object's are `name[field]`. */
function flat([name, schema]: readonly [string, z.ZodType]): (readonly [string, Json])[] {
  const inner = schema instanceof z.ZodOptional || schema instanceof z.ZodNullable ? schema.unwrap() : schema;
  if (inner !== schema) return flat([name, inner as z.ZodType]);
  if (!(schema instanceof z.ZodObject)) return [[name, schemaOf(schema)]];
  return Object.entries(schema.shape).map(([field, each]) => [`${name}[${field}]`, schemaOf(each as z.ZodType)]);
}

function formOf(part: string, fields: z.ZodObject): Json {
  const required = Object.entries(fields.shape).flatMap(([name, schema]) =>
    (schema as z.ZodType).isOptional() ? [] : [name],
  );
  return {
    type: 'object',
    properties: {
      [part]: { type: 'string', contentMediaType: 'application/octet-stream', format: 'binary', minLength: 1 },
      ...Object.fromEntries((Object.entries(fields.shape) as [string, z.ZodType][]).flatMap(flat)),
    },
    required: [part, ...required],
    additionalProperties: false,
  };
}

const parameter = (where: 'path' | 'query', name: string, schema: Json, required: boolean): Json => ({
  name,
  in: where,
  required,
  schema,
});

function parametersOf(path: string, { metadataQuery, query }: Description): Json[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) =>
    parameter('path', name!, { type: 'string', minLength: 1 }, true),
  );
  const inQuery = Object.entries((query?.shape ?? {}) as Record<string, z.ZodType>).map(([name, schema]) =>
    parameter('query', name, schemaOf(schema, 'output'), !schema.isOptional()),
  );
  const metadata = {
    ...parameter('query', 'metadata', { type: 'object', additionalProperties: true }, false),
    style: 'deepObject',
    explode: true,
  };
  return [...inPath, ...inQuery, ...(metadataQuery ? [metadata] : [])];
}

function answerContent({ answer, events }: Description): Json {
  const whole =
    answer instanceof z.ZodType
      ? { 'application/json': { schema: schemaOf(answer) } }
      : {
          [answer.type]: {
            schema: answer.type.startsWith('text/') ? { type: 'string' } : { type: 'string', format: 'binary' },
          },
        };
  if (!events) return whole;
  // As OpenAPI 3.2 describes each event: its data is a text, whose contents have a schema.
  const contentSchema = { anyOf: [schemaOf(events), schemaOf(errorSchema)] };
  const said = { type: 'string', contentMediaType: 'application/json', contentSchema };
  const data = { anyOf: [{ const: '[DONE]', description: 'the last one, but of responses' }, said] };
  const event = { type: 'object', properties: { event: { type: 'string' }, data }, required: ['data'] };
  return { ...whole, 'text/event-stream': { schema: event } };
}

function requestBody({ form, json }: Description): Json {
  if (json)
    return {
      requestBody: { required: true, content: { 'application/json': { schema: bodyOf(json.schema, json.refusals) } } },
    };
  return form
    ? {
        requestBody: { required: true, content: { 'multipart/form-data': { schema: formOf(form.part, form.fields) } } },
      }
    : {};
}

const headers = { 'x-request-id': { schema: { type: 'string' }, description: 'of the request, as the log has it' } };

function operation(endpoint: string, path: string, description: Description): Json {
  const scope = scopeOf(endpoint);
  return {
    operationId: endpoint
      .toLowerCase()
      .replace(/[^a-z]+/g, '_')
      .replace(/_$/, ''),
    summary: endpoints[endpoint] ?? '',
    parameters: parametersOf(path, description),
    ...requestBody(description),
    responses: {
      200: { description: 'as asked', headers, content: answerContent(description) },
      default: { $ref: '#/components/responses/Error' },
    },
    // The second: where there are no keys, none is asked for.
    security: scope === 'open' ? [] : [{ key: [scope] }, {}],
  };
}

/** OpenAPI 3.1. */
export function openApiDocument(): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const [endpoint, description] of Object.entries(descriptions)) {
    const [method = '', path = ''] = endpoint.split(' ');
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation(endpoint, path, description) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'nomoat', version: ownVersion() ?? '0', description: "OpenAI's API over the models of this machine." },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: schemasByName(),
      responses: {
        Error: { description: 'what was wrong', headers, content: { 'application/json': { schema: schemaOf(errorSchema) } } },
      },
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'a key of scope chat, tune or admin, each with all of those before it' },
      },
    },
  }; // biome-ignore format: a document
}
