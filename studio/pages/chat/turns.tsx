/** What was said, turn by turn, and votes on it. */
import { Component, type JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { isSaid, type Turn, withAnswer, withVote } from '../../chats.ts';
import { TextArea } from '../../fields.tsx';
import { Foreign, fill } from '../../parts.tsx';
import type { Talk } from '../../talk.ts';
import { type LanguageName, languageNow, w } from '../../words.ts';
import { Answer } from './answer.tsx';

const letterOf = (column: number): string => String.fromCharCode('A'.charCodeAt(0) + column);

interface Shown {
  readonly turn: Turn;
  readonly index: number;
  readonly talk: Talk;
  /** Whether this turn is being answered. */
  readonly live: boolean;
  readonly busy: boolean;
  readonly language: LanguageName;
}

/** Whether the names stay hidden: of a blind comparison, until there is a vote. */
const isHidden = ({ order, vote }: Turn): boolean => order !== null && vote === null;

function VoteRow({ index, talk, turn }: Shown): JSX.Element | null {
  const words = w().chat;
  const places = turn.order ?? turn.answers.map((_, i) => i);
  if (turn.answers.length < 2 || !turn.answers.every(isSaid)) return null;
  const vote = (best: number | null) => (): void => {
    const undone = turn.vote !== null && turn.vote.best === best && turn.order === null;
    talk.change((chat) => withVote(chat, index, undone ? null : { best }));
  };
  const isPressed = (best: number | null): boolean => turn.vote !== null && turn.vote.best === best;
  return (
    <fieldset class="votes">
      <legend>{words.voteAsked}</legend>
      {places.map((column, place) => (
        <button key={column} type="button" class="button" aria-pressed={isPressed(column)} onClick={vote(column)}>
          {letterOf(place)}
        </button>
      ))}
      <button type="button" class="button" aria-pressed={isPressed(null)} onClick={vote(null)}>
        {words.voteEqual}
      </button>
      {isHidden(turn) ? <span class="note">{words.voteBlind}</span> : null}
    </fieldset>
  );
}

function Question({ busy, index, talk, turn }: Shown): JSX.Element {
  const words = w().chat;
  const [text, set] = useState<string | null>(null);
  if (text !== null)
    return (
      <form
        class="said"
        onSubmit={(event) => {
          event.preventDefault();
          set(null);
          if (text.trim() !== '') talk.again(index, text);
        }}
      >
        <TextArea label={words.you} hint={words.editNote} value={text} onChange={set} focused />
        <p class="actions">
          <button type="submit" class="button first" disabled={busy || text.trim() === ''}>
            {words.send}
          </button>
          <button type="button" class="button" onClick={() => set(null)}>
            {words.betterLeave}
          </button>
        </p>
      </form>
    );
  return (
    <div class="said">
      <h2 class="hidden">{words.you}</h2>
      <Foreign>{turn.prompt}</Foreign>
      <p class="small-actions">
        <button type="button" class="quiet" disabled={busy} onClick={() => set(turn.prompt)}>
          {words.edit}
        </button>
        <button type="button" class="quiet" disabled={busy} onClick={() => talk.again(index, turn.prompt)}>
          {words.retry}
        </button>
      </p>
    </div>
  );
}

/** Drawn again only where it changed: a chat of some hundred turns is written to without a wait. */
class TurnView extends Component<Shown> {
  override shouldComponentUpdate(next: Shown): boolean {
    const { busy, language, live, turn } = this.props;
    return next.turn !== turn || next.live !== live || next.busy !== busy || next.language !== language;
  }

  override render(shown: Shown): JSX.Element {
    const { index, live, talk, turn } = shown;
    const { answers, order, vote } = turn;
    const places = order ?? answers.map((_, i) => i);
    const titleOf = (column: number, place: number): string | null => {
      if (answers.length < 2) return null;
      if (isHidden(turn)) return fill(w().chat.answer, { letter: letterOf(place) });
      return `${letterOf(place)}: ${answers[column]?.model ?? ''}`;
    };
    return (
      <article class="turn">
        <Question {...shown} />
        <div class={`columns of-${answers.length}`}>
          {places.map((column, place) => (
            <Answer
              key={column}
              answer={answers[column]}
              title={titleOf(column, place)}
              best={vote?.best === column}
              writing={live && !answers[column]?.cut && answers[column]?.fault === null && !talk.isDone(column)}
              think={(thought) =>
                talk.change((chat) =>
                  withAnswer(chat, { turn: index, column }, (answer) => ({ ...answer, ...thought })),
                )
              }
            />
          ))}
        </div>
        {live ? null : <VoteRow {...shown} />}
      </article>
    );
  }
}

/** Turns that take another language at once, from the last on: as many as a frame has time for. */
const turnsAtOnce = 40;

/** The language of each turn: where it changes, the last ones take it first, and those before them with the next frames. */
function useLanguages(count: number): (turn: number) => LanguageName {
  const language = languageNow();
  const [{ before, left, now }, set] = useState({ now: language, before: language, left: 0 });
  const isNew = now !== language;
  const waiting = isNew ? Math.max(0, count - turnsAtOnce) : left;
  useEffect(() => {
    if (isNew) return set({ now: language, before: now, left: waiting });
    if (left === 0) return;
    const timer = setTimeout(() => set((each) => ({ ...each, left: Math.max(0, each.left - turnsAtOnce) })));
    return () => clearTimeout(timer);
  }, [language, isNew, left, now, waiting]);
  return (turn) => (turn < waiting ? (isNew ? now : before) : language);
}

export function Turns({ talk }: { readonly talk: Talk }): JSX.Element {
  const { busy, chat } = talk;
  const { turns } = chat;
  const languageOf = useLanguages(turns.length);
  return (
    <div class="turns" role="log" aria-live="off">
      {turns.length === 0 ? <p class="note">{w().chat.empty}</p> : null}
      {turns.map((turn, i) => (
        <TurnView
          key={i}
          turn={turn}
          index={i}
          talk={talk}
          busy={busy}
          live={busy && i === talk.answering}
          language={languageOf(i)}
        />
      ))}
    </div>
  );
}
