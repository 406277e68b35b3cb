/**
 * What the start of a run costs, and its steps, here and in another checkout, interleaved: processor time (user and system, of all of its
 * processes) and time until the end of the first step, tokens/s of the steps after it, peak memory.
 * Usage: node bench/start-of-run.mjs [--against CHECKOUT] [--rounds N] [--steps N] CASE...   (after npm run build, there too)
 * CASE is NAME=FLAGS, the flags of `nomoat tune` as one argument: "int8=train.jsonl --model M.gguf --precision int8 --batch-size 4". Linux only.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const { positionals: cases, values } = parseArgs({ allowPositionals: true, options: { against: { type: 'string' }, rounds: { type: 'string', default: '5' }, steps: { type: 'string', default: '1' } } });
if (cases.length === 0) throw new Error('usage: node bench/start-of-run.mjs [--against CHECKOUT] [--rounds N] [--steps N] NAME=FLAGS...');

const here = resolve(import.meta.dirname, '..');
const trees = { here, ...(values.against ? { against: resolve(values.against) } : {}) };
/** Linux counts processor time in hundredths of a second. */
const ticks = 100;

const stat = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
/** The process and its living descendants, with the time of those that ended. */
function processorSeconds(pid) {
  const parents = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      return [[name, stat(name)[1]]];
    } catch {
      return [];
    }
  });
  let [sum, peak] = [0, 0];
  const add = (one) => {
    const [user, system, children, childrenSystem] = stat(one).slice(11, 15).map(Number);
    sum += user + system + children + childrenSystem;
    peak += Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${one}/status`, 'utf8'))[1]) * 1024;
    for (const [child, parent] of parents) if (parent === one) add(child);
  };
  add(String(pid));
  return { processorSeconds: sum / ticks, peakBytes: peak };
}

async function measure(tree, flags) {
  const folder = mkdtempSync(join(tmpdir(), 'nomoat-start-'));
  const began = performance.now();
  const child = spawn(process.execPath, [join(tree, 'dist/cli/main.js'), 'tune', ...flags, '--yes', '--json', '--run', join(folder, 'run')], { stdio: ['ignore', 'pipe', 'inherit'] });
  let result = null;
  const rates = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line);
    if (event.type === 'error') throw new Error(`${tree}: ${event.message}`);
    if (event.type !== 'step-end') continue;
    rates.push(event.tokensPerSecond);
    result ??= { ...processorSeconds(child.pid), seconds: (performance.now() - began) / 1000, loss: event.loss };
    result.peakBytes = processorSeconds(child.pid).peakBytes;
    if (rates.length < Number(values.steps)) continue;
    child.kill('SIGKILL');
    break;
  }
  child.kill('SIGKILL');
  await new Promise((done) => (child.exitCode === null && child.signalCode === null ? child.on('close', done) : done()));
  // The worker sees that nobody follows it any more, and writes its last checkpoint.
  await new Promise((done) => setTimeout(done, 3000));
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
  // The first step compiles and warms up.
  const later = rates.slice(1);
  return { ...result, tokensPerSecond: later.length > 0 ? median(later) : null };
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const names = { processorSeconds: 'processor time to the end of the first step, s', seconds: 'time to there, s', tokensPerSecond: 'tokens/s of further steps', peakBytes: 'peak memory, GB' };
const text = (name, x) => (x === null ? '-' : name === 'peakBytes' ? (x / 1e9).toFixed(2) : x.toFixed(name === 'tokensPerSecond' ? 0 : 2));

console.log(`| case | figure | ${Object.keys(trees).join(' | ')} |${values.against ? ' ratio |' : ''}\n|---|---|${Object.keys(trees).map(() => '---|').join('')}${values.against ? '---|' : ''}`);
for (const one of cases) {
  const [, name, flags] = /^([^=]+)=(.+)$/s.exec(one);
  const rounds = Object.fromEntries(Object.keys(trees).map((tree) => [tree, []]));
  for (let round = 0; round < Number(values.rounds); round++)
    for (const [tree, path] of Object.entries(trees)) rounds[tree].push(await measure(path, flags.trim().split(/\s+/)));
  for (const figure of Object.keys(names)) {
    const middles = Object.values(rounds).map((list) => (list[0][figure] === null ? null : median(list.map((one) => one[figure]))));
    const ranges = Object.values(rounds).map((list, i) => (middles[i] === null ? '-' : `${text(figure, middles[i])} (${text(figure, Math.min(...list.map((one) => one[figure])))} to ${text(figure, Math.max(...list.map((one) => one[figure])))})`));
    console.log(`| ${name} | ${names[figure]} | ${ranges.join(' | ')} |${values.against ? ` ${middles[0] === null ? '-' : (middles[0] / middles[1]).toFixed(2)} |` : ''}`);
  }
  const losses = Object.values(rounds).map((list) => list[0].loss);
  console.log(`| ${name} | loss of the first step | ${losses.join(' | ')} |${values.against ? ` ${losses[0] === losses[1] ? 'equal' : 'not equal'} |` : ''}`);
}
process.exit(0);
