/** A run's events as they come, each once: asked for again and again from where they were left, so that sleep, reloads and kills change nothing. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RunEvent } from '../src/events.ts';
import { api, asFault, type Fault, type RunSummary } from './api.ts';

export interface Followed {
  readonly run: RunSummary | null;
  readonly events: readonly RunEvent[];
  readonly fault: Fault | null;
  /** Looks at once, after an action. */
  readonly look: () => void;
}

/** While a run begins. */
const lookMilliseconds = 1000;
/** Of a run that goes on: each look takes from what it computes with. */
const calmMilliseconds = 2000;
/** While nobody answers: what comes back is to be right soon. */
const againMilliseconds = 500;
/** Of a run that nothing happens to. */
const restMilliseconds = 3000;

/** A run has just begun while it has said no more than this. */
const fewEvents = 40;
export const begins = (events: readonly RunEvent[]): boolean => events.length < fewEvents;

export const isOver = ({ state }: RunSummary): boolean =>
  !['queued', 'paused', 'running', 'interrupted'].includes(state);

type State = Omit<Followed, 'look'>;
const nothing: State = { run: null, events: [], fault: null };

/** Asks for a run until it is stopped; `tell` hears what is known, faults beside it. */
function follow(name: string, tell: (state: State) => void): { readonly stop: () => void; readonly look: () => void } {
  const stop = new AbortController();
  let known = { after: 0, mark: '' };
  let state = nothing;
  let timer = 0;
  let busy = false;
  const ask = async (): Promise<void> => {
    clearTimeout(timer);
    if (busy || stop.signal.aborted) return;
    busy = true;
    let wait = lookMilliseconds;
    try {
      let { events } = state;
      for (let more = true; more; ) {
        const page = await api.events(name, known.after, known.mark, stop.signal);
        if (page.anew) events = page.events;
        else if (page.events.length > 0) events = [...events, ...page.events];
        known = page;
        more = page.more;
        state = { run: page.run, events, fault: null };
        if (!more) tell(state);
        wait = isOver(page.run) ? restMilliseconds : begins(events) ? lookMilliseconds : calmMilliseconds;
      }
    } catch (error) {
      if (stop.signal.aborted) return;
      // What is known stays there.
      state = { ...state, fault: asFault(error) };
      wait = againMilliseconds;
      tell(state);
    } finally {
      busy = false;
    }
    if (!stop.signal.aborted) timer = window.setTimeout(ask, wait);
  };
  const seen = (): void => void (document.hidden || ask());
  document.addEventListener('visibilitychange', seen);
  addEventListener('online', seen);
  void ask();
  return {
    look: () => void ask(),
    stop: () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
      removeEventListener('online', seen);
    },
  };
}

export function useFollowed(name: string): Followed {
  const [state, set] = useState(nothing);
  const look = useRef(() => {});
  useEffect(() => {
    const following = follow(name, set);
    ({ look: look.current } = following);
    return following.stop;
  }, [name]);
  return { ...state, look: () => look.current() };
}

/** Several runs at once, by their names. */
export function useFollowedAll(names: readonly string[]): ReadonlyMap<string, Omit<Followed, 'look'>> {
  const [states, set] = useState<ReadonlyMap<string, State>>(new Map());
  const key = JSON.stringify(names);
  useEffect(() => {
    set(new Map());
    const all = (JSON.parse(key) as string[]).map((name) =>
      follow(name, (state) => set((before) => new Map(before).set(name, state))),
    );
    return () => {
      for (const { stop } of all) stop();
    };
  }, [key]);
  return states;
}
