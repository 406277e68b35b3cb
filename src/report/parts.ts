/** Parts that several sections are made of. Pure. */
import { type Html, html, type Part } from './markup.ts';
import { label, say, type Text } from './say.ts';
import { words } from './words.ts';

/** A column: its head, and whether it holds figures. */
export interface Column {
  readonly name: Text;
  readonly figures?: boolean;
}

const cell = ({ figures = false }: Column): Html => (figures ? html` class="n"` : html``);
/** Columns from which on a phone shows each row as a block, its cells with the names of their columns, since a thumb would have to scroll. */
const stackedColumns = 4;

/**
 * A table. The first cell of each row is its head. What is wider than a phone is shown there as blocks, or scrolls by itself where `scrolls`.
 * Roles, since what is shown as blocks has lost a table's meaning.
 */
export function table(
  name: Text,
  columns: readonly Column[],
  rows: readonly (readonly Part[])[],
  scrolls = false,
): Html {
  const head = columns.map(
    (column) => html`<th role="columnheader" scope="col"${cell(column)}>${say(column.name)}</th>`,
  );
  const cells = (parts: readonly Part[]): Html[] =>
    parts.map((part, i) => {
      const column = columns[i + 1]!;
      return html`<td role="cell"${cell(column)} data-en="${column.name.en}" data-zh="${column.name.zh}">${part}</td>`;
    });
  const body = rows.map(
    ([first, ...rest]) => html`<tr role="row"><th role="rowheader" scope="row">${first!}</th>${cells(rest)}</tr>`,
  );
  const stacks = columns.length >= stackedColumns && !scrolls ? html` class="stacks"` : null;
  return html`<div class="scroll" tabindex="0" role="group" ${label(name)}><table role="table"${stacks}><thead role="rowgroup"><tr role="row">${head}</tr></thead><tbody role="rowgroup">${body}</tbody></table></div>`;
}

/** Names and what they are: rows without an absent value. */
export const facts = (rows: readonly (readonly [name: Text, value: Part | undefined])[]): Html =>
  html`<dl class="facts">${rows.map(([name, value]) => (value === undefined || value === null ? null : html`<div><dt>${say(name)}</dt><dd>${value}</dd></div>`))}</dl>`;

/** A few large figures. */
export const tiles = (items: readonly { readonly name: Text; readonly value: Part; readonly note?: Part }[]): Html =>
  html`<dl class="tiles">${items.map(({ name, note, value }) => html`<div><dt>${say(name)}</dt><dd><b>${value}</b>${note === undefined ? null : html`<small>${note}</small>`}</dd></div>`)}</dl>`;

/** A text that can be copied. */
export const copyable = (id: string, text: string): Html =>
  html`<div class="code"><pre id="${id}" tabindex="0">${text}</pre><button type="button" data-copy="${id}"><span class="copy">${say(words.page.copy)}</span><span class="copied">${say(words.page.copied)}</span></button></div>`;

/** More than most want to see. */
export const folded = (summary: Text, content: Part): Html =>
  html`<details><summary>${say(summary)}</summary>${content}</details>`;

/** A part of a section with its heading. */
export const part = (title: Text, content: Part): Html => html`<h3>${say(title)}</h3>${content}`;

/** A paragraph. */
export const note = (text: Text): Html => html`<p class="note">${say(text)}</p>`;
