/** "Did it work?": scores, differences, what speaks against them, losses, and whether llama.cpp computes the same. Pure. */
import type { Doubt, Evaluation } from '../../evaluate/evaluation.ts';
import { eventsOf, type ReportContent } from '../content.ts';
import { count, fixed, short } from '../figures.ts';
import { type Html, html } from '../markup.ts';
import { copyable, note, part, table, tiles } from '../parts.ts';
import { type Plot, plotFigure } from '../plot.ts';
import { say, type Text } from '../say.ts';
import { metricSummaries } from '../words/result.ts';
import { doubtTexts } from '../words/trust.ts';
import { words } from '../words.ts';
import { labelsPart } from './labels.ts';
import { measures } from './measures.ts';
import { preferencePlots, preferencesPart } from './preferences.ts';
import { allMetrics, differences, scoresTable } from './scores.ts';
import { trust } from './trust.ts';

const { result } = words;

function doubtItem({ code, figures, sentence, severity }: Doubt): Html {
  const chinese = Object.hasOwn(doubtTexts, code) ? doubtTexts[code]!(figures) : sentence;
  const tone = { severe: 'bad', warning: 'warn', note: 'plain' }[severity];
  return html`<li class="${tone}"><span class="tag ${tone}">${say(result[severity])}</span> ${say({ en: sentence, zh: chinese })}</li>`;
}

const doubtsPart = ({ doubts }: Evaluation): Html =>
  part(
    result.doubts,
    doubts.length === 0 ? note(result.noDoubts) : html`<ul class="doubts">${doubts.map(doubtItem)}</ul>`,
  );

function evaluationParts(evaluation: Evaluation): Html[] {
  const { doubts, examples, metrics, models, suggested } = evaluation;
  const [metric] = metrics;
  const { labels } = models[0]!;
  const about = note(
    result.scoresNote({
      metric: metric!.name,
      summary: { en: metric!.summary, zh: metricSummaries[metric!.name] ?? metric!.summary },
      n: count(examples),
    }),
  );
  const why = suggested === null ? null : note(result.suggested({ why: suggested }));
  // What speaks against the scores stands before them.
  return [
    doubts.some(({ severity }) => severity === 'severe') ? doubtsPart(evaluation) : html``,
    html`${scoresTable(evaluation)}${about}${why}`,
    html`${differences(evaluation)}${allMetrics(evaluation)}${measures(evaluation)}${trust(evaluation)}`,
    doubts.some(({ severity }) => severity === 'severe') ? html`` : doubtsPart(evaluation),
    labels === null ? html`` : labelsPart(labels),
  ];
}

/** What training did to the losses, in figures. */
function lossTiles({ events }: ReportContent): Html | null {
  const end = eventsOf(events, 'run-end').at(-1);
  if (!end) return null;
  const bits = eventsOf(events, 'validation').flatMap(({ bitsPerByte }) => bitsPerByte ?? []);
  const best = bits.reduce((least, each) => Math.min(least, each), Number.POSITIVE_INFINITY);
  const ofPreferences = eventsOf(events, 'validation').some(({ preference }) => preference);
  const at = end.bestStep === null ? {} : { note: say(result.bestStep({ step: count(end.bestStep) })) };
  return tiles([
    { name: result.heldOutLoss, value: `${fixed(end.validationBefore, 3)} → ${fixed(end.validationAfter, 3)}`, ...(ofPreferences ? {} : { note: say(result.lossUnit) }) },
    ...(bits.length > 0 ? [{ name: result.bitsPerByte, value: `${fixed(bits[0], 3)} → ${fixed(best, 3)}` }] : []),
    { name: result.steps, value: count(end.steps), ...at },
  ]); // biome-ignore format: a table
}

/** Plots of the run, in the order in which they are shown. */
export function plotsOf({ events }: ReportContent): Plot[] {
  const steps = eventsOf(events, 'step-end');
  const losses = eventsOf(events, 'validation');
  const frame = { xName: result.step };
  return [
    {
      ...frame,
      id: 'loss',
      title: result.loss,
      ...(steps.some(({ preference }) => preference) ? {} : { unit: result.lossUnit }),
      series: [
        { name: result.training, points: steps.map(({ loss, step }) => [step, loss]) },
        { name: result.validation, points: losses.map(({ loss, step }) => [step, loss]), dots: true },
      ],
    },
    {
      ...frame,
      id: 'rate',
      title: result.rate,
      series: [{ name: result.rate, points: steps.map(({ learningRate, step }) => [step, learningRate]) }],
    },
    {
      ...frame,
      id: 'gradient',
      title: result.gradient,
      series: [{ name: result.gradient, points: steps.map(({ gradientNorm, step }) => [step, gradientNorm ?? null]) }],
    },
    ...preferencePlots(events).map((plot) => ({ ...frame, ...plot })),
  ];
}

function proofPart({ events }: ReportContent): Html | null {
  const proofs = eventsOf(events, 'export-parity');
  if (proofs.length === 0) return null;
  const columns = [
    { name: result.proofOn },
    { name: result.verdict },
    { name: result.mean, figures: true },
    { name: result.worst, figures: true },
    { name: result.tokens, figures: true },
  ];
  const rows = proofs.map(({ base, meanDifference, passed, tokens, worstDifference }) => {
    const [text, tone] =
      passed === null
        ? ([result.shown, 'plain'] as const)
        : passed
          ? ([result.passed, 'good'] as const)
          : ([result.notPassed, 'bad'] as const);
    return [
      base,
      html`<span class="tag ${tone}">${say(text)}</span>`,
      short(meanDifference),
      short(worstDifference),
      count(tokens),
    ];
  });
  return part(result.proof, [table(result.proof, columns, rows), note(result.proofNote)]);
}

/** What the command that evaluates would add. */
function whyEvaluate({ evaluation, events }: ReportContent): Text {
  const quick = eventsOf(events, 'verdict').at(-1);
  if (evaluation === null || !quick) return result.noEvaluation;
  return result.quick({ examples: count(evaluation.examples), heldOut: count(quick.heldOut) });
}

/** The section without its heading. */
export function resultSection(content: ReportContent): Html {
  const { evaluate, evaluation } = content;
  const plots = plotsOf(content);
  const loss = plotFigure(plots[0]!);
  return html`${evaluation ? evaluationParts(evaluation) : null}
${evaluate === null ? null : html`${note(whyEvaluate(content))}${copyable('evaluate', evaluate)}`}
${preferencesPart(content)}
${content.events.length === 0 ? null : part(result.losses, [lossTiles(content), loss])}
${proofPart(content)}`;
}
