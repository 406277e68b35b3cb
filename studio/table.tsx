/** Tables, and what else may be wider than the page. */
import type { ComponentChildren, JSX } from 'preact';

interface ScrollerProps {
  readonly label: string;
  readonly children: ComponentChildren;
}

/** What may be wider than the page: scrolled by keys too. */
export const Scroller = ({ children, label }: ScrollerProps): JSX.Element => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex lint/a11y/useSemanticElements: what scrolls has to be reached by keys
  <div class="scroll" tabIndex={0} role="group" aria-label={label}>
    {children}
  </div>
);

/** Its name, and how it stands: `n` of figures, `wide` where there is room. */
type Column = readonly [name: ComponentChildren, look?: string];

interface TableProps {
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly ComponentChildren[])[];
  /** Which column names the row. */
  readonly heading?: number;
  readonly look?: string;
}

/** A table that scrolls by itself. */
export const Table = ({ caption, columns, heading = 0, look, rows }: TableProps): JSX.Element => (
  <Scroller label={caption}>
    <table class={look}>
      <caption class="hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map(([name, kind], c) => (
            <th scope="col" key={c} class={kind}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, i) => (
          <tr key={i}>
            {row.map((cell, c) =>
              c === heading ? (
                <th scope="row" dir="auto" key={c}>
                  {cell}
                </th>
              ) : (
                <td key={c} dir="auto" class={columns[c]?.[1]}>
                  {cell}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  </Scroller>
);
