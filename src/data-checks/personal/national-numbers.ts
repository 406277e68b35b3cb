/**
 * Numbers that states give to people. Where a number's form alone is that of many others, the word for it has to stand near, too; where
 * it has check digits, they have to be right, but for forms that nothing else has. Pure.
 */
import * as check from './checksums.ts';
import { compact, type Found, isNamed } from './found.ts';

interface NationalNumber {
  readonly name: string;
  /** With the separators that people write. */
  readonly form: RegExp;
  /** Of what is left without separators; absent where there are no check digits. */
  readonly isRight?: (value: string) => boolean;
  /** Words of which one has to stand near. */
  readonly words?: RegExp;
}

/** Not inside a longer number or word. */
const alone = (form: string): RegExp => new RegExp(`(?<![\\w.,+-]|\\d[ /])(?:${form})(?![\\w]|[-.,/]\\d)`, 'gi');
const month = '(?:0[1-9]|1[0-2])';
const day = '(?:0[1-9]|[12]\\d|3[01])';
const bornAt = `${month}${day}`;

// biome-ignore format: a table
const numbers: readonly NationalNumber[] = [
  { name: 'US social security number', form: alone('(?!000|666|9)\\d{3}([- ])(?!00)\\d{2}\\1(?!0000)\\d{4}') },
  { name: 'US social security number', form: alone('(?!000|666|9)\\d{9}'), words: /\b(?:ssn|social security)\b/i },
  { name: 'GB national insurance number', form: alone('[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\\d{2} ?\\d{2} ?\\d{2} ?[A-D]') },
  { name: 'GB national insurance number', form: alone('[A-Z]{2} ?\\d{2} ?\\d{2} ?\\d{2} ?[A-Z]'), words: /\bnational insurance|\bnino\b|\bni n(?:umber|o)/i },
  { name: 'FR social security number (NIR)', form: alone('[12] ?\\d{2} ?(?:0[1-9]|1[0-2]|[2-4]\\d|[5-9]\\d) ?(?:\\d{2}|2[AB]) ?\\d{3} ?\\d{3} ?\\d{2}'), isRight: check.nir },
  { name: 'IT codice fiscale', form: alone('[A-Z]{6}\\d{2}[A-EHLMPRST]\\d{2}[A-Z]\\d{3}[A-Z]') },
  { name: 'ES NIF', form: alone('\\d{8}-?[A-Z]'), isRight: check.spanishLetter },
  { name: 'ES NIE', form: alone('[XYZ]-?\\d{7}-?[A-Z]'), isRight: check.spanishLetter },
  { name: 'NL BSN', form: alone('\\d{9}|\\d{4}\\.\\d{2}\\.\\d{3}'), isRight: check.elevenTest, words: /\b(?:bsn|burgerservice\w*|sofi\w*)\b/i },
  { name: 'BE national register number', form: alone('\\d{2}\\.\\d{2}\\.\\d{2}-\\d{3}\\.\\d{2}'), isRight: check.belgianRegister },
  { name: 'PL PESEL', form: alone('\\d{11}'), isRight: check.pesel, words: /\bpesel\b/i },
  { name: 'BR CPF', form: alone('\\d{3}\\.\\d{3}\\.\\d{3}-\\d{2}'), isRight: check.cpf },
  { name: 'BR CPF', form: alone('\\d{11}'), isRight: check.cpf, words: /\bcpf\b/i },
  { name: 'SE personnummer', form: alone(`(?:19|20)?\\d{2}${bornAt}[-+]\\d{4}`), isRight: (value) => check.luhn(value.slice(-10)) },
  { name: 'SE personnummer', form: alone(`(?:19|20)?\\d{2}${bornAt}\\d{4}`), isRight: (value) => check.luhn(value.slice(-10)), words: /\bperson-?n(?:umme)?r\b/i },
  { name: 'FI henkilötunnus', form: alone(`${day}${month}\\d{2}[-+A-FU-Y]\\d{3}[\\dA-Y]`), isRight: check.finnishLetter },
  { name: 'CN resident identity number', form: alone(`[1-9]\\d{5}(?:19|20)\\d{2}${bornAt}\\d{3}[\\dX]`), isRight: check.residentNumber },
  { name: 'IN Aadhaar', form: alone('[1-9]\\d{3}([ -]?)\\d{4}\\1\\d{4}'), isRight: check.verhoeff, words: /\baa?dhaa?r|\buidai\b|आधार/i },
  { name: 'CA social insurance number', form: alone('\\d{3}([ -]?)\\d{3}\\1\\d{3}'), isRight: check.luhn, words: /\b(?:sin|nas|social insurance)\b/i },
  { name: 'CH AHV number', form: alone('756(\\.?)\\d{4}\\1\\d{4}\\1\\d{2}'), isRight: check.ean13 },
  { name: 'DE tax number', form: alone('\\d{2} ?\\d{3} ?\\d{3} ?\\d{3}'), isRight: check.mod11and10, words: /steuer|\bidnr|\btin\b|tax id/i },
  { name: 'AU tax file number', form: alone('\\d{3} ?\\d{3} ?\\d{3}'), isRight: check.taxFileNumber, words: /\btfn\b|tax file/i },
  { name: 'KR resident registration number', form: alone(`\\d{2}${bornAt}-[1-4]\\d{6}`) },
  { name: 'JP individual number', form: alone('\\d{4}([- ]?)\\d{4}\\1\\d{4}'), words: /マイナンバー|個人番号|my number card/i },
  { name: 'passport number', form: alone('(?=[A-Z\\d]*\\d{5})[A-Z\\d]{7,9}'), words: /passport|reisepass|passeport|pasaporte|护照|パスポート/i },
];

/** All that the text holds; the same place may be found by several of them. */
export function nationalNumbersIn(text: string): Found[] {
  const found: Found[] = [];
  for (const { form, isRight, name, words } of numbers)
    for (const match of text.matchAll(form)) {
      const place = { rule: name, start: match.index, end: match.index + match[0].length };
      if (isRight && !isRight(compact(match[0]))) continue;
      if (words && !isNamed(text, place, words)) continue;
      found.push(place);
    }
  return found;
}
