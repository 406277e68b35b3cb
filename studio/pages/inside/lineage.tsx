/** What an adapter was made of, as a tree, and whether all of it is there. */
import type { JSX } from 'preact';
import type { LineageEntry } from '../../../src/adapter/lineage.ts';
import type { LineageReport } from '../../../src/library/lineage.ts';
import { fill, Notice, Prose, Tag } from '../../parts.tsx';
import { Table } from '../../table.tsx';
import { TaskView } from '../../task-view.tsx';
import { useAskedTask, useStandingTask } from '../../tasks.ts';
import { day, figure, w } from '../../words.ts';
import { Section } from './section.tsx';

/** Letters of a digest that tell entries apart by eye. */
const shownLetters = 12;

interface NodeProps {
  readonly entry: LineageEntry;
  readonly weight: number | undefined;
  readonly byId: ReadonlyMap<string, LineageEntry>;
  /** Ids that stand above already. */
  readonly seen: Set<string>;
}

function Facts({ entry }: { readonly entry: LineageEntry }): JSX.Element {
  const words = w().inside;
  const { base, created, data, id, tool, verdict } = entry;
  const files = data.map(({ file }) => file).join(', ');
  return (
    <p class="note">
      <code>{id.slice(0, shownLetters)}</code>
      {base ? ` · ${words.base}: ${base.file}` : ''}
      {files ? ` · ${words.data}: ${files}` : ''}
      {verdict && verdict.after !== null
        ? ` · ${words.heldOutLoss}: ${figure(verdict.before, 3)} → ${figure(verdict.after, 3)}`
        : ''}
      {tool ? ` · ${tool}` : ''}
      {created ? ` · ${day(created)}` : ''}
    </p>
  );
}

function Node({ byId, entry, seen, weight }: NodeProps): JSX.Element {
  const words = w().inside;
  const isAgain = seen.has(entry.id);
  seen.add(entry.id);
  const parents = isAgain ? [] : entry.parents;
  return (
    <li>
      <p class="node">
        <strong dir="auto">{entry.name}</strong> <Tag>{words.how[entry.how] ?? entry.how}</Tag>
        {weight === undefined ? null : <span class="note">{fill(words.weight, { value: figure(weight, 3) })}</span>}
        {isAgain ? <span class="note">{words.seenAbove}</span> : null}
      </p>
      {isAgain ? null : <Facts entry={entry} />}
      {entry.verdict?.warning && !isAgain ? (
        <Notice tone="warn">
          <Prose text={entry.verdict.warning} />
        </Notice>
      ) : null}
      {parents.length > 0 ? (
        <ul>
          {parents.map((parent) => {
            const found = byId.get(parent.id);
            return found ? <Node key={parent.id} entry={found} weight={parent.weight} byId={byId} seen={seen} /> : null;
          })}
        </ul>
      ) : null}
    </li>
  );
}

function Tree({ entries, faults }: LineageReport): JSX.Element {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  return (
    <>
      <ul class="tree">
        <Node entry={entries[0]!} weight={undefined} byId={byId} seen={new Set()} />
      </ul>
      {faults.map((fault) => (
        <Notice tone="bad" key={fault}>
          <Prose text={fault} />
        </Notice>
      ))}
    </>
  );
}

const tones = { same: 'good', other: 'bad', missing: 'warn' } as const;

function Checks({ checks, entries }: LineageReport): JSX.Element | null {
  const words = w().inside;
  if (!checks) return null;
  const nameOf = new Map(entries.map(({ id, name }) => [id, name]));
  return (
    <Table
      caption={words.checks}
      columns={[[words.file], [words.lineage], [words.state]]}
      rows={checks.map(({ file, of, state }) => [
        file,
        nameOf.get(of) ?? of,
        <Tag key="state" tone={tones[state]}>
          {words.states[state]}
        </Tag>,
      ])}
    />
  );
}

export function Lineage({ adapter }: { readonly adapter: string }): JSX.Element {
  const words = w().inside;
  const tree = useStandingTask('lineage', { adapter });
  const checked = useAskedTask('lineage', 'checked');
  return (
    <Section title={words.lineage} note={words.lineageNote}>
      <TaskView followed={tree} again={tree.again}>
        {(found: LineageReport) => <Tree {...found} />}
      </TaskView>
      <p class="actions">
        <button
          type="button"
          class="button"
          disabled={checked.busy}
          onClick={() => checked.begin({ adapter, verify: true })}
        >
          {words.verify}
        </button>
      </p>
      <TaskView followed={checked}>{(found: LineageReport) => <Checks {...found} />}</TaskView>
    </Section>
  );
}
