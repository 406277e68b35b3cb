/** /v1/files: uploaded files and results of jobs. */
import { z } from 'zod';
import { ApiError, wrongParameter } from '../api-error.ts';
import { open, readParameters } from '../parameters.ts';
import type { StoredFile } from '../state/file-store.ts';
import { receiveForm } from './form.ts';
import { listOf, pageParameters, pageQuery, readQuery } from './query.ts';
import type { RouteParts, Routes } from './routes.ts';

/** Purposes that may be given; `fine-tune-results` is what jobs make. */
export const purposes = ['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals'] as const;
/** As OpenAI bounds it: an hour to thirty days. */
const leastSeconds = 3600;
const mostSeconds = 2_592_000;
const secondsText = `a whole number from ${leastSeconds} to ${mostSeconds}`;
/** OpenAI's for this list. */
const mostFiles = 10_000;

export const expiresAfter = z.strictObject({
  anchor: z.literal('created_at', { error: "expected 'created_at'" }),
  seconds: z.coerce
    .number({ error: `expected ${secondsText}` })
    .int()
    .min(leastSeconds)
    .max(mostSeconds),
});
export const purpose = z.enum(purposes, { error: `expected one of ${purposes.join(', ')}` });

/** Fields of POST /v1/files beside the file. */
export const fileParameters = z.object({
  purpose: purpose.describe(`${purposes.join(', ')}; only \`fine-tune\` has a use here, the others are kept`),
  expires_after: open(expiresAfter).describe('`anchor` created_at, `seconds` 3600 to 2592000; then the file is gone'),
});

/** Parameters of GET /v1/files. */
export const fileListParameters = z.object({
  ...pageParameters(mostFiles),
  purpose: z
    .enum([...purposes, 'fine-tune-results'])
    .optional()
    .describe('only those'),
  order: z.enum(['asc', 'desc']).optional().describe('by the time of creation; default desc'),
});

/** A file as OpenAI's API has it. */
export const fileObject = ({ bytes, created, expires, filename, id, purpose: what }: StoredFile) => ({
  id,
  object: 'file' as const,
  bytes,
  created_at: created,
  ...(expires === null ? {} : { expires_at: expires }),
  filename,
  purpose: what,
  status: 'processed' as const,
  status_details: null,
});

/** `expires_after[seconds]` as forms have it, as JSON has it. */
function nested(fields: Readonly<Record<string, string>>): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    const [, outer, inner] = /^([a-z_]+)\[([a-z_]+)\]$/.exec(name) ?? [];
    if (outer === undefined || inner === undefined) body[name] = value;
    else body[outer] = { ...(body[outer] as object | undefined), [inner]: value };
  }
  return body;
}

/** Throws ApiError where there is no file of that id. */
export function fileOf({ workspace }: RouteParts, id: string, param = 'id'): StoredFile {
  const file = workspace.open().files.find(id);
  if (file) return file;
  throw new ApiError({ status: 404, code: 'file_not_found', param, message: `No such File object: ${id}` });
}

const noBytes = (name: string): ApiError => wrongParameter('file', 'empty_file', `The file '${name}' is empty.`);

export const fileRoutes = (parts: RouteParts): Routes => ({
  'POST /v1/files': async (context) => {
    const { files } = parts.workspace.open();
    const { fields, file } = await receiveForm(context.env.incoming, {
      part: 'file',
      mostBytes: parts.limits.fileBytes,
      files,
    });
    try {
      const given = readParameters(nested(fields), fileParameters, {});
      if (file.bytes === 0) throw noBytes(file.filename);
      const { filename } = file;
      return context.json(
        fileObject(
          files.add(file, { filename, purpose: given.purpose, seconds: given.expires_after?.seconds ?? null }),
        ),
      );
    } catch (error) {
      files.drop(file.path);
      throw error;
    }
  },
  'GET /v1/files': (context) => {
    const query = readQuery(context.req.url, fileListParameters);
    const page = parts.workspace.open().files.list(query.purpose ?? null, pageQuery(query, mostFiles, query.order));
    return context.json(listOf(page && { ...page, data: page.data.map(fileObject) }));
  },
  'GET /v1/files/:id': (context) => context.json(fileObject(fileOf(parts, context.req.param('id') ?? ''))),
  'GET /v1/files/:id/content': (context) => {
    const { files } = parts.workspace.open();
    const { bytes, id } = fileOf(parts, context.req.param('id') ?? '');
    const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': String(bytes) };
    return context.body(files.read(id), 200, headers);
  },
  'DELETE /v1/files/:id': (context) => {
    const { files, jobs } = parts.workspace.open();
    const { id } = fileOf(parts, context.req.param('id') ?? '');
    files.delete(id, jobs.filesInUse());
    return context.json({ id, object: 'file', deleted: true });
  },
});
