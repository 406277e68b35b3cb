/**
 * Runs the tests on each Node that is promised, taken as packages from npm, and prints a table: `npm run test:nodes`.
 * Arguments are files and folders of tests, as vitest takes them; without any the whole suite runs. `--node 22` (several times) picks some.
 * A Node that cannot be had is named, and is a failure like a test that fails.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { installNode } from './npm-packages.mjs';

/** The oldest that package.json allows, and the even versions since. */
const nodes = ['20.12.2', '22', '24', '26'];
const repo = join(import.meta.dirname, '..');

const { values, positionals } = parseArgs({ allowPositionals: true, options: { node: { type: 'string', multiple: true } } });
const folder = mkdtempSync(join(tmpdir(), 'nomoat-nodes-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/**
 * Whether the Node itself prints that importing JSON is experimental, which a dependency of node-llama-cpp does: tests that hold standard
 * error to be empty are about what nomoat prints.
 */
function warnsOfJson(version) {
  const [major, minor, patch] = version.split('.').map(Number);
  return major === 20 && (minor < 18 || (minor === 18 && patch < 3));
}

/**
 * Runs the tests with this Node, also the programs that they start, and returns vitest's own report. Vitest itself, which needs a newer Node
 * than the oldest of these, stays on the one that runs this script: it starts the processes of tests from `process.execPath`.
 */
async function run(node, version, report) {
  const path = `${dirname(node)}${delimiter}${process.env.PATH}`;
  const env = { ...process.env, PATH: path, NOMOAT_TEST_NODE: version };
  if (warnsOfJson(version)) env.NODE_OPTIONS = `${env.NODE_OPTIONS ?? ''} --disable-warning=ExperimentalWarning`;
  const vitest = join(repo, 'node_modules/vitest/vitest.mjs');
  const start = `data:text/javascript,process.execPath=${encodeURIComponent(JSON.stringify(node))}`;
  const args = ['--import', start, vitest, 'run', ...positionals, '--reporter=default', '--reporter=json'];
  const stdio = ['ignore', process.stderr, process.stderr];
  const child = spawn(process.execPath, [...args, `--outputFile.json=${report}`], { cwd: repo, env, stdio });
  await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  return JSON.parse(readFileSync(report, 'utf8'));
}

const rows = [];
for (const wanted of values.node ?? nodes) {
  const begun = performance.now();
  const row = { node: wanted, passed: 0, failed: 0, skipped: 0, minutes: 0, fault: '' };
  rows.push(row);
  try {
    const node = installNode(wanted, join(folder, wanted));
    row.node = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1);
    console.error(`\nNode ${row.node}`);
    const report = await run(node, row.node, join(folder, `${wanted}.json`));
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = report;
    Object.assign(row, { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests });
    const faults = testResults.filter(({ status }) => status === 'failed').map(({ name }) => name.slice(repo.length + 1));
    row.fault = faults.join(', ');
  } catch (error) {
    row.fault = (error.stderr?.toString() || error.message).trim().split('\n')[0];
  }
  row.minutes = (performance.now() - begun) / 60_000;
}

console.log('\n| Node | passed | failed | skipped | minutes | failed files, or what is wrong |\n|---|---|---|---|---|---|');
for (const { node, passed, failed, skipped, minutes, fault } of rows)
  console.log(`| ${node} | ${passed} | ${failed} | ${skipped} | ${minutes.toFixed(1)} | ${fault} |`);
process.exitCode = rows.every(({ passed, failed, fault }) => passed > 0 && failed === 0 && fault === '') ? 0 : 1;
