/**
 * The benchmarks that need nothing but the repo, and those against Python where one is given: a table with the machine's description.
 * Usage: npm run bench -- --quick|--smoke [--model FILE.gguf] [--data FILE] [--python PYTHON] [--out bench/results]
 * --quick takes about ten minutes on 2 cores; without it more repetitions, longer rows and deeper models. Without --model it is the packaged
 * nomoat-mini on examples/intents, whose numbers say little about larger models. PYTHON is of a virtual environment with torch,
 * transformers, gguf; what needs it is skipped by name without it. --smoke only sees in half a minute that all of it runs. Every number is the median of repetitions, with their spread.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, totalmem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { divergenceBound } from '../dist/run/open-weights.js';

const root = new URL('..', import.meta.url).pathname;
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
    model: { type: 'string', default: join(root, 'models/nomoat-mini/nomoat-mini.gguf') },
    data: { type: 'string', default: join(root, 'examples/intents/train.jsonl') },
    python: { type: 'string' },
    out: { type: 'string', default: join(root, 'bench/results') },
  },
});
const work = mkdtempSync(join(tmpdir(), 'nomoat-bench-'));
const lines = [];
const skipped = [];

function node(script, ...args) {
  process.stderr.write(`${script} ${args.join(' ')}\n`);
  return execFileSync(process.execPath, [join(root, script), ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 28 });
}
const json = (text) => text.trim().split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
const add = (what, measured, spread, against, ratio) =>
  lines.push(`| ${what} | ${measured} | ${spread === null ? '' : `± ${(100 * spread).toFixed(0)}%`} | ${against} | ${ratio === null ? '' : ratio.toFixed(2)} |`);

/** int8 and float32 on the same rows, in all forms. */
function steps() {
  const rows = join(work, 'rows.jsonl');
  writeFileSync(rows, node('dist/cli/main.js', 'preview', values.data, '--model', values.model, '--rows', '60', '--json'));
  const results = json(node('bench/int8-step.mjs', values.model, rows, '-'));
  const { divergence, kernels } = results[0];
  const of = (name) => results.find((result) => result.name === name);
  const float32 = of('float32');
  add('products alone, int8, GOP/s', (kernels.int8Rate / 1e9).toFixed(0), null, `float32 ${(kernels.float32Rate / 1e9).toFixed(0)}`, kernels.int8Rate / kernels.float32Rate);
  add('LoRA step, float32, tokens/s', float32.tokensPerSecond.toFixed(0), float32.spread, '', null);
  for (const name of ['int8', 'int8, activations as float16', 'int8, activations recomputed', 'int8, rows by themselves', 'float32, rows by themselves']) {
    const { spread, tokensPerSecond } = of(name);
    add(`LoRA step, ${name}, tokens/s`, tokensPerSecond.toFixed(0), spread, 'float32', tokensPerSecond / float32.tokensPerSecond);
  }
  add('divergence of the int8 base, nats', divergence.toFixed(4), null, `bound ${divergenceBound}`, null);
  add('int8 gradients from float32, relative', results.at(-1).gradientDifference.toFixed(3), null, '', null);
}

function growth() {
  const least = ['--contexts', '32,64', '--depths', '1,2', '--tokens', '64', '--repeat', '1'];
  const few = ['--contexts', '128,512,2048', '--depths', '2,8,16', '--tokens', '2048'];
  const name = join(work, 'growth');
  node('bench/growth.mjs', values.model, name, ...(values.smoke ? least : values.quick ? few : []));
  return readFileSync(`${name}.md`, 'utf8');
}

function planned() {
  return node('bench/plan-against-actual.mjs', values.data, values.model, join(work, 'plans'), '--steps', values.smoke ? '1' : values.quick ? '8' : '20', ...(values.quick || values.smoke ? ['--few'] : []));
}

/** Pretraining of nanoGPT's shape on the packaged stories, beside PyTorch. */
function torch() {
  if (!values.python) {
    skipped.push('pretraining against PyTorch: no --python');
    return;
  }
  const text = join(work, 'text.txt');
  const stories = gunzipSync(readFileSync(join(root, 'models/nomoat-mini/sources/tinystories.txt.gz'))).toString();
  writeFileSync(text, stories.replaceAll('<|endoftext|>', ''));
  const args = [join(root, 'bench/compare-torch.sh'), values.python, text, 'nano', '259', '65', '12', values.smoke ? '4' : values.quick ? '300' : '2000', '1e-3', '100', '0.99'];
  process.stderr.write(`${args.join(' ')}\n`);
  const ran = spawnSync('bash', args, { cwd: root, encoding: 'utf8' });
  const [ours, theirs] = ran.stdout.split('\n').filter((line) => /^(nomoat|torch)/.test(line)).map((line) => JSON.parse(line.slice(line.indexOf('{'))));
  if (!theirs) {
    skipped.push(`pretraining against PyTorch failed: ${ran.stderr.trim().split('\n').at(-1)}`);
    return;
  }
  add('pretraining, nano, tokens/s', ours.tokensPerSecond.toFixed(0), null, `PyTorch float32 ${theirs.tokensPerSecond.toFixed(0)}`, ours.tokensPerSecond / theirs.tokensPerSecond);
  add('pretraining, nano, peak memory', `${(ours.peakMemoryBytes / 1e9).toFixed(2)} GB`, null, `PyTorch ${(theirs.peakMemoryBytes / 1e9).toFixed(2)} GB`, ours.peakMemoryBytes / theirs.peakMemoryBytes);
}

function machine() {
  const git = spawnSync('git', ['-C', root, 'describe', '--always', '--dirty'], { encoding: 'utf8' });
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/onnxruntime-node/package.json'), 'utf8'));
  const flags = process.platform === 'linux' ? readFileSync('/proc/cpuinfo', 'utf8').match(/^flags.*$/m)?.[0] ?? '' : '';
  const vector = ['avx2', 'avx512f', 'avx_vnni', 'avx512_vnni', 'avx512_bf16', 'amx_int8'].filter((flag) => flags.includes(` ${flag}`));
  return [
    `- ${cpus().length} x ${cpus()[0].model.trim()}${vector.length > 0 ? ` (${vector.join(', ')})` : ''}, ${(totalmem() / 1e9).toFixed(0)} GB, ${process.platform} ${process.arch}`,
    `- Node ${process.version}, onnxruntime-node ${version}, commit ${git.stdout.trim() || 'unknown'}`,
    `- model ${values.model.split('/').at(-1)}, data ${values.data.split('/').slice(-2).join('/')}${values.smoke ? ', --smoke' : values.quick ? ', --quick' : ''}`,
  ].join('\n');
}

const started = performance.now();
steps();
torch();
const grown = growth();
const plans = planned();
const minutes = ((performance.now() - started) / 60000).toFixed(1);
const date = new Date().toISOString().slice(0, 10);
const report = `# ${date}, in ${minutes} minutes
${machine()}

| what | measured | spread | against | ratio |
|---|---|---|---|---|
${lines.join('\n')}

## Growth
${grown}
## Plan / actual (planned more: +)
${plans}${skipped.map((name) => `\nSkipped: ${name}`).join('')}
`;
mkdirSync(values.out, { recursive: true });
const file = join(values.out, `${date}${values.smoke ? '-smoke' : values.quick ? '-quick' : ''}-${values.model.split('/').at(-1).replace(/\.gguf$/, '')}.md`);
writeFileSync(file, report);
rmSync(work, { recursive: true, force: true });
console.log(report);
console.error(`Written to ${file}`);
