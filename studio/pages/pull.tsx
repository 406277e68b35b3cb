/** Models that are not on this machine yet: size and license first, then how far they are. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { bytes } from '../../src/report/figures.ts';
import type { StudioPull } from '../../src/server/studio/pulls.ts';
import { api, type CatalogueModel } from '../api.ts';
import { commandLine } from '../commands.ts';
import { TextField } from '../fields.tsx';
import { AsCommand, Busy, FaultNotice, fill, Notice, Page, Prose, Tag } from '../parts.tsx';
import { addressOf } from '../route.ts';
import { useAction, useAsked, useRepeated } from '../use.ts';
import { w } from '../words.ts';

const lookMilliseconds = 600;
const isActive = ({ state }: StudioPull): boolean => ['looking', 'asking', 'fetching'].includes(state);

interface PullProps {
  readonly each: StudioPull;
  readonly act: (call: () => Promise<unknown>) => void;
  readonly busy: boolean;
}

function Asked({ act, busy, each }: PullProps): JSX.Element | null {
  const words = w().pull;
  const { found, id } = each;
  if (!found) return null;
  return (
    <>
      <p>
        {fill(words.found, { from: found.from, size: bytes(found.bytes), license: found.license ?? words.noLicense })}
      </p>
      {found.asks.map((sentence) => (
        <Prose key={sentence} text={sentence} />
      ))}
      <p class="actions">
        <button type="button" class="button first" disabled={busy} onClick={() => act(() => api.agreePull(id))}>
          {words.agree}
        </button>
        <button type="button" class="button" disabled={busy} onClick={() => act(() => api.cancelPull(id))}>
          {words.leave}
        </button>
      </p>
    </>
  );
}

function Fetching({ act, busy, each }: PullProps): JSX.Element {
  const words = w().pull;
  const { found, id, message, received, total } = each;
  return (
    <>
      <div class="progress">
        <progress
          max={Math.max(1, total ?? 1)}
          value={received}
          aria-label={fill(words.progress, { name: each.name })}
        />
        <span>
          {fill(words.received, { received: bytes(received), total: bytes(total) })}
          {found?.license ? ` · ${found.license}` : ''}
        </span>
      </div>
      {message ? (
        <p class="note" dir="auto">
          {message}
        </p>
      ) : null}
      <p class="actions">
        <button type="button" class="button" disabled={busy} onClick={() => act(() => api.cancelPull(id))}>
          {words.stop}
        </button>
      </p>
    </>
  );
}

function Pull(props: PullProps): JSX.Element {
  const words = w().pull;
  const { fault, name, notes, state } = props.each;
  const tone = state === 'done' ? 'good' : state === 'failed' ? 'bad' : state === 'asking' ? 'warn' : 'plain';
  return (
    <Notice tone={tone}>
      <p>
        <b dir="auto">{name}</b> <Tag>{words.states[state]!}</Tag>
      </p>
      {state === 'asking' ? <Asked {...props} /> : null}
      {state === 'fetching' ? <Fetching {...props} /> : null}
      {state === 'looking' ? <Busy>{words.looking}</Busy> : null}
      {fault ? <Prose text={fault} /> : null}
      {notes.map((note) => (
        <Prose key={note} text={note} />
      ))}
    </Notice>
  );
}

interface TableProps {
  readonly models: readonly CatalogueModel[];
  readonly busy: boolean;
  readonly get: (name: string, license: string | null) => void;
}

function Catalogue({ busy, get, models }: TableProps): JSX.Element {
  const words = w().pull;
  return (
    <ul class="list">
      {models.map(({ bytes: size, here, license, name, title }) => (
        <li key={name} class="model">
          <span>
            <b>{title}</b>{' '}
            <span class="muted">
              {fill(words.about, { size: bytes(size) })} · {license}
            </span>
          </span>
          {here ? (
            <Tag tone="good">{words.here}</Tag>
          ) : (
            <button type="button" class="button" disabled={busy} onClick={() => get(name, license)}>
              {words.get}
              <span class="hidden"> {title}</span>
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

export function PullPage(): JSX.Element {
  const words = w().pull;
  const pulls = useAsked('pulls', () => api.pulls());
  const known = useAsked('catalogue', () => api.catalogue());
  const [name, set] = useState('');
  const { act, busy, fault } = useAction();
  const active = pulls.value?.some(isActive) ?? false;
  useRepeated(() => {
    if (!active) return;
    pulls.again();
    known.again();
  }, lookMilliseconds);
  const doing = (call: () => Promise<unknown>): void =>
    void act(async () => {
      await call();
      pulls.again();
    });
  const get = (each: string, license: string | null): void => doing(() => api.pull(each, license));
  const last = pulls.value?.[0]?.name ?? 'smollm2-135m';
  return (
    <Page title={words.title} lead={words.lead}>
      <FaultNotice fault={pulls.fault ?? known.fault} again={pulls.again} />
      <FaultNotice fault={fault} />
      <div aria-live="polite">
        {pulls.value?.map((each) => (
          <Pull key={each.id} each={each} act={doing} busy={busy} />
        ))}
      </div>
      {pulls.value?.some(({ state }) => state === 'done') ? (
        <p class="actions">
          <a class="button first" href={addressOf(['chat'])}>
            {words.talk}
          </a>
          <a class="button" href={addressOf([])}>
            {words.tune}
          </a>
        </p>
      ) : null}
      <section aria-labelledby="known-title">
        <h2 id="known-title">{words.known}</h2>
        {known.value ? <Catalogue models={known.value} busy={busy} get={get} /> : <Busy>{w().app.loading}</Busy>}
      </section>
      <section aria-labelledby="other-title">
        <h2 id="other-title">{words.other}</h2>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim() !== '') get(name.trim(), null);
          }}
        >
          <div class="fields">
            <TextField
              label={words.name}
              hint={words.nameNote}
              value={name}
              placeholder="organisation/name"
              onChange={set}
            />
          </div>
          <p class="actions">
            <button type="submit" class="button" disabled={busy || name.trim() === ''}>
              {words.look}
            </button>
          </p>
        </form>
      </section>
      <AsCommand
        command={commandLine('pull', [last], {})}
        program={`import { pull } from 'nomoat';\n\nconst { path, license } = await pull(${JSON.stringify(last)}, {\n  confirm: ({ bytes, license }) => license === 'Apache-2.0',\n  onProgress: ({ receivedBytes, totalBytes }) => console.log(receivedBytes, totalBytes),\n});`}
      />
    </Page>
  );
}
