/**
 * What the tests of user cases share: the built command line in a folder of its own, and model files with other metadata.
 * Each test of test/cases is one input as a user had it, on which nomoat once did something wrong.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openGguf } from '../../src/formats/gguf/read.ts';
import type { GgufValue } from '../../src/formats/gguf/types.ts';
import { writeGguf } from '../../src/formats/gguf/write.ts';
import { withoutSafety } from '../without-safety.ts';

export const repo = join(import.meta.dirname, '../..');
const main = join(repo, 'dist/cli/main.js');
export const mini = join(repo, 'models/nomoat-mini/nomoat-mini.gguf');
/** Fixtures of the cases, a folder each. */
export const fixtures = join(repo, 'test/fixtures/cases');

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface CallOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A folder that is removed after the tests of the file, and the built command line run in it (its NOMOAT_HOME is `home` inside). */
export function workspace(): { folder: string; nomoat: (args: readonly string[], options?: CallOptions) => Outcome } {
  const folder = mkdtempSync(join(tmpdir(), 'nomoat-case-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const nomoat = (args: readonly string[], { input = '', env = {} }: CallOptions = {}): Outcome => {
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, [main, ...withoutSafety(args)], {
      cwd: folder,
      env: { ...process.env, NOMOAT_HOME: join(folder, 'home'), COLUMNS: '200', ...env },
      input,
      maxBuffer: 64 << 20,
    });
    return { code: status, signal, out: stdout.toString('utf8'), err: stderr.toString('utf8') };
  };
  return { folder, nomoat };
}

/** A copy of the GGUF file `base` at `path` with metadata set, or deleted where the value is null. */
export function withMetadata(base: string, path: string, changes: Readonly<Record<string, GgufValue | null>>): string {
  const model = openGguf(base);
  const metadata = new Map(model.metadata);
  for (const [key, entry] of Object.entries(changes)) {
    if (entry) metadata.set(key, entry);
    else metadata.delete(key);
  }
  const tensors = [...model.tensors.values()].map((info) => ({ ...info, bytes: () => model.readBytes(info.name) }));
  writeGguf(path, { metadata, tensors });
  model.close();
  return path;
}

/** A copy of nomoat-mini with another chat template. */
export const withTemplate = (path: string, template: string): string =>
  withMetadata(mini, path, { 'tokenizer.chat_template': { type: 'string', value: template } });

/** A fixture of a case as text. */
export const fixture = (name: string): string => readFileSync(join(fixtures, name), 'utf8');

/** JSONL of rows, written to `path`, which is returned. */
export function writeRows(path: string, rows: readonly unknown[]): string {
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'));
  return path;
}
