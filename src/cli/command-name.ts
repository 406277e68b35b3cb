/** How this program was called, so that what it says to type next can be typed. */
import { basename, relative, sep } from 'node:path';
import { shellQuote } from '../words/shell-quote.ts';

/** `nomoat` where that is a command, else `npx nomoat` in a project that has it installed, or `node PATH` in a checkout. */
export function commandName(script: string = process.argv[1] ?? '', folder: string = process.cwd()): string {
  if (script.split(sep).includes('node_modules')) return 'npx nomoat';
  if (!/\.[cm]?js$/.test(script)) return shellQuote(basename(script) || 'nomoat');
  const near = relative(folder, script);
  return `node ${shellQuote(near.startsWith(`..${sep}..`) ? script : near)}`;
}
