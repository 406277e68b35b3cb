/** Models that the studio fetches: asked first, told how far they are, and models of the server when they are here. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StudioPull } from '../../src/server/studio/pulls.ts';
import { LocalHub } from '../hub/local-hub.ts';
import { folder, reference, type Served, served } from './support.ts';

const hub = new LocalHub();
const home = join(folder, 'pull-home');
const before = { ...process.env };
let server: Served;
beforeAll(async () => {
  process.env.HF_ENDPOINT = await hub.listen();
  process.env.HF_HOME = join(home, 'hf');
  process.env.NOMOAT_HOME = home;
  const card = (license: string): string => `---\nlicense: ${license}\n---\n`;
  hub.publish('ada/tiny', { 'tiny-Q8_0.gguf': readFileSync(reference), 'README.md': card('mit') });
  hub.publish('ada/other', { 'other-Q8_0.gguf': readFileSync(reference), 'README.md': card('llama3.2') });
  server = await served({ runs: join(folder, 'pulls') }, { listMilliseconds: 0 });
});
afterAll(async () => {
  process.env = before;
  await hub.close();
});

async function ask(path: string, body?: object): Promise<{ status: number; body: never }> {
  const json = body
    ? { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }
    : {};
  const answer = await fetch(`${server.url}/studio/v1/${path}`, json);
  return { status: answer.status, body: (await answer.json()) as never };
}

const blobs = join(home, 'hf/hub/models--ada--other/blobs');
/** The pull of that name, once it is at `state`. */
async function at(name: string, state: StudioPull['state']): Promise<StudioPull> {
  for (;;) {
    const { pulls } = (await ask('pulls')).body as { pulls: StudioPull[] };
    const found = pulls.find((each) => each.name === name);
    if (found?.state === state) return found;
    if (found?.state === 'failed') throw new Error(found.fault ?? '');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const isListed = async (id: string): Promise<boolean> =>
  (await server.client.models.list()).data.some((model) => model.id === id);

test('what is found is asked for with size and license, and fetched after a yes', async () => {
  await ask('pulls', { name: 'ada/tiny' });
  const { found, id } = await at('ada/tiny', 'asking');
  const { length: bytes } = readFileSync(reference);
  expect(found).toMatchObject({ kind: 'model', from: 'ada/tiny/tiny-Q8_0.gguf', bytes, license: 'mit' });
  expect(await isListed('tiny-Q8_0')).toBe(false);
  expect((await ask(`pulls/${id}/agree`, {})).status).toBe(200);
  expect(await at('ada/tiny', 'done')).toMatchObject({ received: bytes, total: bytes, fault: null });
  expect(await isListed('tiny-Q8_0')).toBe(true);
  expect((await ask(`pulls/${id}/agree`, {})).status).toBe(409);
});

test('a license that was shown is not asked again, another one is; what is not wanted is not fetched', async () => {
  await ask('pulls', { name: 'ada/other', license: 'mit' });
  const { id } = await at('ada/other', 'asking');
  expect((await ask(`pulls/${id}/cancel`, {})).body).toMatchObject({ state: 'cancelled' });
  expect(existsSync(blobs)).toBe(false);
  await ask('pulls', { name: 'ada/other', license: 'Llama3.2' });
  expect((await at('ada/other', 'done')).found?.license).toBe('llama3.2');
});

test('no path and no address is pulled, and what is nowhere is a sentence', async () => {
  for (const name of ['../x', './shared/a', '/etc', 'file:///etc', 'https://example.org/a/b', 'a/b/c', '~/x'])
    expect((await ask('pulls', { name })).status, name).toBe(400);
  await ask('pulls', { name: 'ada/nowhere' });
  await expect(at('ada/nowhere', 'done')).rejects.toThrow(/ada\/nowhere/);
  const { models } = (await ask('catalogue')).body as { models: { name: string; license: string }[] };
  expect(models.find(({ name }) => name === 'smollm2-135m')).toMatchObject({ license: 'Apache-2.0', here: false });
});
