/** A data set of what was said: of marked answers, or of whole conversations. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ListedChat } from '../../../src/server/studio/chat-store.ts';
import { api, type MadeData } from '../../api.ts';
import { commandLine } from '../../commands.ts';
import { Check, Select, TextField } from '../../fields.tsx';
import { AsCommand, Busy, FaultNotice, fill, Notice, Prose } from '../../parts.tsx';
import { addressOf, type Place } from '../../route.ts';
import { useAction, useAsked } from '../../use.ts';
import { count, plural, w } from '../../words.ts';

const kinds = ['auto', 'sft', 'dpo', 'kto', 'conversations'] as const;
type Kind = (typeof kinds)[number];

interface ListProps {
  readonly chats: readonly ListedChat[];
  readonly chosen: ReadonlySet<string>;
  readonly choose: (chosen: ReadonlySet<string>) => void;
}

function ChatList({ chats, choose, chosen }: ListProps): JSX.Element {
  const words = w().make;
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    choose(next);
  };
  return (
    <fieldset>
      <legend>{words.chosenChats}</legend>
      <ul class="list">
        {chats.map(({ answers, id, marks, title }) => (
          <li key={id}>
            <Check label={<span dir="auto">{title}</span>} value={chosen.has(id)} onChange={() => toggle(id)} />
            <span class="muted">
              {fill(words.marksOf, {
                answers: count(answers),
                good: count(marks.good),
                bad: count(marks.bad),
                better: count(marks.better),
              })}
            </span>
          </li>
        ))}
      </ul>
    </fieldset>
  );
}

function Made({ made }: { readonly made: MadeData }): JSX.Element {
  const words = w().make;
  return (
    <>
      <Notice tone="good">
        <p>{plural(made.rows, words.made)}</p>
        {made.path ? <p dir="auto">{made.path}</p> : null}
        <p class="note">{words.provenance}</p>
      </Notice>
      {made.notes.map((note) => (
        <Notice key={note} tone="warn">
          <Prose text={note} />
        </Notice>
      ))}
      <p class="next">
        <a class="button first" href={addressOf(['data'], { files: made.file.id })}>
          {words.see}
        </a>
      </p>
    </>
  );
}

function Choose({ chats, place }: { readonly chats: readonly ListedChat[]; readonly place: Place }): JSX.Element {
  const words = w().make;
  const asked = (place.query.get('chats') ?? '').split(',').filter(Boolean);
  const [chosen, choose] = useState<ReadonlySet<string>>(new Set(asked.length > 0 ? asked : chats.map(({ id }) => id)));
  const [kind, setKind] = useState<Kind>('auto');
  const [name, setName] = useState('');
  const [made, setMade] = useState<MadeData | null>(null);
  const { act, busy, fault } = useAction();
  const isAll = chats.every(({ id }) => chosen.has(id));
  const to = kind === 'auto' || kind === 'conversations' ? null : kind;
  const make = (): void =>
    void act(async () => {
      setMade(null);
      const from = kind === 'conversations' ? 'conversations' : 'marks';
      setMade(await api.makeData({ from, to, chats: isAll ? null : [...chosen], name: name.trim() || null }));
    });
  const out = `${name.trim() || 'marks'}.jsonl`;
  const sources = isAll
    ? ['runs/.server/conversations']
    : [...chosen].map((id) => `runs/.server/conversations/${id}.jsonl`);
  return (
    <>
      <ChatList chats={chats} chosen={chosen} choose={choose} />
      <div class="fields">
        <Select
          label={words.kind}
          hint={words.kindNotes[kind]!}
          value={kind}
          options={kinds.map((each) => [each, words.kinds[each]!])}
          onChange={(each) => setKind(kinds.find((one) => one === each) ?? 'auto')}
        />
        <TextField label={words.name} value={name} onChange={setName} />
      </div>
      <p class="next">
        <button type="button" class="button first" disabled={busy || chosen.size === 0} onClick={make}>
          {words.make}
        </button>
      </p>
      {busy ? <Busy>{words.making}</Busy> : null}
      <FaultNotice fault={fault} />
      {made ? <Made made={made} /> : null}
      <AsCommand
        command={
          kind === 'conversations' ? commandLine('preview', sources, {}) : commandLine('collect', sources, { out, to })
        }
        program={
          kind === 'conversations'
            ? `import { preview } from 'nomoat';\n\nconst result = await preview({ data: ${JSON.stringify(sources)}, model: 'nomoat-mini' });`
            : `import { collect } from 'nomoat';\n\nconst result = await collect(${JSON.stringify(sources)}, ${JSON.stringify({ out, ...(to ? { to } : {}) })});`
        }
      />
    </>
  );
}

export function Said({ place }: { readonly place: Place }): JSX.Element {
  const words = w().make;
  const { again, fault, value } = useAsked('chats', () => api.chats());
  const chats = value?.filter(({ answers }) => answers > 0) ?? [];
  return (
    <>
      <p class="note">{words.saidNote}</p>
      <FaultNotice fault={fault} again={again} />
      {value && chats.length === 0 ? (
        <Notice>
          {words.noChats} <a href={addressOf(['chat'])}>{w().app.chat}</a>
        </Notice>
      ) : null}
      {chats.length > 0 ? <Choose chats={chats} place={place} /> : null}
    </>
  );
}
