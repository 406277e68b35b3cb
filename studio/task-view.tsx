/** How a task goes, until what came of it can be shown. */
import type { ComponentChildren, JSX } from 'preact';
import { FaultNotice, fill, Notice, Prose } from './parts.tsx';
import { type FollowedTask, isOver, type Task } from './tasks.ts';
import { sentenceOf } from './words/codes.ts';
import { day, w } from './words.ts';

function Going({ cancel, task }: { readonly task: Task; readonly cancel: () => void }): JSX.Element {
  const words = w().tasks;
  const { progress } = task;
  const { done = 0, total = 0 } = progress ?? {};
  return (
    <div class="going">
      <p class="busy" role="status">
        <span class="spinner" aria-hidden="true" />
        {task.state === 'waiting' ? words.waiting : words.running}
      </p>
      {total > 0 ? (
        <div class="progress">
          <progress max={total} value={done} aria-label={words.running} />
          <span>{fill(words.progress, { done, total })}</span>
        </div>
      ) : null}
      <p class="actions">
        <button type="button" class="button" onClick={cancel}>
          {words.cancel}
        </button>
        <span class="note">{words.closing}</span>
      </p>
    </div>
  );
}

/** What a library's error says, in the reader's language where its code is known, and in its own words. */
export function ErrorNotice({ code, message }: { readonly code: string; readonly message: string }): JSX.Element {
  const sentence = sentenceOf(code);
  return (
    <Notice tone="bad">
      {sentence ? <p>{sentence}</p> : null}
      <Prose text={message} />
    </Notice>
  );
}

interface TaskViewProps {
  readonly followed: FollowedTask;
  /** Begins it again. */
  readonly again?: () => void;
  readonly children: (result: never, task: Task) => ComponentChildren;
}

export function TaskView({ again, children, followed }: TaskViewProps): JSX.Element | null {
  const { cancel, fault, task } = followed;
  const words = w().tasks;
  if (!task) return <FaultNotice fault={fault} />;
  const retry = again ? (
    <button type="button" class="button" onClick={again}>
      {w().app.retry}
    </button>
  ) : null;
  return (
    <>
      <FaultNotice fault={fault} />
      {isOver(task) ? null : <Going task={task} cancel={cancel} />}
      {task.error ? <ErrorNotice {...task.error} /> : null}
      {task.state === 'cancelled' || task.state === 'interrupted' ? (
        <Notice tone="warn">
          <p>{words[task.state]}</p>
        </Notice>
      ) : null}
      {isOver(task) && task.state !== 'done' ? retry : null}
      {task.result ? children(task.result as never, task) : null}
      {task.result && again ? (
        <p class="note">
          {fill(words.asOf, { when: day(new Date(task.created * 1000).toISOString()) })}{' '}
          <button type="button" class="quiet" onClick={again}>
            {words.again}
          </button>
        </p>
      ) : null}
    </>
  );
}

/** What should be known, in the library's sentences. */
export const Notes = ({ notes }: { readonly notes: readonly string[] }): JSX.Element | null =>
  notes.length === 0 ? null : (
    <ul class="notices">
      {notes.map((note) => (
        <li key={note}>
          <Prose text={note} />
        </li>
      ))}
    </ul>
  );

interface TableProps {
  readonly caption: string;
  readonly columns: readonly (readonly [name: string, figures?: boolean])[];
  readonly rows: readonly (readonly ComponentChildren[])[];
}

/** A table that scrolls by itself; figures stand to the right, the first column names the row. */
export const Table = ({ caption, columns, rows }: TableProps): JSX.Element => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex lint/a11y/useSemanticElements: what scrolls has to be reached by keys
  <div class="scroll" tabIndex={0} role="group" aria-label={caption}>
    <table>
      <caption class="hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map(([name, figures]) => (
            <th scope="col" key={name} class={figures ? 'n' : ''}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, i) => (
          <tr key={i}>
            {row.map((cell, c) =>
              c === 0 ? (
                <th scope="row" dir="auto" key={c}>
                  {cell}
                </th>
              ) : (
                <td key={c} dir="auto" class={columns[c]?.[1] ? 'n' : ''}>
                  {cell}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
