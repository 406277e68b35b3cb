/** Texts in the page's two languages. Both stand in the page; the reader's choice shows one. Pure. */
import { escapeHtml, Html, html, type Part } from './markup.ts';

/** A text in English and in Chinese. */
export interface Text {
  readonly en: string;
  readonly zh: string;
}

/** Words of a program, which sentences have in backticks, as code. */
const prose = (text: string): Html[] =>
  text.split(/`([^`\n]+)`/).map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));

/** A text in both languages, or once where they agree. */
export const say = ({ en, zh }: Text): Html =>
  en === zh
    ? html`${prose(en)}`
    : html`<span class="en" lang="en">${prose(en)}</span><span class="zh" lang="zh-Hans">${prose(zh)}</span>`;

/** What the programs said, or a model wrote: it stays in its own words. */
export const verbatim = (text: string): Text => ({ en: text, zh: text });

/** A name for what has none that is seen, which the script keeps in the reader's language. */
export const label = ({ en, zh }: Text): Html =>
  new Html(`aria-label="${escapeHtml(en)}" data-label-en="${escapeHtml(en)}" data-label-zh="${escapeHtml(zh)}"`);

/** A text of data or a model: its white space kept, its direction its own, so that it orders nothing around it. */
export const foreign = (text: Part): Html => html`<div class="foreign" dir="auto">${text}</div>`;
