/** /v1/uploads: files in parts. */
import { z } from 'zod';
import { ApiError, wrongParameter } from '../api-error.ts';
import { open, readParameters } from '../parameters.ts';
import { jsonOf, noBody } from '../request.ts';
import { nowInSeconds } from '../state/ids.ts';
import type { StoredPart, StoredUpload } from '../state/upload-store.ts';
import { expiresAfter, fileObject, purpose } from './files.ts';
import { receiveForm } from './form.ts';
import type { RouteParts, Routes } from './routes.ts';

const mostName = 255;

/** Parameters of POST /v1/uploads. */
export const uploadParameters = z.object({
  bytes: z.int().min(1).describe('of the whole file'),
  filename: z.string().min(1).max(mostName).describe(`up to ${mostName} characters`),
  mime_type: z.string().min(1).max(mostName).describe('kept as it is'),
  purpose: purpose.describe('as of files'),
  expires_after: open(expiresAfter).describe('of the file, as of files'),
});

/** Parameters of POST /v1/uploads/{id}/complete. */
export const completeParameters = z.object({
  part_ids: z.array(z.string()).min(1).describe('in the order of the file'),
  md5: open(z.string().regex(/^[\da-f]{32}$/i, 'expected 32 hexadecimal digits')).describe('of the whole file'),
});

/** An upload as OpenAI's API has it. */
function uploadObject(
  { bytes, created, expires, filename, id, purpose: what, status }: StoredUpload,
  file: object | null = null,
) {
  const isExpired = status === 'pending' && expires <= nowInSeconds();
  return {
    id,
    object: 'upload' as const,
    bytes,
    created_at: created,
    expires_at: expires,
    filename,
    purpose: what,
    status: isExpired ? ('expired' as const) : status,
    file,
  };
}

const partObject = ({ created, id, upload_id }: StoredPart) => ({
  id,
  object: 'upload.part' as const,
  created_at: created,
  upload_id,
});

/** The upload of a request. Throws ApiError where there is none, or where it takes nothing any more. */
function pendingOf({ workspace }: RouteParts, id: string): StoredUpload {
  const upload = workspace.open().uploads.find(id);
  if (!upload)
    throw new ApiError({
      status: 404,
      code: 'upload_not_found',
      param: 'upload_id',
      message: `No such Upload object: ${id}`,
    });
  const { status } = uploadObject(upload);
  if (status === 'pending') return upload;
  throw wrongParameter('upload_id', 'upload_not_pending', `The upload ${id} is ${status}: it takes nothing any more.`);
}

/** The parts that are named, in their order. Throws ApiError. */
function namedParts(all: readonly StoredPart[], ids: readonly string[]): StoredPart[] {
  return ids.map((id, i) => {
    const part = all.find((each) => each.id === id);
    if (part && ids.indexOf(id) === i) return part;
    const fault = part ? 'stands there twice' : 'is no part of this upload';
    throw wrongParameter(`part_ids[${i}]`, 'invalid_value', `Invalid value for 'part_ids[${i}]': ${id} ${fault}.`);
  });
}

const bytesOf = (parts: readonly StoredPart[]): number => parts.reduce((sum, { bytes }) => sum + bytes, 0);

async function complete(parts: RouteParts, upload: StoredUpload, body: unknown): Promise<object> {
  const { files, uploads } = parts.workspace.open();
  const { md5, part_ids: ids } = readParameters(body, completeParameters, {});
  const named = namedParts(uploads.parts(upload.id), ids);
  const found = bytesOf(named);
  if (found !== upload.bytes)
    throw wrongParameter(
      'part_ids',
      'invalid_value',
      `The parts have ${found} bytes together, and ${upload.bytes} were announced.`,
    );
  const joined = await uploads.join(named, upload.bytes);
  try {
    if (md5 && md5.toLowerCase() !== joined.md5)
      throw wrongParameter('md5', 'invalid_value', `The file's MD5 is ${joined.md5}, not ${md5}: a part is damaged.`);
    // Somebody else may have completed it while its parts were read.
    pendingOf(parts, upload.id);
    const file = uploads.complete(upload, joined);
    return uploadObject(uploads.find(upload.id)!, fileObject(file));
  } catch (error) {
    files.drop(joined.path);
    throw error;
  }
}

export const uploadRoutes = (parts: RouteParts): Routes => ({
  'POST /v1/uploads': async (context) => {
    const {
      bytes,
      expires_after,
      filename,
      mime_type,
      purpose: what,
    } = readParameters(await jsonOf(context), uploadParameters, {});
    const { fileBytes } = parts.limits;
    if (bytes > fileBytes)
      throw wrongParameter('bytes', 'invalid_value', `Invalid value for 'bytes': ${fileBytes} are the most.`);
    const given = { bytes, filename, mime_type, purpose: what, file_seconds: expires_after?.seconds ?? null };
    return context.json(uploadObject(parts.workspace.open().uploads.create(given)));
  },
  'POST /v1/uploads/:id/parts': async (context) => {
    const { files, uploads } = parts.workspace.open();
    const { bytes, id } = pendingOf(parts, context.req.param('id') ?? '');
    const most = Math.min(parts.limits.partBytes, bytes);
    const { fields, file } = await receiveForm(context.env.incoming, { part: 'data', mostBytes: most, files });
    try {
      readParameters(fields, z.object({}), {});
      pendingOf(parts, id);
      const came = bytesOf(uploads.parts(id)) + file.bytes;
      if (came > bytes)
        throw wrongParameter(
          'data',
          'invalid_value',
          `The parts have ${came} bytes together, and ${bytes} were announced.`,
        );
      if (file.bytes === 0) throw wrongParameter('data', 'empty_file', 'The part is empty.');
      return context.json(partObject(uploads.addPart(id, file)));
    } catch (error) {
      files.drop(file.path);
      throw error;
    }
  },
  'POST /v1/uploads/:id/complete': async (context) => {
    const upload = pendingOf(parts, context.req.param('id') ?? '');
    return context.json(await complete(parts, upload, await jsonOf(context)));
  },
  'POST /v1/uploads/:id/cancel': async (context) => {
    await noBody(context);
    const { id } = pendingOf(parts, context.req.param('id') ?? '');
    const { uploads } = parts.workspace.open();
    uploads.cancel(id);
    return context.json(uploadObject(uploads.find(id)!));
  },
});
