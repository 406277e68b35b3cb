/** All runs of the folder. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api, type RunSummary } from '../api.ts';
import { TextField } from '../fields.tsx';
import { Busy, FaultNotice, fill, Page, Tag } from '../parts.tsx';
import { addressOf } from '../route.ts';
import { Table } from '../table.tsx';
import { useAsked, useRepeated } from '../use.ts';
import { day, figure, w } from '../words.ts';

const tones: Readonly<Record<string, 'good' | 'bad' | 'warn' | 'plain'>> = {
  done: 'good',
  'stopped-early': 'good',
  failed: 'bad',
  diverged: 'bad',
  'proof-failed': 'bad',
  unreadable: 'bad',
  interrupted: 'warn',
  paused: 'warn',
};

export const StateTag = ({ state }: { readonly state: string }): JSX.Element => (
  <Tag tone={tones[state] ?? 'plain'}>{w().run.states[state] ?? state}</Tag>
);

/** Of a model's path. */
export const nameOfModel = (model: string): string =>
  model
    .split(/[/\\]/)
    .at(-1)!
    .replace(/\.gguf$/, '');
const losses = ({ validationAfter: after, validationBefore: before }: RunSummary): string =>
  before === null ? '–' : `${figure(before)} → ${figure(after)}`;

interface ListProps {
  readonly runs: readonly RunSummary[];
  /** Those that are chosen, and how one is; null where none can be. */
  readonly chosen?: ReadonlySet<string>;
  readonly choose?: (name: string) => void;
}

export function RunList({ choose, chosen, runs }: ListProps): JSX.Element {
  const words = w().runs;
  const box = (name: string): JSX.Element => (
    <input
      type="checkbox"
      aria-label={fill(words.chooseRun, { name })}
      checked={chosen?.has(name) ?? false}
      onChange={() => choose?.(name)}
    />
  );
  return (
    <Table
      caption={words.title}
      look="runs"
      heading={choose ? 1 : 0}
      columns={[
        ...(choose ? [[<span class="hidden">{words.choose}</span>, 'choose'] as const] : []),
        [words.name],
        [words.state],
        [words.model, 'wide'],
        [words.loss, 'n wide'],
        [words.when, 'wide'],
      ]}
      rows={runs.map((run) => [
        ...(choose ? [box(run.name)] : []),
        <a href={addressOf(['runs', run.name])}>{run.name}</a>,
        <StateTag state={run.state} />,
        nameOfModel(run.model),
        losses(run),
        day(run.created),
      ])}
    />
  );
}

/** A list does not change as a run does. */
const lookMilliseconds = 3000;

export function Runs(): JSX.Element {
  const { again, fault, value } = useAsked('runs', (signal) => api.runs(signal));
  const state = useAsked('state', (signal) => api.state(signal));
  const [filter, set] = useState('');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const choose = (name: string): void => {
    const next = new Set(chosen);
    if (!next.delete(name)) next.add(name);
    setChosen(next);
  };
  useRepeated(again, lookMilliseconds);
  const words = w().runs;
  const shown = value?.filter(({ name }) => name.toLowerCase().includes(filter.toLowerCase())) ?? [];
  return (
    <Page title={words.title} lead={state.value ? fill(words.lead, { folder: state.value.runs }) : ''}>
      <FaultNotice fault={fault} again={again} />
      {value === null && !fault ? <Busy>{w().app.loading}</Busy> : null}
      {value && value.length > 8 ? <TextField label={words.filter} value={filter} onChange={set} /> : null}
      {value?.length === 0 ? (
        <p class="note">
          {words.none} <a href={addressOf([])}>{w().plan.begin}</a>
        </p>
      ) : null}
      {shown.length > 1 ? (
        <p class="actions">
          {chosen.size > 1 ? (
            <a class="button first" href={addressOf(['compare'], { runs: [...chosen].join(',') })}>
              {words.oneChart}
            </a>
          ) : (
            <span class="note">{words.chooseNote}</span>
          )}
        </p>
      ) : null}
      {shown.length > 0 ? <RunList runs={shown} chosen={chosen} choose={choose} /> : null}
    </Page>
  );
}
