/** Questions and answers, a row each. */
import type { JSX } from 'preact';
import { mostWritten, pastedRows, type TableRow, withRoom } from '../../hand-written.ts';
import { fill } from '../../parts.tsx';
import { count, w } from '../../words.ts';

interface TableProps {
  readonly rows: readonly TableRow[];
  readonly change: (rows: readonly TableRow[]) => void;
}

const linesOf = (text: string): number => Math.min(8, Math.max(1, text.split('\n').length));

export function Table({ change, rows }: TableProps): JSX.Element {
  const words = w().make;
  const shown = withRoom(rows);
  const set = (i: number, part: Partial<TableRow>): void =>
    change(withRoom(shown.map((row, n) => (n === i ? { ...row, ...part } : row))).slice(0, mostWritten));
  /** Cells of a spreadsheet become rows from here on. */
  const paste =
    (i: number) =>
    (event: ClipboardEvent): void => {
      const pasted = pastedRows(event.clipboardData?.getData('text/plain') ?? '');
      if (pasted === null) return;
      event.preventDefault();
      change(withRoom([...shown.slice(0, i), ...pasted, ...shown.slice(i + 1)]).slice(0, mostWritten));
    };
  const cell = (i: number, name: 'prompt' | 'completion'): JSX.Element => (
    <textarea
      dir="auto"
      rows={linesOf(shown[i]![name])}
      value={shown[i]![name]}
      placeholder={name === 'prompt' ? words.question : words.answer}
      aria-label={fill(name === 'prompt' ? words.questionOf : words.answerOf, { n: count(i + 1) })}
      onInput={({ currentTarget }) => set(i, { [name]: currentTarget.value })}
      onPaste={paste(i)}
    />
  );
  return (
    <>
      <p class="note">{words.tableNote}</p>
      <ol class="written">
        {shown.map((_, i) => (
          <li key={i}>
            <span class="number" aria-hidden="true">
              {count(i + 1)}
            </span>
            {cell(i, 'prompt')}
            {cell(i, 'completion')}
            <button
              type="button"
              class="quiet"
              disabled={i === shown.length - 1}
              aria-label={fill(words.removeRow, { n: count(i + 1) })}
              onClick={() => change(shown.filter((__, n) => n !== i))}
            >
              ✕
            </button>
          </li>
        ))}
      </ol>
    </>
  );
}
