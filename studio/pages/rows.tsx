/** Rows as tokens, and rows that are refused. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Preview } from '../../src/library/preview.ts';
import type { PreviewedAnswer, PreviewedRow } from '../../src/tokens/preview.ts';
import { fill, Notice, Prose } from '../parts.tsx';
import { Table } from '../table.tsx';
import { visible } from '../visible.ts';
import { count, plural, w } from '../words.ts';

/** Of a row at once, from its beginning and its end: each token is an element, and a page shows a hundred rows. */
const mostTokens = 600;

function Tokens({ pieces }: Pick<PreviewedAnswer, 'pieces'>): JSX.Element {
  const [whole, show] = useState(false);
  const left = whole ? 0 : Math.max(0, pieces.length - mostTokens);
  const tail = Math.ceil((pieces.length + left) / 2);
  const token = ({ supervised, text, weight }: PreviewedAnswer['pieces'][number], i: number): JSX.Element =>
    supervised ? (
      <b key={i} title={weight === undefined ? undefined : `×${weight}`}>
        {visible(text)}
      </b>
    ) : (
      <i key={i}>{visible(text)}</i>
    );
  return (
    <div class="tokens foreign" dir="auto">
      {pieces.slice(0, left > 0 ? tail - left : undefined).map(token)}
      {left > 0 ? (
        <p>
          <button type="button" class="button" onClick={() => show(true)}>
            {fill(w().data.allTokens, { n: count(pieces.length) })}
          </button>
        </p>
      ) : null}
      {left > 0 ? pieces.slice(tail).map(token) : null}
    </div>
  );
}

export function Row({ index, row }: { readonly row: PreviewedRow; readonly index: number }): JSX.Element {
  const { data } = w();
  const learnt = row.supervised.reduce((sum, each) => sum + each, 0);
  return (
    <article class="example">
      <h3>
        {fill(data.row, { n: count(index + 1) })} · {plural(row.tokens.length, data.rowTokens)} ·{' '}
        {fill(data.rowLearnt, { n: count(learnt) })}
      </h3>
      <Tokens pieces={row.pieces} />
      {row.rejected ? (
        <>
          <h4>{data.rejected}</h4>
          <Tokens pieces={row.rejected.pieces.slice(row.rejected.pieces.findIndex(({ supervised }) => supervised))} />
        </>
      ) : null}
    </article>
  );
}

export function Refused({ counts, remedy }: Pick<Preview, 'counts' | 'remedy'>): JSX.Element | null {
  const { data } = w();
  if (counts.refusedRows === 0) return null;
  return (
    <section aria-labelledby="refused-title">
      <h2 id="refused-title">{data.refusedTitle}</h2>
      {remedy ? (
        <Notice tone="warn">
          <Prose text={remedy} />
        </Notice>
      ) : null}
      <Table
        caption={data.refusedTitle}
        columns={[[data.where], [data.why]]}
        rows={counts.refused.map(({ reason, source }) => [`${source.file}:${source.line}`, <Prose text={reason} />])}
      />
    </section>
  );
}
