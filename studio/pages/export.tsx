/** A run's result in the form that other programs read. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api } from '../api.ts';
import { commandLine } from '../commands.ts';
import { AsCommand, Busy, Copyable, FaultNotice, Foreign, Notice } from '../parts.tsx';
import { useAction } from '../use.ts';
import { w } from '../words.ts';
import type { PartProps } from './result.tsx';

interface Written {
  readonly files: readonly string[];
  readonly notes: readonly string[];
}

export function Export({ name, run }: PartProps): JSX.Element {
  const words = w().exported;
  const [to, choose] = useState('gguf');
  const [written, set] = useState<Written | null>(null);
  const { act, busy, fault } = useAction();
  if (run && !run.result) return <Notice>{w().result.notYet}</Notice>;
  const write = (): void =>
    void act(async () => {
      set(null);
      set(await api.export(name, to));
    });
  const out = `${name}-${to}${/gguf/.test(to) ? '.gguf' : ''}`;
  return (
    <>
      <p class="lead">{words.lead}</p>
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
      <p class="next">
        <button type="button" class="button first" disabled={busy} onClick={write}>
          {words.write}
        </button>
      </p>
      {busy ? <Busy>{words.writing}</Busy> : null}
      <FaultNotice fault={fault} />
      {written ? (
        <Notice tone="good">
          <p>{words.written}</p>
          {written.files.map((file) => (
            <Copyable key={file} text={file} label={words.written} />
          ))}
          {written.notes.map((note) => (
            <Foreign key={note}>{note}</Foreign>
          ))}
        </Notice>
      ) : null}
      <AsCommand
        command={commandLine('export', [`runs/${name}`], { to, out })}
        program={`import { exportRun } from 'nomoat';\n\nconst { files } = await exportRun('runs/${name}', { to: '${to}', out: '${out}' });`}
      />
    </>
  );
}
