/** "Did it work?": the report's own sections, from report.json, so that the page and report.html say the same. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ReportContent } from '../../src/report/content.ts';
import { headlineOf, type Tone } from '../../src/report/headline.ts';
import { answersSection } from '../../src/report/sections/answers.ts';
import { forgottenSection } from '../../src/report/sections/inside.ts';
import { plotsOf, resultSection } from '../../src/report/sections/result.ts';
import { words as reportWords } from '../../src/report/words.ts';
import { api, type RunSummary, type Settings } from '../api.ts';
import { Chart } from '../chart.tsx';
import { commandLine, libraryCall } from '../commands.ts';
import { useLook } from '../look.ts';
import { AsCommand, Busy, FaultNotice, Notice } from '../parts.tsx';
import { addressOf } from '../route.ts';
import { useAsked } from '../use.ts';
import { said, w } from '../words.ts';

export interface PartProps {
  readonly run: RunSummary | null;
  readonly name: string;
  /** Where the result is talked to. */
  readonly talk: string;
}

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

/** Markup of the report: what is put into it is escaped by `html`, and what it does when it is pressed is done here. */
function Section({ markup, title }: { readonly markup: string; readonly title: string }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const [shown, show] = useState('all');
  const look = useLook();
  // biome-ignore lint/correctness/useExhaustiveDependencies: other words are other names
  useEffect(() => {
    const all = (query: string): HTMLElement[] => [...(place.current?.querySelectorAll<HTMLElement>(query) ?? [])];
    const suffix = document.documentElement.lang === 'en' ? 'labelEn' : 'labelZh';
    for (const each of all('[data-label-en]')) each.setAttribute('aria-label', each.dataset[suffix] ?? '');
    for (const button of all('[data-show]'))
      button.setAttribute('aria-pressed', String(button.dataset['show'] === shown));
    for (const example of all('[data-outcome]'))
      example.hidden = shown !== 'all' && example.dataset['outcome'] !== shown;
    // Plots are drawn beside this, from the same values.
    for (const figure of all('figure.plot .canvas')) figure.remove();
  }, [markup, shown, look]);
  const press = ({ target }: MouseEvent): void => {
    const button = target instanceof Element ? target.closest<HTMLElement>('[data-show]') : null;
    if (button) show(button.dataset['show'] ?? 'all');
  };
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      {/* biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents lint/security/noDangerouslySetInnerHtml: buttons inside are pressed by keys too; the markup is the report's */}
      <div class="report" ref={place} onClick={press} dangerouslySetInnerHTML={{ __html: markup }} />
    </section>
  );
}

function Report({ name, report, run, talk }: PartProps & { readonly report: Settings }): JSX.Element {
  const content = contentOf(report);
  const { lead, title, tone } = headlineOf(content);
  const { page } = reportWords;
  const [loss] = plotsOf(content);
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
        <a class="button" href={api.pageOf(name)} target="_blank" rel="noreferrer">
          {words.whole}
        </a>
      </p>
      {loss ? <Chart plot={loss} /> : null}
      <Section title={said(page.result)} markup={resultSection(content).text} />
      <Section title={said(page.answers)} markup={answersSection(content).text} />
      {content.evaluation ? <Section title={said(page.forgotten)} markup={forgottenSection(content).text} /> : null}
      <AsCommand
        command={commandLine('eval', [`runs/${name}`], { data: 'test.jsonl' })}
        program={libraryCall('evaluate', { models: [`runs/${name}`], data: 'test.jsonl' })}
      />
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
