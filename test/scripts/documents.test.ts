/**
 * Every command that README and docs show exists as it stands there: its program, its files, its flags; and those of nomoat run in a small form, with
 * small inputs for the names that the documents use. Scripts run in node-scripts.test.ts and other-scripts.test.ts.
 * docs/log tells what was run once; there only names and flags are held against what is.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { modelCatalogue } from '../../src/store/catalogue.ts';
import { commandNames, faultsOf, flagsOf } from './command-lines.ts';
import { type Documented, documented, documentedFlags } from './documented.ts';
import { addReference, addRun, repo, scripts, smallInputs, tiny } from './small-inputs.ts';

const inputs = smallInputs();
const { at, nomoat } = inputs;
const text = (name: string): string => readFileSync(join(repo, name), 'utf8');
const isLog = (file: string): boolean => file.startsWith('docs/log/');
const isFlag = (word: string): boolean => /^\[?--[a-z]/.test(word);
const bare = (word: string): string => word.replace(/[[\]]/g, '').split('=')[0]!;
const { scripts: npmScripts } = JSON.parse(text('package.json')) as { scripts: Readonly<Record<string, string>> };

/** The words without environment, and what stands for nomoat written as that. */
function plainWords(words: readonly string[]): string[] {
  const rest = words.slice(words.findIndex((word) => !/^[A-Z_]+=/.test(word)));
  const [first, second, ...others] = rest;
  if (first === 'node' && second === 'dist/cli/main.js') return ['nomoat', ...others];
  if (first === 'npx' && second === 'nomoat') return ['nomoat', ...others];
  return rest;
}

/** A script's own flags, and those that compare-peft.sh hands to peft/train.py. */
function scriptFaults(words: readonly string[]): string[] {
  const path = words.find((word) => /\.(mjs|py|sh)$/.test(word))!;
  if (!scripts.includes(path)) return [`there is no ${path}`];
  const source = text(path) + (path === 'bench/compare-peft.sh' ? text('bench/peft/train.py') : '');
  const has = (flag: string): boolean => new RegExp(`['"]?(${flag}|${flag.slice(2)})['"]?[,:) =]`).test(source);
  return words
    .filter(isFlag)
    .map(bare)
    .filter((flag) => !has(flag))
    .map((flag) => `${path} has no ${flag}`);
}

function npmFaults([program, verb = '', ...words]: readonly string[]): string[] {
  if (program === 'npx') {
    // What `-t` picks are words of a test's name.
    const given = words.filter((word, i) => !/^(run|check|-\w)$/.test(word) && words[i - 1] !== '-t');
    const paths = given.filter((word) => !isFlag(word));
    return paths.filter((path) => !existsSync(join(repo, path))).map((path) => `there is no ${path}`);
  }
  if (verb === 'test' || verb === 'run') {
    const name = verb === 'test' ? 'test' : words[0]!;
    const behind = words.slice(words.indexOf('--') + 1);
    if (!(name in npmScripts)) return [`package.json has no script ${name}`];
    const script = /node (bench\/\S+\.mjs)/.exec(npmScripts[name]!)?.[1];
    return script ? scriptFaults([script, ...behind]) : [];
  }
  return ['install', 'ci', 'link', 'init', 'pack'].includes(verb) ? [] : [`npm ${verb} is known to no test`];
}

/** Of the shell or of others. */
const foreign = ['cd', 'mkdir', 'echo', 'rm', 'find', 'pip'];

function faults(all: readonly string[]): string[] {
  const words = plainWords(all);
  const [program = ''] = words;
  if (program === 'nomoat') return words.length === 1 ? [] : faultsOf(words.slice(1).filter((word) => word !== '...'));
  if (words.some((word) => /^(?:bench|models|examples)\/.*\.(mjs|py|sh)$/.test(word))) return scriptFaults(words);
  if (program === 'npm' || program === 'npx') return npmFaults(words);
  return foreign.includes(program) ? [] : [`${program} is known to no test`];
}

const shown = ({ file, line, words }: Documented): string => `${file}:${line} ${words.join(' ')}`;

describe('what is named is there', () => {
  test.each(documented.map((command) => [shown(command), command] as const))('%s', (_, { words }) => {
    expect(faults(words)).toEqual([]);
  });

  test('commands are found in every document that has some, and wrong ones would be', () => {
    const count = (file: string): number => documented.filter((command) => command.file === file).length;
    expect(count('README.md')).toBeGreaterThan(15);
    expect(count('bench/README.md')).toBeGreaterThan(20);
    expect(count('docs/install-size.md')).toBeGreaterThan(8);
    const wrong = [
      'nomoat tune DATA --rnak 3',
      'node dist/cli/main.js tun',
      'bench/gone.sh',
      'node bench/growth.mjs M OUT --deepness 3',
      'npm run gone',
      'npx vitest run src/gone.test.ts',
      'wget x',
    ];
    for (const command of wrong) expect(faults(command.split(' ')), command).toHaveLength(1);
  });

  test('every flag that is named by itself belongs to a command or a script', () => {
    const foreignFlags = [
      '--omit',
      '--ignore-scripts',
      '--os',
      '--libc',
      '--onnxruntime-node-install',
      '--tool-call-parser',
      // The harness' --apply_chat_template.
      '--apply',
    ];
    const sources = scripts.map(text).join('\n');
    const known = flagsOf(null);
    const has = (flag: string): boolean =>
      known.has(flag) || sources.includes(flag) || sources.includes(`'${flag.slice(2)}'`);
    expect(documentedFlags.length).toBeGreaterThan(20);
    const unknown = documentedFlags.filter(({ flag }) => !has(flag) && !foreignFlags.includes(flag));
    expect(unknown.filter(({ file }) => !isLog(file))).toEqual([]);
  });

  test('names of models that are pulled are in the catalogue', () => {
    for (const { words } of documented) {
      const [, verb, name] = plainWords(words);
      // Others name a repository or a folder.
      if (verb === 'pull' && name && !/^NAME$|\//.test(name))
        expect(modelCatalogue.map((entry) => entry.name)).toContain(name);
    }
  });
});

/** What the documents' names stand for. `fresh` ones are new files and folders. */
const standsFor: Readonly<Record<string, () => string>> = {
  DATA: () => at('train.jsonl'),
  FOLDER: () => at('train.jsonl'),
  'train.jsonl': () => at('train.jsonl'),
  'test.jsonl': () => at('test.jsonl'),
  PAIRS: () => at('pairs.jsonl'),
  'OUT/train.jsonl': () => at('pairs.jsonl'),
  TEXT: () => at('text.txt'),
  TEST: () => at('test.jsonl'),
  M: () => tiny,
  MODEL: () => tiny,
  A: () => at('run'),
  B: () => at('run'),
  'A@0.7+B': () => `${at('run')}@0.7+${at('run')}`,
  'org/name': () => at('run'),
  PATH: () => at('run'),
  'MORE.jsonl': () => at('train.jsonl'),
  'EVAL.json': () => at('EVAL.json'),
  'RUN.json': () => at('RUN.json'),
  'ITEMS.jsonl': () => at('ITEMS.jsonl'),
  ADAPTER: () => at('run'),
  TUNED: () => at('TUNED.gguf'),
  BASE: () => tiny,
  NAME: () => `key-${made++}`,
  'BASE.gguf': () => at('BASE.gguf'),
  RUN: () => at('run'),
  '[COMMAND]': () => 'tune',
  'RUN/recipe.yaml': () => at('run/recipe.yaml'),
  'REFERENCE/train.jsonl': () => at('reference/train.jsonl'),
  'REFERENCE/test.jsonl': () => at('reference/test.jsonl'),
  'REFERENCE/lora.start.safetensors': () => at('reference/lora.start.safetensors'),
  'recipes/reference.yaml': () => join(repo, 'recipes/reference.yaml'),
};
let made = 0;
const fresh = (): string => at(`made-${made++}`);

/** What makes a command small. */
const smaller: Readonly<Record<string, readonly string[]>> = {
  tune: ['--max-steps', '1', '--threads', '1', '--yes', '--safety-share', '0'],
  pretrain: ['--max-steps', '1', '--sequence-length', '16', '--batch-size', '2', '--validation', '0.01', '--threads', '1'],
  chat: ['--prompt', 'number 3', '--max-tokens', '2', '--threads', '1'],
  preview: [],
  'import-openai': [],
  export: [],
  inspect: [],
  convert: [],
  card: [],
  lineage: [],
  pack: ['--license', 'mit'],
  merge: [],
  extract: [],
  check: ['--limit', '2', '--no-answers', '--threads', '1'],
  eval: ['--limit', '2', '--max-tokens', '2', '--threads', '1'],
  plan: [],
  doctor: [],
  models: [],
  keys: [],
  runs: [],
  schema: [],
}; // biome-ignore format: a table
/** Run elsewhere, or not without a network. */
const elsewhere: Readonly<Record<string, string>> = {
  quickstart: 'test/story/pack.test.ts',
  pull: 'src/store/hub.test.ts',
  push: 'src/library/push.test.ts',
  index: 'src/library/push.test.ts',
  collect: 'test/story/commands.test.ts',
  serve: 'test/story/serve.test.ts',
  studio: 'test/story/studio.test.ts',
  jobs: 'test/server/remote.test.ts',
  verify: 'src/library/pack-bundle.test.ts',
  reproduce: 'src/library/reproduce-run.test.ts',
};
/** The small run has one checkpoint; src/library/last-checkpoints.test.ts has several. */
const oneCheckpoint = /--last-checkpoints/;
/** A model of that size is not trained in a second; its smallest is. */
const tooLarge = ['micro', 'mini', 'small'];

/** One command for each of the choices that `a|b` stands for; a choice of names is one of the first. */
function variants(words: readonly string[]): string[][] {
  return words.reduce<string[][]>(
    (all, word) => {
      const choices = word.split('|');
      const taken = choices.every((choice) => choice in standsFor)
        ? choices
        : choices.filter((choice) => !tooLarge.includes(choice));
      return all.flatMap((before) => taken.map((choice) => [...before, choice]));
    },
    [[]],
  );
}

function smallForm(words: readonly string[]): string[] {
  const isNew = (i: number): boolean => ['--out', '--run'].includes(words[i - 1] ?? '');
  const ending = words.some((word) => /^(merged-)?gguf$/.test(word)) ? '.gguf' : '';
  const replaced = words.map((word, i) => (isNew(i) ? fresh() + ending : (standsFor[word]?.() ?? word)));
  const [name = ''] = words;
  const extra = smaller[name]!;
  const unsaid = words.includes('--run') || !['tune', 'pretrain'].includes(name) ? [] : ['--run', fresh()];
  return words.includes('--resume') ? replaced : [...replaced, ...extra, ...unsaid];
}

describe('commands of nomoat run', { timeout: 240_000 }, () => {
  beforeAll(() => {
    addRun(inputs);
    addReference(inputs);
    copyFileSync(tiny, at('BASE.gguf'));
    const pairs = Array.from({ length: 12 }, (_, i) => ({
      prompt: `number ${i}`,
      chosen: i % 2 ? 'odd' : 'even',
      rejected: 'no idea',
    }));
    writeFileSync(at('pairs.jsonl'), pairs.map((pair) => `${JSON.stringify(pair)}\n`).join(''));
    const graded = { type: 'string_check', name: 'ilike', input: '{{sample.output_text}}', operation: 'ilike' };
    const testing_criteria = [{ ...graded, reference: '{{item.ideal}}' }];
    const definition = { name: 'parity', data_source_config: { type: 'custom' }, testing_criteria };
    const template = [{ role: 'user', content: 'number {{item.n}}' }];
    const data_source = { type: 'completions', input_messages: { type: 'template', template } };
    writeFileSync(at('EVAL.json'), JSON.stringify(definition));
    writeFileSync(at('RUN.json'), JSON.stringify({ data_source }));
    const items = pairs.map(({ chosen }, n) => `${JSON.stringify({ item: { n, ideal: chosen } })}\n`);
    writeFileSync(at('ITEMS.jsonl'), items.join(''));
    expect(nomoat(['export', at('run'), '--to', 'merged-gguf', '--out', at('TUNED.gguf')]).code).toBe(0);
  }, 120_000);

  const whole = documented
    .filter(({ file }) => !isLog(file))
    .map((command) => ({ command, words: plainWords(command.words) }))
    // Without arguments it is the name of the command.
    .filter(
      ({ words: [program, verb = '', ...rest] }) =>
        program === 'nomoat' && verb !== '' && !(verb in elsewhere) && (rest.length > 0 || smaller[verb]?.length === 0),
    );
  const each = new Map(
    whole
      .flatMap(({ command, words }) => variants(words.slice(1)).map((variant) => [variant.join(' '), command] as const))
      .filter(
        ([line]) =>
          !oneCheckpoint.test(line) &&
          !/^(preview|plan|export|convert|merge|extract|inspect|inspect data|keys|lineage|card)$/.test(line),
      ),
  );

  test('there are some of every command', () => {
    const names = new Set([...each.keys()].map((line) => line.split(' ')[0]!));
    // What takes nothing is no line with words behind it.
    const all = [...names, ...Object.keys(elsewhere), 'models', 'runs', 'schema'];
    expect(all.sort()).toEqual(expect.arrayContaining(commandNames.map((name) => name.split(' ')[0]!).sort()));
  });

  test.each([...each].map(([line, { file }]) => [`${line} (${file})`, line] as const))('%s', (_, line) => {
    const words = line.split(' ');
    if (words.includes('--resume')) {
      // What it is said to be for: a run that was stopped.
      const run = fresh();
      const bar = [
        '-c',
        `"$0" "$@" | head -1`,
        process.execPath,
        join(repo, 'dist/cli/main.js'),
        'tune',
        at('train.jsonl'),
        '--model',
        tiny,
        '--threads',
        '1',
        '--epochs',
        '50',
        '--run',
        run,
        '--json',
      ];
      expect(spawnSync('bash', bar, { env: { ...process.env, NOMOAT_HOME: at('home') } }).status).toBe(0);
      const { code, err } = nomoat(words.map((word) => (word === 'RUN' ? run : word)));
      expect(code, err).toBe(0);
      return;
    }
    const { code, err } = nomoat(smallForm(words));
    if (line.includes('--device webgpu') && code !== 0) expect(err).toContain('no WebGPU adapter works here');
    else expect(code, err).toBe(0);
  });
});

test('the code of README is what the programs of examples/ compile: names and options that there are', () => {
  const code = /```ts\n([\s\S]*?)```/.exec(text('README.md'))![1]!;
  const [, names] = /import \{ ([\w, ]+) \} from 'nomoat'/.exec(code)!;
  const index = text('src/index.ts');
  for (const name of names!.split(', ')) expect(index).toMatch(new RegExp(`\\b${name}\\b`));
  const known = flagsOf('tune');
  const [, given] = /tune\(\{([^}]*)\}\)/.exec(code)!;
  for (const [, option] of given!.matchAll(/(\w+):/g))
    expect(option === 'data' || known.has(`--${option}`), option).toBe(true);
});
