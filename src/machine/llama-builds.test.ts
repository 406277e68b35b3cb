import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { cpuBuild, cpuPackage, gpuBuilds, installCommand } from './llama-builds.ts';

const machines = [
  ['linux', 'x64'],
  ['linux', 'arm64'],
  ['linux', 'arm'],
  ['win32', 'x64'],
  ['win32', 'arm64'],
  ['darwin', 'x64'],
  ['darwin', 'arm64'],
] as const;
const manifest = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../node_modules/node-llama-cpp/package.json'), 'utf8'),
) as { readonly optionalDependencies: Readonly<Record<string, string>> };

test.each(machines)('%s %s: every package is one that node-llama-cpp knows', (platform, arch) => {
  const named = [cpuPackage(platform, arch), ...gpuBuilds(platform, arch).flatMap(({ packages }) => packages)];
  for (const name of named) expect(Object.keys(manifest.optionalDependencies)).toContain(name);
  expect(cpuBuild(platform, arch).gpu).toBe(cpuPackage(platform, arch).endsWith('-metal') ? 'metal' : false);
});

test("node-llama-cpp has no other GPU builds than those, and Apple's", () => {
  const known = Object.keys(manifest.optionalDependencies).filter((name) => /vulkan|cuda|metal/.test(name));
  const named = machines.flatMap(([platform, arch]) => gpuBuilds(platform, arch).flatMap(({ packages }) => packages));
  expect([...named, cpuPackage('darwin', 'arm64')].sort()).toEqual(known.sort());
});

const root = mkdtempSync(join(tmpdir(), 'nomoat-builds-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('a package is installed where this one lies: in a project, among the global ones, in a checkout', () => {
  for (const folder of ['project/node_modules/nomoat', 'lib/node_modules/nomoat', 'checkout'])
    mkdirSync(join(root, folder), { recursive: true });
  for (const folder of ['project', 'checkout']) writeFileSync(join(root, folder, 'package.json'), '{}');
  const command = (folder: string): string => installCommand(['a@1', 'b@1'], join(root, folder));
  expect(command('project/node_modules/nomoat')).toBe('npm install a@1 b@1');
  expect(command('lib/node_modules/nomoat')).toBe('npm install -g a@1 b@1');
  expect(command('checkout')).toBe('npm install a@1 b@1');
});
