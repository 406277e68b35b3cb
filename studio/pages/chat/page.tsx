/** Talk to a model, or to several at once. Chats are kept by the server. */
import '../../talk.css';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ListedChat } from '../../../src/server/studio/chat-store.ts';
import { api, type ListedModel, type RunSummary } from '../../api.ts';
import { isSaid, type KeptChat, mostModels, newChat, newId } from '../../chats.ts';
import { commandLine, libraryCall } from '../../commands.ts';
import { AsCommand, Busy, FaultNotice, Notice, Page } from '../../parts.tsx';
import { addressOf, go, type Place } from '../../route.ts';
import { type Talk, useTalk } from '../../talk.ts';
import { useAsked } from '../../use.ts';
import { plural, w } from '../../words.ts';
import { Asking, Models } from './models.tsx';
import { SavedChats, Votes } from './saved.tsx';
import { Turns } from './turns.tsx';

function Composer({ ready, talk }: { readonly talk: Talk; readonly ready: boolean }): JSX.Element {
  const words = w().chat;
  const [text, set] = useState('');
  const place = useRef<HTMLTextAreaElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it grows with what is written
  useEffect(() => {
    const area = place.current;
    if (!area) return;
    area.style.height = 'auto';
    area.style.height = `${area.scrollHeight + 2}px`;
  }, [text]);
  const send = (): void => {
    if (text.trim() === '' || talk.busy || !ready) return;
    talk.send(text);
    set('');
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={place}
        rows={1}
        dir="auto"
        value={text}
        placeholder={words.placeholder}
        aria-label={words.placeholder}
        onInput={({ currentTarget }) => set(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            send();
          }
        }}
      />
      {talk.busy ? (
        <button type="button" class="button" onClick={talk.stop}>
          {words.stop}
        </button>
      ) : (
        <button type="submit" class="button first" disabled={!ready}>
          {words.send}
        </button>
      )}
    </form>
  );
}

/** The system prompt that a run's data shared: without it, the run is asked otherwise than it was taught. */
const promptOf = (models: readonly string[], runs: readonly RunSummary[]): string =>
  models.flatMap((model) => runs.find(({ result }) => result?.id === model)?.result?.systemPrompt ?? [])[0] ?? '';

/** What the page's models are asked with from elsewhere. */
function Commands({ chat }: { readonly chat: KeptChat }): JSX.Element {
  const { models, sampling, system, turns } = chat;
  const given = Object.fromEntries(Object.entries(sampling).filter(([, value]) => value !== null));
  const [model = ''] = models;
  const message = JSON.stringify(turns.at(-1)?.prompt ?? 'Hello');
  return (
    <AsCommand
      command={models.map((each) => commandLine('chat', [each], { system, ...given })).join('\n')}
      program={`${libraryCall('openModel', { model }).replace('const result', 'const model')}\nconst { text } = await model.generate([{ role: 'user', content: ${message} }], ${JSON.stringify(given)});`}
    />
  );
}

/** Leads to data, where something was said that can be learnt. */
function ToData({ chat, id }: { readonly chat: KeptChat; readonly id: string }): JSX.Element | null {
  const answers = chat.turns.flatMap((turn) => turn.answers.filter(isSaid));
  const marked = answers.filter(({ mark }) => mark !== null).length;
  if (answers.length === 0) return null;
  const words = w().chat;
  return (
    <p class="note to-data">
      {marked > 0 ? plural(marked, words.marked) : words.marksNote}{' '}
      <a href={addressOf(['make'], { as: 'said', chats: id })}>{words.toData}</a>
    </p>
  );
}

interface TalkingProps {
  readonly id: string;
  readonly begun: { readonly chat: KeptChat; readonly saved: string | null };
  readonly models: readonly ListedModel[];
  readonly runs: readonly RunSummary[];
  readonly chats: readonly ListedChat[];
  readonly again: () => void;
}

function Talking({ again, begun, chats, id, models, runs }: TalkingProps): JSX.Element {
  const words = w().chat;
  const talk = useTalk(id, begun);
  const { busy, chat } = talk;
  // Votes of now are in the list when what was said is kept.
  const votes = JSON.stringify(chat.turns.map(({ vote }) => vote));
  const first = useRef(votes);
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked when votes or answers changed
  useEffect(() => {
    if (busy || votes === first.current) return;
    first.current = votes;
    const timer = setTimeout(again, 300);
    return () => clearTimeout(timer);
  }, [votes, busy]);
  const choose = (chosen: readonly string[]): void => {
    const isShared = chat.system === promptOf(chat.models, runs);
    talk.change((now) => ({ ...now, models: [...chosen], system: isShared ? promptOf(chosen, runs) : now.system }));
    // Of a chat that is not kept yet, the address says with whom.
    if (chat.turns.length === 0) go(addressOf(['chat', id], { models: chosen.join(',') }), true);
  };
  return (
    <>
      <p class="actions">
        <a class="button" href={addressOf(['chat'], { models: chat.models.join(',') })}>
          {words.clear}
        </a>
      </p>
      <SavedChats chats={chats} now={id} again={again} />
      <Models
        chat={chat}
        models={models}
        choose={choose}
        blind={(blind) => talk.change((now) => ({ ...now, blind }))}
      />
      <Asking chat={chat} change={talk.change} />
      {chat.models.length === 0 ? <Notice>{words.noModel}</Notice> : null}
      <Turns talk={talk} />
      <ToData chat={chat} id={id} />
      <FaultNotice fault={talk.fault} />
      <Composer talk={talk} ready={chat.models.length > 0} />
      <Votes chats={chats} />
      <Commands chat={chat} />
    </>
  );
}

function Opened({ id, place }: { readonly id: string; readonly place: Place }): JSX.Element {
  const state = useAsked('state', (signal) => api.state(signal));
  const runs = useAsked('runs', (signal) => api.runs(signal));
  const chats = useAsked('chats', () => api.chats());
  // One that is kept, or not yet. Asked for once: the list is asked for again at each vote.
  const begin = useAsked(chats.value ? `chat ${id}` : null, async () => ({
    kept: chats.value!.some((each) => each.id === id) ? await api.chat(id) : null,
  }));
  const listed = state.value?.models ?? [];
  const asked = (place.query.get('models') ?? '').split(',').filter(Boolean).slice(0, mostModels);
  const models = asked.length > 0 ? asked : listed.slice(0, 1).map((each) => each.id);
  const begun = useRef<TalkingProps['begun'] | null>(null);
  const ready = state.value && runs.value && begin.value;
  if (ready)
    begun.current ??= begin.value!.kept ?? { chat: newChat(models, promptOf(models, runs.value!)), saved: null };
  return (
    <>
      <FaultNotice
        fault={state.fault ?? runs.fault ?? chats.fault ?? begin.fault}
        again={() => {
          for (const each of [state, runs, chats, begin]) each.again();
        }}
      />
      {begun.current ? (
        <Talking
          id={id}
          begun={begun.current}
          models={listed}
          runs={runs.value ?? []}
          chats={chats.value ?? []}
          again={chats.again}
        />
      ) : (
        <Busy>{w().app.loading}</Busy>
      )}
    </>
  );
}

export function Chat({ place }: { readonly place: Place }): JSX.Element {
  const words = w().chat;
  const [, id] = place.path;
  const models = place.query.get('models') ?? '';
  useEffect(() => {
    if (id === undefined) go(addressOf(['chat', newId()], { models }), true);
  }, [id, models]);
  return (
    <Page title={words.title} lead={words.lead}>
      {id === undefined ? <Busy>{w().app.loading}</Busy> : <Opened key={id} id={id} place={place} />}
    </Page>
  );
}
