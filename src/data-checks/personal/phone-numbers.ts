/**
 * Telephone numbers, by the numbering plans of libphonenumber. A row of digits that could be a number of some country is no evidence: it
 * has to be written as one (from + or a country's way of grouping), or a word such as "call" has to stand near. Pure.
 */
import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { type Found, isNamed } from './found.ts';

/** From 7 digits, the shortest that are called from elsewhere, to 15, the most that E.164 has, and what people write between them; an extension behind. */
const candidates =
  /(?<![\w.#:/@=$€£%-])(?<!\d[,.])(?:\+|00 ?)?\(?\d(?:[ \u00a0]?[-./()]{0,2}[ \u00a0]?\d){6,16}(?: ?(?:x|ext\.?) ?\d{1,5})?(?! ?[%°€]|[\w@]|[:/=]\d|[.,-]\d)/gi;
const words =
  /\b(?:call|dial|phone|ring|telephone|tele?|mobile|cell|fax|whatsapp|sms|text|reach|numbers? (?:is|are|was|would be)|(?:my|his|her|their|your|our) number|contact|handy|telefon\w*|anruf\w*|rufnummer|mobil\w*|tel[eé]fono|m[oó]vil|celular|llam\w+|t[eé]l[eé]phone|portable|appel\w*|cellulare|telefoon\w*|bel|telefone|ligue|telefonnummer|puhelin\w*)\b|电话|手机|联系|致电|電話|携帯|전화/iu;
/** Dates and ranges of years have as many digits. */
const dates =
  /^(?:\d{1,2}[-./ ]\d{1,2}[-./ ]\d{2,4}|(?:1[5-9]|20)\d{2}[-./ ]?\d{1,2}[-./ ]?\d{1,2}|(?:1[5-9]|20)\d{2} ?[-/ ] ?(?:1[5-9]|20)\d{2}(?: ?[-/ ] ?(?:1[5-9]|20)\d{2})*)$/;

/** Countries whose numbers people write without a country code, the most frequent in texts first. */
const countries: readonly CountryCode[] = [
  'US',
  'GB',
  'DE',
  'FR',
  'IT',
  'ES',
  'NL',
  'BE',
  'AT',
  'CH',
  'PL',
  'SE',
  'DK',
  'NO',
  'FI',
  'PT',
  'IE',
  'AU',
  'NZ',
  'IN',
  'CN',
  'JP',
  'KR',
  'BR',
  'MX',
  'ZA',
  'RU',
  'TR',
];

/** Groupings that one country has for its numbers, and hardly anything else. */
const telling: Partial<Record<CountryCode, RegExp>> = {
  US: /^(?:\+?1[-. ]?)?(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-. ]\d{4}/,
  CN: /^1[3-9]\d[- ]?\d{4}[- ]?\d{4}$/,
  JP: /^0[5-9]0-\d{4}-\d{4}$/,
  FR: /^0[1-9]([ .-])\d{2}\1\d{2}\1\d{2}\1\d{2}$/,
};

const isNumberOf = (text: string, country?: CountryCode): boolean =>
  parsePhoneNumberFromString(text, { ...(country ? { defaultCountry: country } : {}), extract: false })?.isValid() ??
  false;

/** A zero for the trunk and groups: how most countries write their own numbers. */
const isGrouped = (text: string): boolean => /^\(?0\d/.test(text) && /[-./() \u00a0]/.test(text.slice(1));

function isPhoneNumber(text: string, isNamedSo: () => boolean): boolean {
  const international = text.replace(/^00 ?/, '+');
  if (international.startsWith('+')) return isNumberOf(international.replace(/\(0\)/, ''));
  for (const [country, form] of Object.entries(telling) as [CountryCode, RegExp][])
    if (form.test(text) && isNumberOf(text, country)) return true;
  return (isGrouped(text) || isNamedSo()) && countries.some((country) => isNumberOf(text, country));
}

/** All that the text holds. */
export function phoneNumbersIn(text: string): Found[] {
  const found: Found[] = [];
  for (const match of text.matchAll(candidates)) {
    const written = match[0];
    const place = { rule: 'phone number', start: match.index, end: match.index + written.length };
    if (dates.test(written) || !isPhoneNumber(written, () => isNamed(text, place, words))) continue;
    found.push(place);
  }
  return found;
}
