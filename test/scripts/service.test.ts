/** What examples/service starts is what there is: commands, flags, and an image that listens only with a key. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { faultsOf } from './command-lines.ts';
import { repo } from './small-inputs.ts';

const text = (name: string): string => readFileSync(join(repo, 'examples/service', name), 'utf8');
const quoted = (list: string): string[] => JSON.parse(list) as string[];
const one = (pattern: RegExp, name: string): string => pattern.exec(text(name))![1]!;

const started: readonly (readonly [string, readonly string[]])[] = [
  ['nomoat.service', one(/^ExecStart=\/usr\/bin\/env (nomoat .*)$/m, 'nomoat.service').split(' ')],
  [
    'com.nomoat.serve.plist',
    [...one(/<array>([\s\S]*?)<\/array>/, 'com.nomoat.serve.plist').matchAll(/<string>(.*?)<\/string>/g)]
      .map(([, word]) => word!)
      .slice(1),
  ],
  [
    'Dockerfile',
    [...quoted(one(/^ENTRYPOINT (.*)$/m, 'Dockerfile')), ...quoted(one(/^CMD (\["serve.*)$/m, 'Dockerfile'))],
  ],
];

test.each(started)('%s starts a command that there is, with its flags', (_, [program, ...words]) => {
  expect(program).toBe('nomoat');
  expect(words[0]).toBe('serve');
  expect(faultsOf(words)).toEqual([]);
});

test('a stop waits longer than the server takes to end, and reaches the server before its trainer', () => {
  expect(Number(one(/^TimeoutStopSec=(\d+)$/m, 'nomoat.service'))).toBeGreaterThan(10);
  expect(text('nomoat.service')).toContain('KillMode=mixed');
  expect(Number(one(/<key>ExitTimeOut<\/key>\s*<integer>(\d+)</, 'com.nomoat.serve.plist'))).toBeGreaterThan(10);
});
