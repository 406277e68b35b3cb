/** A section of the report in the page, from the report's own markup. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useLook } from '../../look.ts';

/** Markup of the report: what is put into it is escaped by `html`, and what it does when it is pressed is done here. */
export function Markup({ markup, title }: { readonly markup: string; readonly title: string }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const [shown, show] = useState('all');
  const look = useLook();
  // biome-ignore lint/correctness/useExhaustiveDependencies: other words are other names
  useEffect(() => {
    const all = (query: string): HTMLElement[] => [...(place.current?.querySelectorAll<HTMLElement>(query) ?? [])];
    const suffix = document.documentElement.lang === 'en' ? 'labelEn' : 'labelZh';
    for (const each of all('[data-label-en]')) each.setAttribute('aria-label', each.dataset[suffix] ?? '');
    for (const button of all('[data-show]'))
      button.setAttribute('aria-pressed', String(button.dataset['show'] === shown));
    for (const example of all('[data-outcome]'))
      example.hidden = shown !== 'all' && example.dataset['outcome'] !== shown;
    // Plots are drawn beside this, from the same values.
    for (const figure of all('figure.plot .canvas')) figure.remove();
  }, [markup, shown, look]);
  const press = ({ target }: MouseEvent): void => {
    const button = target instanceof Element ? target.closest<HTMLElement>('[data-show]') : null;
    if (button) show(button.dataset['show'] ?? 'all');
  };
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      {/* biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents lint/security/noDangerouslySetInnerHtml: buttons inside are pressed by keys too; the markup is the report's */}
      <div class="report" ref={place} onClick={press} dangerouslySetInnerHTML={{ __html: markup }} />
    </section>
  );
}
