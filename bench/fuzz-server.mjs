#!/usr/bin/env node
/**
 * schemathesis (PyPI) against a real server with nomoat-mini: requests made of /openapi.json, right and wrong ones. Fails where an answer is a
 * server's fault, is not as described, or a wrong request is taken. Bounded in time, with a fixed seed. NOMOAT_PYTHON names a Python that has
 * schemathesis; without one it is skipped, and says so. Build first.
 *   node bench/fuzz-server.mjs [--seconds 120] [--examples 20] [--seed 1]
 */
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    examples: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
  },
});
const { NOMOAT_PYTHON: python } = process.env;
const found = python ? spawnSync(python, ['-m', 'schemathesis.cli', '--version'], { encoding: 'utf8' }) : null;
if (found?.status !== 0) {
  const why = python ? `${python} has no schemathesis` : 'NOMOAT_PYTHON names no Python';
  console.log(`fuzz-server: skipped, since ${why} (pip install schemathesis in a virtual environment)`);
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), 'nomoat-fuzz-'));
process.env.NOMOAT_HOME = join(folder, 'home');
mkdirSync(join(folder, 'models'));
const reference = join(import.meta.dirname, '../test/fixtures/reference/llama/base.gguf');
// A model that is asked by the name that the fuzzer makes up first, so that some requests are answered and not only refused.
for (const name of ['0', 'base']) cpSync(reference, join(folder, 'models', `${name}.gguf`));
const { serve } = await import('../dist/index.js');
const failures = [];
const counts = new Map();
const server = await serve({
  port: 0,
  threads: 1,
  contextSize: 128,
  models: [join(folder, 'models')],
  runs: join(folder, 'runs'),
  onLog: (entry) => {
    if (entry.type === 'failure') failures.push(entry.message);
    if (entry.type === 'request') counts.set(entry.status, (counts.get(entry.status) ?? 0) + 1);
  },
});
// Valid requests for models, files and jobs that are not there are refused: that valid data is taken is not asked for.
const args = ['-m', 'schemathesis.cli', 'run', `${server.url}/openapi.json`, '--checks', 'all', '--exclude-checks', 'positive_data_acceptance,ignored_auth', '--phases', 'examples,coverage,fuzzing', '--seed', values.seed, '-n', values.examples, '--max-time', values.seconds, '--request-timeout', '30', '--warnings', 'off', '--no-color'];
// What is too large is refused as that, whatever else is wrong with it.
writeFileSync(join(folder, 'schemathesis.toml'), '[checks]\nnegative_data_rejection.expected-statuses = ["4xx"]\n');
const child = spawn(python, args, { cwd: folder, stdio: 'inherit' });
const code = await new Promise((resolve) => child.once('close', resolve));
await server.close();
rmSync(folder, { recursive: true, force: true });
console.log(`fuzz-server: ${[...counts].sort(([a], [b]) => a - b).map(([status, count]) => `${count} times ${status}`).join(', ')}; ${failures.length} faults of the server`);
for (const failure of failures) console.log(failure);
process.exit(code === 0 && failures.length === 0 ? 0 : 1);
