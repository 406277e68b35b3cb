/**
 * Checks the values of a Parquet page before they are decoded: the decoder follows the counts inside them without
 * asking. Promises: what passes makes the decoder write no more values than the page has, and take no more memory than
 * they need.
 */
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';

/** Writers fill a block of delta values to some hundreds; 128 is usual. */
const maxBlock = 1 << 16;
/** A run of packed values comes in eights, of which the last may be padding; some writers pad further. */
const maxPadding = 512;

function fail(what: string): never {
  throw new Error(what);
}

class Cursor {
  readonly view: DataView;
  at: number;

  constructor(view: DataView, at: number) {
    this.view = view;
    this.at = at;
  }

  /** An unsigned number of at most 32 bits. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.view.getUint8(this.at++);
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return fail('a number has too many bytes');
  }
}

/** How many values there shall be, and how many bits each has. */
export interface Runs {
  readonly width: number;
  readonly count: number;
}

/** Bytes of a page, up to its end where no `end` is given. */
export interface Span {
  readonly view: DataView;
  readonly start: number;
  readonly end?: number;
}

/** Runs of equal or packed values: whether they hold `count` values, no more and no fewer. */
export function checkRuns({ view, start, end = view.byteLength }: Span, { width, count }: Runs): void {
  if (width > 32) fail(`values have ${width} bits`);
  const cursor = new Cursor(view, start);
  let seen = 0;
  while (seen < count) {
    if (cursor.at >= end) fail(`runs hold ${seen} of ${count} values`);
    const header = cursor.varint();
    const packed = (header & 1) === 1;
    const values = packed ? Math.floor(header / 2) * 8 : Math.floor(header / 2);
    if (values > count - seen + maxPadding) fail('a run is longer than its page');
    cursor.at += packed ? Math.ceil((values * width) / 8) : (width + 7) >> 3;
    seen += values;
  }
}

/** Runs behind four bytes with their length. Returns where they end. */
export function checkSizedRuns({ view, start }: Span, runs: Runs): number {
  const end = start + 4 + view.getUint32(start, true);
  if (end > view.byteLength) fail('runs are longer than their page');
  checkRuns({ view, start: start + 4, end }, runs);
  return end;
}

/** How many levels of checked runs reach the highest one: values that are there. */
export function countPresent({ view, start }: Span, { width, count }: Runs, highest: number): number {
  const levels: number[] = new Array(count);
  readRleBitPackedHybrid({ view, offset: start }, width, levels, 0);
  let present = 0;
  for (const level of levels) if (level === highest) present++;
  return present;
}

function checkDeltaHeader(view: DataView, start: number): void {
  const cursor = new Cursor(view, start);
  const [block, miniblocks] = [cursor.varint(), cursor.varint()];
  if (block < 1 || block > maxBlock || miniblocks < 1 || block % miniblocks !== 0)
    fail(`a block of ${block} values has ${miniblocks} parts`);
}

/** Whole numbers by their differences. Returns them, of 32-bit columns, and where they end. */
export function checkDeltas(
  view: DataView,
  start: number,
  count: number,
  wide = false,
): { values: Int32Array; end: number } {
  const values = new Int32Array(wide ? 0 : count);
  if (count === 0) return { values, end: start };
  checkDeltaHeader(view, start);
  const reader = { view, offset: start };
  if (!wide) deltaBinaryUnpack(reader, count, values);
  return { values, end: reader.offset };
}

/** Texts with their lengths in front, and, `shared`, how much each shares with the one before. */
export function checkTexts(view: DataView, start: number, count: number, shared: boolean): void {
  const prefixes = shared ? checkDeltas(view, start, count) : null;
  const { end, values: lengths } = checkDeltas(view, prefixes?.end ?? start, count);
  let left = view.byteLength - end;
  let before = 0;
  for (let i = 0; i < count; i++) {
    const [length, prefix] = [lengths[i]!, prefixes?.values[i] ?? 0];
    if (length < 0 || length > left || prefix < 0 || prefix > before) fail('a text is longer than its page');
    left -= length;
    before = length + prefix;
  }
}
