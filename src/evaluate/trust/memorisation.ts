/**
 * What a model knows by heart: whether it holds the answers it was trained on likelier than those of held-out examples, more than its base does, and
 * gives them word for word; and how exposed planted texts are (Carlini et al., "The Secret Sharer", USENIX Security 2019). Pure.
 */
import { randomNumbers } from '../statistics/resampling.ts';

/** What one text costs, and whether temperature 0 gives it word for word. */
export interface TextKnown {
  /** Nats a token, of the base less those of the model: what training gained. */
  readonly gain: number;
  readonly isGiven: boolean;
}

/** A text that was planted, or is asked about. */
export interface CanaryExposure {
  readonly text: string;
  /** log2(n / rank) among n texts that differ in digits or letters: 0 where nothing points at it, log2(n) where it is the likeliest. */
  readonly exposure: number;
  /** Texts that it was compared with, itself counted. */
  readonly among: number;
}

/** How far texts that were learnt can be told from held-out ones. */
export interface ToldApart {
  /** Of each kind. */
  readonly examples: { readonly learnt: number; readonly heldOut: number };
  /** Share of texts that temperature 0 gives word for word. */
  readonly given: { readonly learnt: number; readonly heldOut: number };
  /** Chance that training gained more on a learnt text than on a held-out one: 0.5 where they cannot be told apart. */
  readonly separation: number;
  /** Standard error of that, where they cannot be told apart. */
  readonly standardError: number;
}

/** What is known by heart: of the answers behind their prompts, of the prompts themselves, of planted texts. */
export interface Memorisation extends ToldApart {
  /** The second halves of the prompts, completed behind the first; null where either kind has none of two words, absent before 0.2. */
  readonly prompts?: ToldApart | null;
  readonly canaries: readonly CanaryExposure[];
}

const share = (known: readonly TextKnown[]): number => known.filter(({ isGiven }) => isGiven).length / known.length;

/** Compares texts that were learnt with others of the same kind. */
export function toldApart(learnt: readonly TextKnown[], heldOut: readonly TextKnown[]): ToldApart {
  let above = 0;
  for (const own of learnt)
    for (const other of heldOut) above += own.gain > other.gain ? 1 : own.gain === other.gain ? 0.5 : 0;
  const pairs = learnt.length * heldOut.length;
  return {
    examples: { learnt: learnt.length, heldOut: heldOut.length },
    given: { learnt: share(learnt), heldOut: share(heldOut) },
    separation: above / pairs,
    // Mann and Whitney's U where both come from one distribution.
    standardError: Math.sqrt((learnt.length + heldOut.length + 1) / (12 * pairs)),
  };
}

/** Texts that a canary is compared with, itself counted. */
export const canaryTexts = 64;

/** A canary in two: what is given, and what of it should not be known. */
export interface Canary {
  readonly beginning: string;
  /** The canary's own first, then the others. */
  readonly endings: readonly string[];
}

const digits = '0123456789';
const letters = 'abcdefghijklmnopqrstuvwxyz';

/** The last half of its words is what should not be known; the others have other digits there, or other letters where it has none. */
export function canaryOf(text: string, seed: number): Canary {
  const random = randomNumbers(seed);
  const words = text.trim().split(/(?<=\s)/);
  const from = Math.floor(words.length / 2);
  const own = words.slice(from).join('');
  const [pattern, signs] = /\d/.test(own) ? [/\d/g, digits] : [/[a-z]/gi, letters];
  const others = Array.from({ length: canaryTexts - 1 }, () =>
    own.replace(pattern, () => signs[Math.floor(random() * signs.length)]!),
  );
  return { beginning: words.slice(0, from).join(''), endings: [own, ...others] };
}

/** How exposed a canary is: `logProbabilities` are those of its endings, nats. */
export function exposureOf(text: string, logProbabilities: readonly number[]): CanaryExposure {
  const [own, ...others] = logProbabilities;
  const rank = 1 + others.filter((each) => each > own!).length;
  return { text, exposure: Math.log2(logProbabilities.length / rank), among: logProbabilities.length };
}
