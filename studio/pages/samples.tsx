/** What a run's model answers to held-out questions: while it is trained, and before and after. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { RunEvent } from '../../src/events.ts';
import { eventsOf } from '../../src/report/content.ts';
import type { TrainingSampleEvent } from '../../src/sample-events.ts';
import { Foreign, fill } from '../parts.tsx';
import { count, w } from '../words.ts';

interface Props {
  readonly events: readonly RunEvent[];
}

/** A question with its answers, by what each is. */
const Example = ({
  answers,
  prompt,
}: {
  readonly prompt: string;
  readonly answers: readonly (readonly [name: string, text: string])[];
}): JSX.Element => (
  <article class="example">
    <div class="question">
      <Foreign>{prompt}</Foreign>
    </div>
    <div class="columns">
      {answers.map(([name, text]) => (
        <div class="column" key={name}>
          <h3>{name}</h3>
          <Foreign>{text}</Foreign>
        </div>
      ))}
    </div>
  </article>
);

/** Answers of a question that are shown, the newest first: a long run has many. */
const shownAnswers = 5;

/** Of each question what was answered to it, the newest first. */
function answersByQuestion(events: readonly RunEvent[]): ReadonlyMap<string, readonly TrainingSampleEvent[]> {
  const found = new Map<string, TrainingSampleEvent[]>();
  for (const sample of eventsOf(events, 'training-sample').reverse())
    found.set(sample.prompt, [...(found.get(sample.prompt) ?? []), sample]);
  return found;
}

/** As they come, at validations. */
export function SamplesOnTheWay({ events }: Props): JSX.Element | null {
  const questions = useMemo(() => answersByQuestion(events), [events]);
  const words = w().run;
  if (questions.size === 0) return null;
  return (
    <section aria-labelledby="on-the-way-title">
      <h2 id="on-the-way-title">{words.onTheWay}</h2>
      <div class="examples">
        {[...questions].map(([prompt, answers]) => (
          <Example
            key={prompt}
            prompt={prompt}
            answers={[
              [words.expected, answers[0]!.expected],
              ...answers
                .slice(0, shownAnswers)
                .map(({ answer, step }) => [fill(words.afterSteps, { step: count(step) }), answer] as const),
            ]}
          />
        ))}
      </div>
    </section>
  );
}

export function Samples({ events }: Props): JSX.Element | null {
  const samples = useMemo(() => eventsOf(events, 'sample'), [events]);
  const words = w().run;
  if (samples.length === 0) return null;
  return (
    <section aria-labelledby="samples-title">
      <h2 id="samples-title">{words.samples}</h2>
      <div class="examples">
        {samples.map(({ after, before, expected, prompt }, i) => (
          <Example
            key={i}
            prompt={prompt}
            answers={[
              [words.expected, expected],
              [words.before, before],
              [words.after, after],
            ]}
          />
        ))}
      </div>
    </section>
  );
}
