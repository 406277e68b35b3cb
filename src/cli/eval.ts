/** `nomoat eval`: how well a model answers test data, and whether it is better than others. */
import type { Command } from 'commander';
import type { Evaluation, ModelEvaluation } from '../evaluate/evaluation.ts';
import type { MetricScore } from '../evaluate/score-answers.ts';
import type { ToldApart } from '../evaluate/trust/memorisation.ts';
import { evalOptions } from '../settings/evaluation-settings.ts';
import { toggle } from '../settings/fields.ts';
import { defaultModel } from '../settings/options.ts';
import { harmless } from '../words/harmless.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { interruption } from './interruption.ts';
import { print } from './print.ts';
import { StatusLine } from './status-line.ts';
import { inCommandWords } from './words.ts';

const shown = { json: toggle(false, 'as one JSON object, with every answer and its score') };
/** Wrong answers that are shown, of the first model. */
const shownAnswers = 5;
const shownLabels = 12;
const shownText = 100;

const percent = (share: number): string => (100 * share).toFixed(1);
const short = (text: string): string => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > shownText ? `${line.slice(0, shownText)}...` : line;
};

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
  );
}

const scoreCells = ({ interval: [low, high], score }: Pick<MetricScore, 'interval' | 'score'>): string[] => [
  percent(score),
  `${percent(low)} to ${percent(high)}`,
];

/** Odd answers; those after the first two have a column only where there are some. */
const oddKinds = [
  ['unended', 'never ended'],
  ['empty', 'empty'],
  ['repeating', 'repeating'],
  ['echoing', 'echoing'],
  ['otherScript', 'other script'],
  ['otherLanguage', 'other language'],
] as const;

/** By one metric: models with what is odd about their answers, then baselines. */
function scoreTable({ baselines, models }: Evaluation, at: number): string[] {
  const kinds = oddKinds.filter(([kind], i) => i < 2 || models.some(({ degenerate }) => degenerate[kind] > 0));
  const modelRows = models.map(({ degenerate, name, results }) => [
    name,
    ...scoreCells(results[at]!),
    ...kinds.map(([kind]) => String(degenerate[kind])),
  ]);
  const baselineRows = baselines.map(({ name, results }) => [
    name,
    ...scoreCells(results[at]!),
    ...kinds.map(() => ''),
  ]);
  return table([['', 'score', '95% interval', ...kinds.map(([, shown]) => shown)], ...modelRows, ...baselineRows]);
}

function labelLines({ labels }: ModelEvaluation): string[] {
  if (labels === null || labels.labels.length > shownLabels) return [];
  const rows = labels.labels.map(({ f1, label, precision, recall, support }) => [
    short(label),
    percent(precision),
    percent(recall),
    percent(f1),
    String(support),
  ]);
  return [
    '',
    `Macro F1 ${percent(labels.macroF1)}`,
    ...table([['label', 'precision', 'recall', 'F1', 'examples'], ...rows]),
  ];
}

const jsonLines = ({ json }: ModelEvaluation): string[] =>
  json === null
    ? []
    : [
        '',
        `JSON: ${percent(json.valid)} in a hundred answers are valid, ${percent(json.fields)} in a hundred fields are right, ${json.extra} are not expected`,
      ];

const seedLines = ({ name, results }: ModelEvaluation): string[] =>
  results.flatMap(({ metric, seeds }) =>
    seeds === null
      ? []
      : [
          '',
          `Repeats of ${name}, by ${metric}: ${seeds.means.map(percent).join(', ')}; standard deviation between seeds, chance in the examples taken off: ${percent(seeds.deviation)}`,
        ],
  );

const passLines = ({ passes }: ModelEvaluation): string[] =>
  (passes ?? []).flatMap(({ metric, shares }) => [
    '',
    `Of k drawn answers, by ${metric}`,
    ...table([
      ['k', 'one is right', '', 'all are right', ''],
      ...shares.map(({ all, allInterval, any, anyInterval, k }) => [
        String(k),
        ...scoreCells({ score: any, interval: anyInterval }),
        ...scoreCells({ score: all, interval: allInterval }),
      ]),
    ]),
  ]);

function lossLines({ losses }: Evaluation): string[] {
  if (losses === null) return [];
  const rows = losses.models.map(({ bitsPerByte, loss, name, perplexity }) => [
    name,
    loss.toFixed(4),
    perplexity.toFixed(3),
    bitsPerByte.toFixed(4),
  ]);
  return [
    '',
    'Of the expected answers; lower is better',
    ...table([['', 'loss, nats per token', 'perplexity', 'bits per byte'], ...rows]),
  ];
}

/** How far the probability of a choice may be trusted, of each model that chose by likelihood. */
function calibrationLines({ models }: Evaluation): string[] {
  return models.flatMap(({ calibration, name }) => {
    if (calibration === null) return [];
    const bins = calibration.bins
      .filter(({ count }) => count > 0)
      .map(({ accuracy, confidence, count }) => [percent(confidence), percent(accuracy), String(count)]);
    return [
      '',
      `Calibration of ${name}: expected error ${percent(calibration.ece)}, Brier ${calibration.brier.toFixed(3)}`,
      ...table([['it said', 'were right', 'examples'], ...bins]),
    ];
  });
}

function wrongAnswers({ models: [first], questions }: Evaluation): string[] {
  const { answers, name, results } = first!;
  const wrong = results[0]!.scores.flatMap((score, i) => (score < 1 ? [i] : [])).slice(0, shownAnswers);
  return [
    ...(wrong.length > 0 ? ['', `Not right of ${name}:`] : []),
    ...wrong.map(
      (i) =>
        `  ${short(questions[i]!.prompt)}\n    expected ${short(questions[i]!.expected)}\n    answered ${short(answers[i]!) || '(nothing)'}`,
    ),
  ];
}

/** How the scores moved with the wording. */
function wordingLines({ findings: { sensitivity } }: Evaluation): string[] {
  if (!sensitivity) return [];
  const rows = sensitivity.rewordings.map(({ difference, how, pValue, score }) => [
    how,
    percent(score),
    `${difference < 0 ? '' : '+'}${percent(difference)}`,
    `p = ${pValue.toFixed(3)}`,
  ]);
  return [
    '',
    `${sensitivity.examples} questions in other words, instead of ${percent(sensitivity.score)}:`,
    ...table([['', 'score', 'difference', ''], ...rows]),
  ];
}

/** Canaries that are listed, the most exposed first: the report has more. */
const mostCanaries = 5;

/** How far what was learnt can be told from what was not. */
function memorisationLines({ findings: { memorisation } }: Evaluation): string[] {
  if (!memorisation) return [];
  const { canaries, examples, prompts } = memorisation;
  const row = (name: string, { given, separation, standardError }: ToldApart): string[] => [
    name,
    percent(given.learnt),
    percent(given.heldOut),
    `${percent(separation)} ± ${percent(standardError)}`,
  ];
  return [
    '',
    `By heart, of ${examples.learnt} learnt and ${examples.heldOut} held-out examples (told apart: 50% by chance):`,
    ...table([
      ['given word for word', 'learnt', 'held out', 'told apart'],
      row('answers', memorisation),
      ...(prompts ? [row('second halves of prompts', prompts)] : []),
    ]),
    ...canaries
      .toSorted((first, second) => second.exposure - first.exposure)
      .slice(0, mostCanaries)
      .map(
        ({ among, exposure, text }) => `  ${exposure.toFixed(1)} of ${Math.log2(among)} bits exposed: ${short(text)}`,
      ),
  ];
}

/** The evaluation for people. */
export function renderEvaluation(evaluation: Evaluation): string {
  const { examples, metrics, models, suggested, verdict } = evaluation;
  return [
    ...verdict.map((sentence) => inCommandWords(sentence)),
    ...metrics.flatMap(({ name }, i) => [
      '',
      `${examples} examples, metric ${name}${suggested === null ? '' : ` (${suggested})`}, scores in percent`,
      ...scoreTable(evaluation, i),
    ]),
    ...labelLines(models[0]!),
    ...jsonLines(models[0]!),
    ...passLines(models[0]!),
    ...lossLines(evaluation),
    ...calibrationLines(evaluation),
    ...models.flatMap(seedLines),
    ...wordingLines(evaluation),
    ...memorisationLines(evaluation),
    ...wrongAnswers(evaluation),
  ]
    .map(harmless)
    .join('\n');
}

export function command(): Command {
  const command = bare('eval').argument(
    '[MODEL|RUN]',
    "a model's name or file, the folder of a run, or one with adapters: MODEL+a@0.7+b",
  );
  return addFlags(command, { ...evalOptions, ...shown }).action(async (model: string | undefined) => {
    const { json, ...options } = flagsOf(command, { ...evalOptions, ...shown });
    const { evaluate } = await import('../library/evaluate.ts');
    const status = new StatusLine(process.stderr);
    const { against, ...given } = options;
    const report = await evaluate({
      ...given,
      model: model ?? defaultModel,
      ...(against.length > 0 ? { against } : {}),
      signal: interruption(),
      onProgress: ({ done, model: name, total }) =>
        status.progress(done, total, `${name}: ${done} of ${total} answers`),
    });
    print(json ? JSON.stringify(report) : renderEvaluation(report));
  });
}
