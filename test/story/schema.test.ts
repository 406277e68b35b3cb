/** `nomoat schema`, through the built CLI: what it prints is what the library says, and what the flags are. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { settingsSchema } from '../../src/index.ts';
import { commandNames } from '../../src/settings/json-schema.ts';

const main = join(import.meta.dirname, '../../dist/cli/main.js');
function nomoat(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stderr, stdout } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

test('of one command, and of all of them by name', () => {
  expect(JSON.parse(nomoat('schema', 'tune').out)).toEqual(settingsSchema('tune'));
  const all = JSON.parse(nomoat('schema').out) as Record<string, unknown>;
  expect(Object.keys(all)).toEqual(commandNames);
  for (const name of commandNames) expect(all[name]).toEqual(settingsSchema(name));
});

test('of a subcommand, by both words', () => {
  expect(JSON.parse(nomoat('schema', 'inspect', 'data').out)).toEqual(settingsSchema('inspect data'));
});

test('a name that has none ends in 2, and the nearest is told', () => {
  const { code, err, out } = nomoat('schema', 'chatt');
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain('chatt is no command with settings (did you mean chat?)');
});

/** Of the terminal alone, and therefore not in the schema. */
const ofTerminal = ['json', 'yes', 'resume', 'debug', 'help', 'quiet'];

test.each(commandNames)('%s: the flags of --help are the properties of the schema', (command) => {
  const { out } = nomoat(...command.split(' '), '--help');
  const flags = [...out.matchAll(/^ {2}(?:-h, )?--(?:no-)?([\w-]+)/gm)].map(([, flag]) => flag!);
  const names = flags.map((flag) => flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()));
  const given = Object.keys(settingsSchema(command)['properties'] as object);
  const argument =
    command === 'extract'
      ? given.slice(2)
      : ['data', 'name', 'paths', 'sources', 'id', 'adapter', 'adapters'].includes(given[0]!) ||
          ['card', 'chat', 'check', 'eval', 'export', 'index', 'inspect', 'push', 'reproduce', 'verify'].includes(
            command,
          )
        ? given.slice(1)
        : given;
  expect(names.filter((name) => !ofTerminal.includes(name)).sort()).toEqual([...argument].sort());
});

test('all faults of a call are told together, whatever the command', () => {
  const said = (...args: string[]): string => nomoat(...args).err;
  expect(said('chat', '--prompt', 'x', '--threads', '0', '--top-p', '3', '--seed', 'x')).toBe(
    'settings: top-p 3 is not above 0 and up to 1; --seed: "x" is no number; --threads: 0 is no whole number from 1. `nomoat chat --help` lists every option with its default.\n',
  );
  const plan = said('plan', 'x.jsonl', '--watts', '-3', '--price-per-kwh', 'x', '--rank', '0', '--schedule', 'cosin');
  for (const fault of [
    '--watts: -3 is negative',
    '--price-per-kwh: "x" is no number',
    '--rank: 0 is not from 1 to 256',
    '--schedule: "cosin" is none of',
  ])
    expect(plan).toContain(fault);
  const written = said('export', 'r', '--to', 'guf', '--out', 'x', '--type', 'F17');
  expect(written).toContain(
    '--to: "guf" is none of peft, gguf, mlx, ollama, merged-gguf; --type: "F17" is none of F16, Q8_0, Q4_0, Q4_K_M',
  );
  expect(said('export', 'r', '--to', 'gguf', '--out', 'x', '--type', 'F16', '--ollama-adapter')).toContain(
    '--ollama-adapter: does nothing with --to gguf; --type: nothing is merged',
  );
  expect(said('merge', 'a', 'b', '--base', 'm', '--out', 'x', '--weights', '0.5,x')).toContain(
    '--weights: "x" is no number',
  );
  expect(said('pull', 'x', '--source', 'ftp')).toContain('--source: "ftp" is none of hub, pypi');
  expect(said('preview', 'x.jsonl', '--rows', '-1', '--format', 'x')).toMatch(
    /--rows: -1 is no whole number from 0; --format/,
  );
  expect(said('export', 'r', '--to', 'gguf')).toContain("required option '--out <PATH>' not specified");
});
