/** A run's events as they come, each once: asked for again and again from where they were left, so that sleep, reloads and kills change nothing. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RunEvent } from '../src/events.ts';
import { api, Fault, type RunSummary } from './api.ts';

export interface Followed {
  readonly run: RunSummary | null;
  readonly events: readonly RunEvent[];
  readonly fault: Fault | null;
  /** Looks at once, after an action. */
  readonly look: () => void;
}

const lookMilliseconds = 500;
/** Of a run that nothing happens to. */
const restMilliseconds = 3000;

export const isOver = ({ state }: RunSummary): boolean =>
  !['queued', 'paused', 'running', 'interrupted'].includes(state);

export function useFollowed(name: string): Followed {
  const [state, set] = useState<Omit<Followed, 'look'>>({ run: null, events: [], fault: null });
  const look = useRef(() => {});
  useEffect(() => {
    const stop = new AbortController();
    let known = { after: 0, mark: '' };
    let events: readonly RunEvent[] = [];
    let timer = 0;
    let busy = false;
    const ask = async (): Promise<void> => {
      clearTimeout(timer);
      if (busy || stop.signal.aborted) return;
      busy = true;
      let wait = lookMilliseconds;
      try {
        for (let more = true; more; ) {
          const page = await api.events(name, known.after, known.mark, stop.signal);
          if (page.anew) events = page.events;
          else if (page.events.length > 0) events = [...events, ...page.events];
          known = page;
          more = page.more;
          if (!more) set({ run: page.run, events, fault: null });
          if (isOver(page.run)) wait = restMilliseconds;
        }
      } catch (error) {
        if (stop.signal.aborted) return;
        // What is known stays there.
        set((before) => ({ ...before, fault: error instanceof Fault ? error : new Fault(String(error), 'page', 0) }));
      } finally {
        busy = false;
      }
      if (!stop.signal.aborted) timer = window.setTimeout(ask, wait);
    };
    look.current = () => void ask();
    const seen = (): void => void (document.hidden || ask());
    document.addEventListener('visibilitychange', seen);
    addEventListener('online', seen);
    void ask();
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
      removeEventListener('online', seen);
    };
  }, [name]);
  return { ...state, look: () => look.current() };
}
