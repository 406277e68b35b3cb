/** How many supervised rows the head takes in a call: the step cuts by it, and a plan counts with it. Pure. */

/** Logits of a call take at most this many floats, 25 MB: 128 supervised rows of 49152 tokens. */
const headLogits = 128 * 49152;
/** Times as many where the head itself is trained: each call adds to the gradient of the whole matrix, and its moments take more memory anyway. */
const trainedHeadFactor = 4;
/** Yet so many rows at least: every call goes over the whole matrix, which the engine lays out anew for it. */
const minHeadRows = 128;

export function maxHeadRows(vocabulary: number, trained: boolean): number {
  const logits = headLogits * (trained ? trainedHeadFactor : 1);
  return Math.max(minHeadRows, Math.floor(logits / vocabulary));
}
