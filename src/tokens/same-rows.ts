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

export class SameRows {
  private readonly byHash = new Map<number, Int32Array[]>();

  has({ tokens }: TokenRow): boolean {
    return this.byHash.get(hash(tokens))?.some((other) => equal(tokens, other)) ?? false;
  }

  /** Remembers the row. */
  add({ tokens }: TokenRow): void {
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
