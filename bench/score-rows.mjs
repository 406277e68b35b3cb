/**
 * What scoring many rows gives beside llama.cpp's own prompt evaluation: tokens/s of `scoreRows`, and of the very same tokens' number read as
 * one prompt after the other by node-llama-cpp in its largest batches, no log-probabilities asked; in turns, on one machine.
 * Usage: node bench/score-rows.mjs [--model FILE.gguf] [--data FILE.csv|.jsonl] [--prompt COLUMN] [--completion COLUMN] [--rows 1000]
 *   [--candidates 4] [--rounds 8] [--threads N] [--sequences 8] (after npm run build)
 * DATA has prompts and short completions, as banking77's train.csv has texts and categories; each row's candidates are its own and others.
 * Tokens are counted as they are evaluated: what candidates share counts once. `given` counts it for each candidate.
 */
import { parseArgs } from 'node:util';
import { readExamples } from '../dist/dataset/dataset-files.js';
import { openModel } from '../dist/index.js';
import { evaluationThreads, loadLlamaModel, openContext } from '../dist/llama/engine.js';
import { groupsOf, stepsOf } from '../dist/llama/row-groups.js';
import { physicalCores } from '../dist/machine/machine.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'nomoat-mini' },
    data: { type: 'string', default: 'examples/intents/valid.jsonl' },
    prompt: { type: 'string' },
    completion: { type: 'string' },
    rows: { type: 'string', default: '1000' },
    candidates: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '8' },
    threads: { type: 'string' },
    sequences: { type: 'string', default: '8' },
  },
});
const [rows, candidates, rounds, sequences] = ['rows', 'candidates', 'rounds', 'sequences'].map((name) => Number(values[name]));
const threads = Number(values.threads ?? physicalCores());
const { train } = await readExamples([values.data], { format: 'auto', promptColumn: values.prompt ?? null, completionColumn: values.completion ?? null, textColumn: null });
const pairs = train.flatMap((example) => {
  if (example.kind === 'completion') return [[example.prompt, example.completion]];
  const answer = example.kind === 'chat' ? example.messages.at(-1) : null;
  return answer?.role === 'assistant' ? [[example.messages.at(-2).content, answer.content]] : [];
});
if (pairs.length === 0) throw new Error(`${values.data} has no prompts with completions; --prompt and --completion name their columns`);
const labels = [...new Set(pairs.map(([, label]) => label))];
const asked = Array.from({ length: rows }, (_, i) => pairs[(i * 7) % pairs.length]).map(([prompt, label], i) =>
  [label, ...labels.filter((other) => other !== label)].slice(0, 1).concat(Array.from({ length: candidates - 1 }, (_, k) => labels[(labels.indexOf(label) + 1 + ((i + k * 5) % (labels.length - 1))) % labels.length])).map((continuation) => ({ prompt: `${prompt}\nLabel:`, continuation: ` ${continuation}` })),
);

const model = await openModel({ model: values.model, threads, sequences, contextSize: 512 });
const { path } = await import('../dist/store/local-models.js').then(({ resolveModel }) => resolveModel(values.model));
const plain = await loadLlamaModel(path);
const promptTokens = 384;
const context = await openContext(plain, { contextSize: promptTokens + 8, batchSize: promptTokens, threads: evaluationThreads(plain, threads) });
const sequence = context.getSequence();

/** As the engine counts them. */
function tokensOf(group) {
  const placed = group.map((row, index) => {
    const whole = model.tokenize(row.prompt + row.continuation);
    const head = model.tokenize(row.prompt).length;
    return { index, row: { tokens: Int32Array.from(whole), supervised: Uint8Array.from(whole, (_, t) => Number(t >= head)) } };
  });
  const evaluated = groupsOf(placed).flatMap(stepsOf).reduce((sum, { length, shared }) => sum + Math.max(0, length - shared), 0);
  return { evaluated, given: placed.reduce((sum, { row }) => sum + row.tokens.length, 0) };
}

let next = 1;
const randomTokens = (count) => Array.from({ length: count }, () => ((next = (next * 48271) % 2147483647) % (plain.fileInfo.metadata.tokenizer.ggml.tokens.length - 300)) + 200);
const seconds = async (call) => {
  const start = performance.now();
  await call();
  return (performance.now() - start) / 1000;
};
async function readPrompts(count) {
  for (let left = count; left > 0; left -= promptTokens) {
    await sequence.clearHistory();
    await sequence.evaluateWithoutGeneratingNewTokens(randomTokens(Math.min(left, promptTokens)));
  }
}

const total = { evaluated: 0, given: 0, scoring: 0, reading: 0 };
const ratios = [];
await readPrompts(promptTokens);
await model.scoreRows(asked[0]);
const perRound = Math.ceil(asked.length / rounds);
for (let i = 0; i < asked.length; i += perRound) {
  const part = asked.slice(i, i + perRound);
  const { evaluated, given } = part.map(tokensOf).reduce((a, b) => ({ evaluated: a.evaluated + b.evaluated, given: a.given + b.given }));
  const scoring = await seconds(() => model.scoreRows(part.flat()));
  const reading = await seconds(() => readPrompts(evaluated));
  total.evaluated += evaluated;
  total.given += given;
  total.scoring += scoring;
  total.reading += reading;
  ratios.push(reading / scoring);
}
await model.close();
await context.dispose();
await plain.dispose();
ratios.sort((a, b) => a - b);
const round = (value) => Number(value.toFixed(3));
console.log(JSON.stringify({
  rows, candidates, threads, sequences,
  tokens: { evaluated: total.evaluated, given: total.given },
  scored: { tokensPerSecond: round(total.evaluated / total.scoring), givenPerSecond: round(total.given / total.scoring) },
  prompt: { tokensPerSecond: round(total.evaluated / total.reading) },
  ratio: { total: round(total.reading / total.scoring), median: round(ratios[ratios.length >> 1]), least: round(ratios[0]), most: round(ratios.at(-1)) },
}));
