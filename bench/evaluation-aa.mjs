/**
 * Whether `nomoat eval` ever calls a model better than itself: against itself as it answers greedily, and drawn answers of one seed against those of
 * the next, in many pairs, corrected together as in one report (`alone`: each by itself, of which one in twenty is off by chance). "better" is to be
 * said in none of 20.
 * Usage: node bench/evaluation-aa.mjs [--model NAME] [--data FILE] [--limit 60] [--pairs 20] [--metric chrf] [--max-tokens 16] [--threads 2]    (after npm run build)
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compareTwo } from '../dist/evaluate/compare-two.js';
import { metricOf } from '../dist/evaluate/metrics/metric.js';
import { holm } from '../dist/evaluate/statistics/multiple.js';
import { evaluate } from '../dist/library/evaluate.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'nomoat-mini' },
    data: { type: 'string', default: join(import.meta.dirname, '../examples/intents/valid.jsonl') },
    limit: { type: 'string', default: '60' },
    pairs: { type: 'string', default: '20' },
    metric: { type: 'string', default: 'chrf' },
    'max-tokens': { type: 'string', default: '16' },
    threads: { type: 'string', default: '2' },
  },
});
const { data, metric, model } = values;
const [limit, maxTokens, pairs, threads] = ['limit', 'max-tokens', 'pairs', 'threads'].map((name) => Number(values[name]));
const given = { model, data, limit, maxTokens, metric, threads };

const itself = await evaluate({ ...given, against: [model] });
const [verdict] = itself.comparisons.filter((each) => each.with === 'model').map((each) => each.verdict);

const expected = itself.questions.map((question) => question.expected);
/** Of one seed; drawn answers are kept, so that the next call computes none of them again. */
const drawn = async (seed) => {
  const { answers, results } = (await evaluate({ ...given, temperature: 1, seed })).models[0];
  return { answers, bySeed: null, score: results[0].score, scores: results[0].scores };
};
const [found, differing] = [[], []];
let before = await drawn(0);
for (let pair = 1; pair <= pairs; pair++) {
  const next = await drawn(pair);
  const { difference, pValue } = compareTwo(next, before, { metric: metricOf(metric), expected });
  found.push({ difference, pValue });
  if (next.scores.some((score, i) => score !== before.scores[i])) differing.push(pair);
  before = next;
}
// As one report of so many comparisons corrects them; beside it what they would be alone.
const adjusted = holm(found.map((each) => each.pValue));
const count = (sign, p) => found.filter((each, i) => Math.sign(each.difference) === sign && p(i) < 0.05).length;
const [better, worse] = [1, -1].map((sign) => count(sign, (i) => adjusted[i]));
const alone = [1, -1].map((sign) => count(sign, (i) => found[i].pValue));
console.log(JSON.stringify({ model, examples: expected.length, itself: verdict, pairs, different: differing.length, better, worse, alone: { better: alone[0], worse: alone[1] } }));
