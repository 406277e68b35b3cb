/** A run's result for others: in the form that their programs read, packed and signed, or pushed. */
import '../inside.css';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Exported } from '../../src/library/export-run.ts';
import { commandLine } from '../commands.ts';
import { AsCommand, Notice } from '../parts.tsx';
import { addressOf } from '../route.ts';
import { TaskView } from '../task-view.tsx';
import { useAskedTask } from '../tasks.ts';
import { w } from '../words.ts';
import type { PartProps } from './part.ts';
import { Pack } from './share/pack.tsx';
import { Push } from './share/push.tsx';
import { Written } from './share/written.tsx';

function Formats({ choose, to }: { readonly to: string; readonly choose: (to: string) => void }): JSX.Element {
  const words = w().exported;
  return (
    <fieldset class="choices">
      <legend class="hidden">{words.title}</legend>
      {Object.entries(words.formats).map(([format, [title, note]]) => (
        <label key={format} class={format === to ? 'chosen' : ''}>
          <input type="radio" name="format" value={format} checked={format === to} onChange={() => choose(format)} />
          <span>
            <strong>{title}</strong>
            <small>{note}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

export function Export({ name, run }: PartProps): JSX.Element {
  const words = w().exported;
  const [to, choose] = useState('gguf');
  const task = useAskedTask('export', 'written');
  if (run && !run.result) return <Notice>{w().result.notYet}</Notice>;
  const out = `${name}-${to}${/gguf/.test(to) ? '.gguf' : ''}`;
  return (
    <>
      <p class="lead">{words.lead}</p>
      <Formats to={to} choose={choose} />
      <p class="next">
        <button
          type="button"
          class="button first"
          disabled={task.busy}
          onClick={() => task.begin({ run: name, to, name: out })}
        >
          {words.write}
        </button>
      </p>
      <TaskView followed={task}>{(written: Exported) => <Written {...written} title={words.written} />}</TaskView>
      <AsCommand
        command={commandLine('export', [`runs/${name}`], { to, out })}
        program={`import { exportRun } from 'nomoat';\n\nconst { files } = await exportRun('runs/${name}', { to: '${to}', out: '${out}' });`}
      />
      <Pack source={name} />
      <Push source={name} />
      <p>
        <a href={addressOf(['made'])}>{w().share.toMade}</a>
      </p>
    </>
  );
}
