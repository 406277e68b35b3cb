/**
 * Uploaded files: their contents below the state's folder, named by their ids alone, and what is known of them in the database. Promises:
 * a file is there whole or not at all, and after a kill nothing of half a file is left; what is deleted or has expired is not there any
 * more, but for a job that is using it.
 */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { NomoatError } from '../../errors.ts';
import { writeFailure } from '../../formats/atomic-write.ts';
import { removeWhenFree, renameWhenFree } from '../../formats/rename.ts';
import type { State } from './database.ts';
import { newId, nowInSeconds } from './ids.ts';
import { type Page, type PageQuery, pageOf, whereGiven } from './pages.ts';

const fileRow = z.object({
  id: z.string(),
  created: z.int(),
  filename: z.string(),
  purpose: z.string(),
  bytes: z.int(),
  expires: z.int().nullable(),
});
/** What is known of a file; times in seconds since 1970. */
export type StoredFile = z.output<typeof fileRow>;

/** Bytes that have arrived and have no name yet. */
export interface Arrived {
  readonly path: string;
  readonly bytes: number;
  /** Of the contents, hexadecimal. */
  readonly md5: string;
}

/** Of `source`, more than `bytes` bytes came. */
export class TooManyBytes extends Error {}

/** JSON Lines are read by that name: training files of jobs are. */
const ending = '.jsonl';
/** Files that are the user's own data are read by their own: a table, or JSON as a whole, packed or not. */
const dataEnding = /\.(?:jsonl?|ndjson|csv|tsv|txt|parquet|arrow|feather)(?:\.(?:gz|zst))?$/i;
/** The purpose of data that may have any form that `tune` reads; others are JSON Lines. */
export const dataPurpose = 'user_data';

export class FileStore {
  private readonly state: State;
  private readonly contents: string;
  private readonly incoming: string;
  private counter = 0;

  /** `inUse`: ids of files whose contents are kept although they are deleted. */
  constructor(state: State, inUse: ReadonlySet<string>) {
    this.state = state;
    this.contents = join(state.folder, 'files');
    this.incoming = join(state.folder, 'incoming');
    // What arrived when a process was killed belongs to nobody.
    rmSync(this.incoming, removeWhenFree);
    for (const folder of [this.contents, this.incoming]) mkdirSync(folder, { recursive: true });
    this.sweep(inUse);
  }

  /** Where the contents of a file are, whether it is still known or only kept for a job. */
  pathOf(id: string): string {
    const usual = join(this.contents, `${id}${ending}`);
    if (existsSync(usual)) return usual;
    const name = readdirSync(this.contents).find((each) => each.startsWith(`${id}.`));
    return name === undefined ? usual : join(this.contents, name);
  }

  /** Takes what comes, at most `mostBytes`. Nothing is left where `source` fails or is cut off. Rejects with TooManyBytes or NomoatError. */
  async receive(source: Readable, mostBytes: number): Promise<Arrived> {
    const path = join(this.incoming, String(this.counter++));
    const hash = createHash('md5');
    let bytes = 0;
    const count = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > mostBytes) throw new TooManyBytes();
        hash.update(chunk);
        yield chunk;
      }
    };
    try {
      // Opened before anything can fail: a stream that is ended while it opens its file would make it afterwards.
      const file = await open(path, 'wx', privateFile);
      await pipeline(source, count, file.createWriteStream({ flush: true }));
    } catch (error) {
      this.drop(path);
      if ('syscall' in (error as object)) throw fileFailure(error);
      throw error;
    }
    return { path, bytes, md5: hash.digest('hex') };
  }

  /** Forgets what arrived. */
  drop(path: string): void {
    rmSync(path, removeWhenFree);
  }

  /** Gives what arrived a name. `also` is done in the same change. */
  add(
    { bytes, path }: Pick<Arrived, 'path' | 'bytes'>,
    given: { readonly filename: string; readonly purpose: string; readonly seconds: number | null },
    also: (file: StoredFile) => void = () => {},
  ): StoredFile {
    const created = nowInSeconds();
    const { filename, purpose, seconds } = given;
    const file: StoredFile = {
      id: newId('file-'),
      created,
      filename,
      purpose,
      bytes,
      expires: seconds === null ? null : created + seconds,
    };
    try {
      const kept = purpose === dataPurpose ? (dataEnding.exec(filename)?.[0].toLowerCase() ?? ending) : ending;
      renameWhenFree(path, join(this.contents, `${file.id}${kept}`));
      flush(this.contents);
    } catch (error) {
      this.drop(path);
      throw fileFailure(error);
    }
    this.state.atomically(() => {
      this.state.database
        .prepare('insert into files (id, created, filename, purpose, bytes, expires) values (?, ?, ?, ?, ?, ?)')
        .run(file.id, created, filename, purpose, bytes, file.expires);
      also(file);
    });
    return file;
  }

  /** null where there is none of that id, or not any more. */
  find(id: string): StoredFile | null {
    const row = this.state.database.prepare('select * from files where id = ?').get(id);
    const file = row === undefined ? null : fileRow.parse(row);
    return file !== null && !expired(file) && existsSync(this.pathOf(id)) ? file : null;
  }

  /** null where `after` is no file. */
  list(purpose: string | null, query: PageQuery): Page<StoredFile> | null {
    const where = whereGiven({ purpose });
    const live = { sql: '(expires is null or expires > ?)', values: [nowInSeconds()] };
    const page = pageOf(this.state, 'files', { where, matching: [live] }, query);
    return page && { ...page, data: page.data.map((row) => fileRow.parse(row)) };
  }

  /** The contents, read as fast as they are taken. */
  read(id: string): ReadableStream<Uint8Array> {
    return Readable.toWeb(createReadStream(this.pathOf(id))) as ReadableStream<Uint8Array>;
  }

  /** Forgets a file; its contents go with it unless a job uses them. */
  delete(id: string, inUse: ReadonlySet<string>): void {
    this.state.database.prepare('delete from files where id = ?').run(id);
    if (!inUse.has(id)) this.drop(this.pathOf(id));
  }

  /** Removes what has expired, and contents that nobody knows: a kill can leave those between two steps. */
  sweep(inUse: ReadonlySet<string>): void {
    const { database } = this.state;
    database.prepare('delete from files where expires <= ?').run(nowInSeconds());
    const known = new Set((database.prepare('select id from files').all() as { id: string }[]).map(({ id }) => id));
    for (const name of readdirSync(this.contents)) {
      const id = name.split('.')[0]!;
      if (!known.has(id) && !inUse.has(id)) this.drop(join(this.contents, name));
    }
  }
}

const privateFile = 0o600;
const expired = ({ expires }: StoredFile): boolean => expires !== null && expires <= nowInSeconds();

/** Until it is on the disk. A folder that cannot be flushed (Windows, some file systems) is no fault. */
function flush(path: string): void {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return;
  }
  try {
    fsyncSync(file);
  } catch {
    // The file system does as it can.
  } finally {
    closeSync(file);
  }
}

/** Where the file lies is nobody's business who uploads it. */
function fileFailure(error: unknown): NomoatError {
  const { cause, code, fault, fields, kind } = writeFailure('the file', error);
  const remedy = 'Nothing of it was kept. Upload it again once there is room.';
  return new NomoatError({ code, part: 'the file', fault, remedy, kind, fields, cause });
}
