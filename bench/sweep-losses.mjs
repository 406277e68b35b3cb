/**
 * Whether DFT, NEFTune, a weight on prompts or the mean of the last checkpoints is better than the usual loss: the same rows, three seeds, two data sets
 * or more, each held-out answer's loss and whether greedy generation gives it, in pairs. The loss of a row is the mean over seeds.
 * Usage: node bench/sweep-losses.mjs OUT DATA,TEST DATA,TEST... [--model nomoat-mini] [--rows 400] [--test 200] [--epochs 4] [--seeds 0,1,2] [--variants dft,neftune:5,prompt:0.1,mean:3]
 *   (after npm run build)
 * Prints a line for each run and a table at the end, and writes it to OUT/table.md. A win: the 95% interval of the mean difference is on one side of 0, and so is every seed.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { rowOf } from '../dist/evaluate/likelihood/label-choices.js';
import { bootstrapInterval } from '../dist/evaluate/statistics/resampling.js';
import { mergeAdapters, openModel, tune } from '../dist/index.js';
import { readTest } from '../dist/library/test-data.js';
import { resolveModel } from '../dist/store/local-models.js';

const text = (value) => ({ type: 'string', default: value });
const options = { model: text('nomoat-mini'), rows: text('400'), test: text('200'), epochs: text('4'), seeds: text('0,1,2'), variants: text('dft,neftune:5,prompt:0.1,mean:3') };
const { positionals, values } = parseArgs({ allowPositionals: true, options });
const [out, ...sets] = positionals;
if (sets.length === 0) throw new Error('give OUT DATA,TEST...');
const { model } = values;
const seeds = values.seeds.split(',').map(Number);
const variants = values.variants.split(',').map((variant) => {
  const [kind, value] = variant.split(':');
  return { name: variant, kind, value: Number(value) };
});
const settingsOf = { dft: () => ({ loss: 'dft' }), neftune: (alpha) => ({ neftuneAlpha: alpha }), prompt: (weight) => ({ promptWeight: weight }) };
/** As many epochs are kept as an average wants. */
const kept = Math.max(0, ...variants.filter(({ kind }) => kind === 'mean').map(({ value }) => value));
mkdirSync(out, { recursive: true });
const mean = (all) => all.reduce((sum, each) => sum + each, 0) / all.length;

function firstLines(path, count) {
  const made = join(out, `${basename(join(path, '..'))}-${basename(path)}`);
  if (!existsSync(made)) writeFileSync(made, readFileSync(path, 'utf8').trim().split('\n').slice(0, count).join('\n'));
  return made;
}

/** Of each test row: its loss in nats a token, and whether greedy generation gives its answer. */
async function measured(adapter, test) {
  const { path } = await resolveModel(model);
  const { questions } = await readTest({ data: test }, path);
  const opened = await openModel({ model, adapter, sequences: 4 });
  const scores = await opened.scoreRows(questions.map((question) => rowOf(question, question.expected)));
  await opened.close();
  return scores.map((score) => ({ loss: -score.logProbability / score.logProbabilities.length, right: Number(score.mostLikely) }));
}

async function trained(data, name, settings) {
  const run = join(out, name);
  if (!existsSync(join(run, 'adapter'))) {
    const { state } = await tune({ data, model, run, epochs: Number(values.epochs), keepEpochs: kept, verdictShare: 0, safetyShare: 0, ...settings }).result;
    if (state !== 'done') {
      console.log(JSON.stringify({ run: name, state }));
      return null;
    }
  }
  return run;
}

const table = ['| data | variant | loss, nats a token | difference (95% interval) | by seed | right answers | difference (95% interval) | verdict |', '|---|---|---|---|---|---|---|---|'];
const shown = (value, digits = 4) => `${value > 0 ? '+' : ''}${value.toFixed(digits)}`;
for (const set of sets) {
  const [data, test] = set.split(',').map((path, i) => firstLines(path, Number(i === 0 ? values.rows : values.test)));
  const stem = basename(data, '.jsonl');
  /** By variant, by seed, by row. */
  const found = new Map([['usual', []], ...variants.map(({ name }) => [name, []])]);
  for (const seed of seeds) {
    const usual = await trained(data, `${stem}-usual-${seed}`, { seed });
    found.get('usual').push(await measured(join(usual, 'adapter'), test));
    for (const { kind, name, value } of variants) {
      const path = `${stem}-${name.replace(/\W/g, '-')}-${seed}`;
      const mean = join(out, path);
      if (kind === 'mean' && !existsSync(mean)) await mergeAdapters([usual], { base: model, out: mean, lastCheckpoints: value });
      const run = kind === 'mean' ? mean : await trained(data, path, { seed, ...settingsOf[kind](value) });
      found.get(name).push(run === null ? null : await measured(kind === 'mean' ? mean : join(run, 'adapter'), test));
    }
    for (const [name, all] of found) if (all.at(-1) !== null) console.log(JSON.stringify({ data: stem, seed, name, loss: mean(all.at(-1).map(({ loss }) => loss)), right: mean(all.at(-1).map(({ right }) => right)) }));
  }
  const usual = found.get('usual');
  const average = (all, of) => all[0].map((_, row) => mean(all.map((each) => each[row][of])));
  for (const [name, all] of found) {
    const lost = all.filter((each) => each === null).length;
    if (lost > 0) {
      table.push(`| ${stem} | ${name} | | | | | | ${lost} of ${seeds.length} runs came apart |`);
      continue;
    }
    const of = (what) => {
      const differences = average(all, what).map((each, row) => each - average(usual, what)[row]);
      const bySeed = all.map((each, s) => mean(each.map((row) => row[what])) - mean(usual[s].map((row) => row[what])));
      return { value: mean(average(all, what)), difference: mean(differences), interval: bootstrapInterval(differences), bySeed };
    };
    const [loss, right] = [of('loss'), of('right')];
    const side = ({ bySeed, interval: [low, high] }, better) => (low > 0 && bySeed.every((each) => each > 0) ? better : high < 0 && bySeed.every((each) => each < 0) ? -better : 0);
    const words = (sign) => (sign > 0 ? 'better' : sign < 0 ? 'worse' : 'no difference shown');
    const range = ({ difference, interval }) => `${shown(difference)} (${interval.map((end) => shown(end)).join(' to ')})`;
    table.push(`| ${stem} | ${name} | ${loss.value.toFixed(4)} | ${name === 'usual' ? '' : range(loss)} | ${name === 'usual' ? '' : loss.bySeed.map((each) => shown(each)).join(', ')} | ${(100 * right.value).toFixed(1)}% | ${name === 'usual' ? '' : range(right)} | ${name === 'usual' ? '' : `loss ${words(side(loss, -1))}, answers ${words(side(right, 1))}`} |`);
  }
}
writeFileSync(join(out, 'table.md'), `${table.join('\n')}\n`);
console.log(table.join('\n'));
process.exit(0);
