/** Which models are talked to, alone or with adapters on top of each other, and how they are asked. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ListedModel } from '../../api.ts';
import { type KeptChat, mostModels } from '../../chats.ts';
import { Check, Select, TextArea, TextField } from '../../fields.tsx';
import { fill } from '../../parts.tsx';
import { joinStack, type StackPart, splitStack } from '../../stack-text.ts';
import { w } from '../../words.ts';

interface StackProps {
  readonly value: string;
  readonly title: string;
  readonly models: readonly ListedModel[];
  readonly change: (value: string) => void;
  readonly remove: (() => void) | null;
}

/** A model, or several adapters of one base with how much each counts. */
function Stack({ change, models, remove, title, value }: StackProps): JSX.Element {
  const words = w().chat;
  const listed = models.map(({ id }) => id);
  const parts = splitStack(value, listed);
  const set = (i: number, part: StackPart | null): void =>
    change(joinStack(parts.flatMap((each, n) => (n === i ? (part ?? []) : each))));
  const more = models.filter(({ id, parent }) => parent !== null && !parts.some(({ name }) => name === id));
  const isTuned = models.some(({ id, parent }) => parent !== null && id === parts[0]?.name);
  return (
    <fieldset class="stack">
      <legend class="hidden">{title}</legend>
      {parts.map(({ name, scale }, i) => (
        <div key={i} class="with-remove">
          <Select
            label={i === 0 ? title : words.onTop}
            value={name}
            options={[...new Set([name, ...(i === 0 ? listed : more.map(({ id }) => id))])].map((id) => [id, id])}
            onChange={(each) => set(i, { name: each, scale })}
          />
          {parts.length > 1 ? (
            <div class="scale">
              <TextField
                label={words.scale}
                value={scale}
                inputMode="decimal"
                onChange={(text) => set(i, { name, scale: text })}
              />
            </div>
          ) : null}
          {i > 0 || remove ? (
            <button
              type="button"
              class="quiet"
              aria-label={`${words.remove}: ${name}`}
              onClick={() => (i === 0 && remove ? remove() : set(i, null))}
            >
              ✕
            </button>
          ) : null}
        </div>
      ))}
      {isTuned && more.length > 0 && parts.length < mostModels ? (
        <button
          type="button"
          class="quiet"
          onClick={() => change(joinStack([...parts, { name: more[0]!.id, scale: '1' }]))}
        >
          {words.stack}
        </button>
      ) : null}
    </fieldset>
  );
}

interface ModelsProps {
  readonly chat: KeptChat;
  readonly models: readonly ListedModel[];
  readonly choose: (models: readonly string[]) => void;
  readonly blind: (blind: boolean) => void;
}

export function Models({ blind, chat, choose, models }: ModelsProps): JSX.Element {
  const words = w().chat;
  const chosen = chat.models;
  const next = models.find(({ id }) => !chosen.includes(id)) ?? models[0];
  return (
    <>
      <div class="fields models">
        {chosen.map((model, i) => (
          <Stack
            key={i}
            title={fill(words.model, { n: i + 1 })}
            value={model}
            models={models}
            change={(value) => choose(chosen.map((each, m) => (m === i ? value : each)))}
            remove={chosen.length > 1 ? () => choose(chosen.filter((_, m) => m !== i)) : null}
          />
        ))}
      </div>
      <p class="actions">
        {chosen.length < mostModels && next ? (
          <button type="button" class="button" onClick={() => choose([...chosen, next.id])}>
            {words.add}
          </button>
        ) : null}
        {chosen.length > 1 ? <Check label={words.blind} value={chat.blind} onChange={blind} /> : null}
      </p>
    </>
  );
}

interface AskingProps {
  readonly chat: KeptChat;
  readonly change: (change: (chat: KeptChat) => KeptChat) => void;
}

const numberOf = (text: string): number | null =>
  text.trim() !== '' && Number.isFinite(Number(text.replace(',', '.'))) ? Number(text.replace(',', '.')) : null;
const textOf = (value: number | null): string => (value === null ? '' : String(value));

const names = ['temperature', 'topP', 'maxTokens', 'seed'] as const;

/** System prompt and sampling. */
export function Asking({ change, chat }: AskingProps): JSX.Element {
  const words = w().chat;
  const { sampling, system } = chat;
  const labels = { temperature: words.temperature, topP: words.topP, maxTokens: words.maxTokens, seed: words.seed };
  const hints = { temperature: words.temperatureNote, topP: words.topPNote, maxTokens: '', seed: words.seedNote };
  const set = (name: (typeof names)[number], text: string): void => {
    const value = numberOf(text);
    const whole = name === 'maxTokens' || name === 'seed' ? value && Math.max(0, Math.round(value)) : value;
    change((now) => ({ ...now, sampling: { ...now.sampling, [name]: name === 'temperature' ? (whole ?? 0) : whole } }));
  };
  return (
    <details>
      <summary>{system ? words.settingsSystem : words.settings}</summary>
      <div class="fields">
        <TextArea
          label={words.system}
          hint={words.systemNote}
          value={system}
          onChange={(text) => change((now) => ({ ...now, system: text }))}
        />
        {names.map((name) => (
          <NumberField
            key={name}
            label={labels[name]}
            hint={hints[name]}
            value={sampling[name]}
            onChange={(text) => set(name, text)}
          />
        ))}
      </div>
    </details>
  );
}

interface NumberProps {
  readonly label: string;
  readonly hint: string;
  readonly value: number | null;
  readonly onChange: (text: string) => void;
}

/** What is typed stays as it is: `0.` is on its way to a number. */
function NumberField({ hint, label, onChange, value }: NumberProps): JSX.Element {
  const [text, set] = useState(textOf(value));
  const type = (typed: string): void => {
    set(typed);
    onChange(typed);
  };
  return <TextField label={label} hint={hint || undefined} value={text} inputMode="decimal" onChange={type} />;
}
