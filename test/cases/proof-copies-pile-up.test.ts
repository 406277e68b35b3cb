/** Copies of bases for proofs: one for each contents, no more than a limit, listed and removed by a command. */
import { copyFileSync, existsSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fixtures, mini, withMetadata, workspace } from './support.ts';

const patience = 240_000;
const { folder, nomoat } = workspace();
const data = join(fixtures, 'proof-copies-pile-up/ok.jsonl');
const cache = join(folder, 'home/parity');
const copies = (): string[] => readdirSync(cache).sort();

function tune(model: string, run: string, env: Record<string, string> = {}): void {
  const { code, err } = nomoat(
    ['tune', data, '--model', model, '--max-steps', '1', '--safety-share', '0', '--run', run, '--yes'],
    { env },
  );
  expect(code, err).toBe(0);
}
/** A base with other contents. */
const other = (name: string): string =>
  withMetadata(mini, join(folder, name), { 'general.name': { type: 'string', value: name } });

describe('copies of bases', { timeout: patience }, () => {
  test('a base that is copied, touched or renamed has one copy', () => {
    for (const [i, name] of ['b.gguf', 'b.gguf', 'c.gguf'].entries()) {
      copyFileSync(mini, join(folder, name));
      utimesSync(join(folder, name), new Date(), new Date(Date.now() - i * 1e6));
      tune(name, `r${i}`);
    }
    expect(copies()).toHaveLength(1);
  });

  test('are listed and removed by a command', () => {
    // A busy machine takes long enough over the rows that they are kept too, and this is about copies.
    rmSync(join(folder, 'home/rows'), { recursive: true, force: true });
    const listed = nomoat(['models', '--cache']);
    expect(listed.out).toMatch(
      /Copies of bases for proofs, 12 MB in \S*home\/parity:\n +12 MB +used \d{4}-\d\d-\d\d \d\d:\d\d +b\.\w{16}\.F32\.gguf/,
    );
    expect(listed.out).toMatch(/More than 10 GB \(NOMOAT_CACHE_LIMIT\) are not kept/);
    const { files } = JSON.parse(nomoat(['models', '--cache', '--json']).out);
    expect(files).toEqual([expect.objectContaining({ path: join(cache, copies()[0]!), held: false })]);
    // In use: it stays.
    writeFileSync(`${files[0].path}.held-by-${process.pid}`, '');
    expect(nomoat(['models', '--prune']).out).toMatch(/Removed 0 .*\n.*\n.*\(in use\)/);
    expect(existsSync(files[0].path)).toBe(true);
    // A killed process's hold, and what another left half written.
    writeFileSync(`${files[0].path}.held-by-999999999`, '');
    writeFileSync(`${files[0].path}.unfinished-999999999`, '');
    nomoat(['models', '--prune']);
    expect(copies()).toHaveLength(2);
  });

  test('no more than the limit are kept: the least recently used goes', () => {
    for (const name of copies()) if (name.includes('.held-by-')) rmSync(join(cache, name));
    const bases = ['one', 'two', 'three'].map((name) => other(`${name}.gguf`));
    const env = { NOMOAT_CACHE_LIMIT: '26MB' };
    nomoat(['models', '--prune']);
    tune(bases[0]!, 'one', env);
    tune(bases[1]!, 'two', env);
    tune(bases[0]!, 'one-again', env);
    tune(bases[2]!, 'three', env);
    const names = copies().filter((name) => name.endsWith('.gguf'));
    expect(names.map((name) => name.split('.')[0])).toEqual(['one', 'three']);
    tune(bases[1]!, 'none', { NOMOAT_CACHE_LIMIT: '0' });
    expect(copies().filter((name) => name.startsWith('two'))).toEqual([]);
  });

  test('a limit that is no size is refused before training', () => {
    const env = { NOMOAT_CACHE_LIMIT: 'plenty' };
    const { code, err } = nomoat(['tune', data, '--max-steps', '1', '--run', 'no', '--yes'], { env });
    expect(err).toMatch(/NOMOAT_CACHE_LIMIT: "plenty" is no size such as 5GB/);
    expect(code).toBe(2);
    expect(existsSync(join(folder, 'no'))).toBe(false);
  });
});
