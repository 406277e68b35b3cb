/** Every script is run in a small form, or named here with the reason why it is only read; what it takes from dist is there. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { addReference, addRun, type Ended, repo, scripts, smallInputs, tiny } from './small-inputs.ts';

const inputs = smallInputs();
const { at, nomoat, run } = inputs;
const patience = { timeout: 600_000 };
const mini = join(repo, 'models/nomoat-mini/nomoat-mini.gguf');
beforeAll(() => {
  addRun(inputs);
  addReference(inputs);
}, 120_000);

const node = (script: string, ...args: string[]): Ended => run(process.execPath, [join(repo, script), ...args]);

interface Run {
  readonly args: () => readonly string[];
  readonly prints: RegExp;
  /** Other scripts that it runs. */
  readonly covers?: readonly string[];
}
/** As bench/oracles/make_planted_data.py writes them. */
function plantedItems(): string {
  const values = { email: 'jo@mail.example.org', card: '4111 1111 1111 1111', phone: '+49 30 901820' };
  const items = Object.entries(values).map(([kind, value]) => ({ kind, name: kind, value, text: `It is ${value}.` }));
  writeFileSync(at('planted.json'), JSON.stringify(items));
  return at('planted.json');
}

function preferred(): string {
  const pair = (i: number): string =>
    JSON.stringify({ prompt: `number ${i}`, chosen: i % 2 ? 'odd' : 'even', rejected: 'no idea' });
  writeFileSync(at('pairs.jsonl'), Array.from({ length: 12 }, (_, i) => pair(i)).join('\n'));
  return at('pairs.jsonl');
}

// biome-ignore format: a table
const runs: Readonly<Record<string, Run>> = {
  'bench/run.mjs': { args: () => ['--smoke', '--model', tiny, '--data', at('train.jsonl'), '--out', at('results')], prints: /\| LoRA step, int8, tokens\/s \| \d+/, covers: ['bench/int8-step.mjs', 'bench/growth.mjs', 'bench/plan-against-actual.mjs'] },
  'bench/start-of-run.mjs': { args: () => ['--rounds', '1', '--steps', '2', `tiny=${at('train.jsonl')} --model ${tiny} --threads 1`], prints: /\| tiny \| tokens\/s of further steps \| \d+/ },
  'bench/serve.mjs': { args: () => ['--rounds', '1', '--tokens', '4', '--clients', '2', '--requests', '8', '--runs', '3'], prints: /"section":"single".*"ratio":[\d.]+[\s\S]*"section":"clients".*"ratio":[\d.]+[\s\S]*"section":"adapters".*"ratio":[\d.]+[\s\S]*"listed":24[\s\S]*"longestWaitOfOthersMs":/, covers: ['bench/fresh-adapter.mjs'] },
  'bench/score-rows.mjs': { args: () => ['--rows', '12', '--rounds', '2', '--data', join(repo, 'examples/intents/valid.jsonl')], prints: /"ratio":\{"total":[\d.]+/ },
  'bench/fuzz-server.mjs': { args: () => ['--seconds', '10'], prints: /fuzz-server: (skipped, since|\d+ times 200)/ },
  'bench/soak-server.mjs': { args: () => ['--requests', '300', '--minutes', '5'], prints: /300 requests in \d+ s; resident memory/ },
  'bench/chat-beside-job.mjs': { args: () => ['--rounds', '1', '--chats', '2', '--no-background'], prints: /ratio: median \d/ },
  'bench/share-cut-off.mjs': { args: () => ['--moments', '2', '--seed', '3'], prints: /push: 2 of 2 ended whole[\s\S]*pull: 2 of 2 ended whole/ },
  'bench/kill-server.mjs': { args: () => ['--moments', '3', '--seed', '3'], prints: /3 of 3 ended in the same adapter/, covers: ['bench/seeded-random.mjs'] },
  'bench/kill-run.mjs': { args: () => ['--kills', '1', '--steps', '20', '--model', tiny], prints: /"kills":[1-9]\d*,"runs":\d+,"wrong":0/ },
  'bench/large-step.mjs': { args: () => [tiny, 'stream', '1', '32', '2', '1', '1'], prints: /"tokensPerSecond":[\d.]+/, covers: ['bench/int8-limit.mjs'] },
  'bench/webgpu.mjs': { args: () => [tiny, at('webgpu.json'), '--steps', '2', '--work', '1x32', '--large', 'none'], prints: /^SmolLM2, 1x32: losses within \d\.\de-\d|^webgpu: skipped, since there is no adapter/m },
  'bench/onnx-graphs.mjs': { args: () => [at('graphs')], prints: /\d{3} sessions opened, \d{2,3} different graphs/ },
  'bench/sweep-defaults.mjs': { args: () => [at('train.jsonl'), '0.1', tiny, at('sweep'), '--rates', '2', '--batches', '1', '--epochs', '1'], prints: /"name":"rate x 2".*"best":[\d.]+/ },
  'bench/compare-scratch.mjs': { args: () => ['--data', at('train.jsonl'), '--validation', at('test.jsonl'), '--model', tiny, '--method', 'lora', '--minutes', '0.005', '--held-out', '4', '--threads', '1', '--out', at('scratch'), '--svg', at('scratch.svg')], prints: /\| LoRA \| 0\.\d M \|/ },
  'bench/answers.mjs': { args: () => ['--model', tiny, '--data', at('test.jsonl'), '--examples', '12', '--rounds', '1'], prints: /"same":12\}[\s\S]*"examples":12,"atOnce":\d+,"ratio":[\d.]+/ },
  'bench/evaluation-coverage.mjs': { args: () => ['--comparisons', '40', '--sizes', '60'], prints: /\| right or wrong \| 60 \| [\d.]+ [\s\S]*\| seeds \| 60 \| [\d.]+ / },
  'bench/evaluation-aa.mjs': { args: () => ['--limit', '6', '--pairs', '3', '--max-tokens', '4', '--threads', '1'], prints: /"itself":"too-few-examples",.*"drawn":\{"pairs":3,"different":\d,"better":0/ },
  'bench/kernel-shapes.mjs': { args: () => ['--steps', '2', '--repetitions', '1', '--failures', '2'], prints: /kernel-shapes: .* skipped, since|"comparedSteps":\d+,"failedArrays":[1-9]/, covers: ['bench/random-blocks.mjs'] },
  'bench/onnxruntime-avx2.mjs': { args: () => [at('onnxruntime-avx2')], prints: /^[1-9]\d* places/ },
  'bench/native-stages.mjs': { args: () => ['1', '1'], prints: /native-stages: skipped, since|preBackward: .*medians [\d.]+/ },
  'bench/native-step.mjs': { args: () => [tiny, '--rounds', '1', '--threads', '1'], prints: /native-step: skipped, since|"onnxruntimeOverNative":\{"wall":[\d.]+/, covers: ['bench/random-rows.mjs', 'bench/relative.mjs'] },
  'bench/shared-pairs.mjs': { args: () => [tiny, '--prompt', '8', '--answer', '8', '--pairs', '1', '--rounds', '1', '--threads', '1'], prints: /"ofTime":[\d.]+.*"gradientsApart":[\d.e-]+/ },
  'bench/safety.mjs': { args: () => [at('safety'), '--model', tiny, '--rows', '8', '--epochs', '1', '--limit', '2', '--no-answers'], prints: /"name":"base against itself".*"difference":0[\s\S]*worn down: checked/ },
  'bench/contamination.mjs': { args: () => ['--rows', '300', '--examples', '60', '--planted', '10'], prints: /"planted":10,"found":(9|10),"further":0/ },
  'bench/inspect-data.mjs': { args: () => [plantedItems(), '--rows', '60', join(repo, 'examples/intents/train.jsonl')], prints: /3 of 3 found \(100\.0%\) in 60 rows, precision 100\.0%/ },
  'bench/report-pages.mjs': { args: () => [at('pictures'), at('run/report.html')], prints: /report-pages: skipped, since|report\.html: nothing found/, covers: ['bench/chromium.mjs'] },
  'bench/preferences.mjs': { args: () => [preferred(), tiny, at('preferences'), '--pairs', '8', '--held-out', '4'], prints: /"accuracy":[\d.]+,"interval":\[[\s\S]*"tokensPerSecond":[\d.]+/ },
  'bench/shape.mjs': { args: () => [], prints: /\| import cycles \| 0 \|/ },
  'bench/synthetic-model.mjs': { args: () => ['tinyllama-1.1b', at('synthetic.gguf'), '--layers', '1'], prints: /"layers":1,.*"parameters":\d+/ },
  'bench/reference-check.mjs': { args: () => [tiny, at('reference'), at('run')], prints: /"worstGradientError":[\d.]+[\s\S]*"exact":\d+/ },
  'bench/pretrain-rows.mjs': { args: () => [at('pretrained'), at('train.bin'), at('valid.bin')], prints: /[1-9]\d* training rows, [1-9]\d* validation rows/ },
  'bench/tampered-bundles.mjs': { args: () => ['9'], prints: /untouched: nomoat accepts[\s\S]*9 of 9 tampered bundles refused/ },
  'models/nomoat-mini/make-data.mjs': { args: () => [at('mini')], prints: /documents|conversations|examples/ },
  'models/nomoat-mini/samples.mjs': { args: () => [mini, at('valid.jsonl')], prints: /\d+ of \d+ answers ended by themselves/ },
};
/** Not run here. Python and shell scripts are in other-scripts.test.ts. */
const onlyRead: Readonly<Record<string, string>> = {
  'bench/lm-eval.mjs':
    'needs lm-evaluation-harness and a model whose vocabulary transformers reads; what the harness sends is in test/server/logprobs.test.ts',
  'bench/merge-7b.mjs':
    'makes adapters of 160 MB and takes half a minute; what it calls is in src/library/merge-adapters.test.ts',
  'bench/keep-alignment.mjs':
    'tunes on banking77, which is not in the repo; what it calls is in src/dataset/own-answers.test.ts and src/library/check.test.ts',
  'bench/merge-tasks.mjs':
    'tunes a real model on two data sets and evaluates some thirty merges; what it calls is in src/library/merge-adapters.test.ts and stack.test.ts',
  'bench/peft/asked.mjs': 'needs PyTorch and peft; bench/native-step.mjs --peft takes turns with it',
  'bench/peft-round-trip.mjs':
    "needs PyTorch, transformers and peft; that our files are PEFT's is frozen in test/fixtures/adapters and merge",
  'bench/tasks-lm-eval.mjs':
    'needs lm-evaluation-harness and PyTorch; what the harness asks and scores is frozen in test/fixtures/tasks',
  'bench/readme-pictures.mjs': 'writes into docs/images; what it calls is in test/story/studio.test.ts',
  'bench/studio-kill.mjs':
    'trains at each of its moments for minutes; one of them is in test/story/studio.test.ts, a server that is killed',
  'bench/studio-large.mjs':
    'makes 200 runs and asks a browser for a minute; what it calls is in test/story/studio.test.ts',
  'bench/sweep-losses.mjs':
    'trains some thirty models; what it calls is in src/train/token-losses.test.ts and src/library/merge-adapters.test.ts',
  'bench/studio-hour.mjs': 'follows a run for minutes; what it calls is in test/story/studio.test.ts',
  'bench/studio-page-open.mjs': 'trains for a minute; what it calls is in test/story/studio.test.ts',
  'bench/studio-pages.mjs': 'trains a model on the way; what it calls is in test/story/studio.test.ts',
  'bench/qvac/finetune.js': 'run by bare with packages of 620 MB that run.sh fetches',
  'examples/openai-migration/tune.mjs': 'run against a server in test/server/migration-example.test.ts',
  'examples/intents/make.mjs': 'needs the SNIPS benchmark, and writes the data that is in the repo',
};

test('every script is in one of the tables', () => {
  const javascript = scripts.filter((name) => /\.m?js$/.test(name));
  const covered = Object.entries(runs).flatMap(([name, { covers = [] }]) => [name, ...covers]);
  expect([...covered, ...Object.keys(onlyRead)].sort()).toEqual(javascript);
});

describe('runs', patience, () => {
  beforeAll(() => {
    const pretrained = nomoat([
      'pretrain',
      at('text.txt'),
      '--size',
      'nano',
      '--vocabulary',
      '259',
      '--sequence-length',
      '16',
      '--batch-size',
      '4',
      '--epochs',
      '1',
      '--max-steps',
      '1',
      '--validation',
      '0.1',
      '--threads',
      '1',
      '--run',
      at('pretrained'),
    ]);
    expect(pretrained.code, pretrained.err).toBe(0);
    writeFileSync(at('valid.jsonl'), readFileSync(at('test.jsonl'), 'utf8').split('\n').slice(0, 4).join('\n'));
    mkdirSync(at('mini'));
  }, 120_000);

  test.each(Object.entries(runs))('%s', (script, { args, prints }) => {
    const { code, err, out } = node(script, ...args());
    expect(code, err).toBe(0);
    expect(out).toMatch(prints);
  });
});

describe('reads', () => {
  test.each(scripts.filter((name) => /\.m?js$/.test(name)))('%s: what it imports is there', async (script) => {
    expect(spawnSync(process.execPath, ['--check', join(repo, script)], { encoding: 'utf8' }).stderr).toBe('');
    const text = readFileSync(join(repo, script), 'utf8');
    for (const [, names, from] of text.matchAll(/^import \{([^}]+)\} from '(\.[^']+)'/gm)) {
      const path = join(repo, dirname(script), from!);
      // Importing a script would run it.
      const exported = from!.includes('/dist/')
        ? Object.keys(await import(pathToFileURL(path).href))
        : [...readFileSync(path, 'utf8').matchAll(/^export (?:async )?(?:function|const) (\w+)/gm)].map(
            ([, name]) => name,
          );
      for (const name of names!
        .split(',')
        .map((part) => part.trim().split(' as ')[0]!)
        .filter(Boolean))
        expect(exported, `${script} imports ${name} of ${from}`).toContain(name);
    }
  });
});
