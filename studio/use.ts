/** What pages have in common: a value that is asked for, and asked for again. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { asFault, type Fault } from './api.ts';

export interface Asking<T> {
  readonly value: T | null;
  readonly fault: Fault | null;
  readonly busy: boolean;
  readonly again: () => void;
}

/** Asks whenever `key` changes; null asks nothing. What is asked no longer is ended. */
export function useAsked<T>(key: string | null, call: (signal: AbortSignal) => Promise<T>): Asking<T> {
  const [state, set] = useState<{ readonly value: T | null; readonly fault: Fault | null; readonly busy: boolean }>({
    value: null,
    fault: null,
    busy: key !== null,
  });
  const [round, setRound] = useState(0);
  const latest = useRef(call);
  latest.current = call;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round asks again
  useEffect(() => {
    if (key === null) return set({ value: null, fault: null, busy: false });
    const stop = new AbortController();
    set(({ value }) => ({ value, fault: null, busy: true }));
    latest.current(stop.signal).then(
      (value) => !stop.signal.aborted && set({ value, fault: null, busy: false }),
      (error: unknown) => !stop.signal.aborted && set({ value: null, fault: asFault(error), busy: false }),
    );
    return () => stop.abort();
  }, [key, round]);
  const again = useCallback(() => setRound((each) => each + 1), []);
  return { ...state, again };
}

/** Calls now and then, while the page is seen; at once when it is seen again. */
export function useRepeated(call: () => void, milliseconds: number): void {
  const latest = useRef(call);
  latest.current = call;
  useEffect(() => {
    const timer = setInterval(() => document.hidden || latest.current(), milliseconds);
    const seen = (): void => void (document.hidden || latest.current());
    document.addEventListener('visibilitychange', seen);
    addEventListener('online', seen);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', seen);
      removeEventListener('online', seen);
    };
  }, [milliseconds]);
}

/** The value, taken over at most so often; at once where `now` is said. For what is drawn of values that come quickly. */
export function useSlowly<T>(value: T, milliseconds: number, now: boolean): T {
  const [shown, show] = useState(value);
  const taken = useRef(0);
  const due = now || performance.now() - taken.current >= milliseconds;
  useEffect(() => {
    if (shown === value) return;
    const take = (): void => {
      taken.current = performance.now();
      show(value);
    };
    if (due) return take();
    const timer = setTimeout(take, milliseconds - (performance.now() - taken.current));
    return () => clearTimeout(timer);
  }, [value, shown, milliseconds, due]);
  return shown;
}

/** What an action was refused with, and whether it goes on. */
export function useAction(): {
  readonly busy: boolean;
  readonly fault: Fault | null;
  readonly act: (call: () => Promise<unknown>) => Promise<void>;
} {
  const [state, set] = useState<{ readonly busy: boolean; readonly fault: Fault | null }>({ busy: false, fault: null });
  const act = useCallback(async (call: () => Promise<unknown>) => {
    set({ busy: true, fault: null });
    try {
      await call();
      set({ busy: false, fault: null });
    } catch (error) {
      set({ busy: false, fault: asFault(error) });
    }
  }, []);
  return { ...state, act };
}
