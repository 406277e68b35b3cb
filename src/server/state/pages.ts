/** Lists in pages, as OpenAI's API has them: from an id on, in the order of making or its reverse. */
import type { State } from './database.ts';

/** Which part of a list is asked for. */
export interface PageQuery {
  /** The id of the last one that is known already; null begins at the start. */
  readonly after: string | null;
  readonly limit: number;
  /** `desc`: newest first. */
  readonly order: 'asc' | 'desc';
}

/** A part of a list. */
export interface Page<T> {
  readonly data: readonly T[];
  readonly hasMore: boolean;
}

/** Conditions on columns that are all equal to a value. */
export type Where = Readonly<Record<string, string | number>>;

/** Conditions on the columns that have a value. */
export const whereGiven = (given: Readonly<Record<string, string | null>>): Where =>
  Object.fromEntries(Object.entries(given).flatMap(([name, value]) => (value === null ? [] : [[name, value]])));

type Bound = (string | number)[];

/**
 * Rows of a table. `table` and the names in `where` are the code's own, never a request's. An `after` that is not in the list gives null:
 * from where it would go on, nobody knows.
 */
export function pageOf(
  { database }: State,
  table: string,
  { where = {}, matching = [] }: { readonly where?: Where; readonly matching?: readonly Matching[] },
  { after, limit, order }: PageQuery,
): Page<unknown> | null {
  const conditions = [...Object.keys(where).map((column) => `${column} = ?`), ...matching.map(({ sql }) => sql)];
  const values: Bound = [...Object.values(where), ...matching.flatMap(({ values: each }) => each)];
  if (after !== null) {
    const from = database.prepare(`select sequence from ${table} where id = ?`).get(after) as
      | { sequence: number }
      | undefined;
    if (!from) return null;
    conditions.push(`sequence ${order === 'desc' ? '<' : '>'} ?`);
    values.push(from.sequence);
  }
  const filter = conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
  const rows = database
    .prepare(`select * from ${table} ${filter} order by sequence ${order} limit ?`)
    .all(...values, limit + 1);
  return { data: rows.slice(0, limit), hasMore: rows.length > limit };
}

/** A condition in SQL with its values. */
export interface Matching {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}
