/** Rows as tokens, and rows that are refused. */
import type { JSX } from 'preact';
import type { Preview } from '../../src/library/preview.ts';
import type { PreviewedAnswer, PreviewedRow } from '../../src/tokens/preview.ts';
import { Foreign, fill, Notice, Prose } from '../parts.tsx';
import { visible } from '../visible.ts';
import { count, plural, w } from '../words.ts';

const Tokens = ({ pieces }: Pick<PreviewedAnswer, 'pieces'>): JSX.Element => (
  <div class="tokens foreign" dir="auto">
    {pieces.map(({ supervised, text, weight }, i) =>
      supervised ? (
        <b key={i} title={weight === undefined ? undefined : `×${weight}`}>
          {visible(text)}
        </b>
      ) : (
        <i key={i}>{visible(text)}</i>
      ),
    )}
  </div>
);

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
  if (counts.refusedRows === 0) return null;
  return (
    <section aria-labelledby="refused-title">
      <h2 id="refused-title">{w().data.refusedTitle}</h2>
      {remedy ? (
        <Notice tone="warn">
          <Prose text={remedy} />
        </Notice>
      ) : null}
      <div class="scroll">
        <table>
          <tbody>
            {counts.refused.map(({ reason, source }, i) => (
              <tr key={i}>
                <th scope="row" dir="auto">
                  {source.file}:{source.line}
                </th>
                <td>
                  <Foreign>{reason}</Foreign>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
