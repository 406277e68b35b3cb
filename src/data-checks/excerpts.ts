/**
 * Excerpts of rows that can be shown: what was found to be secret or personal is hidden in all of them, whichever check they are made for, and
 * what nobody would see is named. Pure.
 */
import { harmless } from '../words/harmless.ts';
import type { Found } from './personal/found.ts';

/** Characters before and behind what is shown. */
const around = 24;
/** Longest middle of an excerpt. */
const mostShown = 80;
/** Of a long value so many characters are shown, which tell what it is and open nothing. */
const shownOfSecret = 4;
const unseen = /[\p{Cf}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]|\p{Variation_Selector}/gu;

const hidden = (value: string): string =>
  `${value.length > 4 * shownOfSecret ? value.slice(0, shownOfSecret) : (value[0] ?? '')}••• (${value.length} characters)`;

const named = (text: string): string =>
  harmless(
    text
      .replace(/\s+/g, ' ')
      .replace(unseen, (char) => `<U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}>`),
  );

/** Ranges of texts that are never shown whole. */
export class Excerpts {
  private readonly secret = new Map<string, readonly Found[]>();

  /** Hides what was found in a text from now on. */
  hide(text: string, found: readonly Found[]): void {
    if (found.length > 0)
      this.secret.set(
        text,
        [...(this.secret.get(text) ?? []), ...found].sort((a, b) => a.start - b.start),
      );
  }

  /** The beginning of what a row says. */
  ofRow({ texts }: { readonly texts: readonly { readonly text: string }[] }): string {
    return this.of(texts.find(({ text }) => text.trim() !== '')?.text ?? '', 0, mostShown);
  }

  /** A place of a text with a little of what stands around it. */
  of(text: string, start = 0, end = text.length): string {
    const from = Math.max(0, start - around);
    const to = Math.min(text.length, Math.min(end, start + mostShown) + around);
    let shown = from > 0 ? '…' : '';
    let at = from;
    for (const each of this.secret.get(text) ?? []) {
      if (each.end <= at || each.start >= to) continue;
      shown += named(text.slice(at, Math.max(at, each.start))) + hidden(text.slice(each.start, each.end));
      at = each.end;
    }
    return `${shown}${at < to ? named(text.slice(at, to)) : ''}${Math.max(at, to) < text.length ? '…' : ''}`;
  }
}
