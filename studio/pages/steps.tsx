/** The way from data to a model, and where the reader is on it. */
import type { JSX } from 'preact';
import { w } from '../words.ts';

export type StepName = 'data' | 'plan' | 'follow' | 'result' | 'talk' | 'export';

interface StepsProps {
  readonly now: StepName;
  /** Addresses of those that can be gone to. */
  readonly to: Readonly<Partial<Record<StepName, string>>>;
}

const names: readonly StepName[] = ['data', 'plan', 'follow', 'result', 'talk', 'export'];

export const Steps = ({ now, to }: StepsProps): JSX.Element => (
  <nav class="steps" aria-label={w().steps.label}>
    <ol>
      {names.map((name, i) => {
        const words = (
          <>
            <span class="number">{i + 1}</span> <span class="step-name">{w().steps[name]}</span>
          </>
        );
        const address = to[name];
        return (
          <li key={name} class={name === now ? 'now' : ''}>
            {name !== now && address ? (
              <a href={address}>{words}</a>
            ) : (
              <span aria-current={name === now ? 'step' : undefined}>{words}</span>
            )}
          </li>
        );
      })}
    </ol>
  </nav>
);
