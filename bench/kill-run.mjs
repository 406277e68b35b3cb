/**
 * Whether a run that is killed (SIGKILL, its whole process group) again and again, at seeded moments, and resumed each time ends in the very adapter of a run that nobody disturbed, on our own kernels in int8.
 * Says after how many kills each run ended, and whether its adapter and losses are the same, bit for bit. Exit code 1 where one is not. Nothing is given up: a run that is resumed goes on from its last checkpoint.
 * Usage: node bench/kill-run.mjs [--kills 200] [--seed 1] [--steps 60] [--engine native] [--model FILE.gguf] [--data FILE]    (after npm run build; two runs at a time)
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { random } from './seeded-random.mjs';

const repo = join(import.meta.dirname, '..');
const text = (value) => ({ type: 'string', default: value });
const { values } = parseArgs({
  options: {
    kills: text('200'), seed: text('1'), steps: text('60'), engine: text('native'),
    model: text(join(repo, 'models/nomoat-mini/nomoat-mini.gguf')), data: text(join(repo, 'examples/colours.jsonl')),
  },
});
const wanted = Number(values.kills);
const cli = join(repo, 'dist/cli/main.js');
const folder = mkdtempSync(join(tmpdir(), 'nomoat-kill-run-'));
const tune = [
  ...['tune', values.data, '--model', values.model, '--precision', 'int8', '--engine', values.engine, '--threads', '1', '--max-steps', values.steps, '--checkpoint-every', '5'],
  ...['--validation', '0.1', '--validate-every', '20', '--dropout', '0.1', '--verdict-share', '0', '--safety-share', '0', '--sample-share', '0', '--yes', '--json'],
];

/** Runs the command until it ends, or is killed `after` milliseconds. Returns its exit code, null where it was killed. */
function attempt(args, after) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [cli, ...args], { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (piece) => (said += piece));
    const timer = after === null ? null : setTimeout(() => process.kill(-child.pid, 'SIGKILL'), after);
    child.on('close', (code) => {
      clearTimeout(timer);
      // Killed when all was done, and only the process was still to end.
      if (code === 2 && /this run is done/.test(said)) resolve(0);
      else if (code !== null && code !== 0) throw new Error(`nomoat ${args.join(' ')}: ended with ${code}: ${said}`);
      else resolve(code);
    });
  });
}

/** What a run came to: digest of its adapter, and the loss of each step, of those that were computed again the last. */
function outcome(run) {
  const losses = new Map();
  for (const line of readFileSync(join(run, 'events.jsonl'), 'utf8').trim().split('\n')) {
    const event = JSON.parse(line);
    if (event.type === 'step-end') losses.set(event.step, event.loss);
  }
  const adapter = createHash('sha256').update(readFileSync(join(run, 'adapter/adapter_model.safetensors'))).digest('hex');
  return JSON.stringify({ adapter, losses: [...losses].sort(([a], [b]) => a - b) });
}

const undisturbed = join(folder, 'undisturbed');
const began = performance.now();
await attempt([...tune, '--run', undisturbed], null);
const takes = performance.now() - began;
const expected = outcome(undisturbed);

/** Of one run. */
const maxKills = 20;
let [kills, started, wrong] = [0, 0, 0];
async function disturbed() {
  while (kills < wanted) {
    const number = started++;
    const run = join(folder, String(number));
    const drawn = random(Number(values.seed) * 1e6 + number);
    let own = 0;
    for (;;) {
      // Killed before it was written down, a run has to begin anew.
      const begun = existsSync(join(run, 'run.json'));
      if (!begun) rmSync(run, { recursive: true, force: true });
      const args = begun ? ['tune', '--resume', run, '--yes', '--json'] : [...tune, '--run', run];
      // A run that is killed before its next checkpoint each time would never end.
      const after = own < maxKills ? takes * (0.2 + 0.6 * drawn()) : null;
      if ((await attempt(args, after)) === 0) break;
      own++;
      kills++;
    }
    const same = outcome(run) === expected;
    if (!same) wrong++;
    console.log(`run ${number}: killed ${own} times, ${same ? 'the same bits' : 'OTHER BITS'}`);
    rmSync(run, { recursive: true });
  }
}
await Promise.all([disturbed(), disturbed()]);
console.log(JSON.stringify({ kills, runs: started, wrong, seconds: Math.round((performance.now() - began) / 1000) }));
rmSync(folder, { recursive: true });
process.exit(wrong === 0 ? 0 : 1);
