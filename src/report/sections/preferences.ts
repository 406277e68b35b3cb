/** Of a run that learns from preferences: what became of both sides and of the answers. Pure. */
import type { RunEvent } from '../../events.ts';
import type { PreferenceFigures } from '../../losses/preference-tally.ts';
import { eventsOf, type ReportContent } from '../content.ts';
import { count, fixed, percent } from '../figures.ts';
import type { Html } from '../markup.ts';
import { note, part, table } from '../parts.ts';
import type { Plot } from '../plot.ts';
import { say } from '../say.ts';
import { words } from '../words.ts';

const { result } = words;

/** A figure as a page has it: null is a figure that the method, or its data, has not. */
type Shown = (value: number | null | undefined) => string;
const asPercent: Shown = (value) => (value === null || value === undefined ? '–' : percent(value));
const asNumber: Shown = (value) => fixed(value, 3);

const rows = [
  ['accuracy', asPercent],
  ['margin', asNumber],
  ['chosenReward', asNumber],
  ['rejectedReward', asNumber],
  ['chosenLogProbability', asNumber],
  ['rejectedLogProbability', asNumber],
] as const satisfies readonly (readonly [keyof PreferenceFigures, Shown])[];

/** Both sides and the answers, before and after; null where no preferences were learnt, or nothing was held out. */
export function preferencesPart({ events }: ReportContent): Html | null {
  const measured = eventsOf(events, 'validation').filter(({ preference }) => preference);
  const best = eventsOf(events, 'run-end').at(-1)?.bestStep ?? null;
  const after = measured.findLast(({ step }) => step === best)?.preference ?? measured.at(-1)?.preference;
  if (!after) return null;
  const before = measured.find(({ step }) => step === 0)?.preference;
  const drift = eventsOf(events, 'answer-drift').at(-1);
  const columns = [
    { name: result.figure },
    { name: result.before, figures: true },
    { name: result.after, figures: true },
  ];
  const cells = [
    ...rows.flatMap(([name, shown]) =>
      after[name] === null ? [] : [[say(result[name]), shown(before?.[name]), shown(after[name])]],
    ),
    ...(drift
      ? [
          [
            say(result.answerTokens({ n: count(drift.prompts) })),
            fixed(drift.tokensBefore, 1),
            fixed(drift.tokensAfter, 1),
          ],
          [say(result.cutAnswers), count(drift.cutBefore), count(drift.cutAfter)],
          [say(result.klToBase), asNumber(0), asNumber(drift.divergence)],
        ]
      : []),
  ];
  return part(result.preferences, [
    note(result.preferencesNote({ n: count(after.count) })),
    table(result.preferences, columns, cells),
  ]);
}

/** Margin and accuracy by step; none where no preferences were learnt. */
export function preferencePlots(events: readonly RunEvent[]): Omit<Plot, 'xName'>[] {
  const [steps, validations] = [eventsOf(events, 'step-end'), eventsOf(events, 'validation')];
  if (!steps.some(({ preference }) => preference)) return [];
  return (['margin', 'accuracy'] as const).map((name) => ({
    id: name,
    title: result[name],
    series: [
      {
        name: result.training,
        points: steps.map(({ preference, step }) => [step, preference?.[name] ?? null] as const),
      },
      {
        name: result.validation,
        points: validations.map(({ preference, step }) => [step, preference?.[name] ?? null] as const),
        dots: true,
      },
    ],
  }));
}
