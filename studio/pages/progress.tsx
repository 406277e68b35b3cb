/** How far a run is, in figures, planned beside actual. */
import type { JSX } from 'preact';
import type { RunEvent } from '../../src/events.ts';
import { eventsOf } from '../../src/report/content.ts';
import { bytes, duration } from '../../src/report/figures.ts';
import { fill, Tiles } from '../parts.tsx';
import { count, figure, said, w } from '../words.ts';

/** Of the last steps: one alone is too rough. */
const meanSteps = 10;

export interface Progress {
  readonly step: number;
  readonly steps: number;
  readonly tokensPerSecond: number | null;
  readonly secondsLeft: number | null;
}

export function progressOf(events: readonly RunEvent[]): Progress {
  const steps = eventsOf(events, 'step-end');
  const all = eventsOf(events, 'data-ready').at(-1)?.steps ?? 0;
  const last = steps.slice(-meanSteps);
  const sum = (of: (step: (typeof last)[number]) => number): number =>
    last.reduce((total, step) => total + of(step), 0);
  const seconds = sum(({ tokens, tokensPerSecond }) => tokens / tokensPerSecond);
  const step = steps.length === 0 ? 0 : steps.at(-1)!.step + 1;
  const secondsLeft = last.length === 0 ? null : ((all - step) * seconds) / last.length;
  return { step, steps: all, tokensPerSecond: seconds > 0 ? sum(({ tokens }) => tokens) / seconds : null, secondsLeft };
}

export function Bar({ step, steps }: Progress): JSX.Element {
  const words = w().run;
  const text = fill(words.step, { step: count(step), steps: count(steps) });
  return (
    <div class="progress">
      <progress max={Math.max(1, steps)} value={step} aria-label={words.progress} />
      <span>{text}</span>
    </div>
  );
}

export function Figures({
  events,
  over,
  progress,
}: {
  readonly events: readonly RunEvent[];
  readonly over: boolean;
  readonly progress: Progress;
}): JSX.Element {
  const words = w().run;
  const loss = eventsOf(events, 'step-end').at(-1)?.loss;
  const held = eventsOf(events, 'validation');
  const plan = eventsOf(events, 'plan').at(-1);
  const estimate = eventsOf(events, 'estimate').at(-1);
  const end = eventsOf(events, 'run-end').at(-1);
  const planned = (value: string | null): string | null => value && fill(words.planned, { value });
  const took = end ? end.seconds + end.secondsBefore : null;
  return (
    <Tiles
      items={[
        { name: words.loss, value: figure(loss), note: words.lossNote },
        {
          name: words.validation,
          value:
            held.length > 1 ? `${figure(held[0]!.loss, 3)} → ${figure(held.at(-1)!.loss, 3)}` : figure(held[0]?.loss),
        },
        {
          name: words.speed,
          value: figure(end?.tokensPerSecond ?? progress.tokensPerSecond, 3),
          note: planned(plan ? figure(plan.tokensPerSecond, 3) : null),
        },
        over
          ? { name: words.took, value: said(duration(took)), note: planned(plan ? said(duration(plan.seconds)) : null) }
          : {
              name: words.left,
              value: said(duration(progress.secondsLeft)),
              note: planned(plan ? said(duration(plan.seconds)) : null),
            },
        {
          name: words.memory,
          value: bytes(end?.peakMemoryBytes ?? estimate?.peakMemoryBytes),
          note: planned(plan ? bytes(plan.peakMemoryBytes) : null),
        },
      ]}
    />
  );
}
