/**
 * Tokenised examples, kept for the next command that wants the same: `plan`, then `tune`, then a resumed run tokenise once. Promises: found only
 * where examples, settings, template, vocabulary and the code that makes rows are the same to the last byte; a file that is broken, or cannot
 * be written, costs time only. The files are private to the user (mode 600) and of limited size together (store/cache.ts).
 */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { writeChunksAtomic } from '../formats/atomic-write.ts';
import { isSpelledNumber } from '../formats/exact-json.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { orderedKeys } from '../formats/ordered-json.ts';
import { cachedRowsPath, markUsed, pruneCache, rowsCacheFolder } from '../store/cache.ts';
import { installedVersion } from '../store/installed-version.ts';
import type { Example } from '../text/example.ts';
import type { EncodeOptions } from '../tokens/encode-example.ts';
import type { CompactSequence } from '../tokens/encoded-row.ts';
import type { EncodedRow, EncodedRows } from '../tokens/rows.ts';
import type { TokenFacts } from '../tokens/tokenizer.ts';

/** Rows of all sets that are made in less time, opening their tokenizer included, are made again: reading them back would save nothing that anybody notices. */
export const worthKeepingSeconds = 0.2;

/** What rows are made of, beside the examples. */
export interface RowsMakers {
  readonly model: GgufFile;
  readonly options: Pick<EncodeOptions, 'supervise' | 'specialTokens'>;
}

/** A value as a text that no other value has: numbers as they were spelled, keys in their order. */
function spelled(value: unknown): string {
  if (isSpelledNumber(value)) return `#${value.value}`;
  if (Array.isArray(value)) return `[${value.map(spelled).join()}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = value as Readonly<Record<string, unknown>>;
    return `{${orderedKeys(value)
      .map((key) => `${JSON.stringify(key)}:${spelled(fields[key])}`)
      .join()}}`;
  }
  return JSON.stringify(value) ?? 'undefined';
}

/** Folders of this package whose code decides what rows are. */
const makers = ['text', 'text/jinja', 'tokens', 'llama', 'formats', 'formats/gguf'];
/** Of that code; null where it does not lie in its folders, as in a bundle. */
let codeDigest: string | null | undefined;

function digestOfCode(): string | null {
  if (codeDigest !== undefined) return codeDigest;
  const hash = createHash('sha256');
  try {
    for (const folder of makers) {
      const path = fileURLToPath(new URL(`../${folder}/`, import.meta.url));
      for (const name of readdirSync(path).sort())
        if (/(?<!\.test|\.d)\.[jt]s$/.test(name)) hash.update(name).update(readFileSync(join(path, name)));
    }
    codeDigest = hash.update(String(installedVersion('node-llama-cpp'))).digest('hex');
  } catch {
    codeDigest = null;
  }
  return codeDigest;
}

/** The name of these examples' rows; null where they cannot be named. */
export function rowsKey(examples: readonly Example[], { model, options }: RowsMakers): string | null {
  const code = digestOfCode();
  if (code === null) return null;
  const hash = createHash('sha256').update(JSON.stringify([code, options.supervise, options.specialTokens]));
  try {
    // The chat template is among them: the one that was given, where one was.
    for (const [name, { value }] of model.metadata)
      if (name.startsWith('tokenizer.')) hash.update(`${name}=${JSON.stringify(value)}\n`);
    hash.update(`${model.string('tokenizer.chat_template')}\n`);
    for (const { source: _, ...example } of examples) hash.update(`${spelled(example)}\n`);
  } catch {
    // Nested deeper than the stack, or no JSON.
    return null;
  }
  return hash.digest('hex').slice(0, 32);
}

const encodedSchema = z.union([
  z.object({ reason: z.string(), detail: z.string().optional() }),
  z.object({
    raw: z.boolean(),
    notes: z.array(z.string()),
    lengths: z.array(z.int().nonnegative()),
    /** Which of the sequences have weights of their tokens. */
    weighted: z.array(z.boolean()),
  }),
]);
const headerSchema = z.object({
  addsBos: z.boolean(),
  bosToken: z.int().nullable(),
  /** Those among the rows' tokens at which generation stops. */
  endTokens: z.array(z.int()),
  rows: z.array(encodedSchema),
});

/** Rows, and what is asked of their tokenizer later. */
export interface KeptRows {
  readonly rows: EncodedRows;
  readonly facts: TokenFacts;
}

function endTokensOf(rows: EncodedRows, facts: TokenFacts): number[] {
  const all = new Set<number>();
  for (const { encoded } of rows)
    if (!('reason' in encoded)) for (const { tokens } of encoded.sequences) for (const token of tokens) all.add(token);
  return [...all].filter((token) => facts.isEndOfGeneration(token));
}
/** In front: SHA-256 of all that follows, then the header's length. */
const digestBytes = 32;
const lengthBytes = 8;

/** Writes them for the next time, quietly. */
export function keepRows(key: string, { facts, rows }: KeptRows): void {
  const header: z.infer<typeof headerSchema> = {
    addsBos: facts.addsBos,
    bosToken: facts.bosToken,
    endTokens: endTokensOf(rows, facts),
    rows: rows.map(({ encoded }) =>
      'reason' in encoded
        ? { reason: encoded.reason, ...(encoded.detail === undefined ? {} : { detail: encoded.detail }) }
        : {
            raw: encoded.raw,
            notes: [...encoded.notes],
            lengths: encoded.sequences.map(({ tokens }) => tokens.length),
            weighted: encoded.sequences.map(({ weights }) => weights !== undefined),
          },
    ),
  };
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(lengthBytes);
  length.writeBigUInt64LE(BigInt(text.length));
  const sequences = rows.flatMap(({ encoded }) => ('reason' in encoded ? [] : encoded.sequences));
  const bytes = ({ buffer, byteLength, byteOffset }: Int32Array | Uint8Array | Float32Array): Uint8Array =>
    new Uint8Array(buffer, byteOffset, byteLength);
  try {
    mkdirSync(rowsCacheFolder(), { recursive: true, mode: 0o700 });
    const path = cachedRowsPath(key);
    const parts = sequences.flatMap(({ supervised, tokens, weights }) => [
      bytes(tokens),
      bytes(supervised),
      ...(weights ? [bytes(weights)] : []),
    ]);
    const body = [length, text, ...joined(parts)];
    const hash = createHash('sha256');
    for (const part of body) hash.update(part);
    writeChunksAtomic(path, [hash.digest(), ...body]);
    chmodSync(path, 0o600);
    pruneCache();
  } catch {
    // Made again the next time.
  }
}

/** Rows have few bytes each: written in larger pieces. */
const pieceBytes = 1 << 20;

function* joined(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  let held: Uint8Array[] = [];
  let size = 0;
  for (const part of parts) {
    held.push(part);
    size += part.length;
    if (size < pieceBytes) continue;
    yield Buffer.concat(held);
    [held, size] = [[], 0];
  }
  yield Buffer.concat(held);
}

/** The rows of that name, for these examples; null where there are none, or not whole. */
export function cachedRows(key: string, examples: readonly Example[]): KeptRows | null {
  try {
    const path = cachedRowsPath(key);
    const file = readFileSync(path);
    markUsed(path);
    const body = file.subarray(digestBytes);
    if (!createHash('sha256').update(body).digest().equals(file.subarray(0, digestBytes))) return null;
    const at = lengthBytes + Number(body.readBigUInt64LE(0));
    const header = headerSchema.parse(JSON.parse(body.toString('utf8', lengthBytes, at)));
    if (header.rows.length !== examples.length) return null;
    const reader = new SequenceReader(body, at);
    const rows = header.rows.map(({ ...encoded }, i): EncodedRow => {
      const { source } = examples[i]!;
      if ('reason' in encoded) return { source, encoded };
      const { lengths, notes, raw, weighted } = encoded;
      const sequences = lengths.map((length, s) => reader.next(length, weighted[s] ?? false));
      return { source, encoded: { raw, notes, sequences } };
    });
    const { addsBos, bosToken } = header;
    const ends = new Set(header.endTokens);
    return reader.isAtEnd
      ? { rows, facts: { addsBos, bosToken, isEndOfGeneration: (token) => ends.has(token) } }
      : null;
  } catch {
    return null;
  }
}

class SequenceReader {
  private readonly file: Buffer;
  private at: number;

  constructor(file: Buffer, at: number) {
    this.file = file;
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at === this.file.length;
  }

  /** Throws RangeError behind the end. */
  next(length: number, weighted: boolean): CompactSequence {
    const words = length * Int32Array.BYTES_PER_ELEMENT;
    const tokens = new Int32Array(this.bytes(words).slice().buffer);
    const supervised = this.bytes(length).slice();
    return weighted
      ? { tokens, supervised, weights: new Float32Array(this.bytes(words).slice().buffer) }
      : { tokens, supervised };
  }

  private bytes(count: number): Uint8Array {
    const start = this.at;
    this.at += count;
    if (this.at > this.file.length) throw new RangeError('cut off');
    return new Uint8Array(this.file.buffer, this.file.byteOffset + start, count);
  }
}
