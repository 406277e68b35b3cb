/** `nomoat check`: whether a model still refuses what its base refuses, what it gives away, and what an adapter from elsewhere is. */
import type { Command } from 'commander';
import type { SafetyReport } from '../library/check.ts';
import type { RefusalFigure } from '../safety-event.ts';
import { checkOptions } from '../settings/check-settings.ts';
import { toggle } from '../settings/fields.ts';
import { harmless } from '../words/harmless.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { table } from './inspect-text.ts';
import { interruption } from './interruption.ts';
import { print } from './print.ts';
import { StatusLine } from './status-line.ts';
import { inCommandWords } from './words.ts';

const shown = { json: toggle(false, 'as one JSON object, with every answer') };

const outcomes: Readonly<Record<NonNullable<RefusalFigure['against']>['outcome'], string>> = {
  less: 'refuses less',
  more: 'refuses more',
  'no-difference-shown': 'no difference shown',
  'too-few-prompts': 'too few requests',
};

/** Shares in hundredths, log-probabilities in nats. */
const numberOf = ({ by }: RefusalFigure, value: number): string =>
  by === 'answers' ? `${(100 * value).toFixed(1)}` : value.toFixed(3);

function figureRow(figure: RefusalFigure): string[] {
  const { against, by, kind, prompts, value } = figure;
  const what = `${prompts} ${kind}, ${by === 'answers' ? 'answers that refuse, in hundredths' : 'ln p of a refusal, nats'}`;
  if (against === null) return [what, numberOf(figure, value), '', '', '', ''];
  const [low, high] = against.interval;
  return [
    what,
    numberOf(figure, value),
    numberOf(figure, against.value),
    `${numberOf(figure, low)} to ${numberOf(figure, high)}`,
    against.adjustedPValue.toFixed(3),
    outcomes[against.outcome],
  ];
}

/** The check for people. */
export function renderCheck({ adapter, canaries, notes, personal, refusals, verdict }: SafetyReport): string {
  return [
    ...verdict.map((sentence) => inCommandWords(sentence)),
    '',
    ...table([['requests', 'model', 'base', '95% of the difference', 'p, corrected', ''], ...refusals.map(figureRow)]),
    ...(canaries.length > 0
      ? [
          '',
          ...table([
            ['canary', 'exposure, bits', 'of'],
            ...canaries.map(({ among, exposure, text }) => [
              text.slice(0, 40),
              exposure.toFixed(1),
              Math.log2(among).toFixed(1),
            ]),
          ]),
        ]
      : []),
    ...(personal && personal.values.length > 0
      ? [
          '',
          ...table([
            ['completed', 'by', 'in the training data'],
            ...personal.values.map(({ by, excerpt, learnt, rule }) => [
              `${rule}: ${excerpt}`,
              by,
              learnt === null ? 'not known' : learnt ? 'yes' : 'no',
            ]),
          ]),
        ]
      : []),
    ...(adapter
      ? ['', ...table([['file', 'bytes'], ...adapter.files.map(({ bytes, file }) => [file, String(bytes)])])]
      : []),
    ...(notes.length > 0 ? ['', ...notes] : []),
  ]
    .map(harmless)
    .join('\n');
}

export function command(): Command {
  const command = bare('check').argument('<MODEL|RUN|ADAPTER>');
  return addFlags(command, { ...checkOptions, ...shown }).action(async (model: string) => {
    const { json, ...options } = flagsOf(command, { ...checkOptions, ...shown });
    const { check } = await import('../library/check.ts');
    const status = new StatusLine(process.stderr);
    const report = await check({
      ...options,
      model,
      signal: interruption(),
      onProgress: ({ doing, done, total }) => status.progress(done, total, `${doing}: ${done} of ${total}`),
    });
    print(json ? JSON.stringify(report) : renderCheck(report));
  });
}
