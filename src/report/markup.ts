/**
 * HTML as values: what is put into a template is escaped unless it is HTML itself, so that no text of a data set or a model becomes markup. Pure.
 */
const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A text as it stands in HTML, between tags and in quoted attributes. */
export const escapeHtml = (text: string | number): string => String(text).replace(/[&<>"']/g, (c) => escapes[c]!);

/** HTML that is safe to put into HTML. Made by `html` alone, but for this page's own script and style. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template: nothing (null), a text, HTML, or a list of them. */
export type Part = null | string | number | Html | readonly Part[];

function textOf(part: Part): string {
  if (part === null) return '';
  if (part instanceof Html) return part.text;
  return typeof part === 'object' ? part.map(textOf).join('') : escapeHtml(part);
}

/** A template whose parts are escaped. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  new Html(strings.reduce((text, string, i) => text + textOf(parts[i - 1]!) + string));

/** A value for a script to read, in an element that is no script: no text in it can end the element. */
export const jsonElement = (id: string, value: unknown): Html =>
  new Html(
    `<script type="application/json" id="${escapeHtml(id)}">${JSON.stringify(value).replace(/</g, '\\u003c')}</script>`,
  );
