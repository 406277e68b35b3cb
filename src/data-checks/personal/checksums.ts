/** Check digits of numbers, as their issuers define them. Pure. */

const digitsOf = (value: string): number[] => Array.from(value, Number);
const weighted = (value: string, weights: readonly number[]): number =>
  digitsOf(value).reduce((sum, digit, i) => sum + digit * (weights[i] ?? 0), 0);

/** ISO/IEC 7812-1 (Luhn): cards, Sweden's and Canada's numbers. */
export function luhn(value: string): boolean {
  const sum = digitsOf(value)
    .reverse()
    .reduce((total, digit, i) => total + (i % 2 === 0 ? digit : digit * 2 - (digit > 4 ? 9 : 0)), 0);
  return sum % 10 === 0;
}

/** ISO 7064, MOD 97-10, as IBANs have it: letters are 10 to 35. */
export function mod97(value: string): boolean {
  let rest = 0;
  for (const char of value) rest = Number(`${rest}${Number.parseInt(char, 36)}`) % 97;
  return rest === 1;
}

/** Verhoeff's dihedral check: India's Aadhaar. */
export function verhoeff(value: string): boolean {
  const turned = (digit: number, times: number): number => {
    let result = digit;
    for (let i = 0; i < times; i++) result = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4][result]!;
    return result;
  };
  const product = (a: number, b: number): number =>
    a < 5 ? (b < 5 ? (a + b) % 5 : 5 + ((a + b) % 5)) : b < 5 ? 5 + ((a - b) % 5) : (a - b + 5) % 5;
  const check = digitsOf(value)
    .reverse()
    .reduce((sum, digit, i) => product(sum, turned(digit, i % 8)), 0);
  return check === 0;
}

/** ISO 7064, MOD 11,10: Germany's tax number. */
export function mod11and10(value: string): boolean {
  let product = 10;
  for (const digit of digitsOf(value.slice(0, -1))) {
    const sum = (digit + product) % 10 || 10;
    product = (2 * sum) % 11;
  }
  return (11 - product) % 10 === Number(value.at(-1));
}

/** EAN-13: Switzerland's AHV number. */
export const ean13 = (value: string): boolean => weighted(value, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) % 10 === 0;
/** The Netherlands' test of eleven. */
export const elevenTest = (value: string): boolean => weighted(value, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0;
/** Poland's PESEL. */
export const pesel = (value: string): boolean => weighted(value, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0;
/** Australia's tax file number. */
export const taxFileNumber = (value: string): boolean => weighted(value, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0;

/** China's resident identity number: ISO 7064, MOD 11-2, after GB 11643. */
export const residentNumber = (value: string): boolean =>
  '10X98765432'[weighted(value.slice(0, 17), [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11] === value[17];

/** Both check digits of Brazil's CPF. */
export const cpf = (value: string): boolean =>
  !/^(\d)\1+$/.test(value) &&
  [9, 10].every((length) => {
    const weights = Array.from({ length }, (_, i) => length + 1 - i);
    return ((weighted(value.slice(0, length), weights) * 10) % 11) % 10 === Number(value[length]);
  });

/** Spain's letter of NIF and NIE. */
export const spanishLetter = (value: string): boolean =>
  'TRWAGMYFPDXBNJZSQVHLCKE'[
    Number(value.slice(0, -1).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter)))) % 23
  ] === value.at(-1);

/** France's key of the NIR; Corsica's departments are 2A and 2B. */
export function nir(value: string): boolean {
  const number = Number(value.slice(0, -2).replace('2A', '19').replace('2B', '18'));
  return 97 - (number % 97) === Number(value.slice(-2));
}

/** Finland's letter. */
export const finnishLetter = (value: string): boolean =>
  '0123456789ABCDEFHJKLMNPRSTUVWXY'[Number(value.replace(/\D/g, '').slice(0, 9)) % 31] === value.at(-1);

/** Belgium's register: for those born since 2000 a 2 stands before. */
export const belgianRegister = (value: string): boolean =>
  ['', '2'].some((before) => 97 - (Number(before + value.slice(0, 9)) % 97) === Number(value.slice(9)));
