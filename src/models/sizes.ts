/**
 * The shapes that `pretrain` knows by name: Llama architecture, tied embedding, no grouped queries.
 * Widths keep to multiples of 32, so that every matrix can be written as Q8_0, and heads to 32 or 64, which llama.cpp computes well.
 */
export interface PretrainSize {
  readonly layers: number;
  readonly modelWidth: number;
  readonly heads: number;
  readonly feedForward: number;
  /** Default number of tokens of the vocabulary. */
  readonly vocabulary: number;
  /** Longest context the model is declared for. */
  readonly contextLength: number;
}

/** Feed-forward widths are about 8/3 of the model width, as in https://arxiv.org/abs/2302.13971. */
export const pretrainSizes = {
  nano: { layers: 4, modelWidth: 128, heads: 4, feedForward: 352, vocabulary: 1024, contextLength: 256 },
  micro: { layers: 6, modelWidth: 192, heads: 6, feedForward: 512, vocabulary: 2048, contextLength: 512 },
  mini: { layers: 8, modelWidth: 256, heads: 8, feedForward: 704, vocabulary: 4096, contextLength: 512 },
  small: { layers: 12, modelWidth: 512, heads: 8, feedForward: 1376, vocabulary: 8192, contextLength: 1024 },
} as const satisfies Record<string, PretrainSize>;
/** A shape of a new model: nano, micro, mini or small. */
export type PretrainSizeName = keyof typeof pretrainSizes;

/** Weights of a model of this shape. */
export function weightCount({ layers, modelWidth: d, feedForward: ff }: PretrainSize, vocabulary: number): number {
  return vocabulary * d + layers * (4 * d * d + 3 * d * ff + 2 * d) + d;
}
