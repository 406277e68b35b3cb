/** Pages that are loaded when they are gone to, so that the first one is there at once. */
import type { ComponentType, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Fault, noServer } from './api.ts';
import { Busy, FaultNotice } from './parts.tsx';
import { w } from './words.ts';

/** The page that `load` brings; a fault where the server is gone, from which it is tried again. */
export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let known: ComponentType<Props> | null = null;
  return function Lazy(props: Props): JSX.Element {
    const [failed, fail] = useState(false);
    const [, show] = useState(0);
    const [round, again] = useState(0);
    // biome-ignore lint/correctness/useExhaustiveDependencies: a new round tries again
    useEffect(() => {
      if (known) return;
      fail(false);
      load().then(
        (page) => {
          known = page;
          show((each) => each + 1);
        },
        () => fail(true),
      );
    }, [round]);
    if (failed) return <FaultNotice fault={new Fault('', noServer, 0)} again={() => again((each) => each + 1)} />;
    const Page = known;
    return Page ? <Page {...props} /> : <Busy>{w().app.loading}</Busy>;
  };
}
