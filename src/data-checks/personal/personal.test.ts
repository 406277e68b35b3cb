import { expect, test } from 'vitest';
import * as check from './checksums.ts';
import { personalDataIn } from './personal-data.ts';
import { secretsIn } from './secrets.ts';

const found = (text: string): string[] =>
  personalDataIn(text).map(({ end, rule, start }) => `${rule}: ${text.slice(start, end)}`);

test.each([
  ['write to jo.do-e+x@mail.example.co.uk.', 'e-mail address: jo.do-e+x@mail.example.co.uk'],
  ['to DE89 3704 0044 0532 0130 00 please', 'IBAN: DE89 3704 0044 0532 0130 00'],
  ['GB29NWBK60161331926819', 'IBAN: GB29NWBK60161331926819'],
  ['card 4111-1111-1111-1111', 'payment card: 4111-1111-1111-1111'],
  ['Amex 3782 822463 10005.', 'payment card: 3782 822463 10005'],
  ['from 93.184.215.14, again', 'IP address: 93.184.215.14'],
  ['at 2001:4860:4860::8888 now', 'IP address: 2001:4860:4860::8888'],
  ['SSN 078-05-1120', 'US social security number: 078-05-1120'],
  ['DNI 12345678Z', 'ES NIF: 12345678Z'],
  ['我的身份证号码是11010519491231002X。', 'CN resident identity number: 11010519491231002X'],
  ['CPF 529.982.247-25', 'BR CPF: 529.982.247-25'],
  ['my BSN is 111222333', 'NL BSN: 111222333'],
  ['AHV 756.9217.0769.85', 'CH AHV number: 756.9217.0769.85'],
  ['call +49 30 901820', 'phone number: +49 30 901820'],
  ['(202) 225-2815', 'phone number: (202) 225-2815'],
  ['Tel. 01 42 68 53 00', 'phone number: 01 42 68 53 00'],
  ['手机13912345678', 'phone number: 13912345678'],
  ['at 768 Kelly Circle, now', 'postal address: 768 Kelly Circle'],
  ['Hauptstraße 12a, Kemnath', 'postal address: Hauptstraße 12a'],
])('%s', (text, expected) => {
  expect(found(text)).toContain(expected);
});

test.each([
  [
    'a wrong check digit',
    'to DE89 3704 0044 0532 0130 01, card 4111-1111-1111-1112, DNI 12345678A, CPF 529.982.247-24',
  ],
  ['a number without its word', 'order 111222333 and part 36574261809'],
  [
    'dates, years, versions, money and private networks',
    'On 2019-03-04, 12/11/2020, 1999-2005: version 1.2.3.4 costs $1,234,567.89 at 192.168.0.1 and 127.0.0.1, 10:30:25, 5551234',
  ],
  ['table and figure numbers', 'SELECT x FROM 1-1000181-1 WHERE y = 12.5 and 3,141,592,653'],
  ['names of places', 'He walked along Main Street and offering 5 stars in 2009, 2010 Toyota'],
])('nothing is found in %s', (_, text) => {
  expect(found(text)).toEqual([]);
});

test('check digits are those that the issuers publish', () => {
  expect([check.luhn('79927398713'), check.luhn('79927398710')]).toEqual([true, false]);
  expect([check.verhoeff('2363'), check.verhoeff('2364')]).toEqual([true, false]);
  expect([check.mod11and10('86095742719'), check.mod11and10('86095742718')]).toEqual([true, false]);
  expect([check.nir('255081416802538'), check.nir('255081416802539')]).toEqual([true, false]);
  expect([check.finnishLetter('131052308T'), check.finnishLetter('131052308U')]).toEqual([true, false]);
  expect([check.pesel('44051401359'), check.pesel('44051401358')]).toEqual([true, false]);
  expect([check.taxFileNumber('123456782'), check.taxFileNumber('123456789')]).toEqual([true, false]);
  expect([check.belgianRegister('85073003328'), check.belgianRegister('85073003329')]).toEqual([true, false]);
});

// Put together here, so that nobody's scanner takes this file for a leak.
const letters = 'aB3dE5gH7jK9mN2pQ4sT6vW8yZ1cF0';
const token = (before: string, length: number): string => before + letters.repeat(4).slice(0, length);
test('keys are found by the published rules and by forms beside them, each in its own text', async () => {
  const texts = [
    `use ${token('ghp_', 36)} for now`,
    'nothing here, but the word password: and AKIA, sk-learn, secret: santa',
    `${'AKIA'}QWERTYUIOP234567 is the id`,
    `the key is ${token('sk_live_', 24)}`,
    `-----BEGIN ${'RSA'} PRIVATE KEY-----\n${letters.repeat(5)}\n-----END ${'RSA'} PRIVATE KEY-----`,
    `postgres://admin:${'s3cretpass'}@db.example.org/app`,
    `password: ${'hunter2secret'}`,
  ];
  const rules = (await secretsIn(texts)).map((found) => found.map(({ rule }) => rule));
  expect(rules).toEqual([
    ['GitHub token'],
    [],
    ['AWS access key id'],
    ['Stripe key'],
    ['private key'],
    ['address with a password'],
    ['password'],
  ]);
  // What only secretlint knows stands where it stands, too.
  const linear = `see ${token('lin_api_', 40)} there`;
  const [, [only]] = (await secretsIn(['first text', linear])) as [unknown, [{ start: number; end: number }]];
  expect(linear.slice(only.start, only.end)).toBe(token('lin_api_', 40));
});

test('long texts of digits, spaces and capitals are gone through in no time', async () => {
  const texts = [
    '1 '.repeat(20_000),
    'Aa '.repeat(20_000),
    '12-'.repeat(20_000),
    'A1'.repeat(20_000),
    'a.'.repeat(20_000),
    '::'.repeat(20_000),
  ];
  const start = performance.now();
  for (const text of texts) personalDataIn(text);
  await secretsIn(texts);
  expect(performance.now() - start).toBeLessThan(5000);
});
