/** Fields of forms, each with its label. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

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

interface CheckProps {
  readonly label: ComponentChildren;
  readonly value: boolean;
  readonly onChange: (value: boolean) => void;
  readonly disabled?: boolean;
}

export const Check = ({ disabled = false, label, onChange, value }: CheckProps): JSX.Element => (
  <label class="check">
    <input
      type="checkbox"
      checked={value}
      disabled={disabled}
      onChange={({ currentTarget }) => onChange(currentTarget.checked)}
    />
    <span>{label}</span>
  </label>
);
