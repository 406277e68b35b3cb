/** Which keys the queries of a micro-batch see, as our own kernels take it (native/src/stages.h). Pure. */
import type { PackedBatch } from '../batches/packed-batch.ts';

/**
 * Six numbers a range: its segment, the queries [first, end), `own`, from which row on they see the keys up to themselves, and the keys
 * [seenFirst, seenEnd) that all of them see: those of a prefix, or what both answers of a fork go on from.
 */
export function queryRanges({ forks = [], prefix = 0, segmentStarts }: PackedBatch): Int32Array {
  const ranges: number[] = [];
  for (let segment = 0; segment + 1 < segmentStarts.length; segment++) {
    const [start, end] = [segmentStarts[segment]!, segmentStarts[segment + 1]!];
    const seen = segment > 0 ? prefix : 0;
    const fork = forks.find(({ first }) => first >= start && first < end);
    if (!fork) {
      if (end > start) ranges.push(segment, start, end, start, 0, seen);
      continue;
    }
    if (seen > 0 || fork.end !== end)
      throw new Error('attention: a fork ends its segment, and no prefix stands before it');
    if (fork.second > start) ranges.push(segment, start, fork.second, start, 0, 0);
    if (end > fork.second) ranges.push(segment, fork.second, end, fork.second, start, fork.first);
  }
  return Int32Array.from(ranges);
}
