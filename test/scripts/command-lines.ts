/** Command lines of nomoat as they stand in scripts and documents, held against the flags that its commands really have. */
import type { Command } from 'commander';
import { allCommands } from '../../src/cli/command-table.ts';

const commands: readonly Command[] = (await allCommands()).flatMap((command) => [command, ...command.commands]);

export const commandNames: readonly string[] = (await allCommands()).map((command) => command.name());
const everywhere = ['--help', '--debug', '--version'];

/** Flags of a command, or of all of them. */
export const flagsOf = (name: string | null): Set<string> =>
  new Set([
    ...everywhere,
    ...commands
      .filter((command) => name === null || command.name() === name)
      .flatMap(({ options }) => options.map(({ long }) => long ?? '')),
  ]);

/** What is wrong with `nomoat WORDS`. */
export function faultsOf([name = '', ...words]: readonly string[]): string[] {
  if (everywhere.includes(name)) return [];
  if (!commandNames.includes(name)) return [`there is no command ${name}`];
  const known = flagsOf(name);
  const given = words.filter((word) => word.startsWith('--')).map((word) => word.split('=')[0]!);
  return given.filter((flag) => !known.has(flag)).map((flag) => `nomoat ${name} has no ${flag}`);
}

/** Up to a pipe, the next command or a redirection. */
const called = /(?:dist\/cli\/main\.js"?|\$nomoat)[ \t]+(\w+)((?:(?! \d?>)[^|;>)\n])*)/g;

/** The calls of nomoat in a shell script. */
export function callsIn(script: string): string[][] {
  const text = script.replace(/\\\n/g, ' ');
  return [...text.matchAll(called)].map(([, name, rest]) => [name!, ...rest!.split(/\s+/).filter(Boolean)]);
}
