/** What was measured beside the scores: losses of the expected answers, calibration, several draws, JSON. Pure. */
import type { Verdict } from '../../evaluate/compare.ts';
import type { Evaluation, ModelEvaluation } from '../../evaluate/evaluation.ts';
import { modelName } from '../content.ts';
import { count, dash, fixed, percent, points, pValue, short } from '../figures.ts';
import { type Html, html } from '../markup.ts';
import { note, part, table } from '../parts.ts';
import { say, type Text, verbatim } from '../say.ts';
import { words } from '../words.ts';

const { result } = words;

function lossesPart({ losses }: Evaluation): Html | null {
  if (losses === null) return null;
  const columns = [
    { name: result.who },
    { name: result.loss, figures: true },
    { name: result.perplexity, figures: true },
    { name: result.bitsPerByte, figures: true },
    { name: result.difference, figures: true },
    { name: result.interval, figures: true },
    { name: result.p, figures: true },
  ];
  const rows = losses.models.map(({ bitsPerByte, loss, name, perplexity }) => {
    const compared = losses.comparisons.find(({ second }) => second === name);
    const [low, high] = compared?.interval ?? [null, null];
    return [
      name,
      fixed(loss, 3),
      short(perplexity),
      fixed(bitsPerByte, 3),
      compared ? fixed(compared.difference, 3) : dash,
      compared ? `${fixed(low, 3)} … ${fixed(high, 3)}` : dash,
      pValue(compared?.adjustedPValue),
    ];
  });
  return part(result.expectedLoss, [table(result.expectedLoss, columns, rows), note(result.expectedLossNote)]);
}

/** Of everybody who has some. */
function calibrationPart({ models }: Evaluation): Html | null {
  const known = models.flatMap(({ calibration, name }) => (calibration === null ? [] : [{ name, ...calibration }]));
  if (known.length === 0) return null;
  const columns = [{ name: result.who }, { name: result.ece, figures: true }, { name: result.brier, figures: true }];
  const bins = [
    { name: result.said },
    { name: result.sure, figures: true },
    { name: result.wasRight, figures: true },
    { name: result.support, figures: true },
  ];
  const [first] = known;
  const rows = first!.bins
    .filter((bin) => bin.count > 0)
    .map((bin) => [
      `${percent(bin.from, 0)} – ${percent(bin.to, 0)}`,
      percent(bin.confidence),
      percent(bin.accuracy),
      count(bin.count),
    ]);
  return part(result.calibration, [
    table(
      result.calibration,
      columns,
      known.map(({ brier, ece, name }) => [name, percent(ece), fixed(brier, 3)]),
    ),
    note(result.calibrationNote),
    html`<h4>${say(verbatim(first!.name))}</h4>`,
    table(result.calibration, bins, rows, true),
  ]);
}

function passesPart({ models }: Evaluation): Html | null {
  const rows = models.flatMap(({ name, passes }) =>
    (passes ?? []).flatMap(({ metric, shares }) =>
      shares.map(({ all, any, k }) => [name, metric, count(k), percent(any), percent(all)]),
    ),
  );
  if (rows.length === 0) return null;
  const columns = [
    { name: result.who },
    { name: result.by },
    { name: result.draws, figures: true },
    { name: result.anyRight, figures: true },
    { name: result.allRight, figures: true },
  ];
  return part(result.passes, table(result.passes, columns, rows));
}

function jsonPart({ models }: Evaluation): Html | null {
  const known = models.filter(
    (model): model is ModelEvaluation & { json: NonNullable<ModelEvaluation['json']> } => model.json !== null,
  );
  if (known.length === 0) return null;
  const columns = [
    { name: result.who },
    { name: result.validJson, figures: true },
    { name: result.rightFields, figures: true },
    { name: result.extraFields, figures: true },
  ];
  return part(
    result.json,
    table(
      result.json,
      columns,
      known.map(({ json, name }) => [name, percent(json.valid), percent(json.fields), count(json.extra)]),
    ),
  );
}

const verdictNames: Readonly<Record<Verdict, Text>> = {
  better: result.better,
  worse: result.worse,
  'no-difference-shown': result.noDifference,
  'too-few-examples': result.tooFew,
};

/** What a judge that was named thought, called an opinion. */
function opinionsPart({ judgements }: Evaluation): Html | null {
  const [first] = judgements;
  if (!first) return null;
  const columns = [
    { name: result.comparedWith },
    { name: result.verdict },
    { name: result.preferred, figures: true },
    { name: result.notPreferred, figures: true },
    { name: result.undecided, figures: true },
    { name: result.interval, figures: true },
    { name: result.p, figures: true },
  ];
  const rows = judgements.map(({ adjustedPValue, interval, losses, second, ties, verdict, wins }) => [
    say(modelName(second)),
    say(verdictNames[verdict]),
    count(wins),
    count(losses),
    count(ties),
    `${points(interval[0])} … ${points(interval[1])}`,
    pValue(adjustedPValue),
  ]);
  return part(result.opinions, [
    table(result.opinions, columns, rows),
    note(result.opinionsNote({ judge: first.judge })),
  ]);
}

/** Where several are compared: those of whom no two were shown to differ. */
function tiesPart({ metrics: [metric], ties }: Evaluation): Html | null {
  const sets = ties.find((each) => each.metric === metric!.name)?.sets.filter((set) => set.length > 1) ?? [];
  return sets.length === 0 ? null : note(result.tied({ sets: sets.map((set) => set.join(', ')).join('; ') }));
}

/** All that there is. */
export const measures = (evaluation: Evaluation): Html =>
  html`${tiesPart(evaluation)}${opinionsPart(evaluation)}${passesPart(evaluation)}${jsonPart(evaluation)}${lossesPart(evaluation)}${calibrationPart(evaluation)}`;
