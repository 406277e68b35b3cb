/** What was made here: exports, merges, bundles; and bundles verified. */
import '../inside.css';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { VerifiedBundle } from '../../src/library/verify-bundle.ts';
import type { ExportedThing } from '../../src/server/studio/places.ts';
import { commandLine } from '../commands.ts';
import { TextField } from '../fields.tsx';
import { AsCommand, Busy, FaultNotice, fill, Notice, Page } from '../parts.tsx';
import { addressOf, type Place } from '../route.ts';
import { shareApi } from '../share-api.ts';
import { Table } from '../table.tsx';
import { Notes, TaskView } from '../task-view.tsx';
import { useAskedTask } from '../tasks.ts';
import { useAsked } from '../use.ts';
import { day, plural, w } from '../words.ts';
import { Lineage } from './inside/lineage.tsx';
import { Section } from './inside/section.tsx';

const Things = ({ things }: { readonly things: readonly ExportedThing[] }): JSX.Element => {
  const words = w().share;
  return (
    <Table
      caption={words.made}
      columns={[[words.nameOf], [words.kind], [words.when]]}
      rows={things.map(({ created, kind, name }) => [
        kind === 'file' ? (
          name
        ) : (
          <a key="name" href={addressOf(['made', name])}>
            {name}
          </a>
        ),
        words.kinds[kind],
        day(new Date(created * 1000).toISOString()),
      ])}
    />
  );
};

function Verified({ files, notes, signature, signedBy }: VerifiedBundle): JSX.Element {
  const words = w().share;
  const all = Object.entries(files);
  return (
    <>
      <Notice tone={signature === 'good' ? 'good' : 'warn'}>
        <p>{words.signatures[signature]}</p>
        {signedBy ? <p>{fill(words.signedBy, { hint: signedBy })}</p> : null}
      </Notice>
      <details>
        <summary>{plural(all.length, words.files)}</summary>
        <Table caption={words.verify} columns={[[words.file], [words.digest]]} rows={all} />
      </details>
      <Notes notes={notes} />
    </>
  );
}

function Verify({ first }: { readonly first: string }): JSX.Element {
  const words = w().share;
  const task = useAskedTask('verify', 'verified');
  const [bundle, setBundle] = useState(first);
  const [key, setKey] = useState('');
  const options = key === '' ? {} : { key };
  return (
    <Section title={words.verify} note={words.verifyNote}>
      <div class="fields">
        <TextField label={words.bundle} hint={words.bundleHint} value={bundle} onChange={setBundle} />
        <TextField label={words.withKey} hint={words.withKeyHint} value={key} onChange={setKey} />
      </div>
      <p class="actions">
        <button
          type="button"
          class="button"
          disabled={task.busy || bundle === ''}
          onClick={() => task.begin({ bundle, ...options })}
        >
          {words.doVerify}
        </button>
      </p>
      <TaskView followed={task}>{(found: VerifiedBundle) => <Verified {...found} />}</TaskView>
      <AsCommand
        command={commandLine('verify', [bundle], options)}
        program={`import { verifyBundle } from 'nomoat';\n\nconst { signature } = verifyBundle('${bundle}', ${JSON.stringify(options)});`}
      />
    </Section>
  );
}

/** One of them. */
function Thing({ name }: { readonly name: string }): JSX.Element {
  const words = w().share;
  return (
    <Page title={name}>
      <Lineage adapter={name} />
      <Verify first={name} />
      <p>
        <a href={addressOf(['made'])}>{words.toMade}</a>
      </p>
    </Page>
  );
}

export function Made({ place }: { readonly place: Place }): JSX.Element {
  const words = w().share;
  const [, name] = place.path;
  const { again, fault, value } = useAsked('exports', (signal) => shareApi.exports(signal));
  if (name !== undefined) return <Thing key={name} name={name} />;
  return (
    <Page title={words.made} lead={words.madeLead}>
      <FaultNotice fault={fault} again={again} />
      {value === null && !fault ? <Busy>{w().app.loading}</Busy> : null}
      {value?.length === 0 ? <p class="note">{words.none}</p> : null}
      {value && value.length > 0 ? <Things things={value} /> : null}
      {value ? <Verify first={value.find(({ kind }) => kind === 'bundle')?.name ?? ''} /> : null}
    </Page>
  );
}
