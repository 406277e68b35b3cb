/**
 * Shell and Python scripts: all are parsed, and their calls of nomoat are held against its flags. Those that need PyTorch run in a small form
 * where NOMOAT_PYTHON (or python3) has it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { conversations } from '../templates/conversations.ts';
import { callsIn, faultsOf } from './command-lines.ts';
import { addFixtures, addReference, addRun, type Ended, repo, scripts, smallInputs, tiny } from './small-inputs.ts';

const inputs = smallInputs();
const { at, nomoat, run } = inputs;
const python = process.env['NOMOAT_PYTHON'] ?? 'python3';
const has = (...modules: string[]): boolean =>
  spawnSync(python, [
    '-c',
    `import importlib.util as u, sys; sys.exit(any(u.find_spec(m) is None for m in ${JSON.stringify(modules)}))`,
  ]).status === 0;
const hasPython = spawnSync(python, ['--version']).status === 0;
const hasTorch = hasPython && has('torch', 'transformers', 'peft', 'gguf', 'safetensors');
const needsTorch = hasTorch
  ? ''
  : ' (skipped: needs a Python with torch, transformers, peft, gguf; NOMOAT_PYTHON names it)';
const hasOnnx = hasPython && has('onnx');
const needsOnnx = hasOnnx ? '' : ' (skipped: needs a Python with onnx; NOMOAT_PYTHON names it)';
const hasScipy = hasPython && has('scipy', 'statsmodels', 'sklearn', 'sacrebleu', 'rouge_score');
const needsScipy = hasScipy
  ? ''
  : ' (skipped: needs a Python with scipy, statsmodels, scikit-learn, sacrebleu and rouge-score; NOMOAT_PYTHON names it)';
const hasMlx = hasTorch && has('mlx', 'mlx_lm');
const needsMlx = hasMlx
  ? ''
  : ' (skipped: needs a Python with torch, peft, gguf, mlx and mlx-lm; NOMOAT_PYTHON names it)';
const hasHarness = hasPython && has('lm_eval');
const needsHarness = hasHarness ? '' : ' (skipped: needs a Python with lm_eval; NOMOAT_PYTHON names it)';
const hasFaker = hasPython && has('faker', 'phonenumbers');
const needsFaker = hasFaker ? '' : ' (skipped: needs a Python with Faker and phonenumbers; NOMOAT_PYTHON names it)';
const hasIfeval = hasPython && has('lm_eval', 'langdetect', 'immutabledict', 'nltk');
const needsIfeval = hasIfeval
  ? ''
  : ' (skipped: needs a Python with lm_eval, langdetect, immutabledict and nltk; NOMOAT_PYTHON names it)';
const hasJinja = hasPython && has('jinja2');
const needsJinja = hasJinja ? '' : ' (skipped: needs a Python with jinja2 3.1.6; NOMOAT_PYTHON names it)';
const hasTables = hasPython && has('pyarrow', 'pandas', 'datasets');
const needsTables = hasTables
  ? ''
  : ' (skipped: needs a Python with pyarrow, pandas and datasets; NOMOAT_PYTHON names it)';
const text = (name: string): string => readFileSync(join(repo, name), 'utf8');
const shell = scripts.filter((name) => name.endsWith('.sh'));
const pythonScripts = scripts.filter((name) => name.endsWith('.py'));

describe('reads', () => {
  test.each(shell)('%s is a shell script whose calls of nomoat are ones', (name) => {
    expect(spawnSync('bash', ['-n', join(repo, name)], { encoding: 'utf8' }).stderr).toBe('');
    for (const call of callsIn(text(name))) expect(faultsOf(call), call.join(' ')).toEqual([]);
    for (const [path] of text(name).matchAll(/\b(?:bench|models)\/[\w/.-]+\.(?:mjs|py|sh)/g))
      expect(existsSync(join(repo, path)), path).toBe(true);
  });

  test('the calls are found', () => {
    const counts = shell.map((name) => [name, callsIn(text(name)).length]);
    expect(Object.fromEntries(counts)).toEqual({
      'bench/compare-peft.sh': 2,
      'bench/compare-torch.sh': 1,
      'bench/native-against-peft.sh': 0,
      'bench/preferences-against-trl.sh': 2,
      'bench/qvac/run.sh': 0,
      'bench/sanitized.sh': 0,
      'bench/three-seeds.sh': 2,
      'bench/webgpu.sh': 0,
      'models/nomoat-mini/train.sh': 2,
    });
    expect(faultsOf(['tune', 'x', '--rnak', '3'])).toEqual(['nomoat tune has no --rnak']);
  });

  test.runIf(hasPython)('every Python script compiles', () => {
    const paths = pythonScripts.map((name) => join(repo, name));
    const code = 'import ast, sys\nfor path in sys.argv[1:]: ast.parse(open(path).read(), path)';
    expect(spawnSync(python, ['-c', code, ...paths], { encoding: 'utf8' }).stderr).toBe('');
  });
});

type Run = readonly [name: string, covers: readonly string[], go: () => Ended, prints: RegExp];
const py = (script: string, ...args: string[]): Ended => run(python, [join(repo, script), ...args]);
const sh = (script: string, ...args: string[]): Ended => run('bash', [join(repo, script), ...args], repo);
// biome-ignore format: a table
const withTorch: readonly Run[] = [
  ['bench/compare-peft.sh', ['bench/peft/train.py'], () => run('env', ['ROUNDS=1', 'bash', join(repo, 'bench/compare-peft.sh'), python, tiny, at('reference'), '2']), /"engine": "nomoat".*\n.*"engine": "peft".*"tokensPerSecond": [\d.]+/],
  ['bench/three-seeds.sh', [], () => sh('bench/three-seeds.sh', python, tiny, at('reference'), at('seeds'), '1'), /"engine": "peft"[\s\S]*"precision":"f32","heldOutLoss":[\d.]+[\s\S]*"precision":"int8","heldOutLoss":[\d.]+/],
  ['bench/compare-torch.sh', ['bench/torch/pretrain_llama.py', 'bench/pretrain-rows.mjs'], () => sh('bench/compare-torch.sh', python, at('text.txt'), 'nano', '259', '16', '4', '3', '1e-3', '1', '0.95', '1'), /nomoat \{.*\}\ntorch {2}\{"tokensPerSecond": [\d.]+/],
  ['bench/peft/load_adapter.py', [], () => py('bench/peft/load_adapter.py', tiny, at('run/adapter'), at('rows.jsonl'), '4'), /"loss": [\d.]+/],
  ['bench/int8_simulation.py', [], () => py('bench/int8_simulation.py', tiny, at('run/adapter'), at('rows.jsonl')), /"inputs": "plain", "exact": \{"divergence": [\d.]+/],
  ['bench/oracles/make_full_cases.py', [], () => py('bench/oracles/make_full_cases.py', at('oracles')), /qwen3 35 tensors/],
  ['bench/oracles/make_llama3_case.py', [], () => py('bench/oracles/make_llama3_case.py', at('oracles')), /61 supervised tokens/],
  ['bench/oracles/make_hidden_states.py', [], () => py('bench/oracles/make_hidden_states.py', at('oracles')), /qwen3: 4 states of 8 tokens/],
  ['bench/oracles/make_linear_algebra_cases.py', [], () => py('bench/oracles/make_linear_algebra_cases.py', at('linear-algebra.json')), /4 QR, 4 products/],
  ['bench/oracles/make_merge_cases.py', [], () => py('bench/oracles/make_merge_cases.py', at('oracles'), at('merge')), /16 updates/],
  ['bench/oracles/make_quantize_cases.py', [], () => py('bench/oracles/make_quantize_cases.py', join(repo, 'node_modules/@node-llama-cpp/linux-x64/bins/linux-x64'), at('oracles'), at('quantize')), /9 models, 38 rows/],
  ['bench/oracles/make_quant_cases.py', [], () => py('bench/oracles/make_quant_cases.py', at('oracles')), /11 types/],
];
const onlyRead: Readonly<Record<string, string>> = {
  'bench/native-against-peft.sh':
    'makes a model of 1.1 billion weights; test/scripts/node-scripts.test.ts runs what it calls',
  'bench/sanitized.sh':
    'compiles for minutes; test/scripts/node-scripts.test.ts runs bench/kernel-shapes.mjs, which it calls',
  'bench/webgpu.sh': 'takes minutes; test/scripts/node-scripts.test.ts runs bench/webgpu.mjs, which it calls',
  'bench/qvac/run.sh': 'fetches 620 MB of packages',
  'bench/oracles/check_outputs.py':
    'needs lm_eval and inspect-ai, some gigabytes; the fields are held by src/evaluate/viewers/viewers.test.ts',
  'bench/oracles/hub_client.py':
    'needs huggingface_hub; asked by bench/share-cut-off.mjs --python, whose local hub it talks to',
  'bench/oracles/check_peft_files.py': 'asked by bench/peft-round-trip.mjs, with what that writes',
  'bench/oracles/make_token_loss_cases.py':
    'needs TRL, some gigabytes; src/train/token-losses.test.ts holds its figures',
  'bench/trl_preferences.py': 'needs TRL and a real model',
  'bench/preferences-against-trl.sh': 'needs TRL and a real model',
  'bench/oracles/make_preference_cases.py':
    'needs TRL, some gigabytes; src/train/preferences.test.ts holds its figures',
  'bench/oracles/sign_folders.py': 'needs model-signing; asked by bench/tampered-bundles.mjs',
  'bench/lm-eval/dequantize.py': 'run by bench/lm-eval.mjs',
  'bench/lm-eval/run_task.py': 'run by bench/tasks-lm-eval.mjs',
  'examples/openai-migration/tune.py': 'run against a server in test/server/migration-example.test.ts',
  'models/nomoat-mini/train.sh':
    'trains for a quarter of an hour; its two calls and its scripts are tried by themselves',
};

const byThemselves = [
  'bench/onnx_check.py',
  'bench/oracles/make_adapter_cases.py',
  'bench/oracles/make_evaluation_cases.py',
  'bench/oracles/make_planted_data.py',
  'bench/oracles/make_ifeval_cases.py',
  'bench/oracles/make_table_cases.py',
  'bench/oracles/make_task_cases.py',
  'bench/oracles/render_templates.py',
];

test('every script is in one of the tables', () => {
  const covered = withTorch.flatMap(([name, covers]) => [name, ...covers.filter((other) => !other.endsWith('.mjs'))]);
  expect([...covered, ...byThemselves, ...Object.keys(onlyRead)].sort()).toEqual([...shell, ...pythonScripts].sort());
});

// PyTorch alone takes a quarter of a minute to load on a busy machine.
describe('runs', { timeout: 600_000 }, () => {
  beforeAll(() => {
    if (!hasTorch) return;
    addRun(inputs);
    addReference(inputs);
    addFixtures(inputs);
    mkdirSync(at('quants'));
  }, 120_000);

  for (const [name, , go, prints] of withTorch)
    test.runIf(hasTorch)(`${name}${needsTorch}`, () => {
      const { code, err, out } = go();
      expect(code, err).toBe(0);
      expect(out).toMatch(prints);
    });

  test.runIf(hasIfeval)(`bench/oracles/make_ifeval_cases.py${needsIfeval}`, () => {
    const { code, err } = py('bench/oracles/make_ifeval_cases.py', at('ifeval.json'));
    expect(code, err).toBe(0);
    expect(readFileSync(at('ifeval.json'), 'utf8')).toBe(text('test/fixtures/tasks/ifeval.json'));
  });

  test.runIf(hasHarness)(`bench/oracles/make_task_cases.py${needsHarness}`, () => {
    const { code, err } = py('bench/oracles/make_task_cases.py', at('tasks'));
    expect(code, err).toBe(0);
    const asked = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as unknown;
    expect(asked(at('tasks/cases.json'))).toEqual(asked(join(repo, 'test/fixtures/tasks/cases.json')));
  });

  test.runIf(hasScipy)(`bench/oracles/make_evaluation_cases.py${needsScipy}`, () => {
    const { code, err } = py('bench/oracles/make_evaluation_cases.py', at('cases.json'));
    expect(code, err).toBe(0);
    const [made, kept] = [at('cases.json'), join(repo, 'test/fixtures/evaluation/cases.json')].map(
      (path) => JSON.parse(readFileSync(path, 'utf8')) as { texts: unknown[] },
    );
    expect(made!.texts).toEqual(kept!.texts);
  });

  test.runIf(hasFaker)(`bench/oracles/make_planted_data.py${needsFaker}`, () => {
    const { err, out } = py('bench/oracles/make_planted_data.py', at('planted-data.json'), '100');
    expect(out, err).toContain('100 items of 8 kinds');
  });

  test.runIf(hasMlx)(`bench/oracles/make_adapter_cases.py${needsMlx}`, () => {
    const { code, err } = py('bench/oracles/make_adapter_cases.py', at('oracles'), at('adapters'));
    expect(code, err).toBe(0);
    expect(readdirSync(at('adapters')).sort()).toEqual(readdirSync(join(repo, 'test/fixtures/adapters')).sort());
  });

  test.runIf(hasOnnx)(`bench/onnx_check.py${needsOnnx}`, () => {
    expect(run(process.execPath, [join(repo, 'bench/onnx-graphs.mjs'), at('graphs')]).code).toBe(0);
    const { code, err, out } = py('bench/onnx_check.py', at('graphs'));
    expect(code, err).toBe(0);
    expect(out).toMatch(/\d{2,3} graphs pass onnx/);
  });
});

test.runIf(hasJinja)(`bench/oracles/render_templates.py${needsJinja}`, { timeout: 300_000 }, () => {
  const few = 3;
  mkdirSync(at('templates'));
  writeFileSync(at('conversations.json'), JSON.stringify(conversations(few)));
  const { code, err, out } = py('bench/oracles/render_templates.py', at('conversations.json'), at('templates'));
  expect(code, err).toBe(0);
  expect(out).toMatch(/^\d+ snippets, \d+ templates$/m);
  const read = (folder: string): Record<string, string> =>
    JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<string, string>;
  const frozen = read(join(repo, 'test/fixtures/templates'));
  const firstOf = ([name, results]: [string, string]): [string, string] => [
    name,
    results.split(' ').slice(0, few).join(' '),
  ];
  expect(read(at('templates'))).toEqual(Object.fromEntries(Object.entries(frozen).map(firstOf)));
});

test.runIf(hasTables)(`bench/oracles/make_table_cases.py${needsTables}`, { timeout: 300_000 }, () => {
  const { code, err } = py('bench/oracles/make_table_cases.py', at('tables'));
  expect(code, err).toBe(0);
  expect(readdirSync(at('tables')).sort()).toEqual(readdirSync(join(repo, 'test/fixtures/data/tables')).sort());
});

test('train.sh: its calls run in a small form', { timeout: 600_000 }, () => {
  const [pretrain, tune] = callsIn(text('models/nomoat-mini/train.sh'));
  expect([pretrain?.[0], tune?.[0]]).toEqual(['pretrain', 'tune']);
  const small = (call: readonly string[], changes: Readonly<Record<string, string>>): string[] =>
    call
      .map((word) => word.replaceAll('"', '').replace('$out', at('mini')).replace('$threads', '1'))
      .map((word, i, words) => changes[words[i - 1] ?? ''] ?? word);
  mkdirSync(at('mini'));
  expect(run(process.execPath, [join(repo, 'models/nomoat-mini/make-data.mjs'), at('mini')]).code).toBe(0);
  // The first lines of each file: what the size needs of text, and a few conversations.
  for (const [name, bytes] of Object.entries({
    'pretrain.txt': 1 << 20,
    'pretrain-valid.txt': 1 << 14,
    'chat-train.jsonl': 1 << 15,
    'chat-valid.jsonl': 1 << 12,
  })) {
    const whole = readFileSync(at('mini', name), 'utf8').slice(0, bytes);
    writeFileSync(at('mini', name), whole.slice(0, whole.lastIndexOf('\n') + 1));
  }
  for (const call of [small(pretrain!, { '--max-steps': '1' }), [...small(tune!, {}), '--max-steps', '1']]) {
    const { code, err } = nomoat(call);
    expect(code, `${call.join(' ')}\n${err}`).toBe(0);
  }
});
