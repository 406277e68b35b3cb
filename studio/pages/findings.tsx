/** What should be known of data before it is learnt, by kind. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { DataFinding } from '../../src/data-checks/finding.ts';
import { type Asked, api } from '../api.ts';
import { Busy, FaultNotice, Foreign, Notice, Tag } from '../parts.tsx';
import { useAsked } from '../use.ts';
import { visible } from '../visible.ts';
import { ofLibrary } from '../words/sentences.ts';
import { count, w } from '../words.ts';

/** Findings of one kind are many: the first are enough to see what it is. */
const shownFindings = 30;
const tones = { severe: 'bad', warning: 'warn', note: 'plain' } as const;

function FindingList({ findings }: { readonly findings: readonly DataFinding[] }): JSX.Element {
  const [kind, choose] = useState<string | null>(null);
  const { data } = w();
  const kinds = [...new Set(findings.map((each) => each.kind))];
  const shown = findings.filter((each) => kind === null || each.kind === kind);
  const nameOf = (each: string): string => data.kinds[each] ?? each;
  return (
    <>
      <fieldset class="filters">
        <legend class="hidden">{data.findings}</legend>
        {[null, ...kinds].map((each) => (
          <button key={each ?? ''} type="button" aria-pressed={each === kind} onClick={() => choose(each)}>
            {each === null ? data.all : nameOf(each)}{' '}
            <small>{count(each === null ? findings.length : findings.filter((one) => one.kind === each).length)}</small>
          </button>
        ))}
      </fieldset>
      <ul class="findings">
        {shown.slice(0, shownFindings).map((finding, i) => (
          <li key={i} class={tones[finding.severity]}>
            <div class="finding-head">
              <Tag tone={tones[finding.severity]}>{data[finding.severity]}</Tag> <strong>{nameOf(finding.kind)}</strong>{' '}
              <span class="muted" dir="auto">
                {ofLibrary(finding.rule).text}
              </span>
              <span class="muted where" dir="auto">
                {finding.rows
                  .slice(0, 3)
                  .map(({ file, line }) => `${file}:${line}`)
                  .join(', ')}
                {finding.rows.length > 3 ? ' …' : ''}
              </span>
            </div>
            {finding.excerpt ? <Foreign>{visible(finding.excerpt)}</Foreign> : null}
          </li>
        ))}
      </ul>
    </>
  );
}

export function Findings({ asked }: { readonly asked: Asked }): JSX.Element {
  const { data } = w();
  const { again, busy, fault, value } = useAsked(JSON.stringify(asked), (signal) => api.inspect(asked, signal));
  return (
    <section aria-labelledby="findings-title">
      <h2 id="findings-title">{data.findings}</h2>
      {busy ? <Busy>{data.findingsBusy}</Busy> : null}
      <FaultNotice fault={fault} again={again} />
      {value ? (
        value.findings.length === 0 ? (
          <Notice tone="good">{data.noFindings}</Notice>
        ) : (
          <FindingList findings={value.findings} />
        )
      ) : null}
    </section>
  );
}
