/** Several adapters of one base: asked together as a stack, or merged into one. What is chosen stands in the address. */
import '../inside.css';
import type { JSX } from 'preact';
import { api, type ListedModel } from '../api.ts';
import { mostModels } from '../chats.ts';
import { Check } from '../fields.tsx';
import { Busy, Copyable, FaultNotice, fill, Notice, Page } from '../parts.tsx';
import { addressOf, go, type Place } from '../route.ts';
import { joinStack } from '../stack-text.ts';
import { useAsked } from '../use.ts';
import { figure, w } from '../words.ts';
import { type Chosen, usualWeight } from './combine/chosen.ts';
import { Merge } from './combine/merge.tsx';
import { Section } from './inside/section.tsx';

const mostWeight = 2;
const step = 0.05;

function chosenIn({ query }: Place): Chosen[] {
  const weights = (query.get('weights') ?? '').split(',').map(Number);
  const ids = (query.get('adapters') ?? '').split(',').filter(Boolean);
  return ids.map((id, i) => ({ id, weight: Number.isFinite(weights[i]) ? weights[i]! : usualWeight }));
}

/** The address of a choice; other values that stand in it stay. */
function put(chosen: readonly Chosen[]): void {
  const next = new URLSearchParams(location.search);
  next.set('adapters', chosen.map(({ id }) => id).join(','));
  next.set('weights', chosen.map(({ weight }) => String(weight)).join(','));
  go(`${location.pathname}?${next}`, true);
}

interface ChoiceProps {
  readonly models: readonly ListedModel[];
  readonly chosen: readonly Chosen[];
}

function Adapters({ chosen, models }: ChoiceProps): JSX.Element {
  const words = w().combine;
  const base = models.find(({ id }) => id === chosen[0]?.id)?.parent ?? null;
  const weigh = (id: string, weight: number): void =>
    put(chosen.map((each) => (each.id === id ? { id, weight } : each)));
  return (
    <ul class="adapters">
      {models.map(({ id, parent }) => {
        const found = chosen.find((each) => each.id === id);
        const isOther = base !== null && parent !== base;
        return (
          <li key={id}>
            <Check
              value={found !== undefined}
              disabled={isOther}
              onChange={() =>
                put(found ? chosen.filter((each) => each !== found) : [...chosen, { id, weight: usualWeight }])
              }
              label={
                <>
                  <span dir="auto">{id}</span>
                  {isOther ? <small> {fill(words.otherBase, { base: parent ?? '' })}</small> : null}
                </>
              }
            />
            {found ? (
              <span class="slider">
                <input
                  type="range"
                  min={0}
                  max={mostWeight}
                  step={step}
                  value={found.weight}
                  aria-label={fill(words.weight, { name: id })}
                  onInput={({ currentTarget }) => weigh(id, Number(currentTarget.value))}
                />
                <output>{figure(found.weight, 3)}</output>
              </span>
            ) : null}
          </li>
        );
      })}
    </ul>
  );
}

function Stack({ chosen }: { readonly chosen: readonly Chosen[] }): JSX.Element {
  const words = w().combine;
  const name = joinStack(chosen.map(({ id, weight }) => ({ name: id, scale: String(weight) })));
  const talk = addressOf(['chat'], { models: [name, ...chosen.map(({ id }) => id)].slice(0, mostModels).join(',') });
  return (
    <Section title={words.stack} note={words.stackNote}>
      <h3>{words.stackName}</h3>
      <Copyable text={name} label={words.stackName} />
      <p class="actions">
        <a class="button" href={talk}>
          {words.talk}
        </a>
      </p>
    </Section>
  );
}

export function Combine({ place }: { readonly place: Place }): JSX.Element {
  const words = w().combine;
  const { again, fault, value } = useAsked('state', (signal) => api.state(signal));
  const models = (value?.models ?? []).filter(({ parent }) => parent !== null);
  const chosen = chosenIn(place);
  return (
    <Page title={words.title} lead={words.lead}>
      <FaultNotice fault={fault} again={again} />
      {value === null && !fault ? <Busy>{w().app.loading}</Busy> : null}
      {value && models.length === 0 ? <Notice>{words.none}</Notice> : null}
      {models.length > 0 ? (
        <Section title={words.choose}>
          <Adapters models={models} chosen={chosen} />
        </Section>
      ) : null}
      {chosen.length > 1 ? (
        <>
          <Stack chosen={chosen} />
          <Merge chosen={chosen} />
        </>
      ) : null}
      <p>
        <a href={addressOf(['made'])}>{w().share.toMade}</a>
      </p>
    </Page>
  );
}
