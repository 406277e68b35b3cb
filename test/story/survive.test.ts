/** What goes wrong outside of the run: the disk, the memory, a kill while the result is written. Each ends in a sentence and goes on. */
import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/events.ts';
import { openGguf } from '../../src/formats/gguf/read.ts';
import { writeGguf } from '../../src/formats/gguf/write.ts';
import { runTraining } from '../../src/run/run-training.ts';
import { resolveSettings } from '../../src/settings/load.ts';

const repo = join(import.meta.dirname, '../..');
const main = join(repo, 'dist/cli/main.js');
const model = join(repo, 'test/fixtures/reference/llama/base.gguf');
const patience = 240_000;
const folder = mkdtempSync(join(tmpdir(), 'nomoat-survive-'));
const env = { ...process.env, NOMOAT_HOME: join(folder, 'home') };

/** A file system of its own, small enough to be filled; null where mounting is not allowed. */
const smallDisk = join(folder, 'disk');
const smallDiskBytes = 8 << 20;
function mountSmallDisk(): boolean {
  mkdirSync(smallDisk);
  if (process.platform !== 'linux') return false;
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${smallDiskBytes}`, 'tmpfs', smallDisk]).status === 0;
}
const mounted = mountSmallDisk();
const needsDisk = mounted ? '' : ' (skipped: needs root on Linux to mount a small disk)';
/** More than Node and both engines need (1.3 GB, and what glibc reserves for threads that meet), less than a micro-batch of 100,000 tokens takes on top (2.7 GB). */
const addressSpaceBytes = 2_600_000_000;
const limits = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0;
const needsLimit = limits ? '' : ' (skipped: needs prlimit)';
afterAll(() => {
  if (mounted) spawnSync('umount', [smallDisk]);
  rmSync(folder, { recursive: true, force: true });
});

const settings = [
  '--model',
  model,
  '--batch-size',
  '4',
  '--epochs',
  '2',
  '--validation',
  '0.2',
  '--checkpoint-every',
  '2',
  '--threads',
  '1',
  '--safety-share',
  '0',
  '--json',
];

const events = (text: string): RunEvent[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as RunEvent);

interface Ended {
  readonly code: number | null;
  readonly list: RunEvent[];
  readonly err: string;
}

/** Runs the command; `at` sees everything printed so far, once, when `mark` appears in it. */
function watched(
  args: readonly string[],
  mark: string,
  at: () => void,
  command: readonly string[] = [],
): Promise<Ended> {
  const [program, ...rest] = [...command, process.execPath, main, ...args];
  const child = spawn(program!, rest, { cwd: folder, env });
  let [out, err, seen] = ['', '', false];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk;
    if (seen || mark === '' || !out.includes(mark)) return;
    seen = true;
    at();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk;
  });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      if (mark !== '') expect(seen, `${mark} was printed\n${out}\n${err}`).toBe(true);
      resolve({ code, list: events(out), err });
    });
  });
}

const tune = (run: string, mark = '', at: () => void = () => {}, command: readonly string[] = []): Promise<Ended> =>
  watched(['tune', 'data.jsonl', ...settings, '--run', run], mark, at, command);
const resume = (run: string, mark = '', at: () => void = () => {}): Promise<Ended> =>
  watched(['tune', '--resume', run, '--json'], mark, at);

const adapterFiles = ['adapter_model.safetensors', 'adapter.gguf', 'adapter_config.json'];
function expectSameAs(run: string, whole: string): void {
  const logged = (path: string): RunEvent[] => events(readFileSync(join(folder, path, 'events.jsonl'), 'utf8'));
  const of = (path: string) =>
    logged(path).flatMap((e) =>
      e.type === 'step-end' ? [[e.step, e.loss]] : e.type === 'validation' ? [['held out', e.step, e.loss]] : [],
    );
  expect(of(run)).toEqual(of(whole));
  for (const file of adapterFiles) {
    const bytes = (path: string): Buffer => readFileSync(join(folder, path, 'adapter', file));
    expect(bytes(run).equals(bytes(whole)), file).toBe(true);
  }
  const record = JSON.parse(readFileSync(join(folder, run, 'run.json'), 'utf8')) as { state: string };
  expect(record.state).toBe('done');
}

const kill = (run: string): void =>
  void process.kill(Number(readFileSync(join(folder, run, 'lock'), 'utf8')), 'SIGKILL');

beforeAll(async () => {
  const record = (i: number): string =>
    JSON.stringify({
      messages: [
        { role: 'user', content: `number ${i}` },
        { role: 'assistant', content: i % 2 ? 'odd' : 'even' },
      ],
    });
  writeFileSync(join(folder, 'data.jsonl'), Array.from({ length: 30 }, (_, i) => record(i)).join('\n'));
  expect((await tune('whole')).code).toBe(0);
}, patience);

/** Writes to `path` until its disk takes no more, whatever else is writing there. */
function fillUp(path: string): void {
  for (let size = 1 << 20; size >= 512; ) {
    try {
      appendFileSync(path, Buffer.alloc(size));
    } catch {
      size >>= 1;
    }
  }
}

describe('a run survives', { timeout: patience }, () => {
  test.runIf(mounted)(`a disk that fills up during training${needsDisk}`, async () => {
    const filler = join(smallDisk, 'filler');
    const { code, list, err } = await tune('disk/run', '"type":"step-end","step":2,', () => {
      fillUp(filler);
      expect(() => appendFileSync(filler, Buffer.alloc(64 << 10))).toThrow(/ENOSPC/);
    });
    expect(code).toBe(1);
    expect(err).toMatch(/disk\/run\/\S+: the disk is full\. Free some space/);
    expect(err).not.toMatch(/ at |report it/);
    expect(list.at(-1)).toMatchObject({ type: 'error', kind: 'failed', fields: { code: 'ENOSPC' } });
    expect(list.filter((e) => e.type === 'step-end').length).toBeLessThan(12);
    // Still full: said again, nothing is lost by trying.
    const again = await resume('disk/run');
    expect(again.code).toBe(1);
    expect(again.err).toMatch(/the disk is full|its disk has 0 MB free/);
    rmSync(filler);
    const last = await resume('disk/run');
    expect(last.err).toBe('');
    expect(last.code).toBe(0);
    expect(last.list.find((e) => e.type === 'run-start')).toHaveProperty('resumedFromStep');
    expectSameAs('disk/run', 'whole');
  });

  test.runIf(mounted)(`a disk that is full from the start, or too small for the checkpoints${needsDisk}`, async () => {
    const filler = join(smallDisk, 'filler');
    rmSync(join(smallDisk, 'run'), { recursive: true });
    const fill = (leave: number): void => {
      const { bavail, bsize } = statfsSync(smallDisk);
      writeFileSync(filler, Buffer.alloc(bavail * bsize - leave));
    };
    fill(64 << 10);
    const small = await tune('disk/small');
    expect(small.code).toBe(2);
    expect(small.err).toMatch(
      /\d+ kB free, and the checkpoints and the result take up to [1-9]\d* (kB|MB)|needs about .* of disk, and there are \d+ kB/,
    );
    expect(existsSync(join(smallDisk, 'small')), 'no folder is made').toBe(false);
    rmSync(filler);
    fill(0);
    const none = await tune('disk/none');
    expect(none.code).toBe(2);
    expect(none.err).toMatch(/ 0 kB/);
    expect(existsSync(join(smallDisk, 'none')), 'no folder is made').toBe(false);
    rmSync(filler);
  });

  test('kill -9 while the result is written', async () => {
    const run = 'finishing-result';
    const { code } = await tune(run, '"type":"checkpoint-saved","step":12,', () => kill(run));
    expect(code).toBe(1);
    await expectFinished(run);
  });

  // From there to the end are milliseconds: the folder as it is then.
  test.each([
    ['the proof was made', /.*"type":"(sample|run-end)".*\n/g],
    ['the samples were shown', /.*"type":"run-end".*\n/g],
  ])('kill -9 when %s', async (name, later) => {
    const run = `finishing-${name.split(' ')[1]}`;
    cpSync(join(folder, 'whole'), join(folder, run), { recursive: true });
    for (const report of ['report.html', 'report.json']) rmSync(join(folder, run, report));
    const change = (file: string, by: (text: string) => string): void =>
      writeFileSync(join(folder, run, file), by(readFileSync(join(folder, run, file), 'utf8')));
    change('events.jsonl', (text) => text.replace(later, ''));
    change('run.json', (text) => text.replace('"state": "done"', '"state": "running"'));
    await expectFinished(run);
  });

  /** The run goes on and ends as one that nothing happened to. */
  async function expectFinished(run: string): Promise<void> {
    const { code, err } = await resume(run);
    expect(err).toBe('');
    expect(code).toBe(0);
    expectSameAs(run, 'whole');
    const logged = events(readFileSync(join(folder, run, 'events.jsonl'), 'utf8'));
    for (const type of ['export-parity', 'sample', 'run-end'] as const) {
      const count = (list: readonly RunEvent[]): number => list.filter((e) => e.type === type).length;
      expect(count(logged), type).toBe(count(events(readFileSync(join(folder, 'whole', 'events.jsonl'), 'utf8'))));
    }
    expect(existsSync(join(folder, run, 'report.html'))).toBe(true);
  }

  test('Ctrl-C while the result is proven', async () => {
    const run = 'late-proven';
    const { code, err, list } = await tune(run, '"type":"checkpoint-saved","step":12,', () =>
      process.kill(Number(readFileSync(join(folder, run, 'lock'), 'utf8')), 'SIGTERM'),
    );
    expect(err).toMatch(/^Go on with: node \S*main\.js tune --resume \S+\n$/);
    expect(err).toContain(join(folder, run));
    expect(code).toBe(130);
    expect(list.at(-1)).toMatchObject({ type: 'run-end', state: 'interrupted', adapter: null });
    expect((await resume(run)).code).toBe(0);
    expectSameAs(run, 'whole');
  });

  test('an interrupt while the result is sampled', async () => {
    // In this process, since sampling takes less than a second: here the interrupt comes before it for certain.
    const abort = new AbortController();
    const run = join(folder, 'late-sampled');
    const given = { model, batchSize: '4', epochs: '2', validation: '0.2', checkpointEvery: '2', threads: '1', run };
    const asked = await resolveSettings([join(folder, 'data.jsonl')], given, null);
    const emit = (event: RunEvent): void => {
      if (event.type === 'export-parity') abort.abort();
    };
    const end = await runTraining({ settings: asked, resume: false, signal: abort.signal, emit });
    expect(end).toMatchObject({ type: 'run-end', state: 'interrupted', adapter: null });
    expect((await resume('late-sampled')).code).toBe(0);
    expectSameAs('late-sampled', 'whole');
  });

  test.runIf(limits)(`memory that runs out: smaller micro-batches, said out loud${needsLimit}`, async () => {
    const long = Array.from({ length: 800 }, (_, i) =>
      JSON.stringify({ prompt: `number ${i} ${'ab cd ef '.repeat(55)}`, completion: i % 2 ? 'odd' : 'even' }),
    );
    writeFileSync(join(folder, 'long.jsonl'), long.join('\n'));

    const args = [
      'tune',
      'long.jsonl',
      '--model',
      model,
      '--max-steps',
      '2',
      '--batch-size',
      '800',
      '--micro-batch-size',
      '800',
      '--sequence-length',
      '128',
      '--checkpoint-every',
      '1',
      '--threads',
      '1',
      '--json',
      '--run',
      'memory',
    ];
    const limit = ['prlimit', `--as=${addressSpaceBytes}`];
    const { code, list, err } = await watched(args, '', () => {}, limit);
    expect(code, err).toBe(0);
    const notices = list.filter((e) => e.type === 'notice' && e.code === 'smaller-micro-batch');
    expect(notices.length).toBeGreaterThan(0);
    expect(notices[0]).toMatchObject({ message: expect.stringMatching(/^Memory ran out in step 0.*up to 256 tokens/) });
    // A resumed run begins with what fitted.
    const { microBatchTokens } = JSON.parse(readFileSync(join(folder, 'memory', 'run.json'), 'utf8'));
    expect(microBatchTokens).toBe(512 >> notices.length);
    expect(list.filter((e) => e.type === 'step-end').map((e) => e.type === 'step-end' && e.step)).toEqual([0, 1]);
    expect(list.at(-1)).toMatchObject({ type: 'run-end', state: 'done' });
    // Prompts that fill the context have no samples; the run does not fail of it.
    expect(list.find((e) => e.type === 'notice' && e.code === 'no-samples')).toBeDefined();
  });

  test('a loss that is no number: step and tensor named, said again on resuming, kept in the log', async () => {
    const base = openGguf(model);
    const name = 'blk.1.ffn_up.weight';
    const broken = (info: { name: string }): Uint8Array => {
      const bytes = base.readBytes(info.name);
      if (info.name === name) new DataView(bytes.buffer).setFloat32(0, Number.NaN, true);
      return bytes;
    };
    const tensors = [...base.tensors.values()].map((info) => ({ ...info, bytes: () => broken(info) }));
    writeGguf(join(folder, 'nan.gguf'), { metadata: base.metadata, tensors });
    const args = ['tune', 'data.jsonl', '--model', 'nan.gguf', '--threads', '1', '--json', '--run', 'nan'];
    for (const given of [args, ['tune', '--resume', 'nan', '--json']]) {
      const { code, err } = await watched(given, '', () => {});
      expect(code).toBe(1);
      expect(err).toMatch(/^step 0: the loss is NaN and the gradient of \S+lora_[AB]\.weight is not finite\. /);
    }
    const logged = events(readFileSync(join(folder, 'nan', 'events.jsonl'), 'utf8'));
    expect(logged.at(-1)).toMatchObject({ type: 'error', kind: 'failed', fields: { step: 0 } });
    expect(JSON.parse(readFileSync(join(folder, 'nan', 'run.json'), 'utf8'))).toMatchObject({ state: 'failed' });
  });

  test('data that changed meanwhile is refused by name', async () => {
    const path = join(folder, 'data.jsonl');
    const { code } = await tune('changed', '"type":"step-end","step":3,', () => kill('changed'));
    expect(code).toBe(1);
    const before = readFileSync(path, 'utf8');
    writeFileSync(path, before.replace('odd', 'eve'));
    const { code: second, err } = await resume('changed');
    expect(second).toBe(2);
    expect(err).toContain('data.jsonl changed since the run began');
    writeFileSync(path, before);
    // A file more, and one less.
    const digests = join(folder, 'changed', 'run.json');
    const record = readFileSync(digests, 'utf8');
    writeFileSync(digests, record.replace('"dataDigests": {', '"dataDigests": { "gone.jsonl": "0",'));
    expect((await resume('changed')).err).toContain('gone.jsonl changed since the run began');
    writeFileSync(digests, record.replace(/"rows": \d+/, '"rows": 7'));
    expect((await resume('changed')).err).toMatch(/it began with 7 training rows, and the same files make \d+ now/);
    writeFileSync(digests, record.replace(/"rowsDigest": "[0-9a-f]+"/, '"rowsDigest": "0"'));
    expect((await resume('changed')).err).toMatch(
      /it began with (\d+) training rows, and the same files make \1 others now/,
    );
    writeFileSync(digests, record);
    expect((await resume('changed')).code).toBe(0);
    expectSameAs('changed', 'whole');
  });
});
