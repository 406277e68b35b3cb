/** Data that is not there yet: written by hand, or made of what was said. */
import '../../talk.css';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { api } from '../../api.ts';
import { commandLine, libraryCall } from '../../commands.ts';
import { TextField } from '../../fields.tsx';
import { type Draft, draftOf, emptyDraft, type Written, writtenChats, writtenTable } from '../../hand-written.ts';
import { AsCommand, Busy, FaultNotice, fill, Notice, Page } from '../../parts.tsx';
import { addressOf, go, type Place } from '../../route.ts';
import { useAction, useAsked } from '../../use.ts';
import { count, plural, w } from '../../words.ts';
import { Chats } from './chats.tsx';
import { Said } from './said.tsx';
import { Table } from './table.tsx';

const ways = ['table', 'chats', 'said'] as const;
type Way = (typeof ways)[number];

const draftName = 'nomoat-studio-draft';

function keptDraft(): Draft {
  try {
    return { ...emptyDraft, ...(JSON.parse(localStorage.getItem(draftName) ?? '{}') as Partial<Draft>) };
  } catch {
    return emptyDraft;
  }
}

function keepDraft(draft: Draft): void {
  try {
    localStorage.setItem(draftName, JSON.stringify(draft));
  } catch {
    // Without room it lasts as long as the page; what is used is a file of the server.
  }
}

const fileNameOf = (name: string): string => `${name.trim().replace(/[^\p{L}\p{N}_-]+/gu, '-') || 'my-data'}.jsonl`;

interface UseProps {
  readonly written: Written;
  readonly name: string;
  readonly used: () => void;
}

/** Sends what is written as a file, and goes on to what a model would learn of it. */
function Use({ name, used, written }: UseProps): JSX.Element {
  const words = w().make;
  const { act, busy, fault } = useAction();
  const { lines, unfinished } = written;
  const use = (): void =>
    void act(async () => {
      const file = new File([`${lines.join('\n')}\n`], fileNameOf(name), { type: 'application/jsonl' });
      const { id } = await api.upload(file, () => {});
      used();
      go(addressOf(['data'], { files: id }));
    });
  return (
    <>
      {unfinished.length > 0 ? (
        <Notice tone="warn">{fill(words.unfinished, { numbers: unfinished.slice(0, 9).map(count).join(', ') })}</Notice>
      ) : null}
      <FaultNotice fault={fault} />
      <p class="actions">
        <button type="button" class="button first" disabled={busy || lines.length === 0} onClick={use}>
          {words.use}
        </button>
        <span class="muted" role="status">
          {plural(lines.length, words.written)}
        </span>
      </p>
    </>
  );
}

interface HandProps {
  readonly begun: Draft;
  readonly way: 'table' | 'chats';
}

function ByHand({ begun, way }: HandProps): JSX.Element {
  const words = w().make;
  const [draft, set] = useState(begun);
  const change = (part: Partial<Draft>): void =>
    set((before) => {
      const next = { ...before, ...part };
      keepDraft(next);
      return next;
    });
  const written = way === 'table' ? writtenTable(draft.table) : writtenChats(draft.chats);
  const name = fileNameOf(draft.name);
  return (
    <>
      <div class="fields">
        <TextField
          label={words.name}
          value={draft.name}
          placeholder="my-data"
          onChange={(each) => change({ name: each })}
        />
      </div>
      {way === 'table' ? (
        <Table rows={draft.table} change={(table) => change({ table })} />
      ) : (
        <Chats chats={draft.chats} change={(chats) => change({ chats })} />
      )}
      <Use written={written} name={draft.name} used={() => keepDraft({ ...draft, name: '', [way]: emptyDraft[way] })} />
      <AsCommand
        command={commandLine('preview', [name], {})}
        program={libraryCall('preview', { data: [name], model: 'nomoat-mini' })}
      />
    </>
  );
}

/** The draft of this browser, or a file of the server to be written on. */
function Begun({ file, way }: { readonly file: string; readonly way: 'table' | 'chats' }): JSX.Element {
  const found = useAsked(file || null, async () => {
    const all = await api.files();
    const name = all.find(({ id }) => id === file)?.filename ?? file;
    return { draft: draftOf(await api.fileText(file), name.replace(/\.\w+$/, '')) };
  });
  if (file === '') return <ByHand begun={keptDraft()} way={way} />;
  if (found.fault) return <FaultNotice fault={found.fault} again={found.again} />;
  if (!found.value) return <Busy>{w().app.loading}</Busy>;
  const { draft } = found.value;
  if (!draft) return <Notice tone="warn">{w().make.notWritten}</Notice>;
  // Whichever of the two it was written as.
  return <ByHand begun={draft} way={draft.table.length > 0 ? 'table' : 'chats'} />;
}

export function Make({ place }: { readonly place: Place }): JSX.Element {
  const words = w().make;
  const given = place.query.get('as') ?? '';
  const way: Way = ways.find((each) => each === given) ?? 'table';
  const file = place.query.get('file') ?? '';
  const names = { table: words.table, chats: words.chats, said: words.said };
  useEffect(() => {
    if (given === '') go(addressOf(['make'], { ...Object.fromEntries(place.query), as: way }), true);
  }, [given, way, place]);
  return (
    <Page title={words.title} lead={words.lead}>
      <nav class="tabs" aria-label={words.title}>
        {ways.map((each) => (
          <a key={each} href={addressOf(['make'], { as: each })} aria-current={each === way ? 'page' : undefined}>
            {names[each]}
          </a>
        ))}
      </nav>
      {way === 'said' ? <Said place={place} /> : <Begun key={`${way} ${file}`} way={way} file={file} />}
    </Page>
  );
}
