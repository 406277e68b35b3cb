import { expect, test } from 'vitest';
import { NomoatError } from '../errors.ts';
import { errorEvent, type RunEvent } from '../events.ts';
import { callWith, callWithOptions, withValues } from '../words/program-words.ts';
import { shellQuote } from '../words/shell-quote.ts';
import { errorText, eventInCommandWords, flagsFor, inCommandWords } from './words.ts';

test.each([
  ['Raise `sequenceLength`, or see `preview()`.', 'Raise --sequence-length, or see `nomoat preview`.'],
  ['`maxSteps`: 1.5 is no whole number; `topP`: 2', '--max-steps: 1.5 is no whole number; --top-p: 2'],
  ["`precision: 'int8'`: `device: 'webgpu'` computes", '--precision int8: --device webgpu computes'],
  [
    "Try `promptColumn: 'my q', completionColumn: 'a'`.",
    `Try --prompt-column ${shellQuote('my q')} --completion-column a.`,
  ],
  ["(`targetModules: ['up_proj', 'down_proj']`).", '(--target-modules up_proj,down_proj).'],
  ['`learningRate: 1e-7, epochs: 0.5, seed: 0`', '--learning-rate 1e-7 --epochs 0.5 --seed 0'],
  ['`sharePrefix: false` computes; `sharePrefix` does not', '--no-share-prefix computes; --no-share-prefix does not'],
  ['`rslora: true` and `nice`', '--rslora and --nice'],
  ['`data`: no data was given', 'DATA: no data was given'],
  [
    "Finish it first: `resumeTune('runs/a b')`. Or not.",
    `Finish it first: nomoat tune --resume ${shellQuote('runs/a b')}. Or not.`,
  ],
  ["Use it: `openModel({ model: 'runs/a' })`", 'Use it: nomoat chat runs/a'],
  ["Give a file: `pretrain({ data: 'x.txt', size: 'nano' })`", 'Give a file: nomoat pretrain x.txt --size nano'],
  ["(`exportRun(run, { to: 'peft' })`);", '(`nomoat export RUN --to peft`);'],
  ["take `pullModel('org/name:Q8_0')`.", 'take `nomoat pull org/name:Q8_0`.'],
  ["`settingsSchema('tune')` lists, `settingsSchema()` too", '`nomoat tune --help` lists, `nomoat schema` too'],
  [
    '`check()` takes the time; `packBundle()` and `addSigningKey()`',
    '`nomoat check` takes the time; `nomoat pack` and `nomoat keys new`',
  ],
  [
    '`listModels()`, `listRuns()`, `doctor()`, `plan()`, `tune()`',
    '`nomoat models`, `nomoat runs`, `nomoat doctor`, `nomoat plan`, `nomoat tune`',
  ],
])('%s', (said, shown) => {
  expect(inCommandWords(said)).toBe(shown);
});

test.each([
  'train on `text` or prompt/completion records',
  'the filter `lipsum`',
  '`iconv -f ENCODING -t UTF-8`',
  '`rank',
  'a `rank',
  // Names of files and what data says.
  '/data/`rank`/a.jsonl: does not exist',
  'my`rank`.jsonl',
  '`rank`.jsonl',
  'x`rank`',
  '``rank``',
  '`memory`s',
  'runs/`doctor()`/x',
  'the column "the `rank` of `doctor()`" is unknown',
  '{"q": "set `epochs: 2` \\" and `seed`"}',
  '"`seed: 1`"',
  // Options as nobody has them, values that no flag says, calls of others.
  "`colour: 'red'`",
  "`rank: 8, colour: 'red'`",
  '`rank: x`',
  '`rank: 8`x',
  '`sharePrefix: true`',
  '`rslora: false`',
  '`toString`',
  '`constructor`',
  '`toString()`',
  "`constructor('x')`",
  '`fetch()`',
  "`tune({ colour: 'red' })`",
  "`system: '\\q'`",
  "`resumeTune('\\u12')`",
])('%s stays', (text) => {
  expect(inCommandWords(text)).toBe(text);
});

test('whatever users name their files and columns, a shell gets it back', () => {
  const names = [
    "it's",
    'a`b',
    '`rank`',
    'a "b"',
    '\\',
    "\\'",
    '\\"',
    "'",
    '"',
    'a, b: 1',
    '` }) `',
    'x\ny\t',
    '\u0001',
    'ü 🚀 \u2028',
    '$HOME',
    '',
    '${x}',
    "', rank: 8",
  ];
  for (const name of names) {
    const [run, column, both] = [
      callWith('resumeTune', name),
      withValues({ textColumn: name, rank: 8 }),
      callWithOptions('tune', { data: name, run: name }),
    ];
    const word = shellQuote(name);
    expect(inCommandWords(`Go on: ${run}.`)).toBe(`Go on: nomoat tune --resume ${word}.`);
    expect(inCommandWords(`Try ${column}, or not.`)).toBe(`Try --text-column ${word} --rank 8, or not.`);
    expect(inCommandWords(`See ${both}`)).toBe(`See \`nomoat tune ${word} --run ${word}\``);
  }
});

test('what the library writes is JavaScript', () => {
  const texts = ["it's", '\\', 'a "b"\n', '`${x}`', '\u0001\u2028'];
  for (const text of texts) {
    const call = callWithOptions('tune', { data: text, targetModules: [text, 'q_proj'], epochs: 2, packing: false });
    const tune = (given: unknown): unknown => given;
    const made: unknown = new Function('tune', `return ${call.slice(1, -1)}`)(tune);
    expect(made).toEqual({ data: text, targetModules: [text, 'q_proj'], epochs: 2, packing: false });
  }
});

test('a message as long as a novel is read in no time', () => {
  const started = performance.now();
  for (const piece of ['`', '"', ' "', ' `', "`rank: '", " `tune({ data: '", "'\\", ' `rank: 8, '])
    expect(inCommandWords(piece.repeat(20_000))).toBe(piece.repeat(20_000));
  expect(performance.now() - started).toBeLessThan(5000);
});

test('flags for values', () => {
  expect(flagsFor({ targetModules: ['q_proj', 'v_proj'], rank: 8 })).toBe('--target-modules q_proj,v_proj --rank 8');
  expect(flagsFor({ colour: 'red' })).toBeNull();
  expect(flagsFor({})).toBe('');
});

test('an error: its words, but neither the name of a file nor what its fields hold', () => {
  const options = {
    part: 'my `rank` file',
    fault: '`rank` is 0',
    remedy: 'Give `rank: 8`.',
    fields: { faults: ['`seed`: x'], path: '`seed`' },
  };
  const error = new NomoatError(options);
  expect(errorText(error)).toBe('my `rank` file: --rank is 0. Give --rank 8.');
  expect(errorText(new NomoatError({ ...options, part: '`rank`' }))).toMatch(/^--rank: --rank is 0/);
  expect(eventInCommandWords(errorEvent(error))).toEqual({
    ...errorEvent(error),
    fault: '--rank is 0',
    remedy: 'Give --rank 8.',
    fields: { faults: ['--seed: x'], path: '`seed`' },
    message: errorText(error),
  });
});

test('events: what a run says, not what its data says', () => {
  const notice = { type: 'notice', code: 'x', message: 'Lower `learningRate`.' } as const;
  expect(eventInCommandWords(notice)).toEqual({ ...notice, message: 'Lower --learning-rate.' });
  const sample: RunEvent = {
    type: 'sample',
    prompt: 'what is `rank`?',
    expected: '`rank`',
    before: '',
    after: '`rank`',
  };
  expect(eventInCommandWords(sample)).toEqual(sample);
});
