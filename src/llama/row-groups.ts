/**
 * Rows to score, in the order in which a sequence evaluates them: what rows share is evaluated once, and asked there for the next tokens of
 * all of them. Pure.
 */
import type { TokenRow } from '../tokens/token-row.ts';

/** A row, and its place among those that were given. */
export interface PlacedRow {
  readonly index: number;
  readonly row: TokenRow;
}

/** A row on its way through a sequence, behind the one before it. */
export interface Step extends PlacedRow {
  /** Tokens of the row that are evaluated at all: nobody asks behind the last one. */
  readonly length: number;
  /** Of its first tokens, how many the step before had too. */
  readonly shared: number;
  /** By position: the tokens that this row and later ones want to know of there. */
  readonly wanted: ReadonlyMap<number, readonly number[]>;
}

/** Neighbours whose prompts are alike this far are evaluated one after the other, on one sequence. */
const alikeShare = 0.75;
/** Of neighbours that are only alike, so many: the others keep other sequences busy. */
const mostAlike = 8;

const firstTarget = ({ supervised }: TokenRow): number => Math.max(0, supervised.indexOf(1));

function sharedLength(a: TokenRow, b: TokenRow): number {
  const most = Math.min(a.tokens.length, b.tokens.length);
  let length = 0;
  while (length < most && a.tokens[length] === b.tokens[length]) length++;
  return length;
}

/** Rows of one prompt are one group, and so are some neighbours of nearly one prompt. */
export function groupsOf(rows: readonly PlacedRow[]): PlacedRow[][] {
  const groups = new Map<string, PlacedRow[]>();
  let last: PlacedRow[] = [];
  for (const placed of rows) {
    const head = firstTarget(placed.row);
    const key = placed.row.tokens.subarray(0, head).join(' ');
    const isAlike =
      last.length > 0 && last.length < mostAlike && sharedLength(last.at(-1)!.row, placed.row) >= alikeShare * head;
    last = groups.get(key) ?? (isAlike ? last : []);
    groups.set(key, last);
    last.push(placed);
  }
  return [...new Set(groups.values())];
}

function compareTokens({ row: a }: PlacedRow, { row: b }: PlacedRow): number {
  const at = sharedLength(a, b);
  return (a.tokens[at] ?? -1) - (b.tokens[at] ?? -1);
}

/** What a row and those behind it, as far as they begin alike, want to know at positions from `from` on. */
function wantedFrom(sorted: readonly PlacedRow[], first: number, from: number): Map<number, number[]> {
  const wanted = new Map<number, number[]>();
  let alike = sorted[first]!.row.tokens.length;
  for (let i = first; i < sorted.length; i++) {
    const { row } = sorted[i]!;
    if (i > first) alike = Math.min(alike, sharedLength(sorted[i - 1]!.row, row));
    if (alike <= from) break;
    for (let t = from; t < alike && t + 1 < row.tokens.length; t++) {
      if (!row.supervised[t + 1]) continue;
      const tokens = wanted.get(t) ?? [];
      wanted.set(t, tokens);
      if (!tokens.includes(row.tokens[t + 1]!)) tokens.push(row.tokens[t + 1]!);
    }
  }
  return wanted;
}

/** The rows of a group in the order in which most is shared, the longest beginning first. */
export function stepsOf(group: readonly PlacedRow[]): Step[] {
  const sorted = [...group].sort(compareTokens);
  let held = 0;
  return sorted.map((placed, i) => {
    const shared = i === 0 ? 0 : Math.min(held, sharedLength(sorted[i - 1]!.row, placed.row));
    const wanted = wantedFrom(sorted, i, shared);
    const length = Math.max(shared, ...[...wanted.keys()].map((position) => position + 1));
    held = length;
    return { ...placed, shared, wanted, length };
  });
}
