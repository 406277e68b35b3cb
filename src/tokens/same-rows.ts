/**
 * Finds rows with equal tokens, exactly, at the price of a number a row. Pure.
 */
import type { TokenRow } from './token-row.ts';

/** FNV-1a over 32-bit tokens; equal hashes are compared token by token. http://www.isthe.com/chongo/tech/comp/fnv/ */
function hash(tokens: Int32Array): number {
  let value = 0x811c9dc5;
  for (const token of tokens) value = Math.imul(value ^ token, 0x01000193);
  return value ^ (value >>> 15);
}

const equal = (a: Int32Array, b: Int32Array): boolean => a.length === b.length && a.every((token, t) => token === b[t]);

/** Both answers of a pair. */
const tokensOf = ({ rejected, tokens }: TokenRow): Int32Array =>
  rejected ? Int32Array.from([...tokens, ...rejected.tokens]) : tokens;

export class SameRows {
  private readonly byHash = new Map<number, Int32Array[]>();

  has(row: TokenRow): boolean {
    const tokens = tokensOf(row);
    return this.byHash.get(hash(tokens))?.some((other) => equal(tokens, other)) ?? false;
  }

  /** Remembers the row. */
  add(row: TokenRow): void {
    const tokens = tokensOf(row);
    const key = hash(tokens);
    const others = this.byHash.get(key);
    if (others) others.push(tokens);
    else this.byHash.set(key, [tokens]);
  }
}

/** Training rows whose tokens also stand in the validation set. */
export function leakedRows(train: readonly TokenRow[], validation: readonly TokenRow[]): number {
  const held = new SameRows();
  for (const row of validation) if (!held.has(row)) held.add(row);
  return train.filter((row) => held.has(row)).length;
}
