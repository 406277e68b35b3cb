/**
 * Whether a signed bundle that was tampered with is refused, and whether PyPI's model-signing (in the Python that NOMOAT_PYTHON names) says
 * the same: node bench/tampered-bundles.mjs [COUNT] [SEED]
 * Kinds in turn: a byte flipped in a file, a file renamed, added, removed, two files exchanged, another key, a byte of what is signed
 * or of the signature changed, lines of the signed list in another order. Then the other way round: what model-signing signs is verified
 * here, and an untouched bundle by both.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-tampered-'));
process.env.NOMOAT_HOME = join(folder, 'home');
const { addSigningKey, packBundle, tune, verifyBundle } = await import('../dist/index.js');
const [count = 100, seed = 1] = process.argv.slice(2).map(Number);
let state = seed >>> 0;
/** A whole number below `most`. */
const drawn = (most) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * most);
};

const [ours, theirs] = ['ours', 'theirs'].map((name) => addSigningKey({ name }));
writeFileSync(join(folder, 'data.jsonl'), Array.from({ length: 8 }, (_, i) => `${JSON.stringify({ prompt: `number ${i}`, completion: 'odd' })}\n`).join(''));
const run = tune({ data: join(folder, 'data.jsonl'), run: join(folder, 'run'), maxSteps: 1, rank: 2, threads: 1 });
await run.result;
const bundle = join(folder, 'bundle');
await packBundle(join(folder, 'run'), { out: bundle, key: 'ours', license: 'apache-2.0' });

const files = (at) => readdirSync(at).filter((name) => name !== 'model.sig');
const some = (at) => join(at, files(at)[drawn(files(at).length)]);
function flip(path, from = 0, to = undefined) {
  const bytes = readFileSync(path);
  bytes[from + drawn((to ?? bytes.length) - from)] ^= 1 << drawn(8);
  writeFileSync(path, bytes);
}
/** model.sig with its parsed value changed. */
function resign(at, change) {
  const value = JSON.parse(readFileSync(join(at, 'model.sig'), 'utf8'));
  change(value.dsseEnvelope);
  writeFileSync(join(at, 'model.sig'), JSON.stringify(value));
}
function flipped(base64) {
  const bytes = Buffer.from(base64, 'base64');
  bytes[drawn(bytes.length)] ^= 1 << drawn(8);
  return bytes.toString('base64');
}
const kinds = {
  'byte flipped': (at) => flip(some(at)),
  renamed: (at) => { const path = some(at); renameSync(path, `${path}.1`); },
  added: (at) => writeFileSync(join(at, `extra-${drawn(1000)}.json`), '{}'),
  removed: (at) => unlinkSync(some(at)),
  exchanged: (at) => { const [a, b] = [some(at), join(at, 'model.tmp')]; const others = files(at).map((name) => join(at, name)).filter((path) => path !== a); const c = others[drawn(others.length)]; renameSync(a, b); renameSync(c, a); renameSync(b, c); },
  'other key': () => {},
  'payload changed': (at) => resign(at, (envelope) => { envelope.payload = flipped(envelope.payload); }),
  'signature changed': (at) => resign(at, (envelope) => { envelope.signatures[0].sig = flipped(envelope.signatures[0].sig); }),
  reordered: (at) => resign(at, (envelope) => { const value = JSON.parse(Buffer.from(envelope.payload, 'base64').toString()); value.predicate.resources.reverse(); envelope.payload = Buffer.from(JSON.stringify(value, null, 2)).toString('base64'); }),
};
const accepts = (at, key) => { try { return verifyBundle(at, { key }).signature === 'good'; } catch (error) { if (error.code !== 'bundle-refused') throw error; return false; } };
const python = process.env.NOMOAT_PYTHON ?? 'python3';
const script = new URL('oracles/sign_folders.py', import.meta.url).pathname;
const ask = (...args) => { const { status, stderr, stdout } = spawnSync(python, [script, ...args], { encoding: 'utf8' }); return status === 0 ? stdout : (process.stderr.write(stderr.split('\n').slice(-2).join('\n')), null); };

const names = Object.keys(kinds);
const cases = Array.from({ length: count }, (_, i) => {
  const kind = names[i % names.length];
  const at = join(folder, `case-${i}`);
  cpSync(bundle, at, { recursive: true });
  kinds[kind](at);
  return { kind, at, key: kind === 'other key' ? theirs.public : ours.public };
});
const own = cases.map(({ at, key }) => accepts(at, key));
const told = new Map();
for (const key of [ours.public, theirs.public]) {
  const asked = cases.filter((each) => each.key === key);
  const said = ask('verify', key, ...asked.map(({ at }) => at));
  if (said !== null) for (const [i, holds] of JSON.parse(said).entries()) told.set(asked[i].at, holds);
}
const [refused, agreed] = [own.filter((holds) => !holds).length, cases.filter(({ at }, i) => told.get(at) === own[i]).length];
const hasOracle = told.size === cases.length;
for (const [i, { at, kind }] of cases.entries()) if (own[i] || (hasOracle && told.get(at))) console.log(`${kind}: accepted by ${own[i] ? 'nomoat' : 'model-signing'}`);
console.log(`untouched: nomoat ${accepts(bundle, ours.public) ? 'accepts' : 'REFUSES'}${hasOracle ? `, model-signing ${JSON.parse(ask('verify', ours.public, bundle))[0] ? 'accepts' : 'REFUSES'}` : ''}`);
if (hasOracle) {
  const signed = join(folder, 'signed');
  cpSync(bundle, signed, { recursive: true });
  unlinkSync(join(signed, 'model.sig'));
  ask('sign', theirs.private, signed);
  console.log(`signed by model-signing: nomoat ${accepts(signed, theirs.public) ? 'accepts' : 'REFUSES'}, with another key ${accepts(signed, ours.public) ? 'ACCEPTS' : 'refuses'}`);
}
console.log(`${refused} of ${count} tampered bundles refused; ${hasOracle ? `model-signing says the same of ${agreed}` : 'model-signing was not asked: NOMOAT_PYTHON has none'}`);
rmSync(folder, { recursive: true });
