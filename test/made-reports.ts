/** Reports of runs that were never made, for tests and screenshots: what a run and an evaluation say, at a size that a real one has. */
import { foundling, type LineageEntry, type NamedDigest } from '../src/adapter/lineage.ts';
import { majorityAnswer } from '../src/evaluate/baselines.ts';
import { evaluateAnswers } from '../src/evaluate/evaluate-answers.ts';
import type { Evaluation } from '../src/evaluate/evaluation.ts';
import { metricOf } from '../src/evaluate/metrics/metric.ts';
import { testSetOf } from '../src/evaluate/test-set.ts';
import type { ToldApart } from '../src/evaluate/trust/memorisation.ts';
import type { RunEvent } from '../src/events.ts';
import type { UpdateNorm } from '../src/inspect/update-norms.ts';
import type { RunRecord } from '../src/run/run-folder.ts';
import { runRecord, runSettings } from './made-runs.ts';

const labels = [
  'card_arrival',
  'card_not_working',
  'cash_withdrawal_charge',
  'exchange_rate',
  'lost_or_stolen_card',
  'pending_transfer',
  'refund_not_showing_up',
  'top_up_failed',
];
const asked = ['I am still waiting on my card?', 'My card stopped working this morning, what can I do?', 'Why was I charged for taking out cash abroad?', 'What is your exchange rate for euros?', 'Somebody stole my purse and the card in it. Please block it!', 'The money I sent has not arrived; it still says pending.', 'I returned the shoes two weeks ago and there is no refund.', 'My top-up was declined. Twice.']; // biome-ignore format: a table

/** Which label a model of some skill answers. */
function answered(i: number, skill: number): string {
  const right = i % labels.length;
  const draw = ((i * 2654435761) % 1000) / 1000;
  if (draw < skill) return labels[right]!;
  return labels[(right + 1 + (i % 3)) % labels.length]!;
}

const end = (text: string) => ({ text, ended: true });
const costs = { seconds: 41.5, computed: 200 };

/** Labels of 200 messages: a run that learnt them, beside a base that says something else. */
export const labelEvaluation = (skill = 0.82, examples = 200): Promise<Evaluation> => {
  const test = testSetOf(
    Array.from({ length: examples }, (_, i) => ({
      ask: { prompt: `${asked[i % asked.length]}${i < asked.length ? '' : ` (case ${i})`}` },
      expected: labels[i % labels.length]!,
    })),
  );
  return evaluateAnswers({
    test,
    metrics: [metricOf('exact')],
    suggested: 'the expected answers are 8 labels',
    models: [
      { name: 'banking', costs, answers: test.questions.map((_, i) => end(answered(i, skill))) },
      { name: 'SmolLM2-135M-Instruct', costs: { seconds: 63, computed: 200 }, answers: test.questions.map(({ expected }, i) => (i % 31 === 0 ? end(expected) : i % 7 === 0 ? { text: 'I understand. I understand. I understand. I understand.', ended: false } : end('I apologize for the inconvenience. Please contact our support team.'))) },
    ],
    baselines: [majorityAnswer(test)],
    findings: { looks: 3, trainedOn: 2 },
  }); // biome-ignore format: a table
};

const stories = [
  ['Loch Fyne is a family-friendly restaurant by the river that serves French food at moderate prices.', 'Loch Fyne is a family friendly French restaurant located by the riverside with moderate prices.'],
  ['The Punter is a cheap coffee shop near Café Sicilia with a customer rating of 5 out of 5.', 'The Punter is a coffee shop near Café Sicilia.'],
  ['<b>Zizzi</b> is a pub & "grill" in the city centre; its prices are high.', '<script>alert(1)</script> Zizzi is a pub in the city centre.'],
  ['阿利莫是一家位于河边的中国餐馆，价格适中。', '阿利莫是河边一家价格便宜的中国餐馆。'],
] as const; // biome-ignore format: a table

/** Whole sentences, scored by how much they share, of one model alone. */
export const textEvaluation = (): Promise<Evaluation> => {
  const test = testSetOf(
    Array.from({ length: 24 }, (_, i) => ({
      ask: { prompt: `name[Loch Fyne], food[French], priceRange[moderate], area[riverside], row[${i}]` },
      expected: stories[i % 4]![0],
    })),
  );
  const answers = test.questions.map((_, i) =>
    i === 5 ? { text: '', ended: true } : end(i % 6 === 0 ? stories[i % 4]![0] : stories[i % 4]![1]),
  );
  return evaluateAnswers({
    test,
    metrics: [metricOf('rouge-l'), metricOf('chrf'), metricOf('token-f1')],
    suggested: null,
    models: [{ name: 'restaurants', costs: { seconds: 12, computed: 24 }, answers }],
    baselines: [majorityAnswer(test)],
    findings: { looks: 12 },
  });
};

const loss = (step: number): number =>
  0.45 + 3.4 * Math.exp(-step / 30) + 0.25 * Math.abs(Math.sin(step * 1.7)) * Math.exp(-step / 90);

/** A run of 200 steps with everything that it says. */
export function runEvents(state: 'done' | 'stopped-early' | 'diverged' = 'done', steps = 200): RunEvent[] {
  const settings = runSettings({}, { model: 'SmolLM2-135M-Instruct', data: ['train.jsonl'] });
  const verdict =
    state === 'diverged'
      ? {
          verdict:
            'The loss rose to 11.3 after step 40, worse than a model that guesses. Start a new run with a lower `learningRate`.',
        }
      : {};
  return [
    { type: 'run-start', version: 1, run: 'runs/banking', model: settings.model, architecture: 'llama', method: 'lora', parameters: 134515008, trainableParameters: 2442240, settings: { ...settings } },
    { type: 'plan', measured: true, precision: 'int8', activations: 'keep', streamed: false, firstStepSeconds: 6.1, seconds: 702, tokensPerSecond: 900, peakMemoryBytes: 1.31e9, diskBytes: 41e6 },
    { type: 'precision', precision: 'int8', reason: 'the int8 base is close enough', divergence: 0.0041, bound: 0.02, levels: 127, speedup: 2.1 },
    { type: 'data-ready', format: 'messages', rows: 3200, tokens: 198400, supervisedTokens: 16400, truncatedRows: 0, refusedRows: 3, splitRows: 0, refusals: { 'an answer is empty': 3 }, refused: [], duplicateRows: 12, leakedRows: 2, validationRows: 200, validationTokens: 12400, validationSupervisedTokens: 1030, stepsPerEpoch: 200, steps },
    { type: 'notice', code: 'defaults', message: 'Chosen from the data: sequence length 128 (longest row 97), 1 epoch (3200 rows), learning rate 0.001 (width 576).' },
    ...Array.from({ length: steps }, (_, step): RunEvent[] => [
      ...(step % 50 === 0 ? [{ type: 'validation', step, loss: loss(step) + 0.12, tokens: 1030 } as const] : []),
      { type: 'step-end', step, loss: loss(step), gradientNorm: 0.4 + 2 * Math.exp(-step / 40), learningRate: 1e-3 * Math.min(1, step / 10) * (0.5 + 0.5 * Math.cos((Math.PI * step) / steps)), tokens: 992, supervisedTokens: 82, tokensPerSecond: 870 },
    ]).flat(),
    { type: 'validation', step: steps, loss: 0.58, tokens: 1030 },
    { type: 'export-parity', base: 'SmolLM2-135M-Instruct.F32.gguf', tokens: 1030, meanDifference: 0.00021, worstDifference: 0.0042, bound: 0.01, passed: true },
    { type: 'export-parity', base: 'SmolLM2-135M-Instruct.Q4_1.gguf', tokens: 1030, meanDifference: 0.013, worstDifference: 0.31, bound: null, passed: null },
    { type: 'sample', prompt: asked[0]!, expected: labels[0]!, before: 'I apologize for the inconvenience. Could you provide your order number?', after: 'card_arrival' },
    { type: 'sample', prompt: asked[4]!, expected: labels[4]!, before: 'I am sorry to hear that.\n\n1. Stay calm\n2. Call the police', after: 'card_not_working' },
    { type: 'run-end', state, ...verdict, adapter: state === 'diverged' ? null : 'adapter', model: null, seconds: 745.2, secondsBefore: 0, peakMemoryBytes: 1.27e9, tokensPerSecond: 868, firstStepSeconds: 6.6, validationBefore: loss(0) + 0.12, validationAfter: state === 'diverged' ? null : 0.58, steps, bestStep: state === 'diverged' ? null : 150 },
  ]; // biome-ignore format: a table
}

/** The record of that run. */
export const reportedRun = (state: RunRecord['state'] = 'done', more: Parameters<typeof runSettings>[1] = {}): RunRecord => ({
  ...runRecord(runSettings({}, { model: 'SmolLM2-135M-Instruct', modelPath: 'SmolLM2-135M-Instruct.Q4_1.gguf', run: 'banking', data: ['train.jsonl'], learningRate: 1e-3, ...more })),
  nomoat: '0.2.0',
  state,
  created: '2026-11-26T14:13:52.823Z',
  modelDigest: '3b57fd044535407459f50e3ed959c26a6b8502494820e9d677af8b8bf93a6cbb',
  dataDigests: { 'train.jsonl': '6a8051580aac9ac59d6f74535407459f50e3ed959c26a6b8502494820e9d677a' },
  machine: { platform: 'linux', architecture: 'x64', processor: 'Intel Xeon Platinum 8481C', physicalCores: 2, logicalCores: 2, memoryBytes: 8e9 },
  systemPrompt: 'Name the intent of the message.',
}); // biome-ignore format: a table

/** What the adapter of such a run changes. */
export const madeUpdates: readonly UpdateNorm[] = Array.from({ length: 30 }, (_, layer) =>
  (['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const).map((projection, i) => ({ layer, projection, relative: 0.002 + 0.03 * Math.abs(Math.sin(layer * 0.3 + i)), effectiveRank: 3 + Math.cos(layer) })),
).flat(); // biome-ignore format: a table

/** A merge of two adapters, one of which was trained on top of the other. */
export const madeLineage: readonly LineageEntry[] = [
  { id: 'a', name: 'both', how: 'merge', parents: [{ id: 'b', weight: 0.7 }, { id: 'c', weight: 0.3 }], data: [] as NamedDigest[] },
  { id: 'b', name: 'banking', how: 'tune', parents: [{ id: 'c' }], data: [{ file: 'train.jsonl', sha256: 'd'.repeat(64) }] },
  { id: 'c', name: 'an adapter with a very long name', how: 'tune', parents: [], data: [{ file: 'train.jsonl', sha256: 'd'.repeat(64) }] },
].map(({ data, how, id, name, parents }) => ({ ...foundling(name, [], id.repeat(64), { file: 'base.gguf', bytes: 1, sha256: 'e'.repeat(64) }), how: how as LineageEntry['how'], data, parents: parents.map((parent) => ({ ...parent, id: parent.id.repeat(64) })) })); // biome-ignore format: a table

/** Learnt and held-out texts, told apart so often. */
const madeApart = (separation: number): ToldApart => ({
  examples: { learnt: 100, heldOut: 80 },
  given: { learnt: 0.31, heldOut: 0.07 },
  separation,
  standardError: 0.043,
});

/** Everything that an evaluation may have beside scores. */
export async function fullEvaluation(): Promise<Evaluation> {
  const labels = await labelEvaluation();
  const names = labels.models.map(({ name }) => name);
  return {
    ...labels,
    findings: { ...labels.findings, forgetting: { texts: 20, questions: 30, before: { loss: 2.5, right: 21 }, after: { loss: 3.75, right: 12 }, lossPValue: 0.001, answersPValue: 0.02 }, memorisation: { ...madeApart(0.9), prompts: madeApart(0.52), canaries: [{ text: 'the code of the safe is 0815', exposure: 0.4, among: 64 }, { text: 'my pin is 4711', exposure: 6, among: 64 }] }, nearlyTrainedOn: [{ example: 3, similar: 'What is the exchange rate for euros?', similarity: 0.91 }], sensitivity: { examples: 200, score: 0.82, rewordings: [{ how: 'in lower case', score: 0.6, difference: -0.22, pValue: 0.0001 }] } },
    judgements: [{ judge: 'judge-7b', first: names[0]!, second: names[1]!, wins: 120, losses: 30, ties: 50, disagreed: 40, nonsense: 0, difference: 0.45, interval: [0.35, 0.55], pValue: 0.0001, adjustedPValue: 0.0001, verdict: 'better', opinions: [] }],
    ties: [{ metric: 'exact', sets: [names] }],
    models: labels.models.map((model, i) => ({
      ...model,
      json: { valid: 0.9, fields: 0.75 - i / 4, extra: 3 },
      passes: [{ metric: 'exact', shares: [1, 2].map((k) => ({ k, any: 0.8, anyInterval: [0.7, 0.9] as const, all: 0.6, allInterval: [0.5, 0.7] as const })) }],
      calibration: { ece: 0.08, brier: 0.31, bins: Array.from({ length: 10 }, (_, bin) => ({ from: bin / 10, to: (bin + 1) / 10, count: bin === 2 ? 0 : 20, confidence: bin / 10 + 0.05, accuracy: bin / 10 })) },
    })),
    losses: {
      models: names.map((name, i) => ({ name, loss: 0.4 + i, perplexity: Math.exp(0.4 + i), bitsPerByte: 0.2 + i, examples: [] })),
      comparisons: [{ first: names[0]!, second: names[1]!, difference: -1, interval: [-1.2, -0.8], pValue: 0.0001, adjustedPValue: 0.0001, verdict: 'better' }],
    },
  };
} // biome-ignore format: a table
