/**
 * Characters that hide something: unseen ones, those that turn the order of text (Boucher and Anderson, "Trojan Source", USENIX Security
 * 2023), letters that look like others', and text that was decoded wrongly. What scripts and emoji need of them is left alone. Pure.
 */
import type { FindingKind, FindingSeverity } from './finding.ts';

/** What is looked for in every text. */
interface CharacterRule {
  readonly kind: FindingKind;
  readonly severity: FindingSeverity;
  readonly rule: string;
  readonly form: RegExp;
}

/** Scripts in which joiners change how letters are written. */
const joined =
  '\\p{Script=Arabic}\\p{Script=Syriac}\\p{Script=Devanagari}\\p{Script=Bengali}\\p{Script=Gurmukhi}\\p{Script=Gujarati}\\p{Script=Oriya}\\p{Script=Tamil}\\p{Script=Telugu}\\p{Script=Kannada}\\p{Script=Malayalam}\\p{Script=Sinhala}\\p{Script=Mongolian}\\p{M}';
const rightToLeft = '\\p{Script=Hebrew}\\p{Script=Arabic}\\p{Script=Syriac}\\p{Script=Thaana}';

// biome-ignore format: a table
const rules: readonly CharacterRule[] = [
  { kind: 'bidirectional-text', severity: 'severe', rule: 'override of the direction', form: /[\u202d\u202e]/gu },
  { kind: 'bidirectional-text', severity: 'warning', rule: 'embedding or isolate of a direction', form: /[\u202a-\u202c\u2066-\u2069]/gu },
  // Tags spell ASCII that nobody sees; three flags are written with them.
  { kind: 'invisible-characters', severity: 'severe', rule: 'tags that spell hidden text', form: /(?<!\u{1f3f4}[\u{e0020}-\u{e007f}]{0,6})[\u{e0000}-\u{e007f}]+/gu },
  { kind: 'invisible-characters', severity: 'severe', rule: 'variation selectors that spell hidden bytes', form: /\p{Variation_Selector}{2,}/gu },
  { kind: 'invisible-characters', severity: 'warning', rule: 'zero width space', form: /(?<![\p{Script=Thai}\p{Script=Khmer}\p{Script=Lao}\p{Script=Myanmar}])[\u200b\u2060-\u2064\u180e]+/gu },
  { kind: 'invisible-characters', severity: 'warning', rule: 'zero width joiner', form: new RegExp(`(?<![${joined}\\p{Extended_Pictographic}\\u{1f3fb}-\\u{1f3ff}\\ufe0f])[\\u200c\\u200d]+`, 'gu') },
  { kind: 'invisible-characters', severity: 'warning', rule: 'byte order mark inside the text', form: /\ufeff/gu },
  { kind: 'invisible-characters', severity: 'warning', rule: 'letter without a shape', form: /[\u115f\u1160\u3164\uffa0]+/gu },
  { kind: 'invisible-characters', severity: 'note', rule: 'mark of a direction', form: new RegExp(`(?<![${rightToLeft}].{0,40})[\\u200e\\u200f\\u061c](?!.{0,40}[${rightToLeft}])`, 'gu') },
  { kind: 'invisible-characters', severity: 'note', rule: 'soft hyphen', form: /\u00ad/gu },
  { kind: 'invisible-characters', severity: 'warning', rule: 'control character', form: /(?:(?![\n\t\r])\p{Cc})+/gu },
  { kind: 'look-alike-letters', severity: 'warning', rule: 'Cyrillic letters in a Latin word', form: /(?<!\p{L})(?=\p{L}*\p{Script=Latin})(?=\p{L}*[асеорхуіјѕАВЕКМНОРСТХ])[\p{Script=Latin}\p{Script=Cyrillic}]{3,}/gu },
  { kind: 'look-alike-letters', severity: 'warning', rule: 'Greek letters in a Latin word', form: /(?<!\p{L})(?=\p{L}*\p{Script=Latin})(?=\p{L}*[ορνκΑΒΕΖΗΙΚΜΝΟΡΤΥΧ])[\p{Script=Latin}\p{Script=Greek}]{4,}/gu },
  { kind: 'broken-text', severity: 'warning', rule: 'replacement character', form: /\ufffd+/gu },
  { kind: 'broken-text', severity: 'warning', rule: 'UTF-8 that was read as Latin-1', form: /(?:Ã[\u0080-\u00bf‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€[™œ\u009d“”˜¦¢]|Â[\u00a0-\u00bf])+/gu },
];

/** A place of a text that a rule is about. */
export interface FoundCharacters extends Omit<CharacterRule, 'form'> {
  readonly start: number;
  readonly end: number;
}

/** Texts without them, nearly all, are passed over. */
const mayHoldSome = /(?![\n\t\r])\p{Cc}|\P{ASCII}/u;

/** The first place of each rule that a text holds. */
export function charactersIn(text: string): FoundCharacters[] {
  if (!mayHoldSome.test(text)) return [];
  return rules.flatMap(({ form, ...rule }) => {
    form.lastIndex = 0;
    const match = form.exec(text);
    return match ? [{ ...rule, start: match.index, end: match.index + match[0].length }] : [];
  });
}
