import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const repo = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-example-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('examples/tune-and-chat.ts compiles and runs in a project that has nomoat installed', { timeout: 240_000 }, () => {
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(repo, join(folder, 'node_modules/nomoat'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  copyFileSync(join(repo, 'examples/tune-and-chat.ts'), join(folder, 'tune-and-chat.ts'));
  const rows = Array.from({ length: 20 }, (_, i) =>
    JSON.stringify({ prompt: `number ${i}`, completion: i % 2 ? 'odd' : 'even' }),
  );
  writeFileSync(join(folder, 'data.jsonl'), rows.join('\n'));
  const run = (file: string, ...args: string[]) =>
    spawnSync(process.execPath, [file, ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NOMOAT_HOME: join(folder, 'home') },
    });
  // biome-ignore format: a command line
  const compiled = run(join(repo, 'node_modules/typescript/bin/tsc'), 'tune-and-chat.ts', '--module', 'nodenext', '--target', 'es2023', '--strict', '--skipLibCheck', '--types', 'node', '--typeRoots', join(repo, 'node_modules/@types'));
  expect(compiled.stdout + compiled.stderr).toBe('');
  const model = join(repo, 'test/fixtures/reference/llama/base.gguf');
  const { status, stdout, stderr } = run('tune-and-chat.js', model, 'data.jsonl', 'run');
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).toMatch(/step 0: loss [\d.]+\n[\s\S]*adapter in .*run\/adapter\nanswer: /);
});
