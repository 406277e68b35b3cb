/**
 * Clients of OpenAI's API that are not among the packages here, against a server: `npm run test:clients` fetches them from npm and PyPI. What
 * cannot be had is skipped, by name and with the reason; without that command all of them are.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { addApiKey } from '../../src/index.ts';
import { repo } from '../cases/support.ts';
import { installNode, installPackage } from '../npm-packages.mjs';
import { folder, served } from '../server/support.ts';
import { tuneToolModel } from '../server/tool-model.ts';

const scripts = join(repo, 'test/clients');

/** A program that runs the checks of a client, once it is given the server's address and keys. */
type Client = () => readonly [program: string, ...args: string[]];

/** Fetching a Node, or a Python package and what it needs. */
const fetching = 300_000;

const clients: Readonly<Record<string, Client>> = {
  'openai 6, on this Node': () => [
    process.execPath,
    join(scripts, 'node-client.mjs'),
    join(repo, 'node_modules/openai'),
  ],
  'openai 7, on Node 22': () => {
    const node = installNode('22', join(folder, 'node-22'));
    return [node, join(scripts, 'node-client.mjs'), installPackage('openai@7', join(folder, 'openai-7'))];
  },
  'openai of PyPI': () => {
    const place = join(folder, 'python');
    execFileSync(process.env.NOMOAT_PYTHON ?? 'python3', ['-m', 'venv', place], { stdio: 'pipe' });
    const python = join(place, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', 'openai'], {
      stdio: 'pipe',
    });
    return [python, join(scripts, 'python_client.py')];
  },
};

interface Checked {
  readonly name: string;
  readonly fault: string | null;
}

/** The server that all clients ask; what they need is there. */
const started = (async () => {
  if (process.env.NOMOAT_CLIENTS === undefined) return null;
  // Keys of its own: where there are some, servers of other tests want one too.
  process.env.NOMOAT_HOME = join(folder, 'home');
  const [runs, models] = [join(folder, 'runs'), join(folder, 'models')];
  await tuneToolModel(join(folder, 'base'), runs);
  mkdirSync(models);
  writeFileSync(join(models, 'broken.gguf'), 'GGUF, and then nothing of a model');
  return served({ runs, models: [models], apiKey: 'sk-admin' });
})();

async function checksOf([program, ...args]: ReturnType<Client>, name: string): Promise<Checked[]> {
  const { url } = (await started)!;
  const keyName = name.replace(/\W+/g, '-');
  const [chat, once] = [
    await addApiKey({ name: `${keyName}-chat`, scope: 'chat' }),
    await addApiKey({ name: `${keyName}-once`, scope: 'chat', requestsPerMinute: 1 }),
  ];
  const keys = { admin: 'sk-admin', chat: chat.key, once: once.key };
  const running = spawn(program, [...args, url, JSON.stringify(keys)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const checked: Checked[] = [];
  for await (const line of createInterface(running.stdout)) checked.push(JSON.parse(line) as Checked);
  return checked;
}

/** The client's program; skips where it cannot be had. */
function had(client: Client, skip: (note: string) => never): ReturnType<Client> {
  try {
    return client();
  } catch (error) {
    return skip(`it could not be had: ${(error as Error).message.split('\n')[0]}`);
  }
}

describe.each(Object.entries(clients))('%s', (name, client) => {
  test('every check passes', { timeout: fetching }, async ({ skip }) => {
    if (process.env.NOMOAT_CLIENTS === undefined) return skip('npm run test:clients fetches it');
    const checked = await checksOf(had(client, skip), name);
    for (const { fault, name: check } of checked)
      console.log(`${fault === null ? 'passed' : 'FAILED'}  ${name}: ${check}${fault === null ? '' : `: ${fault}`}`);
    expect(checked.length).toBeGreaterThan(15);
    expect(checked.filter(({ fault }) => fault !== null)).toEqual([]);
  });
});
