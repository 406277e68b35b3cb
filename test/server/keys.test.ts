/** Keys of clients: made, used, limited and taken away while a server runs, and what each scope opens. */
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { addApiKey, listApiKeys, removeApiKey } from '../../src/index.ts';
import { type EndpointScope, scopes } from '../../src/server/scopes.ts';
import { dayOf, secondsToNextDay } from '../../src/store/key-days.ts';
import { keyScopes } from '../../src/store/key-scopes.ts';
import { folder, served } from './support.ts';

let home = '';
beforeEach(() => {
  home = join(folder, `home-${Math.random()}`);
  vi.stubEnv('NOMOAT_HOME', home);
});
afterEach(() => {
  vi.useRealTimers();
});

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly retryAfter: number | null;
}

/** What is answered to a GET with that key: nothing, or its error. */
async function refusal(url: string, key: string | null, path = '/v1/models'): Promise<Refusal | null> {
  const answer = await fetch(`${url}${path}`, { headers: key === null ? {} : { Authorization: `Bearer ${key}` } });
  if (answer.ok) return null;
  const { error } = (await answer.json()) as { error: { code: string; type: string; message: string; param: null } };
  const after = answer.headers.get('retry-after');
  return { status: answer.status, code: error.code, retryAfter: after === null ? null : Number(after) };
}

const chat = (url: string, apiKey: string, max_tokens = 6) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 }).chat.completions.create({
    model: 'nomoat-mini',
    messages: [{ role: 'user', content: 'What is your name?' }],
    max_tokens,
    temperature: 0,
  });

describe('making keys', () => {
  test('a key is printed once, is random, and is in no file', async () => {
    const [one, other] = [await addApiKey({ name: 'one' }), await addApiKey({ name: 'other', scope: 'admin' })];
    expect(one).toMatchObject({
      name: 'one',
      scope: 'chat',
      lastUsed: null,
      requestsPerMinute: null,
      tokensPerDay: null,
      tokensToday: 0,
    });
    expect(one.key).toMatch(/^sk-nomoat-[\w-]{43}$/);
    expect(other.key).not.toBe(one.key);
    expect(Math.abs(Date.parse(one.created) - Date.now())).toBeLessThan(60_000);
    const files = readdirSync(home).filter((name) => name.startsWith('api-keys'));
    expect(files).toContain('api-keys.sqlite');
    for (const name of files) {
      const text = readFileSync(join(home, name), 'latin1');
      for (const { key } of [one, other]) expect(text.includes(key.slice('sk-nomoat-'.length)), name).toBe(false);
    }
    if (process.platform !== 'win32') expect(statSync(join(home, 'api-keys.sqlite')).mode & 0o777).toBe(0o600);
    expect(await listApiKeys()).toEqual([one, other].map(({ key: _, ...rest }) => rest));
    await removeApiKey('one');
    expect((await listApiKeys()).map(({ name }) => name)).toEqual(['other']);
  });

  test('what is refused', async () => {
    expect(await listApiKeys()).toEqual([]);
    await addApiKey({ name: 'laptop' });
    await expect(addApiKey({ name: 'laptop' })).rejects.toThrow('there is a key laptop already');
    for (const name of ['', 'a b', 'a/b', 'x'.repeat(65)])
      await expect(addApiKey({ name }), name).rejects.toThrow('no name of a key');
    await expect(addApiKey({} as { name: string })).rejects.toThrow('was not given');
    await expect(addApiKey({ name: 'x', scope: 'root' as 'admin' })).rejects.toThrow(
      '"root" is none of chat, tune, admin',
    );
    await expect(addApiKey({ name: 'x', requestsPerMinute: 0 })).rejects.toThrow('0 is no whole number from 1');
    await expect(removeApiKey('laptob')).rejects.toThrow('there is no key laptob. Did you mean laptop?');
    expect(await listApiKeys()).toHaveLength(1);
  });

  test('a file that is none of keys lets nobody in, and is said', async () => {
    await addApiKey({ name: 'a' });
    for (const name of readdirSync(home)) rmSync(join(home, name), { recursive: true });
    writeFileSync(
      join(home, 'api-keys.sqlite'),
      'no database at all, but long enough to be looked at as one'.repeat(20),
    );
    await expect(listApiKeys()).rejects.toThrow('cannot be read as the file of API keys');
    await expect(served()).rejects.toThrow('cannot be read as the file of API keys');
  });
});

describe('a running server', () => {
  test('hears of keys that are made and removed, and asks for one from the first on', async () => {
    const { url } = await served();
    expect(await refusal(url, null)).toBeNull();
    const { key } = await addApiKey({ name: 'a' });
    expect(await refusal(url, null)).toMatchObject({ status: 401, code: 'invalid_api_key' });
    expect(await refusal(url, `${key}x`)).toMatchObject({ status: 401, code: 'invalid_api_key' });
    expect(await refusal(url, key.slice(0, -1))).toMatchObject({ status: 401 });
    expect(await refusal(url, key)).toBeNull();
    await removeApiKey('a');
    expect(await refusal(url, key)).toMatchObject({ status: 401 });
    // Taking the last key away opens nothing.
    expect(await refusal(url, null)).toMatchObject({ status: 401 });
    for (const path of ['/healthz', '/readyz']) expect(await refusal(url, null, path)).toBeNull();
  });

  test('lets nobody in with keys of a file that was taken away', async () => {
    const { url } = await served();
    const { key } = await addApiKey({ name: 'a' });
    expect(await refusal(url, key)).toBeNull();
    for (const name of readdirSync(home).filter((each) => each.startsWith('api-keys'))) rmSync(join(home, name));
    expect(await refusal(url, key)).toMatchObject({ status: 401 });
    const { key: next } = await addApiKey({ name: 'a' });
    expect(await refusal(url, next)).toBeNull();
  });

  test('takes the key of the environment beside them, as one for everything', async () => {
    const { key } = await addApiKey({ name: 'a' });
    const { url } = await served({ apiKey: 'sk-environment' });
    const permissions = '/v1/fine_tuning/checkpoints/x/permissions';
    expect(await refusal(url, 'sk-environment', permissions)).toMatchObject({ status: 404 });
    expect(await refusal(url, key, permissions)).toMatchObject({ status: 403 });
  });

  test('on an address of others wants one, or a word of it that opens it', async () => {
    await expect(served({ host: '0.0.0.0' })).rejects.toThrow(
      'can be reached from other machines, and there is no API key',
    );
    const { key } = await addApiKey({ name: 'a' });
    const shut = await served({ host: '0.0.0.0' });
    expect(await refusal(shut.url, key)).toBeNull();
    await removeApiKey('a');
    expect(await refusal(shut.url, null)).toMatchObject({ status: 401 });
    const open = await served({ host: '0.0.0.0', openToEverybody: true });
    for (const any of [null, 'none']) expect(await refusal(open.url, any)).toBeNull();
  });

  test('is told of the key in its log by name, and when it was used', async () => {
    const { key } = await addApiKey({ name: 'laptop' });
    const { log, url } = await served();
    await refusal(url, key);
    expect(log.at(-1)).toMatchObject({ type: 'request', key: 'laptop' });
    expect(JSON.stringify(log)).not.toContain(key);
    expect(Math.abs(Date.parse((await listApiKeys())[0]!.lastUsed!) - Date.now())).toBeLessThan(60_000);
  });
});

describe('scopes', () => {
  const all = (Object.entries(scopes) as [EndpointScope, readonly string[]][]).flatMap(([scope, endpoints]) =>
    endpoints.map((endpoint) => [endpoint, scope] as const),
  );

  test('every endpoint is refused to keys of less, and to no others', async () => {
    const { url } = await served({ runs: join(folder, 'none') });
    const keys = await Promise.all(
      keyScopes.map(async (scope) => [scope, (await addApiKey({ name: scope, scope })).key] as const),
    );
    for (const [endpoint, wanted] of all)
      for (const [scope, key] of keys) {
        const [method = '', path = ''] = endpoint.split(' ');
        // Nothing of these names is there, and bodies are none: what is let in is refused later, or answered.
        const answer = await fetch(`${url}${path.replace(/\{\w+\}/g, 'none')}`, {
          method,
          headers: { Authorization: `Bearer ${key}` },
        });
        const { error } = answer.ok ? { error: null } : ((await answer.json()) as { error: { code: string } });
        const isLess = wanted !== 'open' && keyScopes.indexOf(scope) < keyScopes.indexOf(wanted);
        expect(answer.status === 403 && error?.code === 'insufficient_permissions', `${endpoint} with ${scope}`).toBe(
          isLess,
        );
        expect(answer.status, `${endpoint} with ${scope}`).toBeLessThan(500);
      }
  });

  test('the message says both', async () => {
    const { url } = await served();
    const { key } = await addApiKey({ name: 'a' });
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
    await expect(client.files.list()).rejects.toThrow("403 This API key has scope 'chat', and this needs 'tune'.");
  });
});

describe('limits of a key', () => {
  test('requests a minute', async () => {
    const { url } = await served();
    const { key } = await addApiKey({ name: 'a', requestsPerMinute: 3 });
    const { key: other } = await addApiKey({ name: 'b' });
    const all = await Promise.all(Array.from({ length: 5 }, () => refusal(url, key)));
    expect(all.filter((each) => each === null)).toHaveLength(3);
    const [first] = all.filter((each) => each !== null);
    expect(first).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
    expect(first!.retryAfter).toBeGreaterThan(50);
    expect(first!.retryAfter).toBeLessThanOrEqual(60);
    expect(await refusal(url, other)).toBeNull();
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 61_000);
    expect(await refusal(url, key)).toBeNull();
    vi.restoreAllMocks();
  });

  test('tokens a day, kept over a restart, of whole and streamed answers', async () => {
    const first = await served();
    const { key } = await addApiKey({ name: 'a', tokensPerDay: 60 });
    const { usage } = await chat(first.url, key);
    expect((await listApiKeys())[0]!.tokensToday).toBe(usage!.total_tokens);
    await first.close();
    const { url } = await served();
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
    const stream = await client.completions.create({
      model: 'nomoat-mini',
      prompt: 'Once',
      max_tokens: 60,
      stream: true,
      temperature: 0,
    });
    for await (const _ of stream);
    expect((await listApiKeys())[0]!.tokensToday).toBeGreaterThan(60);
    const refused = await refusal(url, key);
    expect(refused).toMatchObject({ status: 429, code: 'insufficient_quota' });
    expect(Math.abs(refused!.retryAfter! - secondsToNextDay(Date.now() / 1000))).toBeLessThan(5);
    await expect(chat(url, key)).rejects.toMatchObject({ status: 429, code: 'insufficient_quota' });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 86_400_000 });
    expect(await refusal(url, key)).toBeNull();
    expect((await listApiKeys())[0]!.tokensToday).toBe(0);
  });

  test('an answer that is not read to its end counts as far as it was computed', async () => {
    const { url } = await served();
    const { key } = await addApiKey({ name: 'a' });
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
    const stream = await client.completions.create({
      model: 'nomoat-mini',
      prompt: 'Once',
      max_tokens: 400,
      stream: true,
      logit_bias: { 1: -100, 2: -100 },
    });
    for await (const _ of stream) break;
    await vi.waitFor(async () => expect((await listApiKeys())[0]!.tokensToday).toBeGreaterThan(0));
  });
});

test('days and what is left of them', () => {
  expect([dayOf(0), dayOf(86_399), dayOf(86_400)]).toEqual([0, 0, 1]);
  expect([secondsToNextDay(0), secondsToNextDay(86_399)]).toEqual([86_400, 1]);
});
