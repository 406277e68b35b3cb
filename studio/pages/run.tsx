/** A run: how it goes, whether it worked, and its result in other forms. */
import type { ComponentType, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api, type RunSummary } from '../api.ts';
import { Chart } from '../chart.tsx';
import { commandLine, libraryCall } from '../commands.ts';
import { useCurves } from '../curves.ts';
import { begins, type Followed, isOver, useFollowed } from '../follow.ts';
import { lazy } from '../lazy.tsx';
import { AsCommand, Busy, FaultNotice, fill, Notice, Page, Prose } from '../parts.tsx';
import { addressOf, type Place } from '../route.ts';
import { useAction, useSlowly } from '../use.ts';
import { day, w } from '../words.ts';
import { Notices, noticesOf, placed } from './notices.tsx';
import type { PartProps } from './part.ts';
import { Bar, Figures, progressOf } from './progress.tsx';
import { nameOfModel, StateTag } from './runs.tsx';
import { Samples, SamplesOnTheWay } from './samples.tsx';
import { Steps } from './steps.tsx';

function Actions({ look, run }: { readonly run: RunSummary; readonly look: () => void }): JSX.Element | null {
  const { act, busy, fault } = useAction();
  const [sure, ask] = useState(false);
  const words = w().run;
  const { job } = run;
  // What has failed may go on; there is nothing to stop.
  const over = isOver(run);
  if (!job || (over && !run.canGoOn)) return <FaultNotice fault={fault} />;
  const does = (action: 'pause' | 'resume' | 'cancel') => (): void =>
    void act(async () => {
      await api.act(job.id, action);
      ask(false);
      look();
    });
  return (
    <>
      <p class="actions">
        {run.state === 'paused' || over ? (
          <button type="button" class="button first" disabled={busy} onClick={does('resume')}>
            {words.resume}
          </button>
        ) : (
          <button type="button" class="button" disabled={busy} onClick={does('pause')}>
            {words.pause}
          </button>
        )}
        {over ? null : sure ? (
          <>
            <span>{words.stopSure}</span>
            <button type="button" class="button danger" disabled={busy} onClick={does('cancel')}>
              {words.stopYes}
            </button>
            <button type="button" class="button" onClick={() => ask(false)}>
              {words.stopNo}
            </button>
          </>
        ) : (
          <button type="button" class="button" disabled={busy} onClick={() => ask(true)}>
            {words.stop}
          </button>
        )}
      </p>
      <FaultNotice fault={fault} />
    </>
  );
}

/** How often curves that grow are drawn. */
const drawMilliseconds = 4000;

function Follow({ followed, name }: { readonly followed: Followed; readonly name: string }): JSX.Element {
  const words = w().run;
  const { events, look, run } = followed;
  // A chart is what takes most of a page's time: of a run that goes on it is drawn now and then, while one begins as it comes.
  const drawn = useSlowly(events, drawMilliseconds, run === null || isOver(run) || begins(events));
  const [loss, ...others] = useCurves(drawn);
  if (!run) return <>{followed.fault ? null : <Busy>{w().app.loading}</Busy>}</>;
  const progress = progressOf(events);
  const over = isOver(run);
  const notices = noticesOf(events);
  return (
    <>
      <Actions run={run} look={look} />
      {run.fault ? (
        <section aria-label={words.error}>
          <Notice tone="bad">
            <Prose text={run.fault} />
          </Notice>
        </section>
      ) : null}
      {run.verdict ? (
        <Notice tone="bad">
          <Prose text={run.verdict} />
        </Notice>
      ) : null}
      {over && run.hasReport ? (
        <p class="next">
          <a class="button first" href={addressOf(['runs', name, 'result'])}>
            {words.result}
          </a>
        </p>
      ) : null}
      {progress.steps > 0 ? <Bar {...progress} /> : null}
      {over || run.state === 'paused' ? null : (
        <p class="note" role="status">
          {progress.step === 0 ? words.waiting : words.closing}
        </p>
      )}
      <Figures events={events} progress={progress} over={over} />
      {loss ? (
        <Chart plot={loss} marks={placed(notices).map(({ step }) => step!)} />
      ) : (
        <p class="note">{words.noLoss}</p>
      )}
      {others.length > 0 ? (
        <div class="pair">
          {others.map((plot) => (
            <Chart key={plot.id} plot={plot} />
          ))}
        </div>
      ) : null}
      <SamplesOnTheWay events={events} />
      <Samples events={events} />
      <Notices notices={notices} />
      <AsCommand
        command={`${commandLine('runs', [], {})}\n${commandLine('tune', [], { resume: `runs/${name}` })}`}
        program={libraryCall(
          'openRun',
          {},
          'for await (const event of result.events({ follow: true })) console.log(event);',
        ).replace('openRun({\n})', `openRun('runs/${name}')`)}
      />
    </>
  );
}

/** Each is fetched when it is gone to: whoever follows a run needs none of them. */
const parts: Readonly<Record<string, ComponentType<PartProps>>> = {
  result: lazy(async () => (await import('./result.tsx')).Result),
  export: lazy(async () => (await import('./export.tsx')).Export),
  inside: lazy(async () => (await import('./inside.tsx')).Inside),
};

export function Run({ place }: { readonly place: Place }): JSX.Element {
  const [, name = '', part = ''] = place.path;
  const followed = useFollowed(name);
  const { run } = followed;
  const words = w();
  const Part = Object.hasOwn(parts, part) ? parts[part]! : null;
  const at = (...more: readonly string[]): string => addressOf(['runs', name, ...more]);
  const talk = addressOf(['chat'], {
    models: run?.result ? `${run.result.id},${nameOfModel(run.model)}` : '',
  });
  const titles: Readonly<Record<string, string>> = {
    result: words.result.title,
    export: words.exported.title,
    inside: words.inside.title,
  };
  return (
    <>
      <Steps
        now={part === 'result' || part === 'inside' ? 'result' : part === 'export' ? 'export' : 'follow'}
        to={{
          follow: at(),
          ...(run?.hasReport ? { result: at('result') } : {}),
          ...(run?.result ? { talk, export: at('export') } : {}),
        }}
      />
      <Page
        title={Part ? titles[part]! : fill(words.run.title, { name })}
        kicker={
          run ? (
            <>
              <StateTag state={run.state} />
              {Part ? <span dir="auto">{name}</span> : null}
              <span dir="auto">{fill(words.run.from, { model: run.model.split(/[/\\]/).at(-1)! })}</span>
              <span>{fill(words.run.startedOn, { when: day(run.created) })}</span>
            </>
          ) : null
        }
      >
        <FaultNotice fault={followed.fault} again={followed.look} />
        {Part ? <Part run={run} name={name} talk={talk} /> : <Follow followed={followed} name={name} />}
      </Page>
    </>
  );
}
