/** Files that were written, with what should be known of them. */
import type { JSX } from 'preact';
import type { Exported } from '../../../src/library/export-run.ts';
import { Copyable, Notice } from '../../parts.tsx';
import { Notes } from '../../task-view.tsx';

/** The folder that all of them lie in, or the one file. */
function placeOf(files: readonly string[]): string {
  const [first = '', ...others] = files;
  if (others.length === 0) return first;
  const parts = first.split(/(?<=[/\\])/);
  const shared = parts.findIndex((_, i) => !others.every((file) => file.startsWith(parts.slice(0, i + 1).join(''))));
  return parts.slice(0, shared < 0 ? -1 : shared).join('');
}

export const Written = ({ files, notes, title }: Exported & { readonly title: string }): JSX.Element => {
  const place = placeOf(files);
  return (
    <>
      <Notice tone="good">
        <p>{title}</p>
        <Copyable text={place} label={title} />
        {files.length > 1 ? <p class="note">{files.map((file) => file.slice(place.length)).join(' · ')}</p> : null}
      </Notice>
      <Notes notes={notes} />
    </>
  );
};
