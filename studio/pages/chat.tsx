/** Talk to a model, or to several at once. What is said stays in this browser. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, type RunSummary } from '../api.ts';
import { commandLine, libraryCall } from '../commands.ts';
import { Markdown } from '../markdown.tsx';
import { AsCommand, FaultNotice, Foreign, fill, Notice, Page, Select, Tag, TextField } from '../parts.tsx';
import { addressOf, go, type Place } from '../route.ts';
import { type Conversation, type Turn, useConversation } from '../talk.ts';
import { useAsked } from '../use.ts';
import { w } from '../words.ts';

const mostModels = 4;

function Answer({
  answer,
  model,
  single,
}: {
  readonly answer: Turn['answers'][number] | undefined;
  readonly model: string;
  readonly single: boolean;
}): JSX.Element {
  const words = w().chat;
  const { calls = [], cut, fault, text = '', thoughts = '', writing = false } = answer ?? {};
  return (
    <div class="column" aria-busy={writing}>
      {single ? null : <h3 dir="auto">{model}</h3>}
      {thoughts ? (
        <details>
          <summary>{words.thinking}</summary>
          <Foreign>{thoughts}</Foreign>
        </details>
      ) : null}
      <Markdown text={text} />
      {calls.map((call, i) => (
        <details key={i} open>
          <summary>{fill(words.calls, { name: call.name })}</summary>
          <Foreign>{call.arguments}</Foreign>
        </details>
      ))}
      {writing ? (
        <span class="busy" role="status">
          <span class="spinner" aria-hidden="true" />
          <span class="hidden">{words.writing}</span>
        </span>
      ) : null}
      {cut ? <p class="note">{words.cut}</p> : null}
      {fault ? <FaultNotice fault={fault} /> : null}
    </div>
  );
}

interface TurnsProps {
  readonly talk: Conversation;
  readonly models: readonly string[];
  readonly edit: (index: number, text: string) => void;
}

function Turns({ edit, models, talk }: TurnsProps): JSX.Element {
  const words = w().chat;
  const { busy, retry, turns } = talk;
  return (
    <div class="turns" role="log" aria-live="off">
      {turns.length === 0 ? <p class="note">{words.empty}</p> : null}
      {turns.map((turn, i) => (
        <article class="turn" key={i}>
          <div class="said">
            <h2 class="hidden">{words.you}</h2>
            <Foreign>{turn.prompt}</Foreign>
            <p class="small-actions">
              <button type="button" class="quiet" disabled={busy} onClick={() => edit(i, turn.prompt)}>
                {words.edit}
              </button>
              <button type="button" class="quiet" disabled={busy} onClick={() => retry(i)}>
                {words.retry}
              </button>
            </p>
          </div>
          <div class={`columns of-${models.length}`}>
            {models.map((model, m) => (
              <Answer key={m} model={model} answer={turn.answers[m]} single={models.length === 1} />
            ))}
          </div>
        </article>
      ))}
    </div>
  );
}

interface ComposerProps {
  readonly text: string;
  readonly set: (text: string) => void;
  readonly talk: Conversation;
  readonly ready: boolean;
}

function Composer({ ready, set, talk, text }: ComposerProps): JSX.Element {
  const words = w().chat;
  const place = useRef<HTMLTextAreaElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it grows with what is written
  useEffect(() => {
    const area = place.current;
    if (!area) return;
    area.style.height = 'auto';
    area.style.height = `${area.scrollHeight + 2}px`;
  }, [text]);
  const send = (): void => {
    if (text.trim() === '' || talk.busy || !ready) return;
    talk.send(text);
    set('');
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={place}
        rows={1}
        dir="auto"
        value={text}
        placeholder={words.placeholder}
        aria-label={words.placeholder}
        onInput={({ currentTarget }) => set(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            send();
          }
        }}
      />
      {talk.busy ? (
        <button type="button" class="button" onClick={talk.stop}>
          {words.stop}
        </button>
      ) : (
        <button type="submit" class="button first" disabled={!ready}>
          {words.send}
        </button>
      )}
    </form>
  );
}

/** The system prompt that a run's data shared: without it, the run is asked otherwise than it was taught. */
const promptOf = (model: string, runs: readonly RunSummary[]): string =>
  runs.find(({ result }) => result?.id === model)?.result?.systemPrompt ?? '';

export function Chat({ place }: { readonly place: Place }): JSX.Element {
  const words = w().chat;
  const state = useAsked('state', (signal) => api.state(signal));
  const runs = useAsked('runs', (signal) => api.runs(signal));
  const listed = (state.value?.models ?? []).map(({ id }) => id);
  const asked = (place.query.get('models') ?? '').split(',').filter(Boolean).slice(0, mostModels);
  const models = asked.length > 0 ? asked : listed.slice(0, 1);
  const [text, set] = useState('');
  const [system, setSystem] = useState<string | null>(null);
  const [temperature, setTemperature] = useState('0.7');
  const [maxTokens, setMaxTokens] = useState('256');
  const shared = models.map((model) => promptOf(model, runs.value ?? [])).find((each) => each !== '') ?? '';
  const said = system ?? shared;
  const talk = useConversation(models, {
    system: said,
    temperature: Number(temperature) || 0,
    maxTokens: Number(maxTokens) || null,
  });
  const choose = (all: readonly string[]): void => go(addressOf(['chat'], { models: all.join(',') }), true);
  const change = (i: number, model: string): void => choose(models.map((each, m) => (m === i ? model : each)));
  const edit = (index: number, prompt: string): void => {
    talk.cutAt(index);
    set(prompt);
  };
  const sampling = { temperature: Number(temperature) || 0, maxTokens: Number(maxTokens) || null };
  return (
    <Page title={words.title} lead={words.lead}>
      <FaultNotice fault={state.fault} again={state.again} />
      <div class="fields models">
        {models.map((model, i) => (
          <div key={i} class="with-remove">
            <Select
              label={fill(words.model, { n: i + 1 })}
              value={model}
              options={[...new Set([model, ...listed])].map((id) => [id, id])}
              onChange={(each) => change(i, each)}
            />
            {models.length > 1 ? (
              <button
                type="button"
                class="quiet"
                aria-label={`${words.remove}: ${model}`}
                onClick={() => choose(models.filter((_, m) => m !== i))}
              >
                ✕
              </button>
            ) : null}
          </div>
        ))}
      </div>
      <p class="actions">
        {models.length < mostModels && listed.length > 0 ? (
          <button
            type="button"
            class="button"
            onClick={() => choose([...models, listed.find((id) => !models.includes(id)) ?? listed[0]!])}
          >
            {words.add}
          </button>
        ) : null}
        {talk.turns.length > 0 ? (
          <button type="button" class="button" onClick={() => talk.cutAt(0)}>
            {words.clear}
          </button>
        ) : null}
      </p>
      <details>
        <summary>
          {words.settings} {said ? <Tag>{words.system}</Tag> : null}
        </summary>
        <div class="fields">
          <TextField label={words.system} hint={words.systemNote} value={said} onChange={setSystem} />
          <TextField
            label={words.temperature}
            hint={words.temperatureNote}
            value={temperature}
            inputMode="decimal"
            onChange={setTemperature}
          />
          <TextField label={words.maxTokens} value={maxTokens} inputMode="numeric" onChange={setMaxTokens} />
        </div>
      </details>
      {models.length === 0 && state.value ? <Notice>{words.noModel}</Notice> : null}
      <Turns talk={talk} models={models} edit={edit} />
      <Composer text={text} set={set} talk={talk} ready={models.length > 0} />
      <AsCommand
        command={models.map((model) => commandLine('chat', [model], { system: said, ...sampling })).join('\n')}
        program={`${libraryCall('openModel', { model: models[0] ?? '' }).replace('const result', 'const model')}\nconst { text } = await model.generate([{ role: 'user', content: ${JSON.stringify(talk.turns.at(-1)?.prompt ?? 'Hello')} }], ${JSON.stringify(sampling)});`}
      />
    </Page>
  );
}
