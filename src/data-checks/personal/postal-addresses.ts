/**
 * Postal addresses, as well as forms alone can tell: a street with a number, or a postcode that nothing else looks like. Many countries'
 * addresses, and those without either, are not found. Pure.
 */
import type { Found } from './found.ts';

/** Bounded, and words parted by what no word holds: a form that can be read in many ways takes forever on long texts. */
const name = "\\p{Lu}[\\p{L}'’.]{0,30}";
const states =
  'A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEHINOPST]|N[CDEHJMVY]|O[HKR]|P[ARW]|RI|S[CD]|T[NX]|UT|V[AIT]|W[AIVY]|A[AEPS]|GU|MH|FM|MP';
const english =
  'Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Square|Terrace|Parkway|Pkwy|Highway|Hwy|Crescent|Close|Mews|Gardens?|Grove|Circle|Trail';

// biome-ignore format: a table
const forms: readonly RegExp[] = [
  // 768 Kelly Circle; 12A High Street.
  new RegExp(`(?<![\\w.,-])\\d{1,5}[A-Za-z]?,? (?:${name}[ -]){1,4}(?:${english})\\b\\.?`, 'gu'),
  // West Debra, CA 90210(-1234); FPO AP 84687; Torresville, NSW, 2610; Tracytown, NU M3R 9H4.
  new RegExp(`(?<!\\w)${name}(?: ${name}){0,2},? (?:${states})[ ,]+\\d{5}(?:-\\d{4})?(?!\\w)`, 'gu'),
  new RegExp(`(?<!\\w)${name}(?: ${name}){0,2},? (?:NSW|VIC|QLD|WA|SA|TAS|ACT|NT),? \\d{4}(?!\\w)`, 'gu'),
  /(?<!\w)[A-CEGHJ-NPR-TVXY]\d[A-Z] \d[A-Z]\d(?!\w)/g,
  // British postcodes.
  /(?<!\w)(?:[A-Z]{1,2}\d[A-Z\d]?|GIR) \d[ABD-HJLNP-UW-Z]{2}(?!\w)/g,
  // Hauptstraße 12a; Am Alten Ring 4/2; 10, 1010 Wien.
  new RegExp(`(?<!\\w)(?:${name}[ -]){0,3}(?:\\p{Lu}[\\p{L}.]{0,30}(?:straße|strasse|str\\.|weg|gasse|allee|platz)|Straße|Strasse|Str\\.|Weg|Gasse|Allee|Platz|Ring|Ufer|Damm) \\d{1,4}(?: ?[a-z])?(?:/\\d+)*(?!\\w)`, 'gu'),
  new RegExp(`(?<![\\w.,])\\d{1,4}[a-z]?(?:/\\d{1,3}){0,2}(?:, |\\n)(?:D-|A-|CH-)?(?!(?:1[5-9]|20)\\d\\d )\\d{4,5} ${name}`, 'gu'),
  // 54, avenue de Bodin, 50703 Sainte Patrick.
  new RegExp(`(?<!\\w)\\d{1,4}(?: ?(?:bis|ter))?,? (?:rue|avenue|boulevard|place|chemin|impasse|all[ée]e|quai|route) (?:d['’]|du |des |de la |de )?${name}`, 'gu'),
  new RegExp(`(?<!\\w)(?:rue|avenue|boulevard|place|chemin|impasse|quai|route) [^\\n,\\d]{2,40}(?:, |\\n)\\d{5} ${name}`, 'gu'),
  // 4907 VZ Poppenwier; Matthijsstraat 8.
  /(?<![\w.,])[1-9]\d{3} ?(?!SA|SD|SS|AD|BC|CE)[A-Z]{2},?\s\p{Lu}\p{Ll}/gu,
  /(?<!\w)\p{Lu}\p{L}{0,30}(?:straat|laan|weg|plein|gracht|kade|singel|dreef|hof|steeg) \d{1,4}(?: ?[a-z])?(?!\w)/gu,
  // Via Roma, 12; Calle Mayor 5; Rua das Flores, 95.
  new RegExp(`(?<!\\w)(?:Via|Viale|Piazza|Corso|Borgo|Vicolo|Calle|Avenida|Plaza|Paseo|Rua|Travessa|Praça|ul\\.|plac|aleja)(?: (?:${name}|d[aeio]s?|del|della|la)){1,5},? \\d{1,4}(?!\\w)`, 'gu'),
  // 河北省辛集市新城邯郸路8号; 佐賀県利島村藤金8丁目24番11号.
  /\p{Script=Han}{2,8}(?:省|自治区|市)\p{Script=Han}{1,20}(?:路|街|道|巷)\p{Script=Han}{0,6}[\dA-Za-z]{1,5}(?:号|座|弄)/gu,
  /(?:東京都|北海道|(?:京都|大阪)府|\p{Script=Han}{2,3}県)[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]{1,20}\d{1,3}(?:丁目|番|-)[\d番地号-]*/gu,
];

/** All that the text holds. */
export const postalAddressesIn = (text: string): Found[] =>
  forms.flatMap((form) =>
    [...text.matchAll(form)].map((match) => ({
      rule: 'postal address',
      start: match.index,
      end: match.index + match[0].length,
    })),
  );
