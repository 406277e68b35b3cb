/** Parts that pages are made of. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { type Fault, noServer } from './api.ts';
import { sentenceOf } from './words/codes.ts';
import { w } from './words.ts';

/** Texts of data, models and programs: as they are, in a direction of their own. */
export const Foreign = ({ children }: { readonly children: ComponentChildren }): JSX.Element => (
  <div class="foreign" dir="auto">
    {children}
  </div>
);

/** What programs say: words of a program, which they have in backticks, as code. */
export const Prose = ({ text }: { readonly text: string }): JSX.Element => (
  <Foreign>{text.split(/`([^`\n]+)`/).map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</Foreign>
);

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
  const text = fault.code === noServer ? w().app.noServer : isShut ? w().app.shut : fault.message;
  const sentence = text === fault.message ? sentenceOf(fault.code) : null;
  return (
    <Notice tone="bad">
      {sentence ? <p>{sentence}</p> : null}
      <p dir="auto">{text}</p>
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

interface FieldProps {
  readonly label: string;
  readonly hint?: string | undefined;
  /** Below it: where to go for more. */
  readonly more?: JSX.Element | undefined;
  readonly children: (id: string, described: string | undefined) => JSX.Element;
}

export function Field({ children, hint, label, more }: FieldProps): JSX.Element {
  const id = useId();
  const hintId = `${id}-hint`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(id, hint ? hintId : undefined)}
      {hint ? (
        <small id={hintId} dir="auto">
          {hint}
        </small>
      ) : null}
      {more ? <small>{more}</small> : null}
    </div>
  );
}

interface SelectProps {
  readonly more?: JSX.Element;
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, name: string])[];
  readonly onChange: (value: string) => void;
}

export const Select = ({ hint, label, more, onChange, options, value }: SelectProps): JSX.Element => (
  <Field label={label} hint={hint} more={more}>
    {(id, described) => (
      <select
        id={id}
        aria-describedby={described}
        value={value}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
      >
        {options.map(([each, name]) => (
          <option key={each} value={each} selected={each === value}>
            {name}
          </option>
        ))}
      </select>
    )}
  </Field>
);

interface TextProps {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly value: string;
  readonly placeholder?: string;
  readonly inputMode?: 'decimal' | 'numeric' | 'text';
  readonly onChange: (value: string) => void;
}

export const TextField = ({
  hint,
  inputMode = 'text',
  label,
  onChange,
  placeholder = '',
  value,
}: TextProps): JSX.Element => (
  <Field label={label} hint={hint}>
    {(id, described) => (
      <input
        id={id}
        aria-describedby={described}
        type="text"
        autocomplete="off"
        spellcheck={false}
        inputMode={inputMode}
        placeholder={placeholder}
        value={value}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
    )}
  </Field>
);

interface AreaProps {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** Whether it is written in at once. */
  readonly focused?: boolean;
}

const leastLines = 2;
const mostLines = 12;

/** Text of several lines; as high as what is in it. */
export function TextArea({ focused = false, hint, label, onChange, value }: AreaProps): JSX.Element {
  const place = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (focused) place.current?.focus();
  }, [focused]);
  const lines = Math.min(mostLines, Math.max(leastLines, value.split('\n').length));
  return (
    <Field label={label} hint={hint}>
      {(id, described) => (
        <textarea
          ref={place}
          id={id}
          aria-describedby={described}
          dir="auto"
          rows={lines}
          value={value}
          onInput={({ currentTarget }) => onChange(currentTarget.value)}
        />
      )}
    </Field>
  );
}

/** What may be wider than the page: scrolled by keys too. */
export const Scroller = ({
  children,
  label,
}: {
  readonly label: string;
  readonly children: ComponentChildren;
}): JSX.Element => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex lint/a11y/useSemanticElements: what scrolls has to be reached by keys
  <div class="scroll" tabIndex={0} role="group" aria-label={label}>
    {children}
  </div>
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
