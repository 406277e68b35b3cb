/** Several runs, or repeats with other seeds, on one chart. */
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { RunEvent } from '../../src/events.ts';
import { eventsOf } from '../../src/report/content.ts';
import type { Plot, Point } from '../../src/report/plot.ts';
import type { RunSummary } from '../api.ts';
import { Chart } from '../chart.tsx';
import { commandLine } from '../commands.ts';
import { Select } from '../fields.tsx';
import { type Followed, useFollowedAll } from '../follow.ts';
import { AsCommand, Busy, FaultNotice, fill, Notice, Page } from '../parts.tsx';
import { addressOf, type Place } from '../route.ts';
import { spreadOf } from '../spread.ts';
import { Table } from '../table.tsx';
import { count, figure, languageNow, w } from '../words.ts';
import { StateTag } from './runs.tsx';

/** More lines nobody tells apart. */
const mostRuns = 12;

const measures = {
  validation: (events: readonly RunEvent[]): Point[] =>
    eventsOf(events, 'validation').map(({ loss, step }) => [step, loss]),
  loss: (events: readonly RunEvent[]): Point[] => eventsOf(events, 'step-end').map(({ loss, step }) => [step, loss]),
  gradient: (events: readonly RunEvent[]): Point[] =>
    eventsOf(events, 'step-end').map(({ gradientNorm, step }) => [step, gradientNorm ?? null]),
  rate: (events: readonly RunEvent[]): Point[] =>
    eventsOf(events, 'step-end').map(({ learningRate, step }) => [step, learningRate]),
  speed: (events: readonly RunEvent[]): Point[] =>
    eventsOf(events, 'step-end').map(({ step, tokensPerSecond }) => [step, tokensPerSecond]),
} as const;
type Measure = keyof typeof measures;
const measureNames = Object.keys(measures) as Measure[];

type Known = readonly { readonly run: RunSummary; readonly events: readonly RunEvent[] }[];

/** The runs of those names that something is known of, in their order. */
const knownOf = (names: readonly string[], followed: ReadonlyMap<string, Omit<Followed, 'look'>>): Known =>
  names.flatMap((name) => {
    const { events = [], run = null } = followed.get(name) ?? {};
    return run ? [{ run, events }] : [];
  });

/** One line for each run. */
function plotOf(measure: Measure, runs: Known): Plot {
  const words = w().compare;
  const same = (text: string): Plot['title'] => ({ en: text, zh: text });
  return {
    id: measure,
    title: same(words.measures[measure]!),
    xName: same(words.step),
    series: runs.map(({ events, run }) => ({
      name: same(run.name),
      points: measures[measure](events),
      dots: measure === 'validation',
    })),
  };
}

function Figures({ runs }: { readonly runs: readonly RunSummary[] }): JSX.Element {
  const words = w().compare;
  const spread = spreadOf(runs.map(({ validationAfter }) => validationAfter));
  return (
    <section aria-labelledby="figures-title">
      <h2 id="figures-title">{words.figures}</h2>
      {spread && spread.deviation !== null ? (
        <p>
          {fill(words.spread, {
            runs: count(spread.runs),
            mean: figure(spread.mean),
            deviation: figure(spread.deviation, 2),
            least: figure(spread.least),
            most: figure(spread.most),
          })}
        </p>
      ) : null}
      <Table
        caption={words.figures}
        look="compared"
        columns={[
          [w().runs.name],
          [w().runs.state],
          ...[words.seed, words.rate, words.rank, words.before, words.after].map((name) => [name, 'n'] as const),
        ]}
        rows={runs.map(({ learningRate, name, rank, seed, state, validationAfter, validationBefore }) => [
          <a href={addressOf(['runs', name])}>{name}</a>,
          <StateTag state={state} />,
          seed === null ? '–' : count(seed),
          ...[learningRate, rank, validationBefore, validationAfter].map((value) => figure(value)),
        ])}
      />
    </section>
  );
}

export function Compare({ place }: { readonly place: Place }): JSX.Element {
  const words = w().compare;
  const asked = [...new Set((place.query.get('runs') ?? '').split(',').filter(Boolean))];
  const names = asked.slice(0, mostRuns);
  const followed = useFollowedAll(names);
  const [measure, choose] = useState<Measure>('validation');
  const known = knownOf(names, followed);
  const fault = [...followed.values()].find((each) => each.fault)?.fault ?? null;
  // Long runs have many points, and each look at a run is a new value: they are made anew where events came.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the runs are those events, and its words are a language's
  const plot = useMemo(() => plotOf(measure, known), [measure, languageNow(), ...known.map(({ events }) => events)]);
  const isDrawn = plot.series.some(({ points }) => points.length > 0);
  const folders = names.map((name) => `runs/${name}`);
  return (
    <Page title={words.title} lead={words.lead}>
      <FaultNotice fault={fault} />
      {asked.length > mostRuns ? <Notice tone="warn">{fill(words.tooMany, { n: count(mostRuns) })}</Notice> : null}
      {names.length === 0 ? (
        <Notice>
          {w().runs.chooseNote} <a href={addressOf(['runs'])}>{w().app.runs}</a>
        </Notice>
      ) : null}
      {names.length > 0 && known.length === 0 && !fault ? <Busy>{w().app.loading}</Busy> : null}
      {known.length > 0 ? (
        <>
          <div class="fields">
            <Select
              label={words.measure}
              value={measure}
              options={measureNames.map((each) => [each, words.measures[each]!])}
              onChange={(each) => choose(measureNames.find((one) => one === each) ?? 'validation')}
            />
          </div>
          {isDrawn ? <Chart key={measure} plot={plot} /> : <p class="note">{w().run.noLoss}</p>}
          <Figures runs={known.map(({ run }) => run)} />
        </>
      ) : null}
      <AsCommand
        command={commandLine('runs', [], {})}
        program={`import { openRun } from 'nomoat';\n\nfor (const path of ${JSON.stringify(folders)}) {\n  for await (const event of openRun(path).events()) console.log(path, event);\n}`}
      />
    </Page>
  );
}
