/** What the model would begin its answer with after each block. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { LensView, LogitLens } from '../../../src/library/logit-lens.ts';
import { TextArea } from '../../fields.tsx';
import { Table } from '../../table.tsx';
import { Notes, TaskView } from '../../task-view.tsx';
import { useAskedTask } from '../../tasks.ts';
import { visible } from '../../visible.ts';
import { count, figure, w } from '../../words.ts';
import { Section } from './section.tsx';

const guessesOf = ({ guesses }: LensView): string =>
  guesses.map(({ probability, text }) => `${visible(text)} ${figure(100 * probability, 2)} %`).join(' · ');

export function Lens({ run }: { readonly run: string }): JSX.Element {
  const words = w();
  const task = useAskedTask('lens', 'lens');
  const [prompt, set] = useState('');
  return (
    <Section title={words.inside.lens} note={words.inside.lensNote}>
      <div class="fields">
        <TextArea label={words.inside.question} value={prompt} onChange={set} />
      </div>
      <p class="actions">
        <button
          type="button"
          class="button"
          disabled={task.busy || prompt.trim() === ''}
          onClick={() => task.begin({ run, prompt })}
        >
          {words.inside.look}
        </button>
      </p>
      <TaskView followed={task}>
        {({ blocks, notes }: LogitLens) => (
          <>
            <Table
              caption={words.inside.lens}
              columns={[[words.inside.block], [words.run.before], [words.run.after]]}
              rows={blocks.map(({ after, before, block }) => [count(block), guessesOf(before), guessesOf(after)])}
            />
            <Notes notes={notes} />
          </>
        )}
      </TaskView>
    </Section>
  );
}
