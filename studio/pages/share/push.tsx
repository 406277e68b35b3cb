/** An adapter sent to the hub, or to a folder that is shared. No token is seen or asked for here. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Pushed } from '../../../src/library/push.ts';
import { commandLine } from '../../commands.ts';
import { Check, Select, TextField } from '../../fields.tsx';
import { AsCommand, Copyable, Notice } from '../../parts.tsx';
import { shareApi } from '../../share-api.ts';
import { Notes, TaskView } from '../../task-view.tsx';
import { useAskedTask } from '../../tasks.ts';
import { useAsked } from '../../use.ts';
import { plural, w } from '../../words.ts';
import { Section } from '../inside/section.tsx';
import { given } from './pack.tsx';

function Found({ asks, notes, sent, url }: Pushed): JSX.Element {
  const words = w().share;
  return (
    <>
      <Notice tone="good">
        <p>{words.pushed}</p>
        <Copyable text={url} label={words.pushed} />
        <p>{plural(sent.length, words.sent)}</p>
      </Notice>
      {asks.length > 0 ? <h3>{words.asks}</h3> : null}
      <Notes notes={asks} />
      <Notes notes={notes} />
    </>
  );
}

export function Push({ source }: { readonly source: string }): JSX.Element {
  const words = w().share;
  const task = useAskedTask('push', 'pushed');
  const { value: things } = useAsked('exports', (signal) => shareApi.exports(signal));
  const [what, setWhat] = useState(source);
  const [to, setTo] = useState('');
  const [license, setLicense] = useState('');
  const [baseModel, setBase] = useState('');
  const [isPrivate, setPrivate] = useState(false);
  const bundles = (things ?? []).filter(({ kind }) => kind !== 'file').map(({ name }) => name);
  const options = given({ to, license, baseModel, private: isPrivate });
  const place = bundles.includes(what) ? `runs/exports/${what}` : `runs/${what}`;
  return (
    <Section title={words.push} note={words.pushNote}>
      <div class="fields">
        <Select
          label={words.what}
          value={what}
          options={[...new Set([source, ...bundles])].map((name) => [name, name])}
          onChange={setWhat}
        />
        <TextField label={words.to} hint={words.toHint} value={to} onChange={setTo} />
        <TextField label={words.license} hint={words.licenseHint} value={license} onChange={setLicense} />
        <TextField label={words.baseModel} hint={words.baseHint} value={baseModel} onChange={setBase} />
      </div>
      <Check label={words.private} value={isPrivate} onChange={setPrivate} />
      <p class="actions">
        <button
          type="button"
          class="button"
          disabled={task.busy || to === ''}
          onClick={() => task.begin({ source: what, ...options })}
        >
          {words.doPush}
        </button>
      </p>
      <TaskView followed={task}>{(pushed: Pushed) => <Found {...pushed} />}</TaskView>
      <AsCommand
        command={commandLine('push', [place], options)}
        program={`import { push } from 'nomoat';\n\nconst { url } = await push('${place}', ${JSON.stringify(options, null, 2)});`}
      />
    </Section>
  );
}
