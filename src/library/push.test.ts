import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LocalHub } from '../../test/hub/local-hub.ts';
import { madeAdapter, writtenAdapter } from '../../test/made-adapters.ts';
import { readPeft } from '../adapter/peft.ts';
import type { NomoatError } from '../errors.ts';
import type { Surroundings } from '../store/model-folders.ts';
import { indexFolder } from './index-folder.ts';
import { pullInto } from './pull.ts';
import { type PushOptions, pushFrom } from './push.ts';

let home: string;
let hub: LocalHub;
let adapter: string;
const base = { baseModel: 'Qwen/Qwen3-0.6B', license: 'apache-2.0' };

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'nomoat-push-test-'));
  // In parts of 4 kB from 5 kB on: the weights are larger.
  hub = new LocalHub({ partsFrom: 5000, partBytes: 4096 });
  await hub.listen();
  adapter = writtenAdapter(join(home, 'made'), madeAdapter(1, 0.01));
});

afterEach(async () => {
  await hub.close();
  rmSync(home, { recursive: true, force: true });
});

const around = (env: Record<string, string> = {}): Surroundings => ({
  env: { HF_ENDPOINT: hub.endpoint, HF_TOKEN: 'hf_local', NOMOAT_HOME: join(home, 'own'), ...env },
  home,
});
const pushed = (options: Partial<PushOptions> & { env?: Record<string, string> } = {}, source = adapter) =>
  pushFrom(source, { to: 'ada/poems', ...base, around: around(options.env), retryDelayMs: 1, ...options });
const failure = (promise: Promise<unknown>): Promise<NomoatError> =>
  promise.then(
    () => expect.fail('should have been refused'),
    (error: NomoatError) => error,
  );
const tree = (branch = 'main') => hub.at(hub.repos.get('ada/poems')!, branch)!;
const uploads = (): number => hub.asked.filter(({ method }) => method === 'PUT').length;

describe('to the hub', () => {
  test('one commit with card, license and base, in parts; what comes back is the same', async () => {
    const { asks, license, revision, sent } = await pushed();
    expect(tree().id).toBe(revision);
    expect(hub.at(hub.repos.get('ada/poems')!, tree().parent!)!.tree.size).toBe(1);
    expect([...sent].sort()).toEqual(['README.md', ...readdirSync(adapter)].sort());
    expect(uploads()).toBeGreaterThan(2);
    const card = String(tree().tree.get('README.md')!.body);
    expect(card).toMatch(
      /base_model: Qwen\/Qwen3-0.6B[\s\S]*license: apache-2.0[\s\S]*What its licenses ask[\s\S]*A copy of the license/,
    );
    expect(asks.join()).toMatch(/NOTICE/);
    expect(license).toBe('apache-2.0');
    const back = await pullInto('ada/poems', { around: around() });
    expect(readPeft(back.path).pairs).toEqual(readPeft(adapter).pairs);
    expect(existsSync(join(adapter, 'README.md'))).toBe(false);
  });

  test('again, nothing is sent; of a changed file only that', async () => {
    await pushed();
    const before = uploads();
    const first = tree().id;
    expect((await pushed()).sent).toEqual([]);
    expect(tree().id).toBe(first);
    writeFileSync(join(adapter, 'notes.txt'), 'new');
    writeFileSync(join(adapter, '.env'), 'KEY=1');
    expect((await pushed()).sent).toEqual(['notes.txt']);
    expect(uploads()).toBe(before);
    expect(tree().parent).toBe(first);
  });

  test('private, and to a branch', async () => {
    await pushed({ private: true });
    expect(hub.repos.get('ada/poems')!.isPrivate).toBe(true);
    const main = tree().id;
    writeFileSync(join(adapter, 'notes.txt'), 'new');
    const { url } = await pushed({ revision: 'next' });
    expect(url).toBe(`${hub.endpoint}/ada/poems/tree/next`);
    expect(tree().id).toBe(main);
    expect(tree('next').tree.has('notes.txt')).toBe(true);
  });

  test('weights of an earlier form go, other files stay and are said', async () => {
    hub.publish('ada/poems', { 'adapter_model-00001-of-00002.safetensors': 'old', 'demo.png': 'x' });
    const { notes } = await pushed();
    expect([...tree().tree.keys()]).not.toContain('adapter_model-00001-of-00002.safetensors');
    expect(notes.join()).toMatch(/Left as they were there: demo.png/);
  });

  test.each([0.05, 0.3, 0.55, 0.8, 0.97])(
    'cut off after %f of its bytes, nothing is visible; the next push goes on',
    async (share) => {
      await pushed();
      const whole = hub.moved;
      await hub.close();
      hub = new LocalHub({ partsFrom: 5000, partBytes: 4096 });
      await hub.listen();
      const stop = new AbortController();
      hub.onCut = () => stop.abort();
      hub.cutAfter = share * whole;
      const error = await failure(pushed({ signal: stop.signal }));
      expect(error.kind).toBe('interrupted');
      const names = [...(hub.repos.get('ada/poems') ? tree().tree.keys() : [])];
      // The commit is the last that is sent.
      expect(names.filter((name) => name !== '.gitattributes')).toEqual([]);
      const kept = hub.large.size;
      const before = uploads();
      await pushed();
      expect(kept === 0 || uploads() === before).toBe(true);
      expect(
        readdirSync(adapter).every((name) =>
          tree()
            .tree.get(name)!
            .body.equals(readFileSync(join(adapter, name))),
        ),
      ).toBe(true);
    },
  );

  test('a connection that breaks once is tried again', async () => {
    hub.cutAfter = 12_000;
    await pushed();
    expect(hub.cutAfter).toBeNull();
    expect(readdirSync(adapter).every((name) => tree().tree.has(name))).toBe(true);
  });

  test('the token is asked for first, refused ones are named without being shown', async () => {
    expect((await failure(pushed({ env: { HF_TOKEN: '' } }))).message).toMatch(/takes nothing without a token/);
    const error = await failure(pushed({ env: { HF_TOKEN: 'hf_other' } }));
    expect(error).toMatchObject({ code: 'upload-failed', fields: { problem: 'unauthorised' } });
    expect(JSON.stringify(error)).not.toContain('hf_other');
    expect(hub.repos.size).toBe(0);
  });

  test('somebody else pushed meanwhile: said, nothing is lost', async () => {
    await pushed();
    writeFileSync(join(adapter, 'notes.txt'), 'new');
    const store = hub.commit.bind(hub);
    hub.commit = (repo, branch, lines) => {
      hub.commit = store;
      hub.publish('ada/poems', { 'theirs.txt': 'x' });
      return store(repo, branch, lines);
    };
    expect((await failure(pushed())).message).toMatch(/changed by somebody else meanwhile/);
    await pushed();
    expect([...tree().tree.keys()]).toEqual(expect.arrayContaining(['notes.txt', 'theirs.txt']));
  });
});

describe('before anything is sent', () => {
  test.each([
    [{ license: null }, /states no license.*the base is under Apache-2.0/],
    [{ baseModel: null }, /not stated which base/],
    [{ baseModel: 'a path' }, /no id of the hub/],
    [
      { baseModel: 'meta-llama/Llama-3.2-1B-Instruct', license: 'mit' },
      /another license than the base's: the Llama 3.2/,
    ],
  ])('%o is refused', async (given, words) => {
    hub.publish('meta-llama/Llama-3.2-1B-Instruct', { 'README.md': '---\nlicense: llama3.2\n---\n' });
    const asked = () => hub.asked.filter(({ method }) => method !== 'GET').length;
    const error = await failure(pushed(given));
    expect(error.code).toBe('unusable-license');
    expect(error.fault).toMatch(words);
    expect(asked()).toBe(0);
  });

  test("under the base's own license its duties are written, and the name that it asks for is said", async () => {
    hub.publish('meta-llama/Llama-3.2-1B-Instruct', { 'README.md': '---\nlicense: llama3.2\n---\n' });
    const { notes } = await pushed({ baseModel: 'meta-llama/Llama-3.2-1B-Instruct', license: 'llama3.2' });
    expect(notes.join()).toMatch(/begin with "Llama"; poems does not/);
    expect(String(tree().tree.get('README.md')!.body)).toMatch(/Built with Llama/);
  });

  test('broken weights, folders without an adapter, addresses that are none', async () => {
    expect((await failure(pushed({}, home))).message).toMatch(/holds no adapter itself/);
    expect((await failure(pushed({ to: 'poems' }))).message).toMatch(/no organisation\/name/);
    expect((await failure(pushed({ to: 'https://example.org/x' }))).message).toMatch(/is a web server/);
    const weights = readFileSync(join(adapter, 'adapter_model.safetensors'));
    weights.writeUInt32LE(0x7fc00000, weights.length - 4);
    writeFileSync(join(adapter, 'adapter_model.safetensors'), weights);
    expect((await failure(pushed())).code).toBe('unusable-adapter');
    expect(hub.repos.size).toBe(0);
  });

  test('a path of this machine in its config does not go along', async () => {
    const path = join(adapter, 'adapter_config.json');
    const config = JSON.parse(readFileSync(path, 'utf8')) as object;
    writeFileSync(path, JSON.stringify({ ...config, base_model_name_or_path: '/home/ada/secret/model' }));
    const { notes } = await pushed();
    expect(notes.join()).toMatch(/named a path of this machine/);
    expect(String(tree().tree.get('adapter_config.json')!.body)).not.toContain('secret');
  });

  test('what is signed is not changed', async () => {
    writeFileSync(join(adapter, 'model.sig'), '{}');
    expect((await failure(pushed())).fault).toMatch(/README.md would have to be changed/);
  });
});

describe('a folder as a hub', () => {
  const shared = (): string => join(home, 'shared');

  test('takes a push, lists it, and gives it back by path and by any name above', async () => {
    const { revision, url } = await pushed({ to: join(shared(), 'ada/poems') });
    expect(url).toBe(join(shared(), 'ada/poems'));
    const { asks, path, revision: pulled } = await pullInto(join(shared(), 'ada/poems'), { around: around() });
    expect(pulled).toBe(revision);
    expect(asks.join()).toMatch(/Apache License 2.0/);
    expect(readPeft(path).pairs).toEqual(readPeft(adapter).pairs);
    expect(readdirSync(join(shared(), 'ada'))).toEqual(['nomoat-index.json', 'poems']);
    expect(hub.asked).toEqual([]);
  });

  test('is one behind a web server that knows nothing but files', async () => {
    cpSync(adapter, join(shared(), 'ada/poems'), { recursive: true });
    await indexFolder(shared());
    const asked: string[] = [];
    const server = createServer(({ method, url }, response) => {
      asked.push(`${method} ${url}`);
      const path = join(shared(), decodeURIComponent(url!));
      if (existsSync(path) && statSync(path).isFile()) response.end(readFileSync(path));
      else response.writeHead(404).end('Not found');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const { kind, path } = await pullInto(`${address}/ada/poems`, { around: around() });
      expect([kind, readPeft(path).pairs]).toEqual(['adapter', readPeft(adapter).pairs]);
      // Files by their names and the catalogue above them: no API of any hub.
      expect(
        asked.every((each) => /^(GET|HEAD) \/(ada\/)?(poems\/)?[\w.-]+$/.test(each)),
        asked.join(),
      ).toBe(true);
      expect(asked).toContain('GET /nomoat-index.json');
      const absent = await failure(pullInto(`${address}/ada/none`, { around: around() }));
      expect(absent.message).toContain('ada/none');
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test('an indexed folder lists all; what is broken is said and left out', async () => {
    for (const name of ['ada/poems', 'ada/songs']) cpSync(adapter, join(shared(), name), { recursive: true });
    cpSync(adapter, join(shared(), 'eve/broken'), { recursive: true });
    writeFileSync(join(shared(), 'eve/broken/adapter_model.safetensors'), 'x');
    const { names, notes } = await indexFolder(shared());
    expect(names).toEqual(['ada/poems', 'ada/songs']);
    expect(notes.join('\n')).toMatch(/eve\/broken is left out/);
    expect((await pullInto(join(shared(), 'ada/songs'), { around: around() })).kind).toBe('adapter');
    const error = await failure(pullInto(shared(), { around: around() }));
    expect(error.remedy).toMatch(/ada\/poems, ada\/songs/);
    writeFileSync(join(shared(), 'ada/songs/adapter_config.json'), '{"changed": true}');
    rmSync(join(home, 'own'), { recursive: true });
    expect((await failure(pullInto(join(shared(), 'ada/songs'), { around: around() }))).fields['problem']).toMatch(
      /checksum|protocol/,
    );
  });

  test('nothing that is there is overwritten; the same again is no fault', async () => {
    const to = join(shared(), 'ada/poems');
    await pushed({ to });
    expect((await pushed({ to })).sent).toEqual([]);
    writeFileSync(join(adapter, 'notes.txt'), 'new');
    expect((await failure(pushed({ to }))).code).toBe('path-exists');
  });
});
