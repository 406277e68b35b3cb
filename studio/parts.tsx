/** Parts that pages are made of. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Fault, noServer } from './api.ts';
import { sentenceOf } from './words/codes.ts';
import { ofLibrary } from './words/sentences.ts';
import { count, languageNow, w } from './words.ts';

interface ForeignProps {
  readonly children: ComponentChildren;
  /** Where it is known, for screen readers. */
  readonly lang?: string | undefined;
}

/** Of a text at once: a browser lays out some more in the time of a frame, and nobody reads as much. */
export const mostShown = 20_000;

/** Where a text that is longer than what is shown may be cut: not inside of a character. */
export const shownEnd = (text: string): number =>
  /[\ud800-\udbff]/.test(text[mostShown - 1] ?? '') ? mostShown - 1 : mostShown;

/** Texts of data, models and programs: as they are, in a direction of their own. Of a long one the beginning, until all of it is asked for. */
export function Foreign({ children, lang }: ForeignProps): JSX.Element {
  const [whole, show] = useState(false);
  const isLong = typeof children === 'string' && children.length > mostShown && !whole;
  return (
    <div class="foreign" dir="auto" lang={lang}>
      {isLong ? children.slice(0, shownEnd(children)) : children}
      {isLong ? (
        <p class="note" lang={languageNow()}>
          {fill(w().app.cut, { shown: count(mostShown), all: count(children.length) })}{' '}
          <button type="button" class="button" onClick={() => show(true)}>
            {w().app.showAll}
          </button>
        </p>
      ) : null}
    </div>
  );
}

/** What programs say, in the reader's language where its words are known; words of a program, which they have in backticks, as code. */
export function Prose({ count: times, text }: { readonly text: string; readonly count?: number }): JSX.Element {
  const { text: words, whole } = ofLibrary(text);
  return (
    <Foreign lang={whole ? undefined : 'en'}>
      {words.split(/`([^`\n]+)`/).map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}
      {times === undefined ? '' : ` (${count(times)})`}
    </Foreign>
  );
}

/** A library's error: what its code says, where its own words are not the reader's, and those with their numbers. */
export function ErrorText({ code, message }: { readonly code: string; readonly message: string }): JSX.Element {
  const sentence = ofLibrary(message).whole ? null : sentenceOf(code);
  return (
    <>
      {sentence ? <p>{sentence}</p> : null}
      <Prose text={message} />
    </>
  );
}

/** `{name}` in a sentence, filled in. */
export const fill = (text: string, values: Readonly<Record<string, string | number>>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));

interface PageProps {
  readonly title: string;
  readonly lead?: string;
  readonly kicker?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Page({ children, kicker, lead, title }: PageProps): JSX.Element {
  useEffect(() => {
    document.title = `${title} · ${w().app.title}`;
  }, [title]);
  return (
    <>
      <div class="hero">
        {kicker ? <div class="kicker">{kicker}</div> : null}
        <h1 tabIndex={-1} dir="auto">
          {title}
        </h1>
        {lead ? <p class="lead">{lead}</p> : null}
      </div>
      {children}
    </>
  );
}

type Tone = 'good' | 'bad' | 'warn' | 'plain';
/** A sign and a tone: nothing is said by colour alone. */
const signs: Readonly<Record<Tone, string>> = { good: '✓', bad: '✗', warn: '!', plain: '' };

export const Tag = ({
  children,
  tone = 'plain',
}: {
  readonly children: ComponentChildren;
  readonly tone?: Tone;
}): JSX.Element => (
  <span class={`tag ${tone}`}>
    {signs[tone] ? <span aria-hidden="true">{signs[tone]} </span> : null}
    {children}
  </span>
);

export const Notice = ({
  children,
  tone = 'plain',
}: {
  readonly children: ComponentChildren;
  readonly tone?: Tone;
}): JSX.Element => (
  <div class={`notice ${tone}`} role={tone === 'bad' ? 'alert' : undefined}>
    {signs[tone] ? (
      <span class="sign" aria-hidden="true">
        {signs[tone]}
      </span>
    ) : null}
    <div>{children}</div>
  </div>
);

/** What went wrong, where the reader is, with what helps. */
export function FaultNotice({
  again,
  fault,
}: {
  readonly fault: Fault | null;
  readonly again?: () => void;
}): JSX.Element | null {
  if (!fault) return null;
  const isShut = fault.code === 'invalid_api_key';
  const shut = navigator.cookieEnabled ? w().app.shut : w().app.noCookies;
  const own = fault.code === noServer ? w().app.noServer : isShut ? shut : null;
  return (
    <Notice tone="bad">
      {own === null ? <ErrorText code={fault.code} message={fault.message} /> : <p>{own}</p>}
      {fault.code === noServer ? <Copyable text="nomoat studio" /> : null}
      {again && !isShut ? (
        <p>
          <button type="button" class="button" onClick={again}>
            {w().app.retry}
          </button>
        </p>
      ) : null}
    </Notice>
  );
}

/** How long "copied" stands there. */
const copiedMilliseconds = 1500;

export function Copyable({ label, text }: { readonly text: string; readonly label?: string }): JSX.Element {
  const [copied, set] = useState(false);
  const place = useRef<HTMLPreElement>(null);
  const copy = (): void => {
    // Where the browser lets no page copy, it is at least selected.
    if (place.current) getSelection()?.selectAllChildren(place.current);
    navigator.clipboard?.writeText(text).catch(() => {});
    set(true);
    setTimeout(() => set(false), copiedMilliseconds);
  };
  return (
    <div class="code">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex lint/a11y/useSemanticElements: what scrolls has to be reached by keys */}
      <pre ref={place} tabIndex={0} role="group" aria-label={label ?? w().app.copy}>
        {text}
      </pre>
      <button type="button" onClick={copy}>
        <span aria-live="polite">{copied ? w().app.copied : w().app.copy}</span>
      </button>
    </div>
  );
}

/** What a page does, as the command line and a program do it. */
export function AsCommand({ command, program }: { readonly command: string; readonly program: string }): JSX.Element {
  return (
    <details class="as-command">
      <summary>{w().app.asCommand}</summary>
      <h3>{w().app.commandLine}</h3>
      <Copyable text={command} label={w().app.commandLine} />
      <h3>{w().app.library}</h3>
      <Copyable text={program} label={w().app.library} />
    </details>
  );
}

export const Busy = ({ children }: { readonly children: ComponentChildren }): JSX.Element => (
  <p class="busy" role="status">
    <span class="spinner" aria-hidden="true" />
    {children}
  </p>
);

interface Tile {
  readonly name: string;
  readonly value: string;
  readonly note?: string | null;
}

export const Tiles = ({ items }: { readonly items: readonly Tile[] }): JSX.Element => (
  <dl class="tiles">
    {items.map(({ name, note, value }) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>
          <b>{value}</b>
          {note ? <small>{note}</small> : null}
        </dd>
      </div>
    ))}
  </dl>
);
