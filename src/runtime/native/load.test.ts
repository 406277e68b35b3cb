import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { kernelsIn, loadKernels } from './load.ts';
import { fileDigest, type NativeManifest, sourceDigest } from './sources.ts';

const native = join(import.meta.dirname, '../../../native');
const platform = `${process.platform}-${process.arch}`;
const runsHere = test.skipIf(!loadKernels().kernels);

/** Windows removes no library that is loaded: it is left in the folder for what is temporary. */
function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true });
  } catch (error) {
    if (process.platform !== 'win32') throw error;
  }
}

const folders: string[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const folder of folders.splice(0)) remove(folder);
});

/** What the package holds: binaries and manifest, without sources. */
function packaged(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nomoat-native-'));
  folders.push(folder);
  cpSync(join(native, 'prebuilt'), join(folder, 'prebuilt'), { recursive: true });
  return folder;
}
const here = loadKernels();
/** The set of instructions that is taken here. */
const best = here.kernels ? here.instructionSet : '';
const binaryOf = (folder: string, set = best): string => join(folder, 'prebuilt', platform, `${set}.node`);
const reasonOf = (folder: string): string | null => {
  const loaded = kernelsIn(folder, best);
  return loaded.kernels ? null : loaded.reason;
};

test('the binaries of this repository are built from the sources beside them', () => {
  const manifest = JSON.parse(readFileSync(join(native, 'prebuilt/manifest.json'), 'utf8')) as NativeManifest;
  expect(sourceDigest(native), 'npm run native:build was not run after a change').toBe(manifest.sources);
  for (const [name, digest] of Object.entries(manifest.files))
    expect(fileDigest(join(native, 'prebuilt', `${name}.node`))).toBe(digest);
});

test('a folder without a binary for this machine has no kernels', () => {
  expect(reasonOf(tmpdir())).toBe(`no kernels are built for ${platform}`);
});

runsHere('binaries without their sources load, as from the package', () => {
  expect(kernelsIn(packaged())).toMatchObject({
    kernels: { run: expect.any(Function) },
    instructionSet: best,
  });
});

runsHere('a binary of other bytes than the manifest has, or of other sources, is refused', () => {
  const folder = packaged();
  for (const name of ['src', 'processor']) cpSync(join(native, name), join(folder, name), { recursive: true });
  cpSync(join(native, 'build.mjs'), join(folder, 'build.mjs'));
  expect(reasonOf(folder)).toBeNull();
  appendFileSync(join(folder, 'src/rows.h'), '\n');
  expect(reasonOf(folder)).toBe(`${best}: the binary is built from other sources: npm run native:build`);
  const other = packaged();
  appendFileSync(binaryOf(other), '\0');
  expect(reasonOf(other)).toBe(`${best}: the binary is not the one of native/prebuilt/manifest.json`);
});

runsHere('a binary that nobody has seen run is for those who ask for it', () => {
  const folder = packaged();
  const path = join(folder, 'prebuilt/manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as NativeManifest;
  writeFileSync(path, JSON.stringify({ ...manifest, neverRun: [`${platform}/${best}`] }));
  expect(reasonOf(folder)).toBe(
    `${best}: the binary has never run on such a machine: \`engine: 'native'\` takes it all the same`,
  );
  expect(kernelsIn(folder, best, true)).toMatchObject({ instructionSet: best });
});

runsHere('what cannot be read or loaded is a reason, not an error', () => {
  const folder = packaged();
  writeFileSync(binaryOf(folder), 'no library');
  const path = join(folder, 'prebuilt/manifest.json');
  const { files } = JSON.parse(readFileSync(path, 'utf8')) as NativeManifest;
  const changed = { ...files, [`${platform}/${best}`]: fileDigest(binaryOf(folder)) };
  writeFileSync(path, JSON.stringify({ sources: '', files: changed }));
  expect(reasonOf(folder)).toMatch(/: the binary cannot be loaded: /);
  rmSync(path);
  expect(reasonOf(folder)).toMatch(/: the binary cannot be loaded: .*manifest\.json/);
});

runsHere('NOMOAT_ISA names what may be used', () => {
  vi.stubEnv('NOMOAT_ISA', 'sse2');
  expect(kernelsIn(native)).toEqual({
    kernels: null,
    reason: 'NOMOAT_ISA is sse2, and kernels are built for avx512-vnni, avx-vnni, avx2 alone',
  });
  // Whatever the best set here is, AVX2 is among what it has.
  vi.stubEnv('NOMOAT_ISA', 'avx2');
  expect(kernelsIn(native)).toMatchObject({
    instructionSet: 'avx2',
    passedOver: best === 'avx2' ? null : 'NOMOAT_ISA names it',
  });
});

runsHere('a set of instructions that cannot be used gives way to a lesser one, which says why', () => {
  const folder = packaged();
  appendFileSync(binaryOf(folder, 'avx512-vnni'), '\0');
  const found = kernelsIn(folder);
  expect(found).toMatchObject({ instructionSet: 'avx2' });
  expect(found.kernels && found.passedOver).toMatch(/^avx512-vnni: /);
});
