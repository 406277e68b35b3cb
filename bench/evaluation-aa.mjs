/**
 * Whether `nomoat eval` ever calls a model better than itself: against itself as it answers greedily; drawn answers of one seed against those of the
 * next; with `--train` also the same run twice, and runs that differ by their seed alone, each against the next. All pairs are corrected together, as
 * in one report (`alone`: each by itself, of which one in twenty is off by chance). "better" is to be said in none of 20.
 * Runs that are in `--runs` already are taken as they are, and answers are kept (NOMOAT_HOME/answers): a second call computes what is new.
 * Usage: node bench/evaluation-aa.mjs [--model NAME] [--data FILE] [--limit 60] [--pairs 20] [--metric chrf] [--max-tokens 16] [--threads 2]
 *          [--train FILE --runs DIR [--seeds 5] [--steps 30]]    (after npm run build)
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compareTwo } from '../dist/evaluate/compare-two.js';
import { metricOf } from '../dist/evaluate/metrics/metric.js';
import { holm } from '../dist/evaluate/statistics/multiple.js';
import { resumeTuneSeeds, tune, tuneSeeds } from '../dist/index.js';
import { evaluate } from '../dist/library/evaluate.js';
import { sha256OfFile } from '../dist/store/file-digest.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'nomoat-mini' },
    data: { type: 'string', default: join(import.meta.dirname, '../examples/intents/valid.jsonl') },
    limit: { type: 'string', default: '60' },
    pairs: { type: 'string', default: '20' },
    metric: { type: 'string', default: 'chrf' },
    'max-tokens': { type: 'string', default: '16' },
    threads: { type: 'string', default: '2' },
    train: { type: 'string' },
    runs: { type: 'string' },
    seeds: { type: 'string', default: '5' },
    steps: { type: 'string', default: '30' },
  },
});
const { data, metric, model, runs, train } = values;
const [limit, maxTokens, pairs, seeds, steps, threads] = ['limit', 'max-tokens', 'pairs', 'seeds', 'steps', 'threads'].map((name) => Number(values[name]));
const asked = { data, limit, maxTokens, metric, threads };

const itself = await evaluate({ ...asked, model, against: [model] });
const [verdict] = itself.comparisons.filter((each) => each.with === 'model').map((each) => each.verdict);
const expected = itself.questions.map((question) => question.expected);

/** Of one model, as one side of a comparison. */
const answered = async (options) => {
  const { answers, results } = (await evaluate({ ...asked, against: [], ...options })).models[0];
  return { draws: [answers], bySeed: null, score: results[0].score, scores: results[0].scores };
};
/** Each against the next. */
const compared = async (options) => {
  const found = [];
  let before = null;
  for (const each of options) {
    const next = await answered(each);
    if (before) {
      const { difference, pValue } = compareTwo(next, before, { metric: metricOf(metric), expected });
      found.push({ difference, pValue, differ: next.scores.some((score, i) => score !== before.scores[i]) });
    }
    before = next;
  }
  return found;
};

/** The run again with the same seed, and one of each seed. */
async function trained() {
  const options = { data: train, model, maxSteps: steps, verdictShare: 0, safetyShare: 0, threads, seed: 1 };
  const set = existsSync(runs) ? await resumeTuneSeeds(runs) : await tuneSeeds({ ...options, run: runs, seeds });
  const again = `${runs}-again`;
  if (!existsSync(again)) await tune({ ...options, run: again }).result;
  const weights = (run) => sha256OfFile(join(run, 'adapter/adapter_model.safetensors'));
  return { again, runs: set.runs.map(({ run }) => run), sameBytes: weights(again) === weights(set.runs[0].run) };
}

const made = train && runs ? await trained() : null;
const found = {
  drawn: await compared(Array.from({ length: pairs + 1 }, (_, seed) => ({ model, temperature: 1, seed }))),
  twice: made ? await compared([made.runs[0], made.again].map((run) => ({ model: run }))) : [],
  seeds: made ? await compared(made.runs.map((run) => ({ model: run }))) : [],
};
// As one report of so many comparisons corrects them; beside it what they would be alone.
const adjusted = holm(Object.values(found).flat().map((each) => each.pValue));
const said = Object.fromEntries(
  Object.entries(found).map(([kind, each]) => {
    const p = adjusted.splice(0, each.length);
    const count = (sign, pOf) => each.filter(({ difference }, i) => Math.sign(difference) === sign && pOf(i) < 0.05).length;
    const both = (pOf) => ({ better: count(1, pOf), worse: count(-1, pOf) });
    return [kind, { pairs: each.length, different: each.filter(({ differ }) => differ).length, ...both((i) => p[i]), alone: both((i) => each[i].pValue) }];
  }),
);
console.log(JSON.stringify({ model, examples: expected.length, itself: verdict, sameBytes: made?.sameBytes ?? null, ...said }));
