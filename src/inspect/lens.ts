/** What hidden states would be answered with, were they the last: logit lens (nostalgebraist, 2020). Pure. */

/** A token that is next, by some hidden state. */
export interface Guess {
  readonly token: number;
  readonly probability: number;
}

/** ln of the sum of exponentials, without overflow. */
function logSum(logits: Float32Array): number {
  const most = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return most + Math.log(logits.reduce((sum, value) => sum + Math.exp(value - most), 0));
}

/** The `count` likeliest tokens, the likeliest first; of equal ones the lower id. */
export function likeliest(logits: Float32Array, count: number): Guess[] {
  const total = logSum(logits);
  const best: number[] = [];
  for (let token = 0; token < logits.length; token++) {
    if (best.length === count && !(logits[token]! > logits[best.at(-1)!]!)) continue;
    const at = best.findIndex((other) => logits[token]! > logits[other]!);
    best.splice(at < 0 ? best.length : at, 0, token);
    if (best.length > count) best.pop();
  }
  return best.map((token) => ({ token, probability: Math.exp(logits[token]! - total) }));
}

/** The probability of one token. */
export const probabilityOf = (logits: Float32Array, token: number): number => Math.exp(logits[token]! - logSum(logits));
