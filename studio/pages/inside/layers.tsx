/** What training changed, as a map: layers down, kinds of matrices across. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { AdapterInspection, UpdateReport } from '../../../src/library/inspect.ts';
import { fill, Prose } from '../../parts.tsx';
import { Notes, TaskView } from '../../task-view.tsx';
import { useAskedTask, useStandingTask } from '../../tasks.ts';
import { count, figure, w } from '../../words.ts';
import { Section } from './section.tsx';

type Measure = 'relative' | 'rank' | 'intruders';
const shades = 6;

const figureOf: Readonly<Record<Measure, (update: UpdateReport) => number | null>> = {
  relative: ({ relative }) => relative,
  rank: ({ effectiveRank }) => effectiveRank,
  intruders: ({ intruders }) => intruders?.intruders.length ?? null,
};

function shown(update: UpdateReport, measure: Measure): string {
  const value = figureOf[measure](update);
  if (value === null) return '–';
  if (measure === 'relative') return `${figure(100 * value, 2)} %`;
  if (measure === 'rank') return figure(value, 3);
  const open = update.intruders?.undecided ?? 0;
  return open === 0 ? count(value) : `${count(value)} ${fill(w().inside.undecided, { n: open })}`;
}

interface MapProps {
  readonly updates: readonly UpdateReport[];
  readonly measure: Measure;
}

function HeatMap({ measure, updates }: MapProps): JSX.Element {
  const words = w().inside;
  const projections = [...new Set(updates.map(({ projection }) => projection))];
  const layers = [...new Set(updates.map(({ layer }) => layer))];
  const found = new Map(updates.map((update) => [`${update.layer} ${update.projection}`, update]));
  const most = updates.reduce((greatest, update) => Math.max(greatest, figureOf[measure](update) ?? 0), 0);
  const shade = (value: number | null): number =>
    value === null || value === 0 || most === 0 ? 0 : Math.ceil((shades * value) / most);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex lint/a11y/useSemanticElements: what scrolls has to be reached by keys
    <div class="scroll matrix" tabIndex={0} role="group" aria-label={words.layers}>
      <table class="heat-map">
        <caption class="hidden">{`${words.layers}: ${words.measures[measure]![0]}`}</caption>
        <thead>
          <tr>
            <th scope="col">{words.layer}</th>
            {projections.map((name) => (
              <th scope="col" class="n" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {layers.map((layer) => (
            <tr key={layer}>
              <th scope="row">{count(layer)}</th>
              {projections.map((name) => {
                const update = found.get(`${layer} ${name}`);
                return (
                  <td class="n" key={name}>
                    {update ? (
                      <span class={`heat heat-plain-${shade(figureOf[measure](update))}`}>
                        {shown(update, measure)}
                      </span>
                    ) : (
                      '·'
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Layers({ run }: { readonly run: string }): JSX.Element {
  const words = w().inside;
  const quick = useStandingTask('inspect', { run });
  const deep = useAskedTask('inspect', 'intruders');
  const [measure, choose] = useState<Measure>('relative');
  const hasIntruders = deep.task?.state === 'done';
  const names = (Object.keys(figureOf) as Measure[]).filter((name) => name !== 'intruders' || hasIntruders);
  return (
    <Section title={words.layers} note={words.layersNote}>
      <fieldset class="filters">
        <legend class="hidden">{words.measure}</legend>
        {names.map((name) => (
          <button key={name} type="button" aria-pressed={name === measure} onClick={() => choose(name)}>
            {words.measures[name]![0]}
          </button>
        ))}
      </fieldset>
      <p class="note">{words.measures[measure]![1]}</p>
      <TaskView followed={hasIntruders ? deep : quick} again={quick.again}>
        {({ notes, spectral, updates }: AdapterInspection) => (
          <>
            <HeatMap updates={updates} measure={measure} />
            <Notes notes={notes} />
            <h3>{words.spectral}</h3>
            <Prose text={spectral.verdict} />
          </>
        )}
      </TaskView>
      {hasIntruders ? null : (
        <>
          <p class="actions">
            <button
              type="button"
              class="button"
              disabled={deep.busy}
              onClick={() => deep.begin({ run, intruders: true })}
            >
              {words.findIntruders}
            </button>
            <span class="note">{words.intrudersNote}</span>
          </p>
          <TaskView followed={deep}>{() => null}</TaskView>
        </>
      )}
    </Section>
  );
}
