/**
 * What the server remembers: files, uploads, jobs and their events, in SQLite. Promises: what was answered with success is on the disk
 * before the answer; a kill at any moment leaves the state before a change or after it; one process at a time writes.
 * The form of the tables is known by the stores beside this file only.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'libsql';
import { NomoatError } from '../../errors.ts';
import { writeFailure } from '../../formats/atomic-write.ts';
import { releaseLock, takeLock } from '../../formats/process-lock.ts';
import { openTables } from '../../formats/sqlite.ts';

/** Below the folder of runs: the state goes where they go. */
const folderName = '.server';
/** Where a server keeps what it remembers of a folder of runs. */
export const stateFolder = (runs: string): string => join(runs, folderName);
const databaseName = 'state.sqlite';
/** Of the tables, as `user_version` in the file. */
const tablesVersion = 1;

/** Strict tables: a value of another type is an error, not kept as it came. */
const tables = `
  create table files (
    sequence integer primary key autoincrement, id text not null unique, created integer not null, filename text not null,
    purpose text not null, bytes integer not null, expires integer
  ) strict;
  create table uploads (
    sequence integer primary key autoincrement, id text not null unique, created integer not null, expires integer not null,
    filename text not null, purpose text not null, mime_type text not null, bytes integer not null, file_seconds integer,
    status text not null, file_id text
  ) strict;
  create table parts (
    sequence integer primary key autoincrement, id text not null unique, upload_id text not null, created integer not null,
    bytes integer not null
  ) strict;
  create index parts_of_upload on parts (upload_id);
  create table jobs (
    sequence integer primary key autoincrement, id text not null unique, created integer not null, finished integer,
    status text not null, paused integer not null, run text not null unique, base text not null, asked text not null,
    learned text not null, error text
  ) strict;
  create table events (
    sequence integer primary key autoincrement, id text not null unique, job_id text not null, key text not null,
    created integer not null, level text not null, type text not null, message text not null, data text,
    unique (job_id, key)
  ) strict;
  create table checkpoints (
    sequence integer primary key autoincrement, id text not null unique, job_id text not null, step integer not null,
    created integer not null, metrics text not null, unique (job_id, step)
  ) strict;
  create table permissions (
    sequence integer primary key autoincrement, id text not null unique, checkpoint text not null, project_id text not null,
    created integer not null, unique (checkpoint, project_id)
  ) strict;
`;

const unreadable = (path: string, cause: unknown): NomoatError =>
  new NomoatError({
    part: path,
    fault: `cannot be opened (${cause instanceof Error ? cause.message : String(cause)})`,
    remedy:
      'Put it back from a copy, or move it away: runs and models are not in it, uploaded files and the list of jobs are.',
    kind: 'failed',
    cause,
  });

/** The database of a folder of runs, held by this process until it is closed. */
export class State {
  readonly folder: string;
  readonly database: Database.Database;

  private constructor(folder: string, database: Database.Database) {
    this.folder = folder;
    this.database = database;
  }

  /** Whether a server has kept something for these runs. */
  static isThere(runs: string): boolean {
    return existsSync(join(runs, folderName, databaseName));
  }

  /** Opens the state of a folder of runs, and makes it where there is none. Throws NomoatError: `run-busy` while another process has it. */
  static open(runs: string): State {
    const folder = join(runs, folderName);
    let holder: number | null;
    try {
      mkdirSync(runs, { recursive: true });
      mkdirSync(folder, { recursive: true, mode: privateFolder });
      holder = takeLock(join(folder, 'lock'));
    } catch (error) {
      throw writeFailure(folder, error);
    }
    if (holder !== null)
      throw new NomoatError({
        code: 'run-busy',
        part: folder,
        fault: `the server with process ${holder} keeps files and jobs of this folder`,
        remedy: 'Ask that one, or give this one another folder of `runs`.',
      });
    try {
      return new State(folder, openDatabase(join(folder, databaseName)));
    } catch (error) {
      releaseLock(join(folder, 'lock'));
      throw error;
    }
  }

  private changing = false;

  /** Makes `change` whole or not at all; a change within a change is a part of it. */
  atomically<T>(change: () => T): T {
    if (this.changing) return change();
    this.changing = true;
    try {
      return this.database.transaction(change).immediate();
    } finally {
      this.changing = false;
    }
  }

  close(): void {
    this.database.close();
    releaseLock(join(this.folder, 'lock'));
  }
}

/** What is uploaded is nobody else's business on a machine of several users. */
const privateFolder = 0o700;

function openDatabase(path: string): Database.Database {
  try {
    return openTables(path, { tables, version: tablesVersion, synchronous: 'full' });
  } catch (error) {
    throw unreadable(path, error);
  }
}
