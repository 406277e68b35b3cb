/** How each number of the page was got. */
import type { JSX } from 'preact';
import { eventsOf, type ReportContent } from '../../../src/report/content.ts';
import { fill } from '../../parts.tsx';
import { count, w } from '../../words.ts';

export function Proof({ content }: { readonly content: ReportContent }): JSX.Element {
  const words = w().proof;
  const { evaluation, events, run } = content;
  const has = (type: 'safety' | 'export-parity'): boolean => eventsOf(events, type).length > 0;
  const rows = eventsOf(events, 'data-ready').at(-1)?.rows ?? null;
  const sentences = [
    words.heldOut,
    ...(evaluation ? [words.answers] : []),
    ...(evaluation && evaluation.baselines.length > 0 ? [words.baselines] : []),
    ...(evaluation?.findings.forgetting ? [words.forgotten] : []),
    ...(has('safety') ? [words.refusals] : []),
    ...(has('export-parity') ? [words.proof] : []),
    ...(run && rows !== null ? [fill(words.seed, { seed: run.settings.seed, rows: count(rows) })] : []),
  ];
  return (
    <details class="proof">
      <summary>{words.title}</summary>
      <ul>
        {sentences.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </details>
  );
}
