/**
 * Personal data in a text: addresses of mail, houses and machines, telephone numbers, bank accounts, cards, numbers that states give. What
 * has check digits is only found where they are right. Names of people are not looked for: no rule tells them from others'. Pure.
 */
import { isIP } from 'node:net';
import validator from 'validator';
import { compact, type Found, withoutOverlaps } from './found.ts';
import { nationalNumbersIn } from './national-numbers.ts';
import { phoneNumbersIn } from './phone-numbers.ts';
import { postalAddressesIn } from './postal-addresses.ts';

/** Finds the places that a form matches and that are right. */
const matches =
  (rule: string, form: RegExp, isRight: (match: string, text: string, index: number) => boolean) =>
  (text: string): Found[] =>
    [...text.matchAll(form)]
      .filter((match) => isRight(match[0], text, match.index))
      .map((match) => ({ rule, start: match.index, end: match.index + match[0].length }));

/** RFC 5321's lengths; quoted local parts, which nobody has, are not found. A password before the @ makes it an address of a server. */
const emails = matches(
  'e-mail address',
  /(?<![\w.:/@-])[\p{L}\d._%+'-]{1,64}@(?:[\p{L}\d](?:[\p{L}\d-]{0,61}[\p{L}\d])?\.)+\p{L}{2,24}(?![\w@])/gu,
  (match) => !match.startsWith('.') && !match.includes('..'),
);

/** The groups of an IBAN with what may stand behind them and look like one more group. */
const ibanGroups = /(?<!\w)[A-Z]{2}\d{2}(?:[ -]?[A-Z\d]{4}){2,7}(?:[ -]?[A-Z\d]{1,4})?(?!\w)/gi;

function ibans(text: string): Found[] {
  return [...text.matchAll(ibanGroups)].flatMap(({ 0: match, index: start }) => {
    // The longest beginning that is one: "DE42 7720 8594 2963 0029 77 please".
    for (let written = match; written !== ''; written = written.replace(/(?:^|[ -])[A-Z\d]*$/i, ''))
      if (validator.isIBAN(compact(written))) return [{ rule: 'IBAN', start, end: start + written.length }];
    return [];
  });
}

/** 13 to 19 digits in the groups that cards have. */
const cards = matches(
  'payment card',
  /(?<![\w.,+-]|\d[ /])(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5})(?!\w|[-.,]\d)/g,
  (match) => validator.isCreditCard(compact(match)),
);

/** Networks that are at home everywhere, and so nobody's (RFC 1918, 5737, 6890), and masks. */
const nobodys =
  /^(?:0|10|127|255)\.|^169\.254\.|^192\.(?:168|0\.[02])\.|^172\.(?:1[6-9]|2\d|3[01])\.|^198\.51\.100\.|^203\.0\.113\./;
/** "version 1.2.3.4" and sections of a text. */
const isVersion = (match: string, before: string): boolean =>
  /(?:\bv(?:er(?:sion)?)?\.?|release|section|§|chapter|clause) ?$/i.test(before) || /^\d\.\d\.\d\.\d$/.test(match);

const ipAddresses = [
  matches(
    'IP address',
    /(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d|-\d)/g,
    (match, text, index) =>
      isIP(match) === 4 && !nobodys.test(match) && !isVersion(match, text.slice(Math.max(0, index - 12), index)),
  ),
  matches(
    'IP address',
    /(?<![\w:.])(?=[\da-f:]*\d)(?:[\da-f]{0,4}:){3,7}[\da-f]{0,4}(?![\w:])/gi,
    (match) => isIP(match) === 6 && !/^(?:::|f[cde])/i.test(match),
  ),
];

/** In the order in which the first that finds a place names it. */
const finders: readonly ((text: string) => Found[])[] = [
  emails,
  ibans,
  cards,
  nationalNumbersIn,
  ...ipAddresses,
  phoneNumbersIn,
  postalAddressesIn,
];

/** Texts without digits and without @ hold nothing that is found here. */
const mayHoldSome = /[\d@]/;

/** All personal data that rules find in a text, in its order. */
export const personalDataIn = (text: string): Found[] =>
  mayHoldSome.test(text) ? withoutOverlaps(finders.flatMap((find) => find(text))) : [];
