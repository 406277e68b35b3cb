/** Codes of errors: the page that lists them, and the places that give them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { errorCodes, exitStatus, isErrorCode, renderErrorCodes } from './error-codes.ts';
import { NomoatError } from './errors.ts';

const root = join(import.meta.dirname, '..');
const isSource = (name: string): boolean =>
  name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.includes('error-codes');
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter(isSource);
/** Each error that is made in the source, up to the end of its object. */
const made = sources.flatMap((name) =>
  readFileSync(join(root, 'src', name), 'utf8')
    .split('new NomoatError({')
    .slice(1)
    .map((text) => ({ name, text: text.split(/\}\)[;,)\n]/)[0]! })),
);

test('docs/errors.md is what the table says (npm run docs:errors writes it)', () => {
  expect(readFileSync(join(root, 'docs/errors.md'), 'utf8')).toBe(renderErrorCodes());
});

test('every code is made somewhere, in kebab case, and agrees with the kind beside it', () => {
  expect(made.length).toBeGreaterThan(150);
  const general = ['invalid-input', 'failed', 'untrusted', 'interrupted'];
  const all = sources.map((name) => readFileSync(join(root, 'src', name), 'utf8')).join('\n');
  for (const code of Object.keys(errorCodes)) {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    if (!general.includes(code)) expect(all, code).toContain(`'${code}'`);
  }
  for (const { name, text } of made) {
    const [, kind] = /\bkind: '(\w+)'/.exec(text) ?? [];
    const codes = [...(/\bcode: (.*),\n/.exec(text)?.[1] ?? '').matchAll(/'([a-z-]+)'/g)].map(([, code]) => code);
    for (const code of codes) {
      expect(isErrorCode(code), `${name}: ${code}`).toBe(true);
      if (kind !== undefined && isErrorCode(code)) expect(errorCodes[code].kind, `${name}: ${code}`).toBe(kind);
    }
  }
});

test('the kind follows from the code, and the code from the kind', () => {
  const words = { part: 'it', fault: 'fails', remedy: 'Go on.' };
  expect(new NomoatError(words)).toMatchObject({ code: 'invalid-input', kind: 'input' });
  expect(new NomoatError({ ...words, kind: 'failed' })).toMatchObject({ code: 'failed', kind: 'failed' });
  expect(new NomoatError({ ...words, code: 'disk-full' })).toMatchObject({ code: 'disk-full', kind: 'failed' });
  expect(JSON.parse(JSON.stringify(new NomoatError({ ...words, code: 'run-busy' })))).toMatchObject({
    code: 'run-busy',
  });
  expect(Object.values(errorCodes).every(({ http }) => http >= 400 && http < 600)).toBe(true);
  expect(exitStatus).toEqual({ input: 2, failed: 1, untrusted: 3, interrupted: 130 });
});
