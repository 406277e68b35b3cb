import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256 } from '../../test/hub/hub-repos.ts';
import { LocalHub } from '../../test/hub/local-hub.ts';
import { madeAdapter, miniPath, writtenAdapter } from '../../test/made-adapters.ts';
import { readPeft } from '../adapter/peft.ts';
import type { NomoatError } from '../errors.ts';
import type { FoundToPull, PullProgress } from '../store/pull-progress.ts';
import { type PullOptions, type PullSurroundings, pullInto } from './pull.ts';

let home: string;
let hub: LocalHub;
let events: PullProgress[];
let files: Record<string, Buffer>;
const card = (license: string | null): Buffer =>
  Buffer.from(
    `---\n${license === null ? '' : `license: ${license}\n`}base_model: meta-llama/Llama-3.2-1B\n---\n# An adapter\n`,
  );

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'nomoat-pull-'));
  events = [];
  hub = new LocalHub();
  await hub.listen();
  const folder = writtenAdapter(join(home, 'made'), madeAdapter(1, 0.01));
  files = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
  files['README.md'] = card('llama3.2');
});

afterEach(async () => {
  await hub.close();
  rmSync(home, { recursive: true, force: true });
});

const around = (env: Record<string, string> = {}) => ({
  env: { HF_ENDPOINT: hub.endpoint, NOMOAT_HOME: join(home, 'own'), ...env },
  home,
});
const pulled = (name: string, options: PullOptions & PullSurroundings = {}) =>
  pullInto(name, { around: around(), retryDelayMs: 1, onProgress: (event) => events.push(event), ...options });
const failure = (promise: Promise<unknown>): Promise<NomoatError> =>
  promise.then(
    () => expect.fail('should have been refused'),
    (error: NomoatError) => error,
  );
const said = (): string => events.map(({ message }) => message ?? '').join('\n');
const repo = (): string => join(home, '.cache/huggingface/hub/models--ada--poems');

describe('an adapter on the hub', () => {
  test('comes whole into the usual cache, with license and base said before the first byte', async () => {
    hub.publish('ada/poems', {
      ...files,
      'nomoat.json': JSON.stringify({ base: { file: 'x.gguf', bytes: 1, sha256: 'a'.repeat(64) } }),
    });
    const { asks, base, kind, license, path, revision } = await pulled('ada/poems');
    expect({ kind, license, revision }).toEqual({
      kind: 'adapter',
      license: 'llama3.2',
      revision: hub.repos.get('ada/poems')!.branches.get('main'),
    });
    expect(path).toBe(join(repo(), 'snapshots', revision!));
    expect(readPeft(path).pairs).toEqual(readPeft(join(home, 'made')).pairs);
    expect(readdirSync(path).sort()).toEqual([...Object.keys(files), 'nomoat.json'].sort());
    expect(base).toEqual({
      id: 'meta-llama/Llama-3.2-1B',
      file: { file: 'x.gguf', bytes: 1, sha256: 'a'.repeat(64) },
      path: null,
      pullName: null,
    });
    expect(asks.join('\n')).toMatch(/Built with Llama[\s\S]*begins with "Llama"/);
    const first = events.findIndex(({ phase }) => phase === 'download');
    expect(
      events
        .slice(0, first)
        .map(({ message }) => message)
        .join('\n'),
    ).toMatch(/license: llama3.2, base: meta-llama\/Llama-3.2-1B[\s\S]*Built with Llama/);
    expect(events.at(-1)).toMatchObject({ phase: 'done' });
  });

  test('asks first, with size and license, and fetches nothing that is not wanted', async () => {
    hub.publish('ada/poems', files);
    const asked: FoundToPull[] = [];
    const no = await failure(pulled('ada/poems', { confirm: (found) => asked.push(found) < 0 }));
    expect([no.kind, no.fault]).toEqual(['interrupted', 'was found, and not wanted']);
    const bytes = Object.values(files).reduce((sum, { length }) => sum + length, 0);
    expect(asked).toMatchObject([{ kind: 'adapter', from: 'ada/poems', bytes, license: 'llama3.2' }]);
    expect(asked[0]!.asks.join('\n')).toContain('Built with Llama');
    expect(existsSync(join(repo(), 'snapshots'))).toBe(false);
    expect((await pulled('ada/poems', { confirm: async () => true })).license).toBe('llama3.2');
  });

  test('brings no pickles, checkpoints and whole models, and says so', async () => {
    hub.publish('ada/poems', {
      ...files,
      'adapter_model.bin': 'x',
      'checkpoint-10/adapter_config.json': '{}',
      'model-00001-of-2.safetensors': 'x',
      'q8_0.gguf': 'GGUF',
    });
    const { notes, path } = await pulled('ada/poems');
    expect(readdirSync(path).sort()).toEqual(Object.keys(files).sort());
    expect(notes.join('\n')).toMatch(/pickles.*adapter_model.bin[\s\S]*checkpoints[\s\S]*whole models: q8_0.gguf/);
  });

  test('a second pull fetches nothing; a spoilt blob is mended', async () => {
    hub.publish('ada/poems', files);
    const { path } = await pulled('ada/poems');
    const fetched = () =>
      hub.asked.filter(({ method, path: asked }) => method === 'GET' && /resolve|cdn/.test(asked)).length;
    const before = fetched();
    await pulled('ada/poems');
    expect(fetched()).toBe(before);
    writeFileSync(join(path, 'adapter_config.json'), 'spoilt');
    await pulled('ada/poems');
    expect(readFileSync(join(path, 'adapter_config.json'))).toEqual(files['adapter_config.json']);
  });

  test('cut off between two files, nothing of it is visible, and the next pull goes on', async () => {
    hub.publish('ada/poems', files);
    const stop = new AbortController();
    const large = files['adapter_model.safetensors']!.length;
    const stopped = await failure(
      pulled('ada/poems', {
        signal: stop.signal,
        onProgress: ({ receivedBytes }) => receivedBytes > large / 2 && stop.abort(),
      }),
    );
    expect(stopped.kind).toBe('interrupted');
    expect(existsSync(join(repo(), 'snapshots'))).toBe(false);
    expect((await pulled('ada/poems')).path).toContain('snapshots');
  });

  test('a revision is a branch or a commit; another name is refused', async () => {
    const { branches } = hub.publish('ada/poems', files);
    const old = branches.get('main')!;
    hub.publish('ada/poems', { 'new.txt': 'x' });
    expect((await pulled('ada/poems', { revision: old })).revision).toBe(old);
    expect(existsSync(join(repo(), 'refs'))).toBe(false);
    expect((await pulled('ada/poems')).revision).toBe(branches.get('main'));
    expect((await failure(pulled('ada/poems', { revision: '../x' }))).message).toMatch(/no branch, tag or commit/);
    expect((await failure(pulled('ada/poems', { revision: 'nothing' }))).message).toMatch(/no such revision/);
  });

  test('a private one takes the token of the usual places, which nothing shows', async () => {
    hub.publish('ada/poems', files, true);
    expect((await failure(pulled('ada/poems'))).fields.problem).toBe('not-found');
    mkdirSync(join(home, '.cache/huggingface'), { recursive: true });
    writeFileSync(join(home, '.cache/huggingface/token'), 'hf_local\n');
    expect((await pulled('ada/poems')).kind).toBe('adapter');
    writeFileSync(join(home, '.cache/huggingface/token'), 'hf_wrong');
    const error = await failure(pulled('ada/poems'));
    expect(JSON.stringify(error) + said()).not.toMatch(/hf_wrong|hf_local/);
    const broken = await failure(pulled('ada/poems', { around: around({ HF_TOKEN: 'hf_a b' }) }));
    expect(broken.message).toMatch(/HF_TOKEN: holds a text that is no token/);
    expect(broken.message).not.toContain('hf_a');
  });

  test('without a license it is said; of one that is not known as well', async () => {
    hub.publish('ada/poems', { ...files, 'README.md': card(null) });
    expect((await pulled('ada/poems')).notes.join()).toMatch(/states no license/);
    hub.publish('ada/poems', { ...files, 'README.md': card('my-terms') });
    expect((await pulled('ada/poems')).asks.join()).toMatch(/my-terms asks is not known/);
  });

  test('the base is found here by its digest, or its absence said', async () => {
    const mini = join(import.meta.dirname, '../../models');
    const gguf = readFileSync(miniPath);
    const named = { file: 'nomoat-mini.gguf', bytes: gguf.length, sha256: sha256(gguf) };
    hub.publish('ada/poems', { ...files, 'nomoat.json': JSON.stringify({ base: named }) });
    const here = await pulled('ada/poems', { base: true, around: { ...around(), packagedModels: mini } });
    expect(here.base?.path).toBe(join(mini, 'nomoat-mini/nomoat-mini.gguf'));
    const error = await failure(pulled('ada/poems', { base: true }));
    expect(error.message).toMatch(/nomoat-mini.gguf: is not on this machine/);
  });
});

test('without a hub, the copy in the cache is used and said to be unchecked', async () => {
  hub.publish('ada/poems', files);
  const { path } = await pulled('ada/poems');
  await hub.close();
  const kept = await pulled('ada/poems');
  expect(kept.path).toBe(path);
  expect(kept.notes.join()).toMatch(/not compared with the hub now/);
});

test('a model is a model', async () => {
  hub.publish('ada/model-GGUF', { 'm-Q8_0.gguf': 'GGUF', 'README.md': card('mit') });
  expect(await pulled('ada/model-GGUF')).toMatchObject({ kind: 'model', license: 'mit', base: null });
});
