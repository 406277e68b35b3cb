/** Chats that are kept, and what votes on answers came to. */
import type { JSX } from 'preact';
import type { ListedChat } from '../../../src/server/studio/chat-store.ts';
import { api } from '../../api.ts';
import { FaultNotice, fill } from '../../parts.tsx';
import { addressOf } from '../../route.ts';
import { Table } from '../../table.tsx';
import { useAction } from '../../use.ts';
import { pairsOf } from '../../votes.ts';
import { count, day, plural, share, w } from '../../words.ts';

interface SavedProps {
  readonly chats: readonly ListedChat[];
  readonly now: string;
  readonly again: () => void;
}

export function SavedChats({ again, chats, now }: SavedProps): JSX.Element | null {
  const words = w().chat;
  const { act, busy, fault } = useAction();
  const others = chats.filter(({ id }) => id !== now);
  if (others.length === 0) return null;
  const remove = (id: string): void =>
    void act(async () => {
      await api.removeChat(id);
      again();
    });
  return (
    <details class="saved">
      <summary>
        {words.saved} ({count(others.length)})
      </summary>
      <FaultNotice fault={fault} />
      <ul class="list">
        {others.map(({ id, saved, title, turns }) => (
          <li key={id}>
            <a href={addressOf(['chat', id])} dir="auto">
              {title || words.untitled}
            </a>
            <span class="muted wide">{day(new Date(Number(saved)).toISOString())}</span>
            <span class="muted">{plural(turns, words.turns)}</span>
            <button
              type="button"
              class="quiet"
              disabled={busy}
              aria-label={fill(w().home.remove, { name: title })}
              onClick={() => remove(id)}
            >
              ✕
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Of all chats: how often one was preferred to another, and how sure that is. */
export function Votes({ chats }: { readonly chats: readonly ListedChat[] }): JSX.Element | null {
  const words = w().chat;
  const pairs = pairsOf(chats.flatMap(({ votes }) => votes));
  if (pairs.length === 0) return null;
  return (
    <section aria-labelledby="votes-title">
      <h2 id="votes-title">{words.votes}</h2>
      <Table
        caption={words.votes}
        columns={[[words.votesModel], [words.votesBeside], [words.votesBetter, 'n'], [words.votesCounts, 'n wide']]}
        rows={pairs.map(({ beside, better, equal, interval: [low, high], model, share: part, worse }) => [
          model,
          beside,
          part === null ? '–' : fill(words.votesInterval, { share: share(part), low: share(low), high: share(high) }),
          fill(words.votesOf, { better: count(better), worse: count(worse), equal: count(equal) }),
        ])}
      />
      <p class="note">{words.votesNote}</p>
    </section>
  );
}
