/** The value of a string literal in a template: Python's unicode-escape, as jinja2's lexer applies it. Pure. */
import { MissingConstruct, valueError } from './errors.ts';

const simple: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
const hexDigits: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };
const escapes = /\\(?:([0-7]{1,3})|([xuU])([\da-fA-F]*)|([\s\S]))/g;

export function unescapeString(text: string): string {
  if (!text.includes('\\')) return text;
  let cut = 0;
  let out = '';
  escapes.lastIndex = 0;
  for (let found = escapes.exec(text); found; found = escapes.exec(text)) {
    const [whole, octal, width, hex, other] = found;
    out += text.slice(cut, found.index);
    cut = found.index + whole.length;
    if (octal !== undefined) out += String.fromCharCode(Number.parseInt(octal, 8));
    else if (width !== undefined) {
      const digits = hex!.slice(0, hexDigits[width]);
      out += ofHex(width, digits);
      cut = found.index + 2 + digits.length;
      escapes.lastIndex = cut;
    } else if (other === 'N') throw new MissingConstruct('the escape \\N{…} in a string');
    else out += simple[other!] ?? whole;
  }
  return out + text.slice(cut);
}

function ofHex(width: string, digits: string): string {
  const code = Number.parseInt(digits, 16);
  if (digits.length < hexDigits[width]!) throw valueError(`truncated \\${width} escape`);
  if (code > 0x10ffff) throw valueError('illegal Unicode character');
  return code > 0xffff ? String.fromCodePoint(code) : String.fromCharCode(code);
}
