/**
 * Pushes and pulls an adapter against a hub of this repository's tests (test/hub) and cuts both off at seeded moments, by as many bytes as went
 * over the wire: half of the processes are killed (SIGKILL), half lose every connection once. Then the same is asked again. Says at how many
 * moments nothing half was visible and all digests were equal in the end, and what was sent twice: `node bench/share-cut-off.mjs --moments 50
 * --seed 1`. With `--python PYTHON` (pip install huggingface_hub) the hub's own client takes what was pushed, and pushes what is pulled.
 * Needs `npm run build`.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { random } from './seeded-random.mjs';

const repo = join(import.meta.dirname, '..');
const { values } = parseArgs({ options: { moments: { type: 'string', default: '50' }, seed: { type: 'string', default: '1' }, python: { type: 'string' }, worker: { type: 'string' } } });
const name = 'ada/poems';
const token = 'hf_local';

/** The process that is cut off: one push or pull. */
async function work([what, endpoint, home, adapter]) {
  const around = { env: { HF_ENDPOINT: endpoint, HF_TOKEN: token, NOMOAT_HOME: join(home, 'own') }, home };
  const given = { around, retryDelayMs: 1 };
  if (what === 'push') {
    const { pushFrom } = await import('../dist/library/push.js');
    await pushFrom(adapter, { to: name, baseModel: 'Qwen/Qwen3-0.6B', license: 'apache-2.0', ...given });
  } else {
    const { pullInto } = await import('../dist/library/pull.js');
    await pullInto(name, given);
  }
}
if (values.worker) {
  await work(JSON.parse(values.worker)).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
  process.exit();
}

const folder = mkdtempSync(join(tmpdir(), 'nomoat-share-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const sha256 = (body) => createHash('sha256').update(body).digest('hex');

async function bundled(source) {
  const outfile = join(repo, 'build', `share-${process.pid}.mjs`);
  await build({ stdin: { contents: source, resolveDir: repo, loader: 'ts' }, outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' });
  try {
    return await import(outfile);
  } finally {
    rmSync(outfile);
  }
}

const { LocalHub, madeAdapter, writtenAdapter } = await bundled("export { LocalHub } from './test/hub/local-hub.ts'; export { madeAdapter, writtenAdapter } from './test/made-adapters.ts';");
const adapter = writtenAdapter(join(folder, 'adapter'), madeAdapter(1, 0.01, ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']));
const next = random(Number(values.seed));
// More than one large file, one of them sent in parts.
writeFileSync(join(adapter, 'adapter.gguf'), Buffer.from(Uint8Array.from({ length: 1_500_000 }, () => 256 * next())));
writeFileSync(join(adapter, 'recipe.yaml'), 'rank: 2\n');
const files = Object.fromEntries(readdirSync(adapter).map((path) => [path, readFileSync(join(adapter, path))]));
const newHub = async () => {
  const hub = new LocalHub({ token, partsFrom: 1_000_000, partBytes: 256_000 });
  await hub.listen();
  return hub;
};

/** Runs the worker; at `cutAfter` bytes it is killed, or its connections break. Resolves to its exit code, null when it was killed. */
function attempt(hub, what, { home, cutAfter = null, kills = false }) {
  hub.cutAfter = cutAfter;
  const child = spawn(process.execPath, [import.meta.filename, '--worker', JSON.stringify([what, hub.endpoint, home, adapter])], { stdio: ['ignore', 'ignore', 'pipe'] });
  hub.onCut = () => kills && child.kill('SIGKILL');
  let said = '';
  child.stderr.on('data', (chunk) => { said += chunk; });
  return new Promise((resolve) => child.once('close', (code) => { hub.cutAfter = null; resolve({ code, said }); }));
}

const visibleOnHub = (hub) => [...(hub.repos.get(name) ? hub.at(hub.repos.get(name), 'main').tree : [])].filter(([path]) => path !== '.gitattributes');
function visibleHere(home) {
  const snapshots = join(home, '.cache/huggingface/hub/models--ada--poems/snapshots');
  const commits = existsSync(snapshots) ? readdirSync(snapshots).filter((each) => !each.includes('.unfinished-')) : [];
  return commits.flatMap((commit) => readdirSync(join(snapshots, commit)).map((path) => [path, { body: readFileSync(join(snapshots, commit, path)) }]));
}
/** Every file there is whole, and either none or all are there. */
function faultOf(visible, isEnd) {
  const wrong = visible.find(([path, { body }]) => files[path] && sha256(body) !== sha256(files[path]));
  if (wrong) return `${wrong[0]} is half or another`;
  const there = Object.keys(files).filter((path) => visible.some(([each]) => each === path));
  if (there.length !== 0 && there.length !== Object.keys(files).length) return `only ${there.join(', ')} visible`;
  return isEnd && there.length === 0 ? 'nothing there in the end' : null;
}

async function moment(what, share, whole, kills) {
  const hub = await newHub();
  const home = join(folder, 'home');
  mkdirSync(home);
  if (what === 'pull') hub.publish(name, files);
  const visible = () => (what === 'push' ? visibleOnHub(hub) : visibleHere(home));
  const first = await attempt(hub, what, { home, cutAfter: share * whole, kills });
  const before = faultOf(visible(), false);
  const kept = [...hub.large.keys()];
  const from = hub.asked.length;
  const again = first.code === 0 ? first : await attempt(hub, what, { home });
  const after = again.code === 0 ? faultOf(visible(), true) : again.said.trim();
  const twice = what === 'push' ? hub.asked.slice(from).filter((asked) => asked.method === 'PUT' && kept.some((oid) => asked.path.includes(oid))) : [];
  await hub.close();
  rmSync(home, { recursive: true, force: true });
  return { fault: before ?? after ?? (twice.length > 0 ? 'a whole file was sent twice' : null), alone: first.code === 0, killed: first.code === null };
}

for (const what of ['push', 'pull']) {
  const hub = await newHub();
  if (what === 'pull') hub.publish(name, files);
  const home = join(folder, 'whole');
  mkdirSync(home, { recursive: true });
  const { code, said } = await attempt(hub, what, { home });
  if (code !== 0) throw new Error(said);
  const whole = hub.moved;
  await hub.close();
  const results = [];
  for (let i = 0; i < Number(values.moments); i++) {
    const share = next();
    const result = await moment(what, share, whole, i % 2 === 0);
    results.push(result);
    if (result.fault) console.log(`${what} at ${share.toFixed(3)}: ${result.fault}`);
  }
  const count = (key) => results.filter((result) => result[key]).length;
  const good = results.filter(({ fault }) => fault === null).length;
  console.log(`${what}: ${good} of ${results.length} ended whole with nothing half visible (${(whole / 1e6).toFixed(1)} MB each; ${count('killed')} killed and asked again, ${count('alone')} went on by themselves)`);
}

if (values.python) {
  const hub = await newHub();
  const home = join(folder, 'oracle');
  mkdirSync(home);
  await attempt(hub, 'push', { home });
  const there = join(folder, 'theirs');
  // Another large file, or nothing would have to be sent.
  const source = join(folder, 'source');
  cpSync(adapter, source, { recursive: true });
  writeFileSync(join(source, 'adapter.gguf'), Buffer.concat([files['adapter.gguf'], Buffer.from('theirs')]));
  const env = { ...process.env, HF_ENDPOINT: hub.endpoint, HF_TOKEN: token, HF_HOME: join(folder, 'hf'), HF_HUB_DISABLE_XET: '1' };
  const run = (args) => new Promise((resolve) => {
    const child = spawn(values.python, [join(repo, 'bench/oracles/hub_client.py'), ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (chunk) => { out += chunk; });
    child.once('close', (code) => resolve({ code, out }));
  });
  const { code, out } = await run([name, there, source]);
  if (code !== 0) process.exit(1);
  const equal = (where, from) => readdirSync(from).every((path) => existsSync(join(where, path)) && readFileSync(join(where, path)).equals(readFileSync(join(from, path))));
  const { pullInto } = await import('../dist/library/pull.js');
  const { path } = await pullInto('ada/theirs', { around: { env: { HF_ENDPOINT: hub.endpoint, NOMOAT_HOME: join(home, 'own') }, home } });
  console.log(`huggingface_hub ${out.trim()}: what we push it has ${equal(there, adapter) ? 'to the last byte' : 'otherwise'}; what it pushes we have ${equal(path, source) ? 'to the last byte' : 'otherwise'}`);
  await hub.close();
}
