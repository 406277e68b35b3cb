/** One of the files that were dropped here, or what stands for none. */
import type { JSX } from 'preact';
import { api } from '../../api.ts';
import { Select } from '../../fields.tsx';
import { useAsked } from '../../use.ts';

interface FileChoiceProps {
  readonly label: string;
  readonly value: string;
  /** What an empty value is called; null where a file has to be chosen. */
  readonly none: string | null;
  readonly onChange: (id: string) => void;
}

export function FileChoice({ label, none, onChange, value }: FileChoiceProps): JSX.Element {
  const { value: files } = useAsked('files', () => api.files());
  const listed = (files ?? []).map(({ filename, id }) => [id, filename] as const);
  return (
    <Select
      label={label}
      value={value}
      options={[...(none === null ? [['', '–'] as const] : [['', none] as const]), ...listed]}
      onChange={onChange}
    />
  );
}
