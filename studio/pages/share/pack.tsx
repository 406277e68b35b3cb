/** An adapter packed with all that others need, and signed. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Exported } from '../../../src/library/export-run.ts';
import type { NewSigningKey, SigningKeyPair } from '../../../src/library/signing-keys.ts';
import { commandLine } from '../../commands.ts';
import { Check, Select, TextField } from '../../fields.tsx';
import { AsCommand, Copyable, FaultNotice, Notice } from '../../parts.tsx';
import { shareApi } from '../../share-api.ts';
import { TaskView } from '../../task-view.tsx';
import { useAskedTask } from '../../tasks.ts';
import { useAction, useAsked } from '../../use.ts';
import { w } from '../../words.ts';
import { Section } from '../inside/section.tsx';
import { Written } from './written.tsx';

function NewKey({ made }: { readonly made: (name: string) => void }): JSX.Element {
  const words = w().share;
  const [name, setName] = useState('');
  const [days, setDays] = useState('');
  const [key, set] = useState<NewSigningKey | null>(null);
  const { act, busy, fault } = useAction();
  const make = (): void =>
    void act(async () => {
      set(await shareApi.addSigningKey(name, days === '' ? null : Number(days)));
      made(name);
    });
  return (
    <details>
      <summary>{words.newKey}</summary>
      <div class="fields">
        <TextField label={words.keyName} value={name} onChange={setName} />
        <TextField label={words.keyDays} hint={words.keyDaysHint} inputMode="numeric" value={days} onChange={setDays} />
      </div>
      <div class="fields">
        <button type="button" class="button" disabled={busy || name === ''} onClick={make}>
          {words.makeKey}
        </button>
      </div>
      <FaultNotice fault={fault} />
      {key ? (
        <Notice tone="good">
          <p>{words.keyMade}</p>
          <Copyable text={key.public} label={words.keyMade} />
        </Notice>
      ) : null}
    </details>
  );
}

/** What was filled in of a form. */
export const given = (settings: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== '' && value !== false));

const keyOptions = (keys: readonly SigningKeyPair[]): (readonly [string, string])[] => [
  ['', w().share.noKey],
  ...keys.map(({ name }) => [name, name] as const),
];

export function Pack({ source }: { readonly source: string }): JSX.Element {
  const words = w().share;
  const task = useAskedTask('pack', 'packed');
  const keys = useAsked('signing-keys', (signal) => shareApi.signingKeys(signal));
  const [key, setKey] = useState('');
  const [license, setLicense] = useState('');
  const [baseModel, setBase] = useState('');
  const [oci, setOci] = useState(false);
  const [name, setName] = useState(`${source}-bundle`);
  const options = given({ key, license, baseModel, oci });
  const made = (newName: string): void => {
    keys.again();
    setKey(newName);
  };
  return (
    <Section title={words.pack} note={words.packNote}>
      <div class="fields">
        <Select label={words.key} value={key} options={keyOptions(keys.value ?? [])} onChange={setKey} />
        <TextField label={words.license} hint={words.licenseHint} value={license} onChange={setLicense} />
        <TextField label={words.baseModel} hint={words.baseHint} value={baseModel} onChange={setBase} />
        <TextField label={words.name} value={name} onChange={setName} />
      </div>
      <Check label={words.oci} value={oci} onChange={setOci} />
      <NewKey made={made} />
      <p class="actions">
        <button
          type="button"
          class="button"
          disabled={task.busy || name === ''}
          onClick={() => task.begin({ adapter: source, ...options, name })}
        >
          {words.doPack}
        </button>
      </p>
      <TaskView followed={task}>{(packed: Exported) => <Written {...packed} title={words.packed} />}</TaskView>
      <AsCommand
        command={commandLine('pack', [`runs/${source}`], { ...options, out: name })}
        program={`import { packBundle } from 'nomoat';\n\nconst { files } = await packBundle('runs/${source}', ${JSON.stringify({ ...options, out: name }, null, 2)});`}
      />
    </Section>
  );
}
