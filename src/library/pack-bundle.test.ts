/** Bundles: what is in them, who signed them, and that whatever is done to one is seen. */
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canLink } from '../../test/can-link.ts';
import { madeAdapter, miniPath, writtenAdapter } from '../../test/made-adapters.ts';
import { writeLineage } from '../adapter/lineage-files.ts';
import { ociTypes } from '../bundle/oci-layout.ts';
import { NomoatError } from '../errors.ts';
import { lineage } from './lineage.ts';
import { packBundle } from './pack-bundle.ts';
import { addSigningKey } from './signing-keys.ts';
import { verifyBundle } from './verify-bundle.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-bundles-'));
const home = process.env['NOMOAT_HOME'];
const at = (...names: string[]): string => join(folder, ...names);
const options = { license: 'mit', key: 'ours', model: miniPath };
let keys: ReturnType<typeof addSigningKey>[];
beforeAll(async () => {
  process.env['NOMOAT_HOME'] = at('home');
  keys = [addSigningKey({ name: 'ours' }), addSigningKey({ name: 'theirs', days: 2 })];
  const made = writtenAdapter(at('made'), madeAdapter(1, 0.01));
  const data = [{ file: 'd.jsonl', sha256: 'd'.repeat(64) }];
  const settings = { method: 'lora', rank: 2 };
  const verdict = { state: 'done', warning: 'It is small.', before: 2, after: 1.5 };
  writeLineage(
    made,
    { base: null, name: made },
    { how: 'tune', parents: [], data, settings, verdict, created: '2026-11-27T00:00:00.000Z' },
  );
  await packBundle(made, { ...options, out: at('bundle') });
});
afterAll(() => {
  if (home === undefined) delete process.env['NOMOAT_HOME'];
  else process.env['NOMOAT_HOME'] = home;
  rmSync(folder, { recursive: true });
});
const text = (name: string): string => readFileSync(at('bundle', name), 'utf8');
let made = 0;
const copy = (): string => {
  const path = at(`copy-${made++}`);
  cpSync(at('bundle'), path, { recursive: true });
  return path;
};

describe('a bundle', () => {
  it('has what others need, without a path of this machine, and says who begot it', async () => {
    expect(readdirSync(at('bundle')).sort()).toEqual([
      'README.md',
      'SHA256SUMS',
      'adapter.gguf',
      'adapter_config.json',
      'adapter_model.safetensors',
      'bom.cdx.json',
      'model.sig',
      'nomoat.json',
      'recipe.yaml',
      'verdict.json',
    ]);
    const texts = ['README.md', 'bom.cdx.json', 'nomoat.json', 'recipe.yaml', 'verdict.json'].map(text);
    expect(texts.join()).not.toContain(tmpdir());
    expect([texts[0], texts[3]]).toEqual([
      expect.stringContaining('\nlicense: mit\n'),
      expect.stringMatching(/^#.*\nmethod: lora\nrank: 2\n$/),
    ]);
    expect(JSON.parse(text('verdict.json'))).toMatchObject({ state: 'done', warning: 'It is small.', after: 1.5 });
    const [own] = (await lineage(at('bundle'))).entries;
    expect([own!.name, own!.how, own!.id]).toEqual(['made', 'tune', sha256(at('made/adapter_model.safetensors'))]);
    expect(JSON.parse(text('bom.cdx.json'))).toMatchObject({
      specVersion: '1.6',
      metadata: {
        component: {
          'bom-ref': `adapter:${own!.id}`,
          modelCard: { considerations: { performanceTradeoffs: ['It is small.'] } },
        },
      },
    });
  });

  it('is the same each time but for the signature', async () => {
    await packBundle(at('made'), { ...options, key: null, out: at('again') });
    for (const name of readdirSync(at('again')))
      expect(readFileSync(at('again', name)).equals(readFileSync(at('bundle', name))), name).toBe(true);
    expect(verifyBundle(at('again'))).toMatchObject({
      signature: 'none',
      notes: [expect.stringContaining('not signed')],
    });
    expect(() => verifyBundle(at('again'), { key: 'ours' })).toThrow('is not signed');
  });

  it('that is whole is accepted with its key, and not with another', () => {
    const { files, signature, signedBy } = verifyBundle(at('bundle'), { key: 'ours' });
    expect([Object.keys(files).length, signature]).toEqual([9, 'good']);
    expect(verifyBundle(at('bundle'), { key: keys[0]!.public }).signedBy).toBe(signedBy);
    expect(verifyBundle(at('bundle'))).toMatchObject({
      signature: 'unchecked',
      notes: [expect.stringContaining(signedBy!)],
    });
    expect(() => verifyBundle(at('bundle'), { key: 'theirs' })).toThrow(/was signed with another key/);
    // The hub writes that into every repository.
    const path = copy();
    writeFileSync(join(path, '.gitattributes'), '*.gguf filter=lfs\n');
    expect(verifyBundle(path, { key: 'ours' }).signature).toBe('good');
  });

  const altered = (
    path: string,
    change: (envelope: { payload: string; signatures: { sig: string }[] }) => void,
  ): void => {
    const value = JSON.parse(readFileSync(join(path, 'model.sig'), 'utf8'));
    change(value.dsseEnvelope);
    writeFileSync(join(path, 'model.sig'), JSON.stringify(value));
  };
  function refused(said: RegExp, change: (path: string) => void): void {
    const path = copy();
    change(path);
    let error: unknown;
    try {
      verifyBundle(path, { key: 'ours' });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(NomoatError);
    expect([(error as NomoatError).code, (error as NomoatError).message]).toEqual([
      'bundle-refused',
      expect.stringMatching(said),
    ]);
  }
  it.each<[string, RegExp, (path: string) => void]>([
    ['changed', /README.md was changed/, (path) => appendFileSync(join(path, 'README.md'), ' ')],
    ['added to', /more.txt was added/, (path) => writeFileSync(join(path, 'more.txt'), '')],
    ['robbed of a file', /recipe.yaml is missing/, (path) => unlinkSync(join(path, 'recipe.yaml'))],
    ['renamed in', /x.gguf was added/, (path) => renameSync(join(path, 'adapter.gguf'), join(path, 'x.gguf'))],
    [
      'signed for others',
      /it, or what it signs, was changed/,
      (path) =>
        altered(path, (envelope) => {
          envelope.payload = Buffer.from(
            Buffer.from(envelope.payload, 'base64').toString().replace('"made"', '"mine"').replace('bundle', 'bandle'),
          ).toString('base64');
        }),
    ],
    [
      'signed with nonsense',
      /it, or what it signs, was changed/,
      (path) =>
        altered(path, (envelope) => {
          envelope.signatures[0]!.sig = 'AAAA';
        }),
    ],
    [
      'spelled otherwise',
      /is no base64/,
      (path) =>
        altered(path, (envelope) => {
          envelope.signatures[0]!.sig += '!';
        }),
    ],
    ['unsigned', /is not signed/, (path) => unlinkSync(join(path, 'model.sig'))],
  ])('that was %s is refused', (_, said, change) => refused(said, change));

  it.skipIf(!canLink)('that was given a link is refused (needs links)', () =>
    refused(/is a link or no plain file/, (path) => symlinkSync('README.md', join(path, 'link'))),
  );

  it('as an OCI image layout names every blob by its digest, and is verified like the folder', async () => {
    const out = at('layout');
    await packBundle(at('made'), { ...options, out, oci: true });
    const read = (path: string) => JSON.parse(readFileSync(join(out, path), 'utf8'));
    const blob = (digest: string): string => `blobs/sha256/${digest.slice(7)}`;
    expect(read('oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' });
    const [listed] = read('index.json').manifests;
    const { artifactType, config, layers, mediaType } = read(blob(listed.digest));
    expect([mediaType, artifactType, config.mediaType]).toEqual([
      ociTypes.manifest,
      ociTypes.artifact,
      ociTypes.config,
    ]);
    for (const { digest, size } of [listed, config, ...layers])
      expect([`sha256:${sha256(join(out, blob(digest)))}`, statSync(join(out, blob(digest))).size]).toEqual([
        digest,
        size,
      ]);
    expect(read(blob(config.digest)).modelfs.diffIds).toEqual(layers.map(({ digest }: { digest: string }) => digest));
    expect(verifyBundle(out, { key: 'ours' })).toMatchObject({
      signature: 'good',
      files: { 'README.md': sha256(at('bundle/README.md')) },
    });
    appendFileSync(join(out, blob(layers[0].digest)), ' ');
    expect(() => verifyBundle(out, { key: 'ours' })).toThrow('was changed');
  });

  it.each<[string, Parameters<typeof packBundle>[1], RegExp]>([
    ['a license', { ...options, license: null }, /`license`: was not given, and nomoat-mini.gguf does not say/],
    ['a base that is known', { ...options, model: null }, /does not say which model of this machine/],
    ['a key that is there', { ...options, key: 'nobody' }, /the key nobody: is no file, and no signing key in/],
    [
      'a private key',
      {
        ...options,
        get key() {
          return keys[0]!.public;
        },
      },
      /is a public key, which cannot sign/,
    ],
  ])('without %s is not written', async (_, given, said) => {
    await expect(packBundle(at('made'), { ...given, out: at('never') })).rejects.toThrow(said);
    expect(readdirSync(folder).filter((name) => name.startsWith('never'))).toEqual([]);
  });
});

describe('a signing key', () => {
  it('is private, made once, and refused when it has expired', async () => {
    const { expires, private: path, public: shown } = keys[1]!;
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o077).toBe(0);
    expect(Date.parse(expires!) - Date.now()).toBeGreaterThan(1.9 * 86_400_000);
    expect(() => addSigningKey({ name: 'theirs' })).toThrow('exists already, and keys are never overwritten');
    for (const file of [path, shown])
      writeFileSync(file, readFileSync(file, 'utf8').replace(expires!, '2020-01-01T00:00:00.000Z'));
    expect(() => verifyBundle(at('bundle'), { key: shown })).toThrow('has expired (2020-01-01');
    await expect(packBundle(at('made'), { ...options, key: 'theirs', out: at('never') })).rejects.toThrow(
      'has expired',
    );
    expect(() => addSigningKey({ name: '../x' })).toThrow('is no name of a key');
    expect(() => addSigningKey({ name: 'x', days: 0 })).toThrow('`days`');
  });

  it("of model-signing's own signatures is taken, with P-384 and folders in it", () => {
    const fixture = join(import.meta.dirname, '../../test/fixtures/model-signing');
    const key = join(fixture, 'key.pub.pem');
    const { files, signature } = verifyBundle(join(fixture, 'signed'), { key });
    expect([Object.keys(files).sort(), signature]).toEqual([
      ['adapter_config.json', 'sub-1.txt', 'sub/notes.txt'],
      'good',
    ]);
    const path = at('theirs');
    cpSync(join(fixture, 'signed'), path, { recursive: true });
    appendFileSync(join(path, 'sub/notes.txt'), ' ');
    expect(() => verifyBundle(path, { key })).toThrow('sub/notes.txt was changed');
  });
});

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
