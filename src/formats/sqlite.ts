/**
 * Files of tables in SQLite, as everything here keeps them. Promises: tables are made once, by whichever process is first; others are waited
 * for; a file of a newer nomoat is left alone. Does not know what the tables hold.
 */
import Database from 'libsql';

/** Other processes change a row in less than a millisecond. */
const busyMilliseconds = 5000;

export interface TablesOptions {
  /** SQL that makes them. */
  readonly tables: string;
  /** Of their form, as `user_version` in the file. */
  readonly version: number;
  /** `full`: what was answered is on the disk; `normal`: a power cut may take the last seconds, never the file. */
  readonly synchronous: 'full' | 'normal';
}

/** Opens the file, and makes file and tables where there are none. Throws SQLite's error, or one that says that the file is newer. */
export function openTables(path: string, { synchronous, tables, version }: TablesOptions): Database.Database {
  const database = new Database(path);
  try {
    database.exec(
      `pragma journal_mode = wal; pragma synchronous = ${synchronous}; pragma busy_timeout = ${busyMilliseconds}`,
    );
    const found = (): number =>
      (database.prepare('pragma user_version').get() as { user_version: number }).user_version;
    if (found() > version) throw new Error(`it is of a newer nomoat, version ${found()}`);
    // Another process may be making them at this moment.
    const make = database.transaction(() => {
      if (found() === 0) database.exec(`${tables} pragma user_version = ${version}`);
    });
    make.immediate();
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
