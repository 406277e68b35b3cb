/** A chat with one or several models: answers as they come, kept by the server. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { answered } from './answers.ts';
import { api, type Fault } from './api.ts';
import {
  type AnswerPlace,
  bodyOf,
  isLastPlain,
  type KeptAnswer,
  type KeptChat,
  newId,
  withAnswer,
  withQuestion,
} from './chats.ts';
import { ChatKeeper } from './keep-chat.ts';

export interface Talk {
  readonly chat: KeptChat;
  readonly busy: boolean;
  /** The turn that is being answered, and which of its answers are whole. */
  readonly answering: number;
  readonly isDone: (column: number) => boolean;
  /** Why the last version is not kept. */
  readonly fault: Fault | null;
  readonly send: (prompt: string) => void;
  /** Answers a turn anew, with another question where one is given. What is lost by that stays as a chat of its own. */
  readonly again: (turn: number, prompt: string) => void;
  readonly stop: () => void;
  readonly change: (change: (chat: KeptChat) => KeptChat) => void;
}

export function useTalk(id: string, begun: { readonly chat: KeptChat; readonly saved: string | null }): Talk {
  const [chat, set] = useState(begun.chat);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const done = useRef(new Set<number>());
  const stop = useRef<AbortController | null>(null);
  const latest = useRef(chat);
  const keeper = useMemo(() => new ChatKeeper(id, begun.saved, setFault), [id, begun.saved]);
  useEffect(() => () => stop.current?.abort(), []);
  const show = (next: KeptChat): KeptChat => {
    latest.current = next;
    set(next);
    return next;
  };
  const change = (how: (chat: KeptChat) => KeptChat): void => {
    const next = show(how(latest.current));
    // What nobody was asked is no chat yet.
    if (next.turns.length > 0) keeper.keep(next);
  };
  const answer = async (place: AnswerPlace, signal: AbortSignal): Promise<void> => {
    const { current } = latest;
    const put = (now: KeptAnswer): void => void show(withAnswer(latest.current, place, () => now));
    const empty = current.turns[place.turn]!.answers[place.column]!;
    const whole = await answered(bodyOf({ chat: current, place }), empty, { signal, show: put });
    done.current.add(place.column);
    put(whole);
  };
  const again = (turn: number, prompt: string): void => {
    const before = latest.current;
    if (turn < before.turns.length && !isLastPlain(before, turn))
      void api.keepChat(newId(), before, null).catch(setFault);
    change((now) => withQuestion(now, turn, prompt));
    const control = new AbortController();
    stop.current = control;
    done.current.clear();
    setBusy(true);
    const columns = latest.current.models.map((_, column) => answer({ turn, column }, control.signal));
    void Promise.all(columns).then(() => {
      setBusy(false);
      change((now) => now);
    });
  };
  return {
    chat,
    busy,
    answering: chat.turns.length - 1,
    isDone: (column) => done.current.has(column),
    fault,
    send: (prompt) => again(latest.current.turns.length, prompt),
    again,
    stop: () => stop.current?.abort(),
    change,
  };
}
