/**
 * The tokens of a text, and how many of them stand before a place in it. Promises: what is said to stand before are exactly the tokens
 * that the text before tokenises to on its own, as chat sends it. Pure.
 */
import {
  controlIds,
  controlTokensIn,
  encodeText,
  firstBehind,
  type Range,
  type SpecialTokens,
  touches,
} from './encode-text.ts';
import type { Tokenizer } from './tokenizer.ts';

/** Models that want it get their beginning-of-sequence token once: templates may spell it too. */
export function withBos(tokens: number[], { addsBos, bosToken }: Tokenizer): number[] {
  return addsBos && bosToken !== null && tokens[0] !== bosToken ? [bosToken, ...tokens] : tokens;
}

/** A control token of the text: where it begins, and its index among the tokens. */
interface Anchor {
  readonly at: number;
  readonly token: number;
}

export class Boundaries {
  readonly tokens: readonly number[];
  private readonly text: string;
  private readonly data: readonly Range[];
  private readonly tokenizer: Tokenizer;
  private readonly specialTokens: SpecialTokens;
  private anchors: readonly Anchor[] | null = null;

  /** `data` are the parts of `text` that came from a user's data, in order. Throws TextRefused. */
  constructor(text: string, data: readonly Range[], tokenizer: Tokenizer, specialTokens: SpecialTokens) {
    this.text = text;
    this.data = data;
    this.tokenizer = tokenizer;
    this.specialTokens = specialTokens;
    this.tokens = this.encode(0, text.length);
  }

  /** The tokens of a part of the text; with the beginning-of-sequence token where the part begins the text. */
  encode(start: number, end: number): number[] {
    const data: Range[] = [];
    for (let i = firstBehind(this.data, start); i < this.data.length && this.data[i]!.start < end; i++) {
      const range = this.data[i]!;
      data.push({ start: Math.max(range.start, start) - start, end: Math.min(range.end, end) - start });
    }
    const tokens = encodeText(this.text.slice(start, end), data, this.tokenizer, this.specialTokens);
    return start === 0 ? withBos(tokens, this.tokenizer) : tokens;
  }

  /** Where the last data between `start` and `end` ends; null where there is none. */
  lastData(start: number, end: number): number | null {
    let last: number | null = null;
    for (let i = firstBehind(this.data, start); i < this.data.length && this.data[i]!.end <= end; i++)
      if (this.data[i]!.start >= start) last = this.data[i]!.end;
    return last;
  }

  /** Tokens before `position`; null where the text before it does not tokenise to the first tokens of the whole. */
  tokensBefore(position: number): number | null {
    if (position === 0) return 0;
    if (position === this.text.length) return this.tokens.length;
    const near = this.nearAnchor(position);
    // Nothing that stands before a control token changes what follows it: only the text from the last one on is tokenised again.
    if (near) {
      const count = this.matches(this.encode(near.at, position), near.token);
      if (count !== null) return count;
    }
    return this.matches(this.encode(0, position), 0);
  }

  /** The index behind `part` in the tokens where they hold it from `from` on, else null. */
  private matches(part: readonly number[], from: number): number | null {
    if (from + part.length > this.tokens.length) return null;
    for (let i = 0; i < part.length; i++) if (part[i] !== this.tokens[from + i]) return null;
    return from + part.length;
  }

  /** The last control token that ends at or before `position`. */
  private nearAnchor(position: number): Anchor | null {
    this.anchors ??= this.findAnchors();
    let [low, high] = [0, this.anchors.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.anchors[middle]!.at < position) low = middle + 1;
      else high = middle;
    }
    return low > 0 ? this.anchors[low - 1]! : null;
  }

  /** The control tokens of the text beside those among the tokens; none where they do not agree. */
  private findAnchors(): readonly Anchor[] {
    const ids = controlIds(this.tokenizer);
    const control = new Set(ids.values());
    const spelt = controlTokensIn(this.text, this.tokenizer).filter(
      (range) => this.specialTokens === 'control' || !touches(this.data, range),
    );
    const given =
      this.text !== '' && this.tokens.length > 0 && this.tokens[0] === this.tokenizer.bosToken && spelt[0]?.start !== 0
        ? 1
        : 0;
    const anchors: Anchor[] = [];
    let next = 0;
    for (let t = given; t < this.tokens.length; t++) {
      if (!control.has(this.tokens[t]!)) continue;
      const found = spelt[next++];
      if (!found || ids.get(found.text) !== this.tokens[t]) return [];
      anchors.push({ at: found.start, token: t });
    }
    return next === spelt.length ? anchors : [];
  }
}
