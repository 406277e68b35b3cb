import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { expect, test } from 'vitest';

/** The order of the data: a folder may import those before it and itself. errors.ts and config are open to all. */
const order = [
  'files',
  'text',
  'tokens',
  'batches',
  'graph',
  'models',
  'lora',
  'runtime',
  'train',
  'adapter',
  'chat',
  'evaluate',
  'jobs',
  'server',
  'cli',
];
/** Types that earlier folders share with later ones; `import type` vanishes when built. */
const pure =
  /^(text|batches|graph|models|lora)\/|^tokens\/(tokenizer|token-row|rows|preview)\.|^train\/(optimizer|clip|schedule|dropout|step)\./;

const root = join(import.meta.dirname, '../src');
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .map((name) => name.split(sep).join('/'))
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.endsWith('.d.ts'));

/** Values (not types) that a file imports. */
function importsOf(name: string): string[] {
  const text = readFileSync(join(root, name), 'utf8');
  return [...text.matchAll(/^(?:import|export)\s+(?!type\s)[^;]*?from '([^']+)'/gm)].map((match) => match[1]!);
}

test('every source file is walked', () => {
  const tracked = execFileSync(
    'find',
    [root, '-name', '*.ts', '-not', '-name', '*.test.ts', '-not', '-name', '*.d.ts'],
    { encoding: 'utf8' },
  );
  expect(files.length).toBe(tracked.trim().split('\n').length);
  expect(files.length).toBeGreaterThan(60);
});

test.each(files)('%s imports only what comes before it', (name) => {
  const folder = name.split('/')[0]!;
  for (const from of importsOf(name)) {
    if (pure.test(name))
      expect(from, 'pure parts know neither Node nor an engine').not.toMatch(/^node:|onnxruntime|llama/);
    if (!from.startsWith('.')) continue;
    const target = relative(root, join(root, dirname(name), from))
      .split(sep)
      .join('/');
    const to = target.split('/')[0]!;
    if (!order.includes(folder) || !order.includes(to)) continue;
    expect(order.indexOf(to), `${name} imports ${target}`).toBeLessThanOrEqual(order.indexOf(folder));
  }
});
