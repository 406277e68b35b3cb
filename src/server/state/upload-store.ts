/** Uploads in parts: what was announced, the parts that came, and the file that they become. Promises as file-store.ts. */
import { createReadStream, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { removeWhenFree, renameWhenFree } from '../../formats/rename.ts';
import type { State } from './database.ts';
import type { Arrived, FileStore, StoredFile } from './file-store.ts';
import { newId, nowInSeconds } from './ids.ts';

const uploadRow = z.object({
  id: z.string(),
  created: z.int(),
  expires: z.int(),
  filename: z.string(),
  purpose: z.string(),
  mime_type: z.string(),
  bytes: z.int(),
  file_seconds: z.int().nullable(),
  status: z.enum(['pending', 'completed', 'cancelled']),
  file_id: z.string().nullable(),
});
/** What was announced of an upload, and where it stands. */
export type StoredUpload = z.output<typeof uploadRow>;

const partRow = z.object({ id: z.string(), upload_id: z.string(), created: z.int(), bytes: z.int() });
/** A part that has come. */
export type StoredPart = z.output<typeof partRow>;

/** OpenAI's: an upload that is not completed within an hour is gone. */
export const uploadSeconds = 3600;

export type NewUpload = Pick<StoredUpload, 'filename' | 'purpose' | 'mime_type' | 'bytes' | 'file_seconds'>;

export class UploadStore {
  private readonly state: State;
  private readonly files: FileStore;
  private readonly folder: string;

  constructor(state: State, files: FileStore) {
    this.state = state;
    this.files = files;
    this.folder = join(state.folder, 'parts');
    mkdirSync(this.folder, { recursive: true });
    this.sweep();
  }

  create({ bytes, file_seconds, filename, mime_type, purpose }: NewUpload): StoredUpload {
    const created = nowInSeconds();
    const [id, expires] = [newId('upload_'), created + uploadSeconds];
    this.state.database
      .prepare(
        'insert into uploads (id, created, expires, filename, purpose, mime_type, bytes, file_seconds, status) values (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(id, created, expires, filename, purpose, mime_type, bytes, file_seconds, 'pending');
    return {
      id,
      created,
      expires,
      filename,
      purpose,
      mime_type,
      bytes,
      file_seconds,
      status: 'pending',
      file_id: null,
    };
  }

  find(id: string): StoredUpload | null {
    const row = this.state.database.prepare('select * from uploads where id = ?').get(id);
    return row === undefined ? null : uploadRow.parse(row);
  }

  /** Those of an upload, in the order in which they came. */
  parts(upload: string): StoredPart[] {
    const rows = this.state.database.prepare('select * from parts where upload_id = ? order by sequence').all(upload);
    return rows.map((row) => partRow.parse(row));
  }

  addPart(upload: string, { bytes, path }: Arrived): StoredPart {
    const part: StoredPart = { id: newId('part_'), upload_id: upload, created: nowInSeconds(), bytes };
    renameWhenFree(path, this.pathOf(part.id));
    this.state.database
      .prepare('insert into parts (id, upload_id, created, bytes) values (?, ?, ?, ?)')
      .run(part.id, upload, part.created, bytes);
    return part;
  }

  /** The parts one after the other, as bytes that have arrived. */
  join(parts: readonly StoredPart[], bytes: number): Promise<Arrived> {
    const paths = parts.map(({ id }) => this.pathOf(id));
    const read = async function* (): AsyncGenerator<Buffer> {
      for (const path of paths) yield* createReadStream(path) as AsyncIterable<Buffer>;
    };
    return this.files.receive(Readable.from(read(), { objectMode: false }), bytes);
  }

  /** Makes what was joined the upload's file. */
  complete(upload: StoredUpload, joined: Arrived): StoredFile {
    const { file_seconds: seconds, filename, id, purpose } = upload;
    const file = this.files.add(joined, { filename, purpose, seconds }, (added) => {
      const change = this.state.database.prepare("update uploads set status = 'completed', file_id = ? where id = ?");
      change.run(added.id, id);
    });
    this.forget(id);
    return file;
  }

  cancel(id: string): void {
    this.state.database.prepare("update uploads set status = 'cancelled' where id = ?").run(id);
    this.forget(id);
  }

  /** Removes the parts of uploads that nothing becomes of any more, and those that a kill left without an upload. */
  sweep(): void {
    const { database } = this.state;
    const over = database
      .prepare("select id from uploads where status != 'pending' or expires <= ?")
      .all(nowInSeconds()) as { id: string }[];
    for (const { id } of over) this.forget(id);
    const known = new Set((database.prepare('select id from parts').all() as { id: string }[]).map(({ id }) => id));
    for (const name of readdirSync(this.folder)) if (!known.has(name)) rmSync(this.pathOf(name), removeWhenFree);
  }

  private forget(upload: string): void {
    const parts = this.parts(upload);
    this.state.database.prepare('delete from parts where upload_id = ?').run(upload);
    for (const { id } of parts) rmSync(this.pathOf(id), removeWhenFree);
  }

  private pathOf(part: string): string {
    return join(this.folder, part);
  }
}
