/** Data as what a model learns: every row as tokens, what is refused and why, and what should be known of it. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Preview } from '../../src/library/preview.ts';
import { type Asked, api, type ListedModel, type UploadedFile } from '../api.ts';
import { commandLine, libraryCall } from '../commands.ts';
import { Select, TextField } from '../fields.tsx';
import { AsCommand, Busy, FaultNotice, fill, Notice, Page, Prose, Tiles } from '../parts.tsx';
import { addressOf, go, type Place } from '../route.ts';
import { type Asking, useAsked } from '../use.ts';
import { count, w } from '../words.ts';
import { Findings } from './findings.tsx';
import { Refused, Row } from './rows.tsx';
import { Steps } from './steps.tsx';

/** How data may be read; what the address has of these goes with it. */
export const readingNames = ['format', 'promptColumn', 'completionColumn', 'textColumn'] as const;
const formats = [
  'auto',
  'messages',
  'prompt-completion',
  'text',
  'alpaca',
  'sharegpt',
  'preference',
  'openai-preference',
  'csv',
];

/** What stands in an address: files, a model, and settings. */
export function askedOf({ query }: Place, models: readonly ListedModel[]): Asked {
  const settings = Object.fromEntries(
    readingNames.flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : [])),
  );
  return {
    data: (query.get('files') ?? '').split(',').filter(Boolean),
    model: query.get('model') ?? usualModel(models),
    settings,
  };
}

/** The smallest that is no run's: quick to try with. */
const usualModel = (models: readonly ListedModel[]): string =>
  models.find(({ id }) => id === 'nomoat-mini')?.id ?? models.find(({ parent }) => parent === null)?.id ?? '';

function Correct({ asked, place }: { readonly asked: Asked; readonly place: Place }): JSX.Element {
  const { data } = w();
  const [given, set] = useState<Readonly<Record<string, string>>>(
    Object.fromEntries(Object.entries(asked.settings).map(([name, value]) => [name, String(value)])),
  );
  const apply = (): void => {
    const { format = '', ...columns } = given;
    go(
      addressOf(['data'], { ...Object.fromEntries(place.query), ...columns, format: format === 'auto' ? '' : format }),
    );
  };
  return (
    <details>
      <summary>{data.correct}</summary>
      <div class="fields">
        <Select
          label={data.format}
          value={given['format'] ?? 'auto'}
          options={formats.map((each) => [each, each])}
          onChange={(format) => set({ ...given, format })}
        />
        {(['promptColumn', 'completionColumn', 'textColumn'] as const).map((name) => (
          <TextField
            key={name}
            label={data[name]}
            value={given[name] ?? ''}
            onChange={(value) => set({ ...given, [name]: value })}
          />
        ))}
      </div>
      <p>
        <button type="button" class="button" onClick={apply}>
          {data.apply}
        </button>
      </p>
    </details>
  );
}

const firstRows = 6;
const moreRows = 100;
/** Examples that are read in a second or two. */
const firstExamples = 1000;

interface RowsProps {
  readonly found: Preview;
  readonly asked: Asked;
  readonly shown: number;
  readonly more: () => void;
}

function Rows({ asked, found, more, shown }: RowsProps): JSX.Element {
  const { data } = w();
  const { counts } = found;
  return (
    <>
      <Tiles
        items={[
          { name: data.rows, value: count(counts.rows) },
          { name: data.tokens, value: count(counts.tokens) },
          { name: data.supervised, value: count(counts.supervisedTokens) },
          { name: data.refused, value: count(counts.refusedRows) },
        ]}
      />
      {found.fault ? (
        <Notice tone="bad">
          <Prose text={found.fault} />
        </Notice>
      ) : null}
      {found.notes.map((note) => (
        <Notice key={note} tone="warn">
          <Prose text={note} />
        </Notice>
      ))}
      {Object.entries(counts.notices).map(([note, n]) => (
        <Notice key={note}>
          <Prose text={note} count={n} />
        </Notice>
      ))}
      <section aria-labelledby="rows-title">
        <h2 id="rows-title">{data.rowsTitle}</h2>
        <p class="legend">
          <span class="tokens">
            <b>{data.legendLearnt}</b>
            <i>{data.legendRead}</i>
          </span>{' '}
          <span class="note">{data.legendNote}</span>
        </p>
        <p class="note">{fill(data.formatFound, { format: found.format })}</p>
        <div class="rows">
          {found.rows.slice(0, shown).map((row, i) => (
            <Row key={i} row={row} index={i} />
          ))}
        </div>
        {found.rows.length > shown ? (
          <p>
            <button type="button" class="button" onClick={more}>
              {data.moreRows}
            </button>
          </p>
        ) : null}
      </section>
      <Refused counts={counts} remedy={found.remedy} />
      <Findings asked={asked} />
    </>
  );
}

/** Pairs and labels are learnt by methods of their own. */
function methodOf(found: Preview | null): string | null {
  if (found?.format.includes('preference')) return 'dpo';
  return found?.rows.some(({ label }) => label !== undefined && label !== null) ? 'kto' : null;
}

const nameOf = (id: string, files: readonly UploadedFile[] | null): string =>
  files?.find((file) => file.id === id)?.filename ?? id;

/** Names of an address's files, for commands that are copied. */
export const useFileNames = (ids: readonly string[]): readonly string[] => {
  const { value } = useAsked(ids.join(','), () => api.files());
  return ids.map((id) => nameOf(id, value));
};

/**
 * Rows as tokens: of much data the first ones at once, and all of them when those are read, which of 100,000 rows takes half a minute. All that may be
 * shown comes at once, since each look reads everything.
 */
function usePreview(asked: Asked | null): Asking<Preview> {
  const key = asked && JSON.stringify(asked);
  const look = (more: { readonly limit?: number }) => (signal: AbortSignal) =>
    api.preview({ ...asked!, rows: moreRows, ...more }, signal);
  const first = useAsked(key, look({ limit: firstExamples }));
  const whole = useAsked(first.value && first.value.left > 0 ? key : null, look({}));
  const value = whole.busy ? first.value : (whole.value ?? first.value);
  return whole.busy || whole.fault ? { ...whole, value } : { ...first, value };
}

export function Data({ place }: { readonly place: Place }): JSX.Element {
  const { data, plan } = w();
  const state = useAsked('state', (signal) => api.state(signal));
  const models = state.value?.models ?? [];
  const asked = askedOf(place, models);
  const names = useFileNames(asked.data);
  const [rows, setRows] = useState(firstRows);
  const ready = state.value !== null && asked.data.length > 0;
  const preview = usePreview(ready ? asked : null);
  const query = Object.fromEntries(place.query);
  const method = methodOf(preview.value);
  const next = addressOf(['plan'], { ...query, model: asked.model, ...(method ? { method } : {}) });
  if (asked.data.length === 0)
    return (
      <Page title={data.title} lead={data.lead}>
        <Notice>
          {plan.noData} <a href={addressOf([])}>{plan.begin}</a>
        </Notice>
      </Page>
    );
  return (
    <>
      <Steps now="data" to={{ plan: next }} />
      <Page title={data.title} lead={data.lead} kicker={<span dir="auto">{names.join(', ')}</span>}>
        <FaultNotice fault={state.fault} again={state.again} />
        {state.value ? (
          <div class="fields">
            <Select
              label={data.model}
              hint={data.modelNote}
              value={asked.model}
              options={models.map(({ id }) => [id, id])}
              onChange={(model) => go(addressOf(['data'], { ...query, model }), true)}
              more={<a href={addressOf(['pull'])}>{plan.getModel}</a>}
            />
          </div>
        ) : null}
        <Correct key={JSON.stringify(asked.settings)} asked={asked} place={place} />
        {preview.busy ? <Busy>{data.reading}</Busy> : null}
        <FaultNotice fault={preview.fault} again={preview.again} />
        {preview.value ? (
          <p class="next">
            <a class="button first" href={next}>
              {data.next}
            </a>
          </p>
        ) : null}
        {preview.value ? (
          <Rows found={preview.value} asked={asked} shown={rows} more={() => setRows(moreRows)} />
        ) : null}
        <AsCommand
          command={commandLine('preview', names, { model: asked.model, ...asked.settings, rows })}
          program={libraryCall('preview', { data: names, model: asked.model, ...asked.settings, rows })}
        />
      </Page>
    </>
  );
}
