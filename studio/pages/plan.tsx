/** A model, settings, and what it takes, before anything runs. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { SettingPlan } from '../../src/plan/decide.ts';
import type { PlanReport } from '../../src/plan/plan-variants.ts';
import { lacks } from '../../src/plan/recommend.ts';
import { bytes, duration, energy, money } from '../../src/report/figures.ts';
import { type Asked, api, type Settings } from '../api.ts';
import { commandLine, libraryCall } from '../commands.ts';
import { Select, TextField } from '../fields.tsx';
import { AsCommand, Busy, FaultNotice, fill, Notice, Page, Prose, Tag } from '../parts.tsx';
import { addressOf, go, type Place } from '../route.ts';
import { useAction, useAsked } from '../use.ts';
import { said, w } from '../words.ts';
import { askedOf, useFileNames } from './data.tsx';
import { furtherNames, labelOf, mainNames, Setting } from './settings.tsx';
import { Steps } from './steps.tsx';

/** Without a held-out part nobody knows whether it worked. */
const usualSettings: Settings = { validation: 0.1 };

/** Settings stand in the address as JSON: it can be shared and gone back to. */
function settingsIn({ query }: Place): Settings {
  try {
    const given: unknown = JSON.parse(query.get('settings') ?? 'null');
    if (typeof given === 'object' && given !== null) return given as Settings;
  } catch {
    // An address that was cut: as if it had none.
  }
  // Data of preferences says how it is learnt.
  const method = query.get('method');
  return method ? { ...usualSettings, method } : usualSettings;
}

const variantNames = (): Readonly<Record<string, string>> => {
  const { plan } = w();
  return { 'as asked': plan.asAsked, faster: plan.faster, leaner: plan.leaner, better: plan.better };
};

interface CardProps {
  readonly plan: SettingPlan;
  readonly report: PlanReport;
  readonly busy: boolean;
  readonly start: () => void;
}

function PlanCard({ busy, plan, report, start }: CardProps): JSX.Element {
  const words = w().plan;
  const name = variantNames()[plan.name] ?? plan.name;
  const lacking = lacks(plan, report.room);
  const changes = Object.entries(plan.changes);
  const recommended = report.recommended === plan.name;
  return (
    <article class={`plan ${recommended ? 'recommended' : ''}`} aria-label={name}>
      <h3>
        {name} {recommended ? <Tag tone="good">{words.recommended}</Tag> : null}
      </h3>
      <dl>
        <div class="large">
          <dt>{words.time}</dt>
          <dd>{said(duration(plan.seconds))}</dd>
        </div>
        <div>
          <dt>{words.memory}</dt>
          <dd>{bytes(plan.peakMemoryBytes)}</dd>
        </div>
        <div>
          <dt>{words.energy}</dt>
          <dd>{energy(plan.kilowattHours)}</dd>
        </div>
        <div>
          <dt>{words.money}</dt>
          <dd>{money(plan.energyCost)}</dd>
        </div>
        <div>
          <dt>{words.rented}</dt>
          <dd>{money(plan.rentedCost)}</dd>
        </div>
      </dl>
      <p class="note" dir="auto">
        {changes.length === 0
          ? words.unchanged
          : fill(words.changes, {
              all: changes
                .map(([key, value]) => `${labelOf(key)} ${Array.isArray(value) ? value.join(', ') : String(value)}`)
                .join('; '),
            })}
      </p>
      {lacking ? <Tag tone="warn">{lacking === 'disk' ? words.lacksDisk : words.lacksMemory}</Tag> : null}
      <button
        type="button"
        class={`button ${recommended ? 'first' : ''}`}
        disabled={busy}
        aria-label={fill(words.startPlan, { name })}
        onClick={start}
      >
        {busy ? words.starting : words.start}
      </button>
    </article>
  );
}

function Plans({
  asked,
  form: { name, seeds },
  report,
}: {
  readonly report: PlanReport;
  readonly asked: Asked;
  readonly form: Form;
}): JSX.Element {
  const { act, busy, fault } = useAction();
  const words = w().plan;
  const { perHour, perKilowattHour, watts } = report.prices;
  const start = (plan: SettingPlan): void =>
    void act(async () => {
      const repeats = Number(seeds);
      const { run, runs } = await api.start({
        ...asked,
        settings: { ...asked.settings, ...plan.changes },
        name: name.trim() === '' ? null : name,
        seeds: repeats > 1 ? repeats : null,
      });
      go(runs.length > 1 ? addressOf(['compare'], { runs: runs.join(',') }) : addressOf(['runs', run]));
    });
  return (
    <section aria-labelledby="plans-title">
      <h2 id="plans-title">{words.plans}</h2>
      {report.chosen ? (
        <Notice>
          <Prose text={report.chosen} />
        </Notice>
      ) : null}
      {report.notes.map((note) => (
        <Notice key={note} tone="warn">
          <Prose text={note} />
        </Notice>
      ))}
      {report.recommended === null ? (
        <Notice tone="bad">
          <Prose text={report.advice} />
        </Notice>
      ) : null}
      <FaultNotice fault={fault} />
      <div class="plans">
        {report.plans.map((plan) => (
          <PlanCard key={plan.name} plan={plan} report={report} busy={busy} start={() => start(plan)} />
        ))}
      </div>
      <p class="note">{fill(words.pricesNote, { watts, price: perKilowattHour, rent: perHour })}</p>
    </section>
  );
}

interface Form {
  readonly name: string;
  /** How many repeats, as it was typed. */
  readonly seeds: string;
  readonly settings: Settings;
}

function Fields({
  change,
  form,
  place,
}: {
  readonly form: Form;
  readonly change: (form: Form) => void;
  readonly place: Place;
}): JSX.Element {
  const words = w().plan;
  const state = useAsked('state', (signal) => api.state(signal));
  const schema = useAsked('settings', () => api.settings());
  const { model } = askedOf(place, state.value?.models ?? []);
  const schemas = schema.value?.properties ?? {};
  const setting = (name: string): JSX.Element | null => {
    const each = schemas[name];
    return each ? (
      <Setting
        key={name}
        name={name}
        schema={each}
        settings={form.settings}
        change={(settings) => change({ ...form, settings })}
      />
    ) : null;
  };
  return (
    <>
      <FaultNotice
        fault={state.fault ?? schema.fault}
        again={() => {
          state.again();
          schema.again();
        }}
      />
      <div class="fields">
        <Select
          label={words.model}
          value={model}
          options={(state.value?.models ?? []).map(({ id }) => [id, id])}
          onChange={(each) => go(addressOf(['plan'], { ...Object.fromEntries(place.query), model: each }), true)}
          more={<a href={addressOf(['pull'])}>{words.getModel}</a>}
        />
        <TextField
          label={words.name}
          hint={words.nameHint}
          value={form.name}
          onChange={(name) => change({ ...form, name })}
        />
        <TextField
          label={words.seeds}
          hint={words.seedsNote}
          value={form.seeds}
          inputMode="numeric"
          placeholder="1"
          onChange={(seeds) => change({ ...form, seeds })}
        />
      </div>
      <h2>{words.main}</h2>
      <p class="note">{words.chosen}</p>
      <div class="fields">{mainNames.map(setting)}</div>
      <details>
        <summary>
          {words.all} <small>{words.allNote}</small>
        </summary>
        <div class="fields">{furtherNames(schemas).map(setting)}</div>
      </details>
    </>
  );
}

export function Plan({ place }: { readonly place: Place }): JSX.Element {
  const words = w().plan;
  const state = useAsked('state', (signal) => api.state(signal));
  const [form, change] = useState<Form>({
    name: place.query.get('name') ?? '',
    seeds: place.query.get('seeds') ?? '',
    settings: settingsIn(place),
  });
  const query = Object.fromEntries(place.query);
  const reading = askedOf(place, state.value?.models ?? []);
  const names = useFileNames(reading.data);
  const asked: Asked = { ...reading, settings: { ...reading.settings, ...settingsIn(place) } };
  // What was asked for stands in the address; the fields may be further.
  const isAsked = place.query.has('settings') && state.value !== null;
  const report = useAsked(isAsked ? JSON.stringify(asked) : null, (signal) => api.plan(asked, signal));
  const make = (): void => {
    go(
      addressOf(['plan'], { ...query, name: form.name, seeds: form.seeds, settings: JSON.stringify(form.settings) }),
      true,
    );
    if (place.query.get('settings') === JSON.stringify(form.settings)) report.again();
  };
  const given = { model: asked.model, ...reading.settings, ...form.settings };
  if (reading.data.length === 0)
    return (
      <Page title={words.title} lead={words.lead}>
        <Notice>
          {words.noData} <a href={addressOf([])}>{words.begin}</a>
        </Notice>
      </Page>
    );
  return (
    <>
      <Steps now="plan" to={{ data: addressOf(['data'], query) }} />
      <Page title={words.title} lead={words.lead} kicker={<span dir="auto">{names.join(', ')}</span>}>
        <Fields form={form} change={change} place={place} />
        <p class="next">
          <button type="button" class="button first" disabled={report.busy || state.value === null} onClick={make}>
            {words.make}
          </button>
        </p>
        {report.busy ? <Busy>{words.planning}</Busy> : null}
        <FaultNotice fault={report.fault} again={report.again} />
        {report.value && !report.busy ? <Plans report={report.value} asked={asked} form={form} /> : null}
        <AsCommand
          command={`${commandLine('plan', names, given)}\n${commandLine('tune', names, { ...given, seeds: Number(form.seeds) > 1 ? form.seeds : null })}`}
          program={libraryCall(
            'tune',
            { data: names, ...given },
            'for await (const event of result) console.log(event.type);',
          )}
        />
      </Page>
    </>
  );
}
