/**
 * A program that calls the library reads of options and functions, whoever types commands of flags and commands. No
 * source of the library holds a word of the command line; then calls go wrong, by the library and as they are typed.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { expect, test } from 'vitest';
import {
  exportRun,
  NomoatError,
  openModel,
  openRun,
  plan,
  pretrain,
  preview,
  resolveModel,
  resumeTune,
  tune,
} from '../src/index.ts';
import { summaries } from '../src/settings/command-summaries.ts';
import { repo, workspace, writeRows } from './cases/support.ts';

/** Whose words are those of the command line. */
const ofTheCommandLine = /^(cli\/|chat\/(terminal|session|single-answer)\b)/;
/** Words of commands elsewhere in the library, and why they stand there. */
const exceptions: Readonly<Record<string, { readonly words: readonly string[]; readonly why: string }>> = {
  'adapter/card-subject.ts': {
    words: ['--adapter', '--lora', '--out', '--to', 'nomoat chat', 'nomoat export'],
    why: 'a card is read by people who got the folder: it shows commands, those of others too',
  },
  'runtime/node-llama-cpp/load.ts': {
    words: ['--input-type'],
    why: "Node's flag for programs that it is given as text",
  },
  'library/evaluation-outputs.ts': {
    words: ['--${flagOf', 'nomoat eval'],
    why: 'the command in a page that is read by people',
  },
  'report/browser.ts': { words: ['--${name'], why: 'a variable of CSS' },
  'report/palette.ts': { words: ['--${name'], why: 'a variable of CSS' },
  'report/words/lineage.ts': {
    words: ['--verify', 'nomoat lineage'],
    why: 'a page that is read by people: it shows commands',
  },
  'report/words/safety.ts': { words: ['nomoat check'], why: 'a page that is read by people: it shows commands' },
  'run/recipe.ts': {
    words: ['--recipe', '--run'],
    why: 'the comment of recipe.yaml is the command that repeats it',
  },
  'run/report.ts': { words: ['--data', 'nomoat eval'], why: 'a page that is read by people: it shows commands' },
  'run/run-card.ts': { words: ['--to', 'nomoat export'], why: 'a warning of the card, which shows commands' },
  'run/start-run.ts': { words: ['--expose-gc', '--single-threaded-gc'], why: "Node's flags for the training process" },
  'server/compatibility.ts': {
    words: [
      '--host',
      '--map',
      '--models',
      '--open-to-everybody',
      '--origins',
      'nomoat chat',
      'nomoat collect',
      'nomoat keys',
      'nomoat serve',
    ],
    why: 'a page of the documentation, for people who type commands',
  },
  'server/studio/door.ts': { words: ['nomoat studio'], why: 'shown in the page that the command opened' },
  'store/pypi-model.ts': {
    words: [
      '--dest',
      '--disable-pip-version-check',
      '--no-cache-dir',
      '--no-deps',
      '--no-input',
      '--only-binary',
      '--progress-bar',
      '--version',
    ],
    why: 'flags of pip',
  },
  'records/arrow-messages.ts': { words: ['--budget'], why: 'a decrement' },
  'records/json-spans.ts': { words: ['--depth'], why: 'a decrement' },
  'text/jinja/str-format.ts': { words: ['--depth'], why: 'a decrement' },
};

const commands = Object.keys(summaries);
const words = new RegExp(`(?<![\\w-])--(?:[a-z][\\w-]*|\\$\\{\\w*)|\\bnomoat (?:${commands.join('|')})\\b`, 'g');
/** The code alone, escaped line ends in its texts as spaces, without variables of CSS. */
const codeOf = (text: string): string =>
  text
    .replace(/^\s*\/\*[\s\S]*?\*\/|^\s*\/\/.*$| \/\/ .*$/gm, '')
    .replaceAll('\\n', ' ')
    .replace(/var\(--[\w-]+\)/g, '');

test('no source of the library holds a flag or a command of nomoat', () => {
  const root = join(repo, 'src');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => name.split(sep).join('/'))
    .filter((name) => /(?<!\.test|\.d)\.ts$/.test(name));
  expect(files.length).toBeGreaterThan(200);
  expect(commands).toHaveLength(32);
  const found = files.flatMap((name) => {
    const of = codeOf(readFileSync(join(root, name), 'utf8')).match(words) ?? [];
    return of.length > 0 && !ofTheCommandLine.test(name) ? [[name, [...new Set(of)].sort()] as const] : [];
  });
  const allowed = Object.entries(exceptions).map(([name, exception]) => [name, [...exception.words].sort()]);
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(allowed));
  // The command line's own sources hold some, or nothing was looked for.
  const cli = files.filter((name) => name.startsWith('cli/')).map((name) => readFileSync(join(root, name), 'utf8'));
  expect(codeOf(cli.join('\n')).match(words)!.length).toBeGreaterThan(5);
});

const { folder, nomoat } = workspace();
const path = (name: string): string => join(folder, name);
const reference = join(repo, 'test/fixtures/reference/llama/base.gguf');
const data = writeRows(path('data.jsonl'), [
  { prompt: 'a', completion: 'b' },
  { prompt: 'c', completion: 'd' },
]);
const odd = writeRows(path('odd.jsonl'), [{ Question: 'a', Answer: 'b' }]);
const table = path('table.csv');
writeFileSync(table, 'a,b\n1,2\n');
const texts = path('texts.txt');
writeFileSync(texts, 'a text of a few words\n');
const done = path('runs/done');
// As a kill leaves it: begun, and no result.
const half = path('runs/half');
const base = { data, model: reference, threads: 1, safetyShare: 0 };

test('a run, and one of which only the record is left', { timeout: 120_000 }, async () => {
  await tune({ ...base, maxSteps: 1, run: done }).result;
  mkdirSync(half);
  const record = JSON.parse(readFileSync(join(done, 'run.json'), 'utf8')) as object;
  writeFileSync(join(half, 'run.json'), JSON.stringify({ ...record, state: 'interrupted' }));
  copyFileSync(join(done, 'events.jsonl'), join(half, 'events.jsonl'));
  expect(openRun(half).state).toBe('interrupted');
});

type Calls = readonly (readonly [
  what: string,
  call: () => Promise<unknown>,
  program: string,
  args: readonly string[],
  typed: string,
])[];
const calls: Calls = [
  [
    'a rank of 0',
    () => tune({ ...base, rank: 0 }).result,
    '`rank`: 0 is not from',
    ['tune', data, '--rank', '0', '--yes'],
    '--rank: 0 is not from',
  ],
  [
    'a wrong name',
    () => tune({ ...base, rnak: 1 } as never).result,
    '`rnak` does not exist',
    ['tune', data, '--rnak', '1'],
    "unknown option '--rnak'",
  ],
  [
    'int8 of every weight',
    () => tune({ ...base, method: 'full', precision: 'int8' }).result,
    "`precision`: only the methods lora, dpo, orpo, simpo, kto have it. `settingsSchema('tune')` lists",
    ['tune', data, '--method', 'full', '--precision', 'int8', '--yes'],
    '--precision: only the methods lora, dpo, orpo, simpo, kto have it. `nomoat tune --help` lists',
  ],
  ['no data', () => plan({ ...base, data: [''] }), '`data`: is empty', ['plan', ''], 'DATA: is empty'],
  [
    'columns of other names',
    () => preview({ ...base, data: odd }),
    "Try `promptColumn: 'Question', completionColumn: 'Answer'`.",
    ['preview', odd],
    'Try --prompt-column Question --completion-column Answer.',
  ],
  [
    'an unknown model',
    () => tune({ ...base, model: 'qwen3-0.6b' }).result,
    "Fetch it: `pullModel('qwen3-0.6b')`",
    ['tune', data, '--model', 'qwen3-0.6b', '--yes'],
    'Fetch it: nomoat pull qwen3-0.6b\n',
  ],
  [
    'no model at all',
    () => resolveModel('zzzzzzzzzzzzzzz'),
    'See `listModels()`',
    ['chat', 'zzzzzzzzzzzzzzz', '--prompt', 'x'],
    'See `nomoat models`',
  ],
  [
    'too little memory',
    () => tune({ ...base, memory: '200MB', run: path('small') }).result,
    "or `memory: '",
    ['tune', data, '--model', reference, '--memory', '200MB', '--run', 'small', '--yes'],
    'or --memory ',
  ],
  [
    'a folder that is taken',
    () => tune({ ...base, run: done }).result,
    `Give another \`run\`, or continue that one: \`resumeTune('${done}')\``,
    ['tune', data, '--run', done, '--yes'],
    `Give another --run, or continue that one: nomoat tune --resume ${done}\n`,
  ],
  [
    'a run that is done',
    () => resumeTune(done).result,
    `Use it: \`openModel({ model: '${done}' })\``,
    ['tune', '--resume', done],
    `Use it: nomoat chat ${done}\n`,
  ],
  [
    'a run without a result',
    () => exportRun(half, { to: 'gguf', out: path('x.gguf') }),
    `Finish it first: \`resumeTune('${half}')\``,
    ['export', half, '--to', 'gguf', '--out', 'x.gguf'],
    `Finish it first: nomoat tune --resume ${half}\n`,
  ],
  [
    'what does nothing in an export',
    () => exportRun(done, { to: 'gguf', out: path('x.gguf'), ollamaAdapter: true }),
    "`ollamaAdapter`: does nothing with `to: 'gguf'`",
    ['export', done, '--to', 'gguf', '--out', 'x.gguf', '--ollama-adapter'],
    '--ollama-adapter: does nothing with --to gguf',
  ],
  [
    'an export over another',
    () => exportRun(done, { to: 'gguf', out: data }),
    'Give another `out`',
    ['export', done, '--to', 'gguf', '--out', data],
    'Give another --out',
  ],
  [
    'a template that is none',
    () => openModel({ model: reference, chatTemplate: 'chatlm' }),
    '`chatTemplate`: chatlm is no template',
    ['chat', reference, '--chat-template', 'chatlm', '--prompt', 'x'],
    '--chat-template: chatlm is no template',
  ],
  [
    'a column that is none',
    () => preview({ ...base, data: table, promptColumn: 'q', completionColumn: 'b' }),
    'has no column "q" (`promptColumn`)',
    ['preview', table, '--prompt-column', 'q', '--completion-column', 'b'],
    'has no column "q" (--prompt-column)',
  ],
  [
    'too little text',
    () => pretrain({ data: texts, size: 'small', run: path('text') }).result,
    "`size: 'small'`: has",
    ['pretrain', texts, '--size', 'small', '--run', 'text'],
    '--size small: has',
  ],
  [
    'no run',
    () => resumeTune(folder).result,
    '`listRuns()` lists the runs',
    ['tune', '--resume', folder],
    '`nomoat runs` lists the runs',
  ],
];

test.each(calls.map((each) => [each[0], each] as const))(
  '%s: by the library, and typed',
  { timeout: 60_000 },
  async (_, [, call, program, args, typed]) => {
    const error = await call().then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(NomoatError);
    const { message } = error as NomoatError;
    expect(message).toContain(program);
    expect(message).not.toMatch(
      /(?<![\w-])--\w|\bnomoat (tune|pretrain|plan|preview|chat|export|pull|models|runs|doctor)\b/,
    );
    const { code, err } = nomoat(args);
    expect(err).toContain(typed);
    expect(err).not.toMatch(/`\w+(: [^`]+)?`|`\w+\(.*\)`/);
    expect(code).toBe(2);
  },
);

test('events: a program reads the stored words, --json those of the command line', { timeout: 60_000 }, async () => {
  const options = { ...base, maxSteps: 1, validateEvery: 1, threads: 4096 / 4 };
  const said: string[] = [];
  const run = tune({ ...options, run: path('runs/said') });
  for await (const event of run) if (event.type === 'notice') said.push(event.message);
  expect(said.join('\n')).toContain('`threads: 1024`: this machine');
  expect(said.join('\n')).toContain('`validateEvery` does nothing: no rows are held out (`validation`).');
  expect(readFileSync(path('runs/said/events.jsonl'), 'utf8')).not.toMatch(/--threads|--validat/);
  const flags = ['--model', reference, '--max-steps', '1', '--validate-every', '1', '--threads', '1024'];
  const { code, err, out } = nomoat(['tune', data, ...flags, '--json', '--run', 'runs/typed']);
  expect(code, err).toBe(0);
  expect(out).toMatch(/"--threads 1024: this machine/);
  expect(out).toMatch(/"--validate-every does nothing: no rows are held out \(--validation\)\."/);
  expect(readFileSync(path('runs/typed/events.jsonl'), 'utf8')).not.toMatch(/--threads|--validat/);
  expect(nomoat(['tune', '--resume', 'runs/typed', '--json']).out).toContain(
    '"remedy":"Use it: nomoat chat runs/typed"',
  );
  expect(nomoat(['preview', odd, '--json']).out).toContain('Try --prompt-column Question --completion-column Answer.');
});
