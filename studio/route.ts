/** Where the reader is: every page has an address, and what is chosen on it stands in the address, so that it can be shared on this machine. */
import { useEffect, useState } from 'preact/hooks';

const root = '/studio/';

export interface Place {
  /** Parts of the path below /studio/. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

const here = (): Place => ({
  path: location.pathname.slice(root.length).split('/').filter(Boolean).map(decodeURIComponent),
  query: new URLSearchParams(location.search),
});

const moved = 'studio-moved';

/** The address of a page. Values that are empty are left out. */
export function addressOf(path: readonly string[], query: Readonly<Record<string, string>> = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== '');
  const search = new URLSearchParams(given).toString();
  return `${root}${path.map(encodeURIComponent).join('/')}${search === '' ? '' : `?${search}`}`;
}

/** Goes to an address. `instead`: the one before is not to be gone back to. */
export function go(address: string, instead = false): void {
  history[instead ? 'replaceState' : 'pushState'](null, '', address);
  dispatchEvent(new Event(moved));
  if (!instead) {
    scrollTo(0, 0);
    // Readers of a screen hear the new page's title.
    requestAnimationFrame(() => document.querySelector<HTMLElement>('main h1')?.focus());
  }
}

export function usePlace(): Place {
  const [place, set] = useState(here);
  useEffect(() => {
    const look = (): void => set(here());
    // Links to pages of the studio do not load it again.
    const follow = (event: MouseEvent): void => {
      const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>('a[href]') : null;
      if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey)
        return;
      if (link.target !== '' || link.origin !== location.origin || !link.pathname.startsWith(root)) return;
      if (link.pathname.startsWith(`${root}v1/`) || link.hasAttribute('download') || link.hash !== '') return;
      event.preventDefault();
      go(link.href);
    };
    addEventListener('popstate', look);
    addEventListener(moved, look);
    document.addEventListener('click', follow);
    return () => {
      removeEventListener('popstate', look);
      removeEventListener(moved, look);
      document.removeEventListener('click', follow);
    };
  }, []);
  return place;
}

/** A value that stands in the address under that name, and how it is put there. */
export function useInAddress(name: string): readonly [string | null, (value: string) => void] {
  const { query } = usePlace();
  const put = (value: string): void => {
    const next = new URLSearchParams(location.search);
    next.set(name, value);
    go(`${location.pathname}?${next}`, true);
  };
  return [query.get(name), put];
}
