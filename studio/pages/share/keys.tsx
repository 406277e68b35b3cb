/** Keys of programs: who may ask, how much, and since when. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ApiKey, NewApiKey } from '../../../src/library/keys.ts';
import { commandLine } from '../../commands.ts';
import { Select, TextField } from '../../fields.tsx';
import { AsCommand, Copyable, FaultNotice, fill, Notice } from '../../parts.tsx';
import { shareApi } from '../../share-api.ts';
import { Table } from '../../table.tsx';
import { useAction, useAsked } from '../../use.ts';
import { count, day, w } from '../../words.ts';
import { Section } from '../inside/section.tsx';

const limit = (value: number | null): string => (value === null ? w().serving.noLimit : count(value));

interface ListProps {
  readonly keys: readonly ApiKey[];
  readonly remove: (name: string) => void;
  readonly busy: boolean;
}

function List({ busy, keys, remove }: ListProps): JSX.Element {
  const words = w().serving;
  const [sure, ask] = useState<string | null>(null);
  return (
    <>
      <Table
        caption={words.keys}
        columns={[
          [words.name],
          [words.scope],
          [words.perMinute, 'n'],
          [words.perDay, 'n'],
          [words.used, 'n'],
          [words.lastUsed],
          [words.removeYes],
        ]}
        rows={keys.map(({ lastUsed, name, requestsPerMinute, scope, tokensPerDay, tokensToday }) => [
          name,
          words.scopes[scope],
          limit(requestsPerMinute),
          limit(tokensPerDay),
          count(tokensToday),
          lastUsed === null ? words.never : day(lastUsed),
          <button
            key="remove"
            type="button"
            class="quiet"
            aria-label={fill(words.remove, { name })}
            onClick={() => ask(name)}
          >
            ✕
          </button>,
        ])}
      />
      {sure === null ? null : (
        <p class="actions" role="alert">
          <span>{fill(words.removeSure, { name: sure })}</span>
          <button
            type="button"
            class="button danger"
            disabled={busy}
            onClick={() => {
              remove(sure);
              ask(null);
            }}
          >
            {words.removeYes}
          </button>
          <button type="button" class="button" onClick={() => ask(null)}>
            {words.removeNo}
          </button>
        </p>
      )}
    </>
  );
}

function Add({ made }: { readonly made: (key: NewApiKey) => void }): JSX.Element {
  const words = w().serving;
  const [name, setName] = useState('');
  const [scope, setScope] = useState('chat');
  const [perMinute, setMinute] = useState('');
  const [perDay, setDay] = useState('');
  const { act, busy, fault } = useAction();
  const limits = {
    requestsPerMinute: perMinute === '' ? null : Number(perMinute),
    tokensPerDay: perDay === '' ? null : Number(perDay),
  };
  const add = (): void =>
    void act(async () => {
      made(await shareApi.addKey({ name, scope, ...limits }));
      setName('');
    });
  const options = { scope, ...limits };
  return (
    <>
      <div class="fields">
        <TextField label={words.name} value={name} onChange={setName} />
        <Select
          label={words.scope}
          value={scope}
          options={Object.entries(words.scopes).map(([each, text]) => [each, text])}
          onChange={setScope}
        />
        <TextField
          label={words.perMinute}
          placeholder={words.noLimit}
          inputMode="numeric"
          value={perMinute}
          onChange={setMinute}
        />
        <TextField
          label={words.perDay}
          placeholder={words.noLimit}
          inputMode="numeric"
          value={perDay}
          onChange={setDay}
        />
      </div>
      <p class="actions">
        <button type="button" class="button" disabled={busy || name === ''} onClick={add}>
          {words.add}
        </button>
      </p>
      <FaultNotice fault={fault} />
      <AsCommand
        command={commandLine('keys', ['add', name || 'my-program'], options)}
        program={`import { addApiKey } from 'nomoat';\n\nconst { key } = await addApiKey(${JSON.stringify({ name: name || 'my-program', ...options }, null, 2)});`}
      />
    </>
  );
}

export function Keys(): JSX.Element {
  const words = w().serving;
  const { again, fault, value } = useAsked('keys', (signal) => shareApi.keys(signal));
  const [made, set] = useState<NewApiKey | null>(null);
  const { act, busy, fault: refused } = useAction();
  const remove = (name: string): void =>
    void act(async () => {
      await shareApi.removeKey(name);
      again();
    });
  return (
    <Section title={words.keys} note={words.keysNote}>
      <FaultNotice fault={fault ?? refused} again={again} />
      {value?.length === 0 ? <p class="note">{words.noKeys}</p> : null}
      {value && value.length > 0 ? <List keys={value} remove={remove} busy={busy} /> : null}
      {made ? (
        <Notice tone="good">
          <p>{words.shownOnce}</p>
          <Copyable text={made.key} label={made.name} />
        </Notice>
      ) : null}
      <Add
        made={(key) => {
          set(key);
          again();
        }}
      />
    </Section>
  );
}
