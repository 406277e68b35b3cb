/**
 * What models write, with its code and its emphasis. Promises: nothing of it becomes markup of the page, no address in it is asked or can be followed by
 * mistake. A small part of Markdown: fences, code, bold, emphasis, headings and lists; the rest is text as it is.
 */
import type { ComponentChildren, JSX } from 'preact';
import { Copyable, Foreign, mostShown } from './parts.tsx';

const inlinePattern = /(`[^`\n]+`|\*\*[^*\n]+\*\*|(?<![\w*])\*[^*\s][^*\n]*\*(?![\w*]))/;

function inline(text: string): ComponentChildren[] {
  return text.split(inlinePattern).map((part, i) => {
    if (i % 2 === 0) return part;
    if (part.startsWith('`')) return <code key={i}>{part.slice(1, -1)}</code>;
    return part.startsWith('**') ? <strong key={i}>{part.slice(2, -2)}</strong> : <em key={i}>{part.slice(1, -1)}</em>;
  });
}

/** Lines that begin like an item, in a row, are a list. */
function blocks(text: string): JSX.Element[] {
  const found: JSX.Element[] = [];
  for (const [i, paragraph] of text.split(/\n{2,}/).entries()) {
    const lines = paragraph.split('\n');
    const items = lines.map((line) => /^\s*(?:[-*+]|\d{1,3}[.)])\s+(.*)$/.exec(line)?.[1]);
    const heading = /^#{1,6}\s+(.*)$/.exec(paragraph);
    if (paragraph.trim() === '') continue;
    if (heading && lines.length === 1)
      found.push(
        <p key={i} dir="auto">
          <strong>{inline(heading[1]!)}</strong>
        </p>,
      );
    else if (items.every((item) => item !== undefined))
      found.push(
        /^\s*\d/.test(lines[0]!) ? (
          <ol key={i} dir="auto">
            {items.map((item, n) => (
              <li key={n}>{inline(item!)}</li>
            ))}
          </ol>
        ) : (
          <ul key={i} dir="auto">
            {items.map((item, n) => (
              <li key={n}>{inline(item!)}</li>
            ))}
          </ul>
        ),
      );
    else
      found.push(
        <p key={i} class="foreign" dir="auto">
          {inline(paragraph)}
        </p>,
      );
  }
  return found;
}

export function Markdown({ text }: { readonly text: string }): JSX.Element {
  // What is so long was not written to be read: it is not looked through.
  if (text.length > mostShown)
    return (
      <div class="markdown">
        <Foreign>{text}</Foreign>
      </div>
    );
  const parts = text.split(/^```[^\n]*\n([\s\S]*?)(?:^```[ \t]*$|$(?![\s\S]))/m);
  return (
    <div class="markdown">
      {parts.map((part, i) =>
        i % 2 === 1 ? <Copyable key={i} text={part.replace(/\n$/, '')} /> : <div key={i}>{blocks(part)}</div>,
      )}
    </div>
  );
}
