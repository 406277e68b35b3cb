/** The public types: what calls take and return, checked by the compiler, and that all types they name can be imported. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, expectTypeOf, test } from 'vitest';
import {
  type AnswerStream,
  type ErrorCode,
  type ErrorKind,
  exportRun,
  type Generated,
  listRuns,
  type Message,
  type Model,
  type NomoatError,
  openModel,
  openRun,
  type PlanReport,
  type Preview,
  plan,
  pretrain,
  preview,
  type Run,
  type RunEvent,
  type RunResult,
  resumeTune,
  type Score,
  tune,
} from '../src/index.ts';

test('a run is there at once, and is no promise', () => {
  expectTypeOf(tune).returns.toEqualTypeOf<Run>();
  expectTypeOf(pretrain).returns.toEqualTypeOf<Run>();
  expectTypeOf(resumeTune).returns.toEqualTypeOf<Run>();
  expectTypeOf<Awaited<Run>>().toEqualTypeOf<Run>();
  expectTypeOf<Run>().toExtend<AsyncIterable<RunEvent>>();
  expectTypeOf<Run['result']>().toEqualTypeOf<Promise<RunResult>>();
  expectTypeOf<RunResult['adapter']>().toEqualTypeOf<string | null>();
  expectTypeOf<RunResult['state']>().toEqualTypeOf<'done' | 'stopped-early' | 'diverged' | 'proof-failed'>();
  expectTypeOf<Extract<RunEvent, { type: 'step-end' }>['loss']>().toEqualTypeOf<number>();
});

test('a model gives answers, pieces and scores', () => {
  expectTypeOf(openModel).returns.resolves.toEqualTypeOf<Model>();
  expectTypeOf<Model['stream']>().returns.toEqualTypeOf<AnswerStream>();
  expectTypeOf<AnswerStream>().toExtend<AsyncIterable<string>>();
  expectTypeOf<AnswerStream['result']>().resolves.toEqualTypeOf<Generated>();
  expectTypeOf<Model['score']>().returns.resolves.toEqualTypeOf<Score>();
  expectTypeOf<Model['generate']>().parameter(0).toEqualTypeOf<readonly Message[]>();
  expectTypeOf<Model>().toExtend<AsyncDisposable>();
});

test('other calls have results of their own, and errors codes', () => {
  expectTypeOf(preview).returns.resolves.toEqualTypeOf<Preview>();
  expectTypeOf(plan).returns.resolves.toEqualTypeOf<PlanReport>();
  expectTypeOf(exportRun)
    .parameter(1)
    .toHaveProperty('to')
    .toEqualTypeOf<'peft' | 'mlx' | 'gguf' | 'ollama' | 'merged-gguf'>();
  expectTypeOf(listRuns).parameter(0).toEqualTypeOf<string | undefined>();
  expectTypeOf(openRun).returns.toHaveProperty('events').returns.toExtend<AsyncIterable<RunEvent>>();
  expectTypeOf<NomoatError['code']>().toEqualTypeOf<ErrorCode>();
  expectTypeOf<NomoatError['kind']>().toEqualTypeOf<ErrorKind>();
  expectTypeOf<'run-exists'>().toExtend<ErrorCode>();
  // @ts-expect-error there is no such format
  expectTypeOf<{ to: 'onnx'; out: string }>().toExtend<Parameters<typeof exportRun>[1]>();
  // @ts-expect-error there is no such code
  expectTypeOf<'run-gone'>().toExtend<ErrorCode>();
});

/** Declarations that the compiler wrote, comments and texts left out. */
const declared = (module: string): string =>
  readFileSync(join(import.meta.dirname, '../dist', module.replace(/\.ts$/, '.d.ts')), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/'[^'\n]*'/g, "''");

const index = readFileSync(join(import.meta.dirname, '../src/index.ts'), 'utf8');
const exported = [...index.matchAll(/export (?:type )?\{([^}]*)\} from '\.\/([^']+)'/g)].flatMap(([, names, module]) =>
  names!
    .split(',')
    .map((name) => name.replace('type ', '').trim())
    .filter((name) => name !== '')
    .map((name) => {
      const [inside, outside] = name.split(' as ');
      return { inside: inside!, name: outside ?? inside!, module: module! };
    }),
);
/** Types of the language and of Node. */
const builtIn = new Set('Array AsyncDisposable AsyncGenerator AsyncIterable AsyncIterator AbortSignal Awaited Error Exclude Extract Float32Array Int32Array Map Omit Parameters Partial Pick Promise Readonly ReadonlyArray ReadonlyMap ReadonlySet Record Required Set Symbol Uint8Array NodeJS Signals'.split(' ')); // biome-ignore format: a list

/** Keys of the settings, which are names in a table. */
const settingNames = new Set(['OptionValue', 'PretrainOptionName', 'TuneOptionName']);

/** The declaration of a name in a module, up to the next one. */
function declarationOf(module: string, name: string): string {
  const text = declared(module);
  const start = text.search(
    new RegExp(`^(?:export )?(?:declare )?(?:interface|type|class|function|const) ${name}\\b`, 'm'),
  );
  if (start < 0) {
    // Handed on from another module.
    const sources = readFileSync(join(import.meta.dirname, '../src', module), 'utf8');
    const [, from] = new RegExp(`export (?:type )?\\{[^}]*\\b${name}\\b[^}]*\\} from '([^']+)'`).exec(sources) ?? [];
    expect(from, `${module} declares ${name}`).toBeDefined();
    return declarationOf(join(dirname(module), from!), name);
  }
  const rest = text.slice(start + 1);
  const end = rest.search(/^(?:export |declare |interface |type |class )/m);
  return end < 0 ? rest : rest.slice(0, end);
}

test('every type that a public signature names is public', () => {
  expect(exported.length).toBeGreaterThan(80);
  const names = new Set(exported.flatMap(({ inside, name }) => [inside, name]));
  const missing = new Set<string>();
  for (const { inside, module, name } of exported)
    for (const [word] of declarationOf(module, inside).matchAll(/(?<![.\w])[A-Z]\w+\b/g))
      if (!names.has(word) && !builtIn.has(word) && !settingNames.has(word))
        missing.add(`${word}, which ${name} names`);
  expect([...missing].sort()).toEqual([]);
});
