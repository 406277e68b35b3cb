/** A part of the page with its heading and what it is about; and ids of tasks in the address. */
import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
import { go, usePlace } from '../../route.ts';

interface SectionProps {
  readonly title: string;
  readonly note?: string;
  readonly children: ComponentChildren;
}

export function Section({ children, note, title }: SectionProps): JSX.Element {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {note ? <p class="note">{note}</p> : null}
      {children}
    </section>
  );
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
