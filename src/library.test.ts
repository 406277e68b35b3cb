import { expect, test } from 'vitest';
import { NomoatError } from './errors.ts';
import { chat, pretrain, resumeTune, tune } from './library.ts';
import type { Run } from './run/run.ts';

/** As a program without types calls it. */
const call = (f: (...args: never[]) => Promise<unknown> | Run, ...args: unknown[]): Promise<unknown> => {
  const made = f(...(args as never[]));
  return 'result' in made ? made.result : made;
};

test.each<[string, (...args: never[]) => Promise<unknown> | Run, unknown[], RegExp]>([
  ['tune()', tune, [], /^the options: were not given/],
  ['tune(null)', tune, [null], /^the options: were not given/],
  ['tune without data', tune, [{}], /^data: none was given/],
  ['tune with a number for data', tune, [{ data: 5 }], /^data: is no path/],
  ['tune with another signal', tune, [{ data: 'd.jsonl', signal: 'stop' }], /^signal: is no AbortSignal/],
  ['tune with a yes for confirm', tune, [{ data: 'd.jsonl', confirm: true }], /^confirm: is no function/],
  [
    'tune with a recipe that is none',
    tune,
    [{ data: 'd.jsonl', recipe: { rank: 4 } }],
    /^`recipe`: \[object Object\] is no text/,
  ],
  ['pretrain()', pretrain, [], /^the options: were not given/],
  ['resumeTune()', resumeTune, [], /^the run: is no path/],
  ['resumeTune with a signal in its place', resumeTune, [new AbortController().signal], /^the run: is no path/],
  ['chat()', chat, [], /^model: was not given/],
  ['chat with a number for adapter', chat, [{ model: 'nomoat-mini', adapter: 5 }], /^`adapter`: 5 is no text/],
  [
    'chat with an object for template',
    chat,
    [{ model: 'nomoat-mini', chatTemplate: {} }],
    /^`chatTemplate`: .* is no text/,
  ],
])('%s is refused by name', async (_, f, args, said) => {
  const error = await call(f, ...args).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(NomoatError);
  expect((error as NomoatError).message).toMatch(said);
});
