/** Texts in a model card's Markdown, whatever they hold: foreign text cannot break its structure. Pure. */

/** Cells: a name and what it is. */
export type Rows = readonly (readonly [string, string | number | boolean])[];

/** The text in a table cell or a heading: no line breaks, no column borders. */
export function inline(text: string | number | boolean): string {
  const shown =
    typeof text === 'number' && !Number.isInteger(text) ? String(Number(text.toPrecision(6))) : String(text);
  return shown.replace(/\s+/g, ' ').replace(/\|/g, '\\|').trim();
}

/** A text as a code span, whatever it holds. */
export const code = (text: string): string => `\`${inline(text).replace(/`/g, "'")}\``;

/** A text as a Python literal, on one line. */
export const literal = (text: string): string => JSON.stringify(text);

/** A sentence that may name what data or models wrote: on one line, its markup none. */
export const prose = (text: string): string => inline(text).replace(/[<>[\]*_#]/g, '\\$&');

export function table(head: readonly string[], rows: readonly (readonly (string | number | boolean)[])[]): string {
  const line = (cells: readonly (string | number | boolean)[]): string => `| ${cells.map(inline).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
