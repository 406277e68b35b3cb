/** The smaller commands as a newcomer meets them, through the built CLI. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/events.ts';
import { openGguf } from '../../src/formats/gguf/read.ts';
import { writeGguf } from '../../src/formats/gguf/write.ts';
import type { AdapterInspection } from '../../src/library/inspect.ts';
import { tuneOptions } from '../../src/settings/options.ts';
import { madeAdapter, writtenAdapter } from '../made-adapters.ts';
import { withoutSafety } from '../without-safety.ts';

const repo = join(import.meta.dirname, '../..');
const main = join(repo, 'dist/cli/main.js');
const llama = join(repo, 'test/fixtures/reference/llama/base.gguf');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-commands-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function nomoat(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...withoutSafety(args)], {
    cwd: folder,
    env: { ...process.env, NOMOAT_HOME: join(folder, 'home'), COLUMNS: '200' },
    encoding: 'utf8',
    input: '',
  });
  return { code: status, out: stdout, err: stderr };
}
const write = (name: string, rows: readonly unknown[]): void =>
  writeFileSync(join(folder, name), rows.map((row) => JSON.stringify(row)).join('\n'));
const pairs = Array.from({ length: 12 }, (_, i) => ({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' }));
const events = (text: string): RunEvent[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent);
const notices = (text: string): string[] => events(text).flatMap((e) => (e.type === 'notice' ? [e.message] : []));

beforeAll(() => {
  write('pairs.jsonl', pairs);
  mkdirSync(join(folder, 'data'));
  for (const name of ['train', 'valid', 'test']) write(`data/${name}.jsonl`, pairs);
  const base = openGguf(llama);
  const metadata = new Map(base.metadata);
  metadata.delete('tokenizer.chat_template');
  const tensors = [...base.tensors.values()].map((info) => ({ ...info, bytes: () => base.readBytes(info.name) }));
  writeGguf(join(folder, 'base.gguf'), { metadata, tensors });
});

test('tune --seeds trains repeats in one folder, and eval takes them as one', () => {
  const trained = nomoat(
    'tune',
    'pairs.jsonl',
    '--model',
    llama,
    '--run',
    'repeats',
    '--seeds',
    '2',
    '--max-steps',
    '1',
    '--threads',
    '1',
  );
  expect([trained.code, trained.err]).toEqual([
    0,
    expect.stringMatching(
      /2 runs, one after the other[\s\S]*Run 1 of 2, seed 0[\s\S]*Run 2 of 2, seed 1[\s\S]*eval \S*repeats --data TEST/,
    ),
  ]);
  const { code, out } = nomoat('eval', 'repeats', '--data', 'pairs.jsonl', '--max-tokens', '2');
  expect([code, out]).toEqual([0, expect.stringContaining('Repeats of repeats, by exact: ')]);
  expect(nomoat('tune', '--resume', 'repeats', '--seeds', '2').err).toContain('takes nothing else, but got --seeds');
}, 120_000);

test('tune --help lists every option of the table, each with a default', () => {
  const { code, out } = nomoat('tune', '--help');
  expect(code).toBe(0);
  const entries = out
    .slice(out.indexOf('Options:'))
    .split(/\n {2}(?=-)/)
    .slice(1)
    .map((entry) => entry.replace(/\s+/g, ' '));
  const own = ['--recipe', '--from', '--resume', '--debug', '-h,'];
  const described = entries.filter((entry) => !own.some((name) => entry.startsWith(name)));
  expect(described.length).toBe(Object.keys(tuneOptions).length + 3);
  for (const entry of described) expect(entry).toMatch(/default/);
});

describe('chat', { timeout: 120_000 }, () => {
  test('refuses all wrong numbers together, before a model is opened', () => {
    const words = nomoat('chat', llama, '--prompt', 'x', '--temperature', 'warm', '--seed', 'x');
    expect(words.code).toBe(2);
    expect(words.err).toBe('settings: --temperature: "warm" is no number; --seed: "x" is no number. Give numbers.\n');
    const ranges = nomoat('chat', llama, '--prompt', 'x', '--temperature', '-1', '--top-p', '3', '--max-tokens', '0');
    expect(ranges.code).toBe(2);
    for (const part of ['temperature -1', 'top-p 3', 'max tokens 0']) expect(ranges.err).toContain(part);
    expect(nomoat('chat', llama, '--prompt', 'x', '--threads', '0').err).toContain('--threads: 0 is no whole number');
    expect(nomoat('chat', llama, '--promt', 'x').err).toMatch(/unknown option '--promt'\s*\(Did you mean --prompt\?\)/);
  });
});

describe('every flag of chat changes something', { timeout: 120_000 }, () => {
  const base = {
    temperature: '1.5',
    seed: '1',
    'max-tokens': '12',
    threads: '1',
    'top-k': '0',
    'top-p': '1',
    'min-p': '0',
  };
  const ask = (changed: Record<string, string>): Record<string, unknown> => {
    const flags = Object.entries({ ...base, ...changed }).flatMap(([name, value]) => [`--${name}`, value]);
    const { code, err, out } = nomoat('chat', llama, '--prompt', 'number 3', '--json', ...flags);
    expect(code, err).toBe(0);
    return JSON.parse(out) as Record<string, unknown>;
  };
  let before: Record<string, unknown> = {};
  beforeAll(() => {
    before = ask({});
    expect(ask({}), 'the seed holds everything still').toEqual(before);
  });
  const tuned = join(repo, 'test/fixtures/reference/llama/lora.after20.safetensors');
  const cases = [
    ['temperature', '0'],
    ['seed', '2'],
    ['max-tokens', '5'],
    ['top-k', '1'],
    ['top-p', '0.001'],
    ['min-p', '0.99'],
    ['repeat-penalty', '100'],
    ['frequency-penalty', '2'],
    ['presence-penalty', '2'],
    ['context-size', '30'],
    ['system', 'be brief'],
    ['adapter', tuned],
    ['chat-template', 'alpaca'],
  ] as const;
  test.each(cases)('--%s', (name, value) => {
    const after = ask({ [name]: value });
    const seen = name === 'system' || name === 'chat-template' ? 'promptTokens' : 'text';
    expect(after[seen]).not.toEqual(before[seen]);
  });

  test('the cases are the flags that --help lists', () => {
    const listed = nomoat('chat', '--help')
      .out.match(/^ {2}--[\w-]+/gm)!
      .map((text) => text.trim().slice(2));
    // What `--disclose` changes is in what /save writes (src/chat/terminal.test.ts).
    const tested = [...cases.map(([name]) => name), 'prompt', 'server', 'threads', 'json', 'debug', 'disclose'];
    expect(listed.sort()).toEqual(tested.sort());
  });
});

const terminal = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0;
test.runIf(terminal)(
  `on a terminal tune asks first, unless --yes${terminal ? '' : ' (skipped: needs script(1))'}`,
  () => {
    const onTerminal = (...more: string[]): string => {
      const main = join(repo, 'dist/cli/main.js');
      const args = ['tune', 'pairs.jsonl', '--model', llama, '--max-steps', '1', '--threads', '1', ...more];
      const command = [process.execPath, main, ...args].join(' ');
      const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
        cwd: folder,
        env: { ...process.env, NOMOAT_HOME: join(folder, 'home') },
        encoding: 'utf8',
        input: 'n\n',
      });
      return stdout;
    };
    const asked = onTerminal('--run', 'asked');
    expect(asked).toContain('Start? [Y/n]');
    expect(existsSync(join(folder, 'asked'))).toBe(false);
    expect(onTerminal('--run', 'unasked', '--yes')).not.toContain('Start?');
    expect(existsSync(join(folder, 'unasked/adapter'))).toBe(true);
  },
  60_000,
);

describe('every flag of plan changes something', { timeout: 120_000 }, () => {
  interface Planned {
    readonly plans: {
      kilowattHours: number;
      energyCost: number;
      rentedCost: number;
      seconds: number;
      name: string;
      flags: string;
    }[];
    readonly recommended: string;
    readonly advice: string;
  }
  const plan = (...flags: string[]): Planned => {
    const { code, err, out } = nomoat('plan', 'pairs.jsonl', '--model', llama, '--threads', '1', '--json', ...flags);
    expect([code, err]).toEqual([0, '']);
    return JSON.parse(out) as Planned;
  };
  /** What an hour of the first setting costs. */
  const perHour = ({ plans: [first] }: Planned, of: 'kilowattHours' | 'energyCost' | 'rentedCost'): number =>
    (first![of] * 3600) / first!.seconds;

  test('--watts, --price-per-kwh, --price-per-hour', () => {
    const usual = plan();
    expect(perHour(usual, 'kilowattHours')).toBeCloseTo(0.06, 9);
    expect(perHour(plan('--watts', '1000'), 'kilowattHours')).toBeCloseTo(1, 9);
    expect(perHour(plan('--watts', '1000', '--price-per-kwh', '7'), 'energyCost')).toBeCloseTo(7, 9);
    expect(perHour(plan('--price-per-hour', '5'), 'rentedCost')).toBeCloseTo(5, 9);
    expect(nomoat('plan', 'pairs.jsonl', '--model', llama, '--watts', '-1').err).toContain('negative');
    expect(nomoat('plan', 'pairs.jsonl', '--model', llama, '--watts', 'x').err).toContain('"x" is no number');
  });

  test("--recipe and tune's own flags; without --json a table and one line of advice", () => {
    writeFileSync(join(folder, 'recipe.yaml'), 'epochs: 1\n');
    const flagsOf = (planned: Planned): string => planned.plans.find(({ name }) => name === 'better')!.flags;
    expect(flagsOf(plan())).not.toContain('--epochs 2 ');
    expect(flagsOf(plan('--recipe', 'recipe.yaml'))).toContain('--epochs 2 ');
    const [once, often] = ['1', '50'].map((epochs) => plan('--epochs', epochs).plans[0]!.seconds);
    expect(often!).toBeGreaterThan(once!);
    const { out } = nomoat('plan', 'pairs.jsonl', '--model', llama, '--threads', '1', '--epochs', '2');
    expect(out).toMatch(
      /^\* as asked .*\nfaster .*--epochs 1 \(f32\)\nleaner .*\nbetter .*--epochs 3 --rank 16 \(f32\)\nRun it as it is\./m,
    );
  });

  test('nothing is written', () => {
    expect(existsSync(join(folder, 'runs/pairs-base'))).toBe(false);
  });
});

describe('a base model without a chat template', { timeout: 120_000 }, () => {
  test('is tuned on prompts and on texts, proven, sampled and asked', () => {
    const tune = (data: string, run: string) =>
      nomoat('tune', data, '--model', 'base.gguf', '--max-steps', '2', '--threads', '1', '--json', '--run', run);
    const { code, err, out } = tune('pairs.jsonl', 'raw');
    expect([code, err]).toEqual([0, '']);
    expect(events(out).filter((e) => e.type === 'sample').length).toBe(3);
    write('texts.jsonl', [{ text: 'number 1 is odd' }, { text: 'number 2 is even' }]);
    const texts = tune('texts.jsonl', 'texts');
    expect([texts.code, texts.err]).toEqual([0, '']);
    const asked = nomoat('chat', 'raw', '--prompt', 'number 3', '--max-tokens', '3', '--threads', '1', '--json');
    expect(asked.code).toBe(0);
    // The prompt as it is: a template around it would add its own tokens.
    const promptTokens = (JSON.parse(asked.out) as { promptTokens: number }).promptTokens;
    expect(promptTokens).toBeLessThanOrEqual('number 3'.length);
    const system = nomoat('chat', 'raw', '--prompt', 'number 3', '--system', 'be brief', '--threads', '1');
    expect(system.code).toBe(2);
    expect(system.err).toContain('no chat template, so it continues single prompts');
  });
});

describe('what the data costs is said', { timeout: 120_000 }, () => {
  test('a folder with its own validation and test files', () => {
    const args = ['--model', llama, '--max-steps', '1', '--threads', '1', '--json'];
    const { code, out } = nomoat('tune', 'data', ...args, '--validation', '0.5', '--run', 'folder');
    expect(code).toBe(0);
    const said = notices(out);
    expect(said).toContain('--validation 0.5 is not used: the folder has a validation file of its own.');
    expect(said.some((text) => /test\.jsonl is left alone/.test(text))).toBe(true);
    const ready = events(out).find((e) => e.type === 'data-ready');
    expect(ready).toMatchObject({ rows: 12, validationRows: 12, leakedRows: 12 });
    expect(readFileSync(join(folder, 'folder/report.html'), 'utf8')).toContain('test.jsonl is left alone');
    const { out: preview } = nomoat('preview', 'data', '--model', llama, '--rows', '0');
    expect(preview).toContain('format: prompt-completion (by the keys prompt and completion)');
    expect(preview).toContain('test.jsonl is left alone');
  });

  test('held-out rows that are refused or cut, and rows beyond the context', () => {
    write('held.jsonl', [...pairs, { prompt: 'x '.repeat(900), completion: 'odd' }, { prompt: 'no completion' }]);
    const args = ['--model', llama, '--max-steps', '1', '--threads', '1', '--json'];
    const { code, out } = nomoat('tune', 'pairs.jsonl', ...args, '--validation', 'held.jsonl', '--run', 'held');
    expect(code).toBe(0);
    const said = notices(out);
    expect(said).toContain('Held out: 1 rows refused: has no "completion".');
    expect(said).toContain('Held out: 1 rows truncated, 0 split.');
    expect(said).toContain("Rows are cut at 256 tokens, the model's context.");
    const more = notices(
      nomoat('tune', 'pairs.jsonl', ...args, '--validation', 'held.jsonl', '--sequence-length', '512', '--run', 'long')
        .out,
    );
    expect(more).toContain("Rows are cut at 256 tokens, the model's context, not at 512.");
    const record = JSON.parse(readFileSync(join(folder, 'held/run.json'), 'utf8')) as { dataDigests: object };
    expect(Object.keys(record.dataDigests)).toEqual(['pairs.jsonl', 'held.jsonl']);
  });

  test('what an initial adapter overrules', () => {
    const start = join(repo, 'test/fixtures/reference/llama/lora.start.safetensors');
    const args = ['--model', llama, '--max-steps', '1', '--threads', '1', '--json', '--initial-adapter', start];
    const said = notices(nomoat('tune', 'pairs.jsonl', ...args, '--rank', '8', '--run', 'initial').out);
    expect(said).toContain('The initial adapter has rank 4; the setting 8 is not used.');
    // What was not set is not overruled, and the plan is of what is trained.
    const silent = nomoat('tune', 'pairs.jsonl', ...args, '--run', 'silent').out;
    expect(notices(silent).join()).not.toMatch(/initial adapter/);
    expect(JSON.parse(readFileSync(join(folder, 'silent/run.json'), 'utf8'))).toMatchObject({
      settings: { rank: 4 },
      adapterDigests: { 'lora.start.safetensors': expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
  });
});

test('runs: those that were killed can be gone on with, and a broken one hides no other', () => {
  const source = join(folder, 'raw/run.json');
  const record = JSON.parse(readFileSync(source, 'utf8')) as object;
  const put = (name: string, text: string, lock: string | null): void => {
    mkdirSync(join(folder, 'runs', name), { recursive: true });
    writeFileSync(join(folder, 'runs', name, 'run.json'), text);
    if (lock !== null) writeFileSync(join(folder, 'runs', name, 'lock'), lock);
  };
  const running = JSON.stringify({ ...record, state: 'running' });
  put('a-broken', '{', null);
  put('b-done', JSON.stringify(record), null);
  put('c-killed', running, '');
  put('d-alive', running, String(process.pid));
  const { code, out } = nomoat('runs');
  expect(code).toBe(0);
  const lines = out.split('\n');
  for (const [i, state] of ['unreadable', 'done', 'interrupted', 'running'].entries())
    expect(lines[i], out).toMatch(new RegExp(`^${state} `));
  expect(out).toContain(`main.js tune --resume ${join(folder, 'runs/c-killed')}`);
});

test('models: sizes here, licenses of those to pull', () => {
  const { code, out } = nomoat('models');
  expect(code).toBe(0);
  expect(out).toMatch(/nomoat-mini +3 MB {2}\S+nomoat-mini\.gguf/);
  expect(out).toMatch(/llama-3\.2-1b +\d+ MB {2}license llama3\.2/);
  expect(out.match(/ MB {2}license /g)?.length).toBe(10);
});

test('an error is an event on stdout with --json, whenever it comes', () => {
  const told = (...args: string[]): unknown =>
    JSON.parse(
      nomoat(...args, '--json')
        .out.trim()
        .split('\n')
        .at(-1)!,
    );
  expect(told('tune', 'pairs.jsonl', '--model', llama, '--rank', 'x')).toMatchObject({ type: 'error', kind: 'input' });
  expect(told('plan', 'nowhere.jsonl', '--model', llama)).toMatchObject({ type: 'error', part: 'nowhere.jsonl' });
  writeFileSync(join(folder, 'unanswered.jsonl'), '{"messages":[{"role":"user","content":"x"}]}\n');
  expect(told('tune', 'pairs.jsonl', '--bogus')).toMatchObject({ type: 'error', part: 'the command line' });
  // Of what the training process said, once.
  const { out, code } = nomoat('tune', 'unanswered.jsonl', '--model', llama, '--json', '--run', 'unanswered');
  expect(out.match(/"type":"error"/g)).toHaveLength(1);
  expect(out).toContain('this helps: --supervise all, which learns every token');
  expect(code).toBe(2);
});

test('rows that cannot be used are named: in preview, and the first of them before training', () => {
  const lines = ['{"prompt":"a","completion":"b"}', '{"prompt":', '{"prompt":"c","completion":"  "}'];
  writeFileSync(join(folder, 'some.jsonl'), lines.join('\n'));
  const { out } = nomoat('preview', 'some.jsonl', '--model', llama);
  expect(out).toMatch(/some\.jsonl:2 is no valid JSON \(/);
  expect(out).toMatch(/some\.jsonl:3 the completion is empty/);
  const { out: json } = nomoat('preview', 'some.jsonl', '--model', llama, '--json');
  const counts = JSON.parse(json.trim().split('\n').at(-1)!) as { refused: object[] };
  expect(counts.refused).toMatchObject([{ source: { line: 2 } }, { source: { line: 3 } }]);
  const args = ['--model', llama, '--max-steps', '1', '--threads', '999'];
  const { err } = nomoat('tune', 'some.jsonl', ...args, '--early-stop', '2', '--run', 'some');
  expect(err).toMatch(/some\.jsonl:2 is no valid JSON/);
  expect(err).toContain('--early-stop does nothing: no rows are held out');
  expect(err).toMatch(/--threads 999: this machine runs \d+ at once/);
  expect(err).toContain('All 1 steps are in the warm-up: the learning rate begins with 0 and gets to 0, not to');
});

test('what the data holds cannot steer the terminal', () => {
  writeFileSync(
    join(folder, 'esc.jsonl'),
    `${JSON.stringify({ prompt: '\u001b[2Jred\u0007', completion: 'a\tb' })}\n`.repeat(4),
  );
  const { err } = nomoat('tune', 'esc.jsonl', '--model', llama, '--max-steps', '1', '--threads', '1', '--run', 'esc');
  expect(err).toContain('asked     ␛[2Jred␇');
  expect(err).toContain('expected  a\tb');
  writeFileSync(join(folder, 'keys.jsonl'), `${JSON.stringify({ '\u001b[31mkey': 1 })}\n`);
  expect(nomoat('preview', 'keys.jsonl', '--model', llama).err).toContain('␛[31mkey');
  expect(err).not.toContain('\u001b');
});

test('a card says what was trained, not what was asked', () => {
  const card = readFileSync(join(folder, 'esc/adapter/README.md'), 'utf8');
  expect(card).toMatch(/\| steps \| 1 \|/);
  expect(card).toMatch(/\| epochs \| 1 \|/);
});

test('faults that name the flag, the kind of file or the run', () => {
  const said = (...args: string[]): string => nomoat(...args).err;
  expect(said('plan', 'pairs.jsonl', '--watts', '-3')).toContain('--watts: -3 is negative');
  expect(said('chat', llama, '--adapter', 'pairs.jsonl', '--prompt', 'x')).toContain('pairs.jsonl: is no adapter');
  expect(said('pretrain', '.', '--size', 'nano')).toContain('is a folder. Give its text files');
  mkdirSync(join(folder, 'empty'));
  const there = said('tune', 'pairs.jsonl', '--model', llama, '--run', 'empty');
  expect(there).toMatch(/exists already, and runs are never overwritten\. Give another --run\.\n$/);
  const small = said('tune', 'pairs.jsonl', '--model', llama, '--memory', '201MB', '--run', 'small');
  expect(small).toMatch(/, or --memory \d+MB or more\./);
});

test("a run's adapter: to go on from, and to chat with under its system prompt", () => {
  const row = (answer: string): string =>
    JSON.stringify({
      messages: [
        { role: 'system', content: 'be brief' },
        { role: 'user', content: 'x' },
        { role: 'assistant', content: answer },
      ],
    });
  writeFileSync(join(folder, 'sys.jsonl'), ['a', 'b', 'c', 'd'].map(row).join('\n'));
  const args = ['--model', llama, '--threads', '1', '--warmup-steps', '0', '--learning-rate', '0.05', '--json'];
  expect(nomoat('tune', 'sys.jsonl', ...args, '--max-steps', '6', '--run', 'sys').code).toBe(0);
  const chat = nomoat('chat', llama, '--adapter', 'sys', '--prompt', 'x', '--max-tokens', '1');
  expect(chat.err).toContain('(system prompt of the training data: be brief)');
  const onward = nomoat(
    'tune',
    'sys.jsonl',
    ...args,
    '--max-steps',
    '1',
    '--initial-adapter',
    'sys',
    '--run',
    'onward',
  );
  expect(onward.code, onward.err).toBe(0);
  const samples = (out: string) =>
    out
      .split('\n')
      .flatMap((line) =>
        line.includes('"type":"sample"') ? [JSON.parse(line) as { before: string; after: string }] : [],
      );
  // It begins with the answers that the first run ended with, not with the base's.
  const first = readFileSync(join(folder, 'sys/events.jsonl'), 'utf8');
  expect(samples(onward.out).map(({ before }) => before)).toEqual(samples(first).map(({ after }) => after));
  expect(samples(first)[0]!.before).not.toBe(samples(first)[0]!.after);
  expect(readFileSync(join(folder, 'onward/adapter/README.md'), 'utf8')).toContain('initial adapter');
});

test('a run that stops early says so, and of which step its result is', () => {
  const args = ['--model', llama, '--threads', '1', '--batch-size', '4', '--max-steps', '60', '--learning-rate', '0.5'];
  const { err } = nomoat(
    'tune',
    'pairs.jsonl',
    ...args,
    '--validation',
    '0.3',
    '--validate-every',
    '1',
    '--early-stop',
    '1',
    '--epochs',
    '30',
    '--run',
    'early',
  );
  expect(err).toMatch(/Stopped early after \d+ of 60 steps: validation got no better\./);
  expect(err).toMatch(/before, [\d.]+ after step \d+, the best: the result is of that step/);
  const report = JSON.parse(readFileSync(join(folder, 'early/report.json'), 'utf8')) as { plannedAndActual: object[] };
  expect(report.plannedAndActual).toEqual([]);
});

test('import-openai says what an export of OpenAI is here, and fails while something is wrong with it', () => {
  const row = {
    messages: [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
    ],
  };
  const job = {
    object: 'fine_tuning.job',
    id: 'ftjob-1',
    model: 'gpt-4.1-mini',
    training_file: 'file-a',
    seed: 7,
    hyperparameters: { n_epochs: 2 },
  };
  mkdirSync(join(folder, 'export'));
  write('export/file-a.jsonl', Array(10).fill(row));
  writeFileSync(join(folder, 'export/job.json'), JSON.stringify(job));
  const { code, out } = nomoat('import-openai', 'export', '--model', llama);
  expect(code).toBe(0);
  expect(out).toContain(`tune ${join('export', 'file-a.jsonl')} --model ${llama} --seed 7 --epochs 2`);
  expect(out).toContain('Jobs take it as it is, and so does `nomoat tune`.');
  write('export/file-a.jsonl', Array(10).fill({ messages: row.messages.slice(0, 1) }));
  const failed = nomoat('import-openai', 'export', '--json');
  expect(failed.code).toBe(2);
  const [data, ...others] = failed.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(data).toMatchObject({ type: 'imported', kind: 'data-set', faultCount: 10, command: null });
  expect(others).toMatchObject([{ kind: 'job', command: expect.stringContaining('--epochs 2') }]);
});

test('keys: added, listed and removed', () => {
  const made = nomoat(
    'keys',
    'add',
    'laptop',
    ...'--scope tune --requests-per-minute 30 --tokens-per-day 90'.split(' '),
  );
  expect([made.code, made.out]).toEqual([0, expect.stringMatching(/^sk-nomoat-[\w-]{43}\n$/)]);
  expect(made.err).toContain('shown this once');
  expect(nomoat('keys', 'list').out).toBe(
    'laptop           tune   never used  30 requests a minute  90 tokens a day\n',
  );
  expect(JSON.parse(nomoat('keys', 'list', '--json').out)).toMatchObject({
    type: 'key',
    name: 'laptop',
    scope: 'tune',
    tokensPerDay: 90,
  });
  expect(nomoat('keys', 'add', 'laptop').err).toContain('there is a key laptop already');
  expect(nomoat('keys', 'remove', 'laptob').err).toContain('Did you mean laptop?');
  expect(nomoat('keys', 'remove').err).toContain('NAME: was not given');
  expect(nomoat('keys', 'list', '--scope', 'tune').err).toContain('--scope: is for `nomoat keys add`');
  expect(nomoat('keys', 'give', 'x').err).toContain('Allowed choices are add, list, remove');
  expect(nomoat('keys', 'remove', 'laptop')).toEqual({ code: 0, out: '', err: '' });
  expect(nomoat('keys', 'list').out).toBe('No API keys.\n');
});

test('inspect data: what is found, by kind and line; a cleaned file; JSON with everything; a wrong kind', () => {
  const rows = [
    ['Where is it?', 'Here.'],
    ['Where is it?', 'Here.'],
    ['Charge 4111 1111 1111 1111', 'Done.'],
    ['Who?', 'Me.'],
  ];
  writeFileSync(
    join(folder, 'looked-at.jsonl'),
    rows.map(([prompt, completion]) => `${JSON.stringify({ prompt, completion })}\n`).join(''),
  );
  const { code, out } = nomoat('inspect', 'data', 'looked-at.jsonl', '--write-clean', 'cleaned.jsonl');
  expect(code).toBe(0);
  expect(out).toContain('4 rows of 1 file, format prompt-completion');
  expect(out).toContain('!! looked-at.jsonl:3, prompt: payment card: Charge 4111••• (19 characters)');
  expect(out).toContain('! looked-at.jsonl:2: repeats an earlier row (looked-at.jsonl:1)');
  expect(out).toContain(
    'cleaned.jsonl: 2 rows; 2 left out:\n   looked-at.jsonl:3: personal-data\n   looked-at.jsonl:2: exact-duplicate\n',
  );
  expect(readFileSync(join(folder, 'cleaned.jsonl'), 'utf8').split('\n')).toHaveLength(3);
  const json = JSON.parse(nomoat('inspect', 'data', 'looked-at.jsonl', '--json').out) as {
    type: string;
    findings: unknown[];
  };
  expect([json.type, json.findings.length]).toEqual(['data-inspection', 2]);
  const wrong = nomoat('inspect', 'data', 'looked-at.jsonl', '--leave-out', 'secret');
  expect([wrong.code, wrong.err]).toEqual([
    2,
    expect.stringContaining('--leave-out: does nothing without --write-clean'),
  ]);
});

test('inspect: an adapter by itself beside its base, as text and as JSON; two adapters; what is missing', () => {
  const mini = join(repo, 'models/nomoat-mini/nomoat-mini.gguf');
  const adapter = writtenAdapter(join(folder, 'adapter'), madeAdapter(1, 0.05));
  const { code, err, out } = nomoat('inspect', adapter, '--model', mini, '--no-intruders');
  expect([code, err]).toEqual([0, expect.stringMatching(/layer 0 q_proj \(1 of 12\)/)]);
  expect(out).toMatch(/Adapter: LoRA of rank 2, alpha 4, factor 2, .* on q_proj, v_proj/);
  expect(out).toMatch(/layer +q_proj +v_proj\n0 +[\d.]+% [\d.]+ +[\d.]+% [\d.]+\n/);
  expect(out).toMatch(/Made by: no run is known/);
  expect(out).not.toMatch(/Intruder dimensions:/);
  const json = JSON.parse(nomoat('inspect', adapter, '--model', mini, '--json').out) as AdapterInspection;
  expect(json.updates).toHaveLength(12);
  expect(json.updates[0]!.intruders).toMatchObject({ tested: 10, undecided: 0 });
  const compared = nomoat('inspect', adapter, '--with', adapter, '--model', mini);
  expect(compared.out).toMatch(/Cosine of all that they change: 1\.00/);
  const gone = nomoat('inspect', adapter);
  expect([gone.code, gone.err]).toEqual([2, expect.stringMatching(/does not say which model.*--model/)]);
});

test('inspect: which tokens became likelier, and guesses after each block; not both at once', () => {
  const mini = join(repo, 'models/nomoat-mini/nomoat-mini.gguf');
  const adapter = writtenAdapter(join(folder, 'changed'), madeAdapter(1, 0.3));
  const changes = nomoat('inspect', adapter, '--model', mini, '--data', 'pairs.jsonl', '--limit', '2');
  expect(changes.out).toMatch(/1\. number 0\n {3}.*\[.* [+-]\d+\.\d\].*\n {3}[+-]\d+\.\d nats: -\d/);
  expect(changes.out).toMatch(/\d of 2 answers became likelier/);
  const lens = nomoat('inspect', adapter, '--model', mini, '--lens', 'number 3');
  expect(lens.out).toMatch(/block +before .*\n0 \(embedding\)[\s\S]*\n6 /);
  const both = nomoat('inspect', adapter, '--lens', 'x', '--with', adapter);
  expect([both.code, both.err]).toEqual([2, '--with and --lens: show different things. Give one of them.\n']);
  // What the view does not look at is refused, before anything is read.
  const idle = (...given: string[]): string => nomoat('inspect', adapter, ...given).err;
  expect(idle('--prompt', 'x')).toBe('--prompt: is of no use here. It goes with --answer.\n');
  expect(idle('--lens', 'x', '--factor', '0.3')).toBe('--factor: is of no use with --lens. It goes with --soften.\n');
  expect(idle('--with', adapter, '--no-intruders')).toBe(
    '--no-intruders: is of no use with --with. Leave out --with.\n',
  );
});

test('collect: marks of saved chats as a data set that tune names its method for; every fault before anything is written', () => {
  const chat = (question: string, answer: string, feedback: object) => ({
    messages: [
      { role: 'user', content: question },
      { role: 'assistant', content: answer },
    ],
    feedback: [{ message: 1, ...feedback }],
  });
  const good = chat('a', 'b', { mark: 'good' });
  write('chats.jsonl', [good, good, chat('c', 'd', { mark: 'bad', better: 'e' })]);
  const { code, err, out } = nomoat('collect', 'chats.jsonl', '--out', 'labels.jsonl', '--to', 'kto');
  expect([code, err]).toEqual([0, '']);
  expect(out).toBe(
    [
      '3 conversations of 1 file: answers marked good 2, bad 0, bad with a better answer 1; without a mark 0',
      'left out:',
      '   1: the same mark of the same answer stands there already (first: chats.jsonl:2)',
      'labels.jsonl: 3 rows (labelled answers); where each comes from: labels.jsonl.provenance.json',
      'Learn from them: nomoat tune labels.jsonl --method kto',
      '',
    ].join('\n'),
  );
  expect(nomoat('preview', 'labels.jsonl', '--model', llama).out).toContain('labelled bad');
  const json = JSON.parse(nomoat('collect', 'chats.jsonl', '--out', 'pairs-of-chats.jsonl', '--json').out) as object;
  expect(json).toMatchObject({ type: 'collected', kind: 'dpo', rows: 1, path: 'pairs-of-chats.jsonl' });
  const again = nomoat('collect', 'chats.jsonl', '--out', 'labels.jsonl');
  expect([again.code, again.err]).toEqual([2, 'labels.jsonl: exists already. Name a new file.\n']);
  write('only-good.jsonl', [good]);
  const none = nomoat('collect', 'only-good.jsonl', '--out', 'none.jsonl', '--to', 'dpo');
  expect([none.code, none.err]).toEqual([2, expect.stringMatching(/--to dpo makes no row.* Leave --to out/)]);
  expect(existsSync(join(folder, 'none.jsonl'))).toBe(false);
});
