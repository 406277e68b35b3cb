import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const repo = join(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-telemetry-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Files that a process leaves in a home of its own after it opened a session. */
function leftBy(name: string, script: string): string[] {
  const home = join(folder, name);
  mkdirSync(home);
  // Its own marks of test machines would silence it as well, and then this test could not fail.
  const { CI: _, ...rest } = process.env;
  const kept = Object.fromEntries(
    Object.entries(rest).filter(([key]) => !/^(ORT_|XDG_|VITEST|GITHUB_|GITLAB_)|^NODE_ENV$|_CI$/.test(key)),
  );
  const env = { ...kept, HOME: home, USERPROFILE: home, LOCALAPPDATA: home };
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: repo,
    env,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((path) => path.includes('onnxruntime'));
}

const dist = (path: string): string => JSON.stringify(`file://${join(repo, 'dist', path)}`);
const open = `
const { input, matmul } = await import(${dist('graph/graph.js')});
const x = input('x', ['N', 2]);
const graph = new Map([['y', matmul(x, input('w', [2, 2]))]]);`;

test('onnxruntime leaves no identifier and no reports behind', () => {
  expect(existsSync(join(repo, 'dist')), 'npm test builds dist first').toBe(true);
  const ours = leftBy(
    'ours',
    `${open} const { Executor } = await import(${dist('runtime/onnxruntime-node/executor.js')});
     await (await Executor.create(graph, 1)).close();`,
  );
  expect(ours).toEqual([]);
  const theirs = leftBy(
    'theirs',
    `${open} const { emitOnnx } = await import(${dist('graph/onnx/emit.js')});
     const ort = await import('onnxruntime-node');
     await (await ort.InferenceSession.create(emitOnnx(graph))).release();`,
  );
  // Where this fails, onnxruntime no longer reports by itself here, and the test above proves nothing.
  if (process.platform === 'linux') expect(theirs.some((path) => path.endsWith(`${sep}deviceid`))).toBe(true);
});

test('every import of onnxruntime-node stands behind the switch', () => {
  const source = join(repo, 'src');
  const theirImport = /from 'onnxruntime-node'|import\('onnxruntime-node'\)/;
  const importing = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (name) =>
      /\.ts$/.test(name) && !/\.test\.ts$/.test(name) && theirImport.test(readFileSync(join(source, name), 'utf8')),
  );
  expect(importing.length).toBe(2);
  for (const name of importing) {
    const text = readFileSync(join(source, name), 'utf8');
    const at = text.search(/no-telemetry\.ts'/);
    expect(at, name).toBeGreaterThan(-1);
    expect(at, name).toBeLessThan(text.search(theirImport));
  }
});
