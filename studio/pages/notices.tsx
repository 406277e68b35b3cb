/** What a run says, and when: where it stands on the chart too. */
import type { JSX } from 'preact';
import type { RunEvent } from '../../src/events.ts';
import { fill, Prose } from '../parts.tsx';
import { count, w } from '../words.ts';

export interface PlacedNotice {
  readonly message: string;
  /** Behind which step; null before the first and after the last, where it says nothing of one. */
  readonly step: number | null;
}

/** From the first of them on, what is said is said of the result. */
const behindTraining: readonly string[] = ['export-parity', 'sample', 'verdict', 'safety', 'run-end'];

/** Each sentence where it was said first. */
export function noticesOf(events: readonly RunEvent[]): PlacedNotice[] {
  const found = new Map<string, number | null>();
  let step: number | null = null;
  for (const event of events) {
    if (event.type === 'step-end') ({ step } = event);
    if (behindTraining.includes(event.type)) step = null;
    if (event.type === 'notice' && !found.has(event.message)) found.set(event.message, step);
  }
  return [...found].map(([message, at]) => ({ message, step: at }));
}

/** Those that stand on the chart, in the order of their steps: their numbers are those of the list. */
export const placed = (notices: readonly PlacedNotice[]): PlacedNotice[] =>
  notices.filter(({ step }) => step !== null).sort((a, b) => a.step! - b.step!);

export function Notices({ notices }: { readonly notices: readonly PlacedNotice[] }): JSX.Element | null {
  if (notices.length === 0) return null;
  const words = w().run;
  const numbered = placed(notices);
  const item = ({ message, step }: PlacedNotice): JSX.Element => (
    <li key={message}>
      {step === null ? null : (
        <b>
          {fill(words.noticeAt, {
            n: count(numbered.findIndex((each) => each.message === message) + 1),
            step: count(step + 1),
          })}{' '}
        </b>
      )}
      <Prose text={message} />
    </li>
  );
  return (
    <section aria-labelledby="notices-title">
      <h2 id="notices-title">{words.notices}</h2>
      <ul class="notices">
        {notices.filter(({ step }) => step === null).map(item)}
        {numbered.map(item)}
      </ul>
    </section>
  );
}
