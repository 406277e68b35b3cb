/** Bodies of multipart/form-data, whose file goes to the disk as it comes. Promises: nothing of a body that is cut off or refused is kept. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { ApiError, wrongParameter } from '../api-error.ts';
import { type Arrived, type FileStore, TooManyBytes } from '../state/file-store.ts';

/** Fields beside the file, and the size of each: purposes and numbers are short. */
const mostFields = 16;
const mostFieldBytes = 4096;

export interface Form {
  readonly fields: Readonly<Record<string, string>>;
  readonly file: Arrived & { readonly filename: string };
}

export interface FormOptions {
  /** Name of the part that is the file. */
  readonly part: string;
  readonly mostBytes: number;
  readonly files: FileStore;
}

const broken = (message: string, cause?: unknown): ApiError =>
  new ApiError({ status: 400, code: 'invalid_multipart', message, cause });

const wanted = 'Send multipart/form-data.';

function parserOf(headers: IncomingMessage['headers']): BusboyInstance {
  const type = headers['content-type'] ?? '';
  if (!/^multipart\/form-data\s*;/i.test(type))
    throw new ApiError({ status: 415, code: 'unsupported_media_type', message: wanted });
  try {
    const limits = { fields: mostFields, fieldSize: mostFieldBytes, files: 1 };
    return new Busboy({ headers: { ...headers, 'content-type': type }, limits });
  } catch (error) {
    throw broken(
      `The body cannot be read as multipart/form-data (${error instanceof Error ? error.message : error}).`,
      error,
    );
  }
}

/** Reads a request's form. Rejects with ApiError, and NomoatError where the file cannot be written. The caller adds or drops the file. */
export async function receiveForm(incoming: IncomingMessage, { files, mostBytes, part }: FormOptions): Promise<Form> {
  const parser = parserOf(incoming.headers);
  const fields: Record<string, string> = {};
  const arriving: Promise<Form['file']>[] = [];
  const streams: Readable[] = [];
  let fault: ApiError | null = null;
  const refuse = (error: ApiError, stream?: Readable): void => {
    fault ??= error;
    stream?.resume();
  };
  parser.on('field', (name, value, nameCut, valueCut) => {
    if (nameCut || valueCut)
      refuse(
        wrongParameter(
          name,
          'invalid_value',
          `Invalid value for '${name}': it is longer than ${mostFieldBytes} bytes.`,
        ),
      );
    else if (name === part)
      refuse(wrongParameter(part, 'invalid_type', `'${part}' is no file: send it with a file name.`));
    else if (Object.hasOwn(fields, name)) refuse(wrongParameter(name, 'invalid_value', `'${name}' was given twice.`));
    else fields[name] = value;
  });
  parser.on('file', (name, stream, filename) => {
    if (name !== part)
      return refuse(wrongParameter(name, 'unknown_parameter', `Unknown parameter: '${name}'.`), stream);
    const coming = files.receive(stream, mostBytes).then((arrived) => ({ ...arrived, filename }));
    arriving.push(coming);
    streams.push(stream);
    // It may fail before anybody reads it; who reads it then hears of it.
    stream.on('error', () => {});
    // Its fault ends the reading of the rest as well.
    coming.catch((error: unknown) => parser.destroy(error instanceof Error ? error : new Error(String(error))));
  });
  for (const limit of ['fieldsLimit', 'filesLimit', 'partsLimit'] as const)
    parser.on(limit, () => refuse(broken(`The form has more parts than one file and ${mostFields} fields.`)));
  try {
    // Left whole where the parser fails: with the connection gone, nobody would hear why.
    await pipeline(incoming.iterator({ destroyOnReturn: false }), parser);
  } catch (error) {
    // The parser does not end the file's stream when it is ended itself.
    for (const stream of streams) stream.destroy(new Error('cut off'));
    await dropped(arriving, files);
    throw faultOf(error, part, mostBytes);
  }
  if (fault === null && arriving.length === 0)
    fault = wrongParameter(part, 'missing_required_parameter', `Missing required parameter: '${part}'.`);
  if (fault !== null) {
    await dropped(arriving, files);
    throw fault;
  }
  return { fields, file: await arriving[0]! };
}

async function dropped(arriving: readonly Promise<Form['file']>[], files: FileStore): Promise<void> {
  for (const arrived of await Promise.allSettled(arriving))
    if (arrived.status === 'fulfilled') files.drop(arrived.value.path);
}

function faultOf(error: unknown, part: string, mostBytes: number): unknown {
  if (error instanceof TooManyBytes)
    return new ApiError({
      status: 413,
      code: 'file_too_large',
      param: part,
      message: `'${part}' is larger than ${mostBytes} bytes.`,
    });
  if (error instanceof Error && error.name === 'NomoatError') return error;
  return broken('The body is no whole multipart/form-data: it ends before its last boundary.', error);
}
