/** What two runs change, beside each other. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { AdapterComparison } from '../../../src/library/compare-adapters.ts';
import { api } from '../../api.ts';
import { Select } from '../../fields.tsx';
import { fill } from '../../parts.tsx';
import { Table } from '../../table.tsx';
import { Notes, TaskView } from '../../task-view.tsx';
import { useAskedTask } from '../../tasks.ts';
import { useAsked } from '../../use.ts';
import { figure, w } from '../../words.ts';
import { Section } from './section.tsx';

export function Compare({ run }: { readonly run: string }): JSX.Element {
  const words = w().inside;
  const task = useAskedTask('compare', 'beside');
  const { value: runs } = useAsked('runs', (signal) => api.runs(signal));
  const others = (runs ?? []).filter(({ name, result }) => result && name !== run).map(({ name }) => name);
  const [chosen, choose] = useState('');
  const other = chosen || others[0] || '';
  return (
    <Section title={words.compare} note={words.compareNote}>
      {runs && others.length === 0 ? <p class="note">{words.noOther}</p> : null}
      {others.length > 0 ? (
        <>
          <div class="fields">
            <Select label={words.other} value={other} options={others.map((name) => [name, name])} onChange={choose} />
          </div>
          <p class="actions">
            <button type="button" class="button" disabled={task.busy} onClick={() => task.begin({ run, other })}>
              {words.compute}
            </button>
          </p>
        </>
      ) : null}
      <TaskView followed={task}>
        {({ cosine, notes, updates }: AdapterComparison) => (
          <>
            <p>{fill(words.cosine, { value: figure(cosine, 3) })}</p>
            <Table
              caption={words.compare}
              columns={[[words.module], [words.cosineOf, 'n'], [words.shared, 'n']]}
              rows={updates.map(({ cosine: each, layer, outputs, projection }) => [
                `${layer} ${projection}`,
                figure(each, 3),
                outputs === null ? '–' : `${figure(100 * outputs, 3)} %`,
              ])}
            />
            <Notes notes={notes} />
          </>
        )}
      </TaskView>
    </Section>
  );
}
