/** The command line and the library's call of what a page does, to be copied. Pure. */
import { shellQuote } from '../src/words/shell-quote.ts';

type Settings = Readonly<Record<string, unknown>>;

const flag = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

function flagsOf(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    if (value === null || value === undefined || value === '') return [];
    if (typeof value === 'boolean') return [value ? flag(name) : flag(name).replace('--', '--no-')];
    return [`${flag(name)} ${shellQuote(Array.isArray(value) ? value.join(',') : String(value), 'linux')}`];
  });
}

/** Such as `nomoat tune data.csv --model nomoat-mini`. */
export const commandLine = (command: string, places: readonly string[], settings: Settings): string =>
  ['nomoat', command, ...places.map((place) => shellQuote(place, 'linux')), ...flagsOf(settings)].join(' ');

const key = (name: string): string => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name));

/** A program of a few lines that imports and calls. */
export function libraryCall(name: string, options: Settings, after = ''): string {
  const given = Object.entries(options).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const lines = given.map(([each, value]) => `  ${key(each)}: ${JSON.stringify(value)},`);
  return [
    `import { ${name} } from 'nomoat';`,
    '',
    `const result = ${after === '' ? 'await ' : ''}${name}({`,
    ...lines,
    '});',
    ...(after === '' ? [] : [after]),
  ].join('\n');
}
