/** How attention walks a micro-batch: queries in chunks, each with only the keys that any of them may see. Pure but for the tensor type. */
import type { PackedBatch } from '../batches/packed-batch.ts';
import { type Feed, floats } from '../runtime/onnxruntime-node/executor.ts';

/** Query rows of one attention call: scores take heads x this x keys floats, so long rows never build [heads, T, T]. */
const queryRows = 128;
/** Short conversations share a chunk of at most this many rows: they do not see each other, so a larger one would compute more that is hidden. */
const sharedRows = 64;
/** What hides a key from a query: its exponential is 0 in float32, and it stays finite. */
const hidden = -1e30;

/** A chunk of queries [first, end) and the keys [keys, end) that any of them may see, with the mask between them. */
export interface QueryChunk {
  readonly first: number;
  readonly end: number;
  readonly keys: number;
  /** No other chunk sees these keys. */
  readonly alone: boolean;
  readonly bias: Feed;
}

/** Short segments share a chunk, whole; a long one is cut into chunks that see it from its beginning. */
export function queryChunks({ positions, segmentStarts }: PackedBatch): QueryChunk[] {
  const chunks: QueryChunk[] = [];
  const make = (first: number, end: number, keys: number, alone: boolean): void => {
    const width = end - keys;
    const bias = new Float32Array((end - first) * width).fill(hidden);
    for (let n = first; n < end; n++) {
      const row = (n - first) * width;
      bias.fill(0, row + n - positions[n]! - keys, row + n - keys + 1);
    }
    chunks.push({ first, end, keys, alone, bias: floats(bias, [end - first, width]) });
  };
  let first = 0;
  for (let i = 0; i + 1 < segmentStarts.length; i++) {
    const [start, end] = [segmentStarts[i]!, segmentStarts[i + 1]!];
    if (end - start > queryRows) {
      if (start > first) make(first, start, first, true);
      for (let at = start; at < end; at += queryRows) make(at, Math.min(end, at + queryRows), start, false);
      first = end;
    } else if (end - first > sharedRows && start > first) {
      make(first, start, first, true);
      first = start;
    }
  }
  const last = segmentStarts.at(-1)!;
  if (last > first) make(first, last, first, true);
  return chunks;
}
