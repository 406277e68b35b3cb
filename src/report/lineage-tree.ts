/** Where the boxes of a lineage stand: what was made above what it was made of. Promises: each file once, whoever it is used by; no line upwards. Pure. */
import type { LineageEntry } from '../adapter/lineage.ts';

/** An adapter, or a file that one was made of. */
export interface TreeNode {
  readonly kind: 'adapter' | 'base' | 'data';
  readonly name: string;
  /** SHA-256, lower-case hex. */
  readonly digest: string;
  /** Of adapters; null of those that nobody tells of. */
  readonly entry: LineageEntry | null;
  /** Row, 0 at the top, and place in it from the left. */
  readonly row: number;
  readonly place: number;
}

export interface TreeEdge {
  /** Places in `nodes`: what was made, and what of. */
  readonly from: number;
  readonly to: number;
  /** How strongly a merge counts it. */
  readonly weight?: number | undefined;
}

export interface LineageTree {
  readonly nodes: readonly TreeNode[];
  readonly edges: readonly TreeEdge[];
  /** Places of the widest row, and rows. */
  readonly width: number;
  readonly rows: number;
  /** Adapters that were left out. */
  readonly hidden: number;
}

/** Adapters that are drawn: more are no picture any more. */
const mostAdapters = 30;

interface Draft extends Omit<TreeNode, 'row' | 'place'> {
  readonly parents: { readonly key: string; readonly weight?: number | undefined }[];
}

/** What is drawn, by key; files by their digests, so that two adapters of one base stand on one box. */
function draftsOf(entries: readonly LineageEntry[]): Map<string, Draft> {
  const shown = entries.slice(0, mostAdapters);
  const drafts = new Map<string, Draft>();
  for (const entry of shown)
    drafts.set(entry.id, { kind: 'adapter', name: entry.name, digest: entry.id, entry, parents: [] });
  const file = (kind: 'base' | 'data', name: string, digest: string): string => {
    const key = `${kind} ${digest}`;
    if (!drafts.has(key)) drafts.set(key, { kind, name, digest, entry: null, parents: [] });
    return key;
  };
  const known = new Set(entries.map(({ id }) => id));
  for (const { base, data, id, parents } of shown) {
    const own = drafts.get(id)!.parents;
    for (const parent of parents) {
      if (!known.has(parent.id))
        drafts.set(parent.id, { kind: 'adapter', name: '?', digest: parent.id, entry: null, parents: [] });
      if (drafts.has(parent.id)) own.push({ key: parent.id, weight: parent.weight });
    }
    for (const { file: name, sha256 } of data) own.push({ key: file('data', name, sha256) });
    if (base) own.push({ key: file('base', base.file, base.sha256) });
  }
  return drafts;
}

/** Rows: below all that is made of it. */
function rowsOf(drafts: ReadonlyMap<string, Draft>): Map<string, number> {
  const rows = new Map([...drafts.keys()].map((key) => [key, 0]));
  // A lineage has no circle, so each pass settles at least one row.
  for (let pass = 0, moved = true; moved && pass < drafts.size; pass++) {
    moved = false;
    for (const [key, { parents }] of drafts)
      for (const { key: parent } of parents)
        if (rows.get(parent)! <= rows.get(key)!) {
          rows.set(parent, rows.get(key)! + 1);
          moved = true;
        }
  }
  return rows;
}

/** The tree of an adapter whose own entry is the first. */
export function lineageTree(entries: readonly LineageEntry[]): LineageTree {
  const drafts = draftsOf(entries);
  const rowOf = rowsOf(drafts);
  const rows = 1 + Math.max(...rowOf.values());
  const byRow = Array.from({ length: rows }, (_, row) => [...drafts.keys()].filter((key) => rowOf.get(key) === row));
  const placeOf = new Map<string, number>();
  for (const keys of byRow) {
    // Under the middle of what is made of it, so that few lines cross.
    const middle = (key: string): number => {
      const above = [...drafts].flatMap(([child, { parents }]) =>
        parents.some((parent) => parent.key === key) ? [placeOf.get(child) ?? 0] : [],
      );
      return above.reduce((sum, place) => sum + place, 0) / Math.max(1, above.length);
    };
    keys.sort((first, second) => middle(first) - middle(second));
    for (const [place, key] of keys.entries()) placeOf.set(key, place);
  }
  const order = [...drafts.keys()];
  const index = new Map(order.map((key, i) => [key, i]));
  return {
    nodes: [...drafts].map(([key, { parents: _, ...node }]) => ({
      ...node,
      row: rowOf.get(key)!,
      place: placeOf.get(key)!,
    })),
    edges: [...drafts].flatMap(([key, { parents }]) =>
      parents.map(({ key: parent, weight }) => ({ from: index.get(key)!, to: index.get(parent)!, weight })),
    ),
    width: Math.max(...byRow.map((keys) => keys.length)),
    rows,
    hidden: Math.max(0, entries.length - mostAdapters),
  };
}
