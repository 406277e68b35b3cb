/**
 * How much an answer shares with the expected one: SQuAD's token F1, ROUGE-L, chrF and BLEU. Promises: equal to the reference implementations in
 * Python (the SQuAD script, rouge-score 0.1 without stemming, sacrebleu 2 with its defaults), which the tests hold. Pure.
 */
import { counted, f1, normalised, shared } from './normalise.ts';

const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);

/** F1 of the words, normalised, 0 to 1: https://arxiv.org/abs/1606.05250. Two empty texts are equal. */
export function tokenF1(answer: string, expected: string): number {
  const [given, wanted] = [words(normalised(answer)), words(normalised(expected))];
  if (given.length === 0 || wanted.length === 0) return given.length === wanted.length ? 1 : 0;
  return f1(shared(counted(given), counted(wanted)), given.length, wanted.length);
}

/** Length of the longest common subsequence. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  let row = new Uint32Array(b.length + 1);
  for (const word of a) {
    const next = new Uint32Array(b.length + 1);
    for (let j = 0; j < b.length; j++) next[j + 1] = word === b[j] ? row[j]! + 1 : Math.max(row[j + 1]!, next[j]!);
    row = next;
  }
  return row[b.length]!;
}

/** The reference implementation of ROUGE knows letters a to z and digits only: other scripts have no words there. */
const rougeTokens = (text: string): string[] => words(text.toLowerCase().replace(/[^a-z0-9]+/g, ' '));

/** F1 of the longest common subsequence of words, 0 to 1: https://aclanthology.org/W04-1013 */
export function rougeL(answer: string, expected: string): number {
  const [given, wanted] = [rougeTokens(answer), rougeTokens(expected)];
  return f1(commonLength(given, wanted), given.length, wanted.length);
}

/** F1 of `n` words after each other, 0 to 1, likewise. */
export function rougeN(answer: string, expected: string, n: number): number {
  const [given, wanted] = [answer, expected].map((text) => ngrams(rougeTokens(text), n));
  return f1(shared(given!, wanted!), total(given!), total(wanted!));
}

/** How alike two texts are by their longest common subsequence of characters, 0 to 1: rapidfuzz' `fuzz.ratio`, less its factor of 100. */
export function characterRatio(answer: string, expected: string): number {
  const [given, wanted] = [[...answer], [...expected]];
  return given.length + wanted.length === 0 ? 1 : f1(commonLength(given, wanted), given.length, wanted.length);
}

const characterOrder = 6;
/** Recall counts beta times as much as precision. */
const beta = 2;

function ngrams(units: readonly string[], n: number): Map<string, number> {
  return counted(
    Array.from({ length: Math.max(0, units.length - n + 1) }, (_, i) => units.slice(i, i + n).join('\u0000')),
  );
}

const total = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);

/** What each order of n-grams has of an answer and what is expected, and shares. */
interface Statistics {
  readonly given: number[];
  readonly wanted: number[];
  readonly matches: number[];
}

function characterStatistics(answer: string, expected: string): Statistics {
  const [given, wanted] = [[...words(answer).join('')], [...words(expected).join('')]];
  const found: Statistics = { given: [], wanted: [], matches: [] };
  for (let n = 1; n <= characterOrder; n++) {
    const [ours, theirs] = [ngrams(given, n), ngrams(wanted, n)];
    // As the reference: what cannot match, since nothing that long is expected, is not counted.
    found.given.push(theirs.size > 0 ? total(ours) : 0);
    found.wanted.push(total(theirs));
    found.matches.push(shared(ours, theirs));
  }
  return found;
}

const added = (all: readonly Statistics[], name: keyof Statistics): number[] =>
  all[0]![name].map((_, order) => all.reduce((sum, each) => sum + each[name][order]!, 0));

/** chrF2 of all answers together, 0 to 100: https://aclanthology.org/W15-3049. Of one pair, its own. */
export function chrF(pairs: readonly (readonly [answer: string, expected: string])[]): number {
  if (pairs.length === 0) return 0;
  const all = pairs.map(([answer, expected]) => characterStatistics(answer, expected));
  const [given, wanted, matches] = [added(all, 'given'), added(all, 'wanted'), added(all, 'matches')];
  const orders = [...given.keys()].filter((n) => given[n]! > 0 && wanted[n]! > 0);
  if (orders.length === 0) return 0;
  const mean = (of: readonly number[]): number =>
    orders.reduce((sum, n) => sum + matches[n]! / of[n]!, 0) / orders.length;
  const [precision, recall] = [mean(given), mean(wanted)];
  if (precision + recall === 0) return 0;
  return (100 * (1 + beta ** 2) * precision * recall) / (beta ** 2 * precision + recall);
}

const wordOrder = 4;

/** Words and signs as mteval-v13a divides them. */
function tokens13a(text: string): string[] {
  const line = text
    .trimEnd()
    .replaceAll('<skipped>', '')
    .replaceAll('-\n', '')
    .replaceAll('\n', ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');
  const divided = ` ${line} `
    .replace(/([{-~[-` -&(-+:-@/])/g, ' $1 ')
    .replace(/([^0-9])([.,])/g, '$1 $2 ')
    .replace(/([.,])([^0-9])/g, ' $1 $2')
    .replace(/([0-9])(-)/g, '$1 $2 ');
  return words(divided);
}

/**
 * BLEU of all answers together, 0 to 100: https://aclanthology.org/P02-1040, with sacrebleu's defaults (13a, smoothing exp). `effectiveOrder`: only
 * orders that the texts are long enough for count, as for single sentences.
 */
export function bleu(
  pairs: readonly (readonly [answer: string, expected: string])[],
  { effectiveOrder = false } = {},
): number {
  const [correct, totals] = [new Array<number>(wordOrder).fill(0), new Array<number>(wordOrder).fill(0)];
  let [length, wantedLength] = [0, 0];
  for (const [answer, expected] of pairs) {
    const [given, wanted] = [tokens13a(answer), tokens13a(expected)];
    length += given.length;
    wantedLength += wanted.length;
    for (let n = 1; n <= wordOrder; n++) {
      const ours = ngrams(given, n);
      totals[n - 1]! += total(ours);
      correct[n - 1]! += shared(ours, ngrams(wanted, n));
    }
  }
  if (!correct.some((count) => count > 0)) return 0;
  const brevity = length < wantedLength ? Math.exp(1 - wantedLength / length) : 1;
  return brevity * 100 * Math.exp(meanLogPrecision(correct, totals, effectiveOrder));
}

/** A precision of none found counts as if half, a quarter, ... of one had been. */
function meanLogPrecision(correct: readonly number[], totals: readonly number[], effectiveOrder: boolean): number {
  let [smooth, sum, orders] = [1, 0, 0];
  for (let n = 0; n < wordOrder && totals[n]! > 0; n++) {
    if (correct[n] === 0) smooth *= 2;
    sum += Math.log(correct[n] === 0 ? 1 / (smooth * totals[n]!) : correct[n]! / totals[n]!);
    orders++;
  }
  if (orders < wordOrder && !effectiveOrder) return Number.NEGATIVE_INFINITY;
  return sum / orders;
}
