/** Two minutes on the packaged model: it is asked, taught, and asked again. Each step is done by what the other pages do it with. */
import '../talk.css';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { answered } from '../answers.ts';
import { api, type RunSummary } from '../api.ts';
import { Chart } from '../chart.tsx';
import { bodyOf, emptyAnswer, type KeptAnswer, newChat, withQuestion } from '../chats.ts';
import { commandLine, libraryCall } from '../commands.ts';
import { useCurves } from '../curves.ts';
import { TextField } from '../fields.tsx';
import { isOver, useFollowed } from '../follow.ts';
import { AsCommand, Busy, FaultNotice, fill, Notice, Page, Prose } from '../parts.tsx';
import { addressOf, go, type Place } from '../route.ts';
import { useAction, useAsked } from '../use.ts';
import { count, w } from '../words.ts';
import { Answer } from './chat/answer.tsx';
import { Bar, progressOf } from './progress.tsx';
import { Row } from './rows.tsx';

const model = 'nomoat-mini';
/** Those of `nomoat quickstart`: enough passes for so small a model. */
const settings = {
  validation: 0.125,
  epochs: 6,
  batchSize: 8,
  rank: 16,
  alpha: 32,
  learningRate: 0.002,
  sequenceLength: 128,
};
const stepNames = ['ask', 'data', 'train', 'again'] as const;
type Step = (typeof stepNames)[number];
const shownRows = 3;
const question = 'play some jazz by miles davis';
/** A word, and room for a base that talks. */
const mostTokens = 32;

interface StepProps {
  readonly place: Place;
  /** Goes to a step, with what is known by then. */
  readonly next: (step: Step, more?: Readonly<Record<string, string>>) => void;
}

/** A question to one model, or to two side by side. */
function AskBox({ models }: { readonly models: readonly string[] }): JSX.Element {
  const words = w().tour;
  const [text, set] = useState(question);
  const [answers, show] = useState<readonly KeptAnswer[]>([]);
  const [busy, setBusy] = useState(false);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const ask = (): void => {
    const control = new AbortController();
    stop.current = control;
    const sampling = { temperature: 0, topP: null, seed: null, maxTokens: mostTokens };
    const chat = withQuestion({ ...newChat(models), sampling }, 0, text);
    show(models.map(emptyAnswer));
    setBusy(true);
    const put = (column: number) => (now: KeptAnswer) =>
      show((all) => all.map((each, i) => (i === column ? now : each)));
    const all = models.map(async (name, column) => {
      const body = bodyOf({ chat, place: { turn: 0, column } });
      put(column)(await answered(body, emptyAnswer(name), { signal: control.signal, show: put(column) }));
    });
    void Promise.all(all).then(() => setBusy(false));
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy && text.trim() !== '') ask();
      }}
    >
      <div class="fields">
        <TextField label={words.question} value={text} onChange={set} />
      </div>
      <p class="actions">
        <button type="submit" class="button first" disabled={busy || text.trim() === ''}>
          {words.askIt}
        </button>
      </p>
      <div class="columns" aria-live="polite">
        {answers.map((answer, i) => (
          <Answer
            key={answer.model}
            answer={answer}
            title={i === 0 && models.length > 1 ? words.tuned : words.base}
            best={false}
            writing={busy}
            think={null}
          />
        ))}
      </div>
    </form>
  );
}

const Next = ({ go: next, name }: { readonly go: () => void; readonly name: string }): JSX.Element => (
  <p class="next">
    <button type="button" class="button first" onClick={next}>
      {name}
    </button>
  </p>
);

function Ask({ next }: StepProps): JSX.Element {
  const words = w().tour;
  return (
    <>
      <AskBox models={[model]} />
      <Next go={() => next('data')} name={words.toData} />
    </>
  );
}

function Data({ next, place }: StepProps): JSX.Element {
  const words = w().tour;
  const { act, busy, fault } = useAction();
  const file = place.query.get('file') ?? '';
  const preview = useAsked(file || null, (signal) =>
    api.preview({ data: [file], model, settings: {}, rows: shownRows }, signal),
  );
  const take = (): void =>
    void act(async () => next('data', { file: (await api.makeData({ from: 'example', example: 'intents' })).file.id }));
  const train = (): void =>
    void act(async () => {
      const { run } = await api.start({ data: [file], model, settings, name: 'tour', seeds: null });
      next('train', { run });
    });
  return (
    <>
      <FaultNotice fault={fault ?? preview.fault} />
      {file === '' ? <Next go={take} name={words.take} /> : null}
      {preview.busy || busy ? <Busy>{w().app.loading}</Busy> : null}
      {preview.value ? (
        <>
          <p>{fill(words.rows, { rows: count(preview.value.counts.rows) })}</p>
          <div class="rows">
            {preview.value.rows.map((row, i) => (
              <Row key={i} row={row} index={i} />
            ))}
          </div>
          <Next go={train} name={words.train} />
        </>
      ) : null}
    </>
  );
}

function Train({ next, place }: StepProps): JSX.Element {
  const words = w().tour;
  const { events, fault, look, run } = useFollowed(place.query.get('run') ?? '');
  const progress = progressOf(events);
  const [loss] = useCurves(events);
  const over = run !== null && isOver(run);
  return (
    <>
      <FaultNotice fault={fault} again={look} />
      {progress.steps > 0 ? <Bar {...progress} /> : <Busy>{w().run.waiting}</Busy>}
      {loss ? <Chart plot={loss} /> : null}
      {over && run.result ? <Next go={() => next('again')} name={words.toAgain} /> : null}
      {over && !run.result ? (
        <Notice tone="bad">
          <Prose text={run.fault ?? run.verdict ?? w().run.states[run.state] ?? run.state} />
        </Notice>
      ) : null}
    </>
  );
}

const Links = ({ run }: { readonly run: RunSummary }): JSX.Element => {
  const words = w().tour;
  return (
    <>
      <h3>{words.more}</h3>
      <ul>
        <li>
          <a href={addressOf(['runs', run.name, 'result'])}>{words.verdict}</a>
        </li>
        <li>
          <a href={addressOf(['chat'], { models: `${run.result!.id},${model}` })}>{words.talk}</a>
        </li>
        <li>
          <a href={addressOf(['runs', run.name, 'export'])}>{words.export}</a>
        </li>
        <li>
          <a href={addressOf([])}>{words.own}</a>
        </li>
      </ul>
    </>
  );
};

function Again({ place }: StepProps): JSX.Element {
  const name = place.query.get('run') ?? '';
  const { fault, again, value } = useAsked(name, (signal) => api.run(name, signal));
  return (
    <>
      <FaultNotice fault={fault} again={again} />
      {value?.result ? (
        <>
          <AskBox models={[value.result.id, model]} />
          <Links run={value} />
        </>
      ) : null}
    </>
  );
}

const steps: Readonly<Record<Step, (props: StepProps) => JSX.Element>> = {
  ask: Ask,
  data: Data,
  train: Train,
  again: Again,
};

export function Tour({ place }: { readonly place: Place }): JSX.Element {
  const words = w().tour;
  const step = stepNames.find((name) => name === place.query.get('step')) ?? 'ask';
  const now = stepNames.indexOf(step);
  const Now = steps[step];
  const next: StepProps['next'] = (name, more = {}) =>
    go(addressOf(['tour'], { ...Object.fromEntries(place.query), ...more, step: name }));
  return (
    <Page title={words.title} lead={words.lead}>
      <ol class="tour">
        {stepNames.map((name, i) => (
          <li key={name} class={i === now ? 'now' : ''} aria-current={i === now ? 'step' : undefined}>
            <h2>
              <span class="number" aria-hidden="true">
                {i < now ? '✓' : count(i + 1)}
              </span>{' '}
              {words.steps[name]!}
            </h2>
            {i === now ? (
              <>
                <p>{words.notes[name]!}</p>
                <Now place={place} next={next} />
              </>
            ) : null}
          </li>
        ))}
      </ol>
      <AsCommand
        command={`nomoat quickstart\n${commandLine('tune', ['intents.jsonl'], { model, ...settings })}`}
        program={libraryCall(
          'tune',
          { data: ['intents.jsonl'], model, ...settings },
          'for await (const event of result) console.log(event.type);',
        )}
      />
    </Page>
  );
}
