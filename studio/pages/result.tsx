/** "Did it work?": the report's own sections, from report.json, so that the page and report.html say the same. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { ReportContent } from '../../src/report/content.ts';
import { headlineOf, type Tone } from '../../src/report/headline.ts';
import { answersSection } from '../../src/report/sections/answers.ts';
import { forgottenSection } from '../../src/report/sections/inside.ts';
import { plotsOf, resultSection } from '../../src/report/sections/result.ts';
import { words as reportWords } from '../../src/report/words.ts';
import { api, type Settings } from '../api.ts';
import { Chart } from '../chart.tsx';
import { Busy, FaultNotice, Notice } from '../parts.tsx';
import { addressOf } from '../route.ts';
import { useAsked } from '../use.ts';
import { said, w } from '../words.ts';
import type { PartProps } from './part.ts';
import { AskMore } from './result/ask-more.tsx';
import { Markup } from './result/markup.tsx';
import { Proof } from './result/proof.tsx';

const contentOf = (report: Settings): ReportContent => ({
  updates: null,
  evaluation: null,
  events: [],
  run: null,
  ...report,
  repeat: { command: '', recipe: null },
  evaluate: null,
  version: '',
});

const tones: Readonly<Record<Tone, 'good' | 'bad' | 'warn' | 'plain'>> = {
  good: 'good',
  bad: 'bad',
  doubtful: 'warn',
  open: 'plain',
};

/** What takes long to make of a long run; the page is drawn again whenever its run is looked at. */
const partsOf = (content: ReportContent) => ({
  loss: plotsOf(content)[0],
  result: resultSection(content).text,
  answers: answersSection(content).text,
  forgotten: forgottenSection(content).text,
});

function Report({ name, report, run, talk }: PartProps & { readonly report: Settings }): JSX.Element {
  const content = useMemo(() => contentOf(report), [report]);
  const { lead, title, tone } = headlineOf(content);
  const { page } = reportWords;
  const { answers, forgotten, loss, result } = useMemo(() => partsOf(content), [content]);
  const words = w().result;
  return (
    <>
      <div class={`verdict ${tones[tone]}`}>
        <p class="verdict-title">{said(title)}</p>
        <p>{said(lead)}</p>
      </div>
      <p class="actions">
        {run?.result ? (
          <a class="button first" href={talk}>
            {words.talk}
          </a>
        ) : null}
        {run?.result ? (
          <a class="button" href={addressOf(['runs', name, 'export'])}>
            {words.export}
          </a>
        ) : null}
        {run?.result ? (
          <a class="button" href={addressOf(['runs', name, 'inside'])}>
            {words.inside}
          </a>
        ) : null}
        <a class="button" href={api.pageOf(name)} target="_blank" rel="noreferrer">
          {words.whole}
        </a>
      </p>
      {loss ? <Chart plot={loss} /> : null}
      <Markup title={said(page.result)} markup={result} />
      <Markup title={said(page.answers)} markup={answers} />
      <Markup title={said(page.forgotten)} markup={forgotten} />
      <Proof content={content} />
      <AskMore name={name} content={content} />
    </>
  );
}

export function Result(props: PartProps): JSX.Element {
  const { name, run } = props;
  const { again, fault, value } = useAsked(run?.hasReport ? name : null, () => api.report(name));
  if (run && !run.hasReport)
    return (
      <Notice>
        {w().result.notYet} <a href={addressOf(['runs', name])}>{w().steps.follow}</a>
      </Notice>
    );
  return (
    <>
      <FaultNotice fault={fault} again={again} />
      {value ? <Report {...props} report={value} /> : fault ? null : <Busy>{w().app.loading}</Busy>}
    </>
  );
}
