/**
 * Keys of records that their format does not read, for a note: with counts, and which of them looks like a label.
 * Promises: memory stays bounded whatever the records hold.
 */
import { withValues } from '../words/program-words.ts';

/** Keys that are kept apart; a file with more has keys that are data. */
const maxKeys = 200;
/** Keys in a note. */
const shownKeys = 12;
/** Values of a key that are told apart; a label has few. */
const maxValues = 200;
const maxLabelLength = 100;
/** A label comes this often, on average. */
const labelRepeats = 4;

/** Names that people give to the column of answers. */
const labelName =
  /^(label|labels|category|class|intent|target|tag|topic|sentiment|answer|output|response|gold)(_?(text|name))?$/i;

interface Seen {
  rows: number;
  /** Null once there were too many, or one that is no short text. */
  values: Set<string> | null;
}

const shortText = (value: unknown): string | null =>
  typeof value === 'string' && value.length <= maxLabelLength ? value : null;

export class SeenKeys {
  private readonly keys = new Map<string, Seen>();
  private more = 0;

  add(keys: readonly string[], record: unknown): void {
    for (const key of keys) {
      let seen = this.keys.get(key);
      if (!seen) {
        if (this.keys.size === maxKeys) {
          this.more++;
          continue;
        }
        seen = { rows: 0, values: new Set() };
        this.keys.set(key, seen);
      }
      seen.rows++;
      const value = shortText((record as Record<string, unknown>)[key]);
      if (value === null || !seen.values || seen.values.add(value).size > maxValues) seen.values = null;
    }
  }

  /** What several files have together. */
  static merged(all: readonly SeenKeys[]): SeenKeys {
    if (all.length === 1) return all[0]!;
    const sum = new SeenKeys();
    for (const { keys, more } of all) {
      sum.more += more;
      for (const [key, { rows, values }] of keys) {
        const seen = sum.keys.get(key) ?? { rows: 0, values: new Set<string>() };
        seen.rows += rows;
        for (const value of values ?? []) seen.values?.add(value);
        if (values === null || (seen.values?.size ?? 0) > maxValues) seen.values = null;
        sum.keys.set(key, seen);
      }
    }
    return sum;
  }

  /** The key that looks like a label of `text`, or undefined. */
  private label(): string | undefined {
    const entries = [...this.keys];
    const few = ([, { rows, values }]: [string, Seen]): boolean =>
      values !== null && values.size > 1 && rows >= labelRepeats * values.size;
    return (entries.find(([key, { values }]) => labelName.test(key) && values) ?? entries.find(few))?.[0];
  }

  /** `mayBeLabelled`: the records are texts, and what stands beside a text is often what should be learnt. */
  notes(path: string, rows: number, mayBeLabelled: boolean): string[] {
    if (this.keys.size === 0) return [];
    const shown = [...this.keys].slice(0, shownKeys).map(([key, seen]) => {
      const name = key.slice(0, 40);
      return seen.rows === rows ? name : `${name} (${seen.rows} of ${rows} rows)`;
    });
    const more = this.keys.size > shown.length || this.more > 0 ? ', ...' : '';
    const label = mayBeLabelled ? this.label() : undefined;
    const hint =
      label === undefined
        ? ''
        : `; "${label.slice(0, 40)}" looks like a label: to learn to answer with it, ${withValues({ promptColumn: 'text', completionColumn: label.slice(0, 40) })}`;
    return [`${path}: not read: ${shown.join(', ')}${more}${hint}`];
  }
}
