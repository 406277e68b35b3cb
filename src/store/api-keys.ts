/**
 * Keys of clients that a server lets in, and what they have used, in SQLite below NOMOAT_HOME. Promises: a key itself is kept nowhere, and
 * cannot be made of what is; only the user who made the file reads it; what one process changes the others see at once.
 * Does not know what a scope opens (server/keys.ts).
 */
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type Database from 'libsql';
import { z } from 'zod';
import { NomoatError } from '../errors.ts';
import { writeFailure } from '../formats/atomic-write.ts';
import { openTables } from '../formats/sqlite.ts';
import { dayOf } from './key-days.ts';
import { keyScopes } from './key-scopes.ts';
import { nomoatCacheFolder, type Surroundings } from './model-folders.ts';

const keyRow = z.object({
  name: z.string(),
  scope: z.enum(keyScopes),
  digest: z.string(),
  created: z.int(),
  last_used: z.int().nullable(),
  requests_per_minute: z.int().nullable(),
  tokens_per_day: z.int().nullable(),
  used_day: z.int(),
  used_tokens: z.int(),
});
/** A key as it is kept: by its digest. Times in seconds since 1970, the day in days since then (UTC). */
export type StoredKey = z.output<typeof keyRow>;

export type NewKey = Pick<StoredKey, 'name' | 'scope' | 'requests_per_minute' | 'tokens_per_day'>;

const tables = `
  create table keys (
    name text not null primary key, scope text not null, digest text not null unique, created integer not null, last_used integer,
    requests_per_minute integer, tokens_per_day integer, used_day integer not null, used_tokens integer not null
  ) strict;
`;
const tablesVersion = 1;
/** Nobody guesses 256 bits. */
const keyBytes = 32;
const privateFolder = 0o700;
const privateFile = 0o600;

/**
 * What is kept of a key. A plain SHA-256 is enough: slow hashes are for passwords, which can be guessed from a list; of 256 random bits
 * there is nothing to guess.
 */
export const digestOf = (key: string): string => createHash('sha256').update(key).digest('hex');

const now = (): number => Math.floor(Date.now() / 1000);

const unreadable = (path: string, cause: unknown): NomoatError =>
  new NomoatError({
    part: path,
    fault: `cannot be read as the file of API keys (${cause instanceof Error ? cause.message : String(cause)})`,
    remedy: 'Put it back from a copy, or move it away and make new keys.',
    kind: 'failed',
    cause,
  });

export class ApiKeys {
  readonly path: string;
  private database: Database.Database | null = null;
  /** Of the file that is open. */
  private inode: number | null = null;

  constructor(around: Surroundings) {
    this.path = join(nomoatCacheFolder(around), 'api-keys.sqlite');
  }

  /** In the order of making. Throws NomoatError where the file cannot be read. */
  all(): StoredKey[] {
    return (
      this.read((database) =>
        database
          .prepare('select * from keys order by rowid')
          .all()
          .map((row) => keyRow.parse(row)),
      ) ?? []
    );
  }

  /** The new key itself, which cannot be had again; null where there is one of that name. Throws NomoatError. */
  add(given: NewKey): string | null {
    this.create();
    const key = `sk-nomoat-${randomBytes(keyBytes).toString('base64url')}`;
    const change = this.read((database) =>
      database
        .prepare(
          'insert or ignore into keys (name, scope, digest, created, requests_per_minute, tokens_per_day, used_day, used_tokens) values (?, ?, ?, ?, ?, ?, 0, 0)',
        )
        .run(given.name, given.scope, digestOf(key), now(), given.requests_per_minute, given.tokens_per_day),
    );
    return change?.changes === 1 ? key : null;
  }

  /** Whether there was one of that name. */
  remove(name: string): boolean {
    return (this.read((database) => database.prepare('delete from keys where name = ?').run(name))?.changes ?? 0) > 0;
  }

  /** Notes that a key was used just now, and counts tokens to its day. */
  used(name: string, tokens: number): void {
    const day = dayOf(now());
    this.read((database) =>
      database
        .prepare(
          'update keys set last_used = ?, used_tokens = case when used_day = ? then used_tokens else 0 end + ?, used_day = ? where name = ?',
        )
        .run(now(), day, tokens, day, name),
    );
  }

  close(): void {
    this.database?.close();
    this.database = null;
    this.inode = null;
  }

  /** null where there is no file. */
  private read<T>(call: (database: Database.Database) => T): T | null {
    const found = statSync(this.path, { throwIfNoEntry: false });
    // A file that was taken away or put back is another one: what it had before lets nobody in.
    if (found?.ino !== this.inode) this.close();
    if (!found) return null;
    try {
      // What was used is counted at every request: after a power cut the last seconds of it may be gone, and no key is.
      this.database ??= openTables(this.path, { tables, version: tablesVersion, synchronous: 'normal' });
      this.inode = found.ino;
      return call(this.database);
    } catch (error) {
      throw unreadable(this.path, error);
    }
  }

  private create(): void {
    try {
      mkdirSync(dirname(this.path), { recursive: true, mode: privateFolder });
      // SQLite gives the files beside it the same mode. One that is there is not opened: closing it would give away SQLite's locks on it, which
      // belong to the process and not to who opened the file (https://www.sqlite.org/howtocorrupt.html, 2.2).
      closeSync(openSync(this.path, 'wx', privateFile));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw writeFailure(this.path, error);
    }
  }
}
