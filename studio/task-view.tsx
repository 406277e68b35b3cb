/** How a task goes, until what came of it can be shown. */
import type { ComponentChildren, JSX } from 'preact';
import { ErrorText, FaultNotice, fill, Notice, Prose } from './parts.tsx';
import { type FollowedTask, isOver, type Task } from './tasks.ts';
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
      {task.error ? (
        <Notice tone="bad">
          <ErrorText {...task.error} />
        </Notice>
      ) : null}
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
