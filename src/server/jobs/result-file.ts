/** The result file of a job: a row a step, in the columns that scripts for OpenAI's and Azure's look for. Pure. */
import type { RunEvent, StepEndEvent, ValidationEvent } from '../../events.ts';

/** What is not measured here has a column, so that it is found, and no value. */
const columns = [
  'step',
  'train_loss',
  'train_accuracy',
  'train_mean_token_accuracy',
  'valid_loss',
  'valid_mean_token_accuracy',
  'full_valid_loss',
  'full_valid_mean_token_accuracy',
] as const;
/** Where pairs are learnt also these: `accuracy` is the share of pairs that are the right way round. */
const ofPairs = ['valid_accuracy', 'train_margin', 'valid_margin'] as const;

type Row = Partial<Record<(typeof columns)[number] | (typeof ofPairs)[number], number>>;

/** Accuracy and margin of pairs by their names in events and columns; of other losses none. */
export function preferenceData<Side extends 'train' | 'valid'>(
  side: Side,
  { preference }: StepEndEvent | ValidationEvent,
): Partial<Record<`${Side}_${'accuracy' | 'margin'}`, number>> {
  const figures = (['accuracy', 'margin'] as const).flatMap((name) =>
    typeof preference?.[name] === 'number' ? [[`${side}_${name}`, preference[name]]] : [],
  );
  return Object.fromEntries(figures);
}

/** The steps of a run as CSV; a step that was computed again after a kill has its last values. */
export function resultCsv(events: readonly RunEvent[]): string {
  const rows = new Map<number, Row>();
  const add = (step: number, values: Row): void => void rows.set(step, { ...rows.get(step), step, ...values });
  for (const event of events) {
    if (event.type === 'step-end') add(event.step + 1, { train_loss: event.loss, ...preferenceData('train', event) });
    if (event.type === 'validation' && event.step > 0)
      add(event.step, { valid_loss: event.loss, full_valid_loss: event.loss, ...preferenceData('valid', event) });
  }
  const named = events.some((event) => event.type === 'step-end' && event.preference)
    ? [...columns, ...ofPairs]
    : columns;
  const lines = [...rows].sort(([a], [b]) => a - b).map(([, row]) => named.map((name) => row[name] ?? '').join(','));
  return `${[named.join(','), ...lines].join('\n')}\n`;
}

/** Tokens that a run's steps have computed, those of steps that a kill made it repeat once. */
export function trainedTokens(events: readonly RunEvent[]): number {
  const tokens = new Map<number, number>();
  for (const event of events) if (event.type === 'step-end') tokens.set(event.step, event.tokens);
  return [...tokens.values()].reduce((sum, each) => sum + each, 0);
}
