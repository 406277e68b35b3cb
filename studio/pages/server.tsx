/** The server: how programs ask it, who may, what is open and what that costs, what was asked. */
import '../inside.css';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { bytes } from '../../src/report/figures.ts';
import { api, type StudioState } from '../api.ts';
import { Select } from '../fields.tsx';
import { Busy, Copyable, FaultNotice, fill, Page, Tiles } from '../parts.tsx';
import { type ServerState, shareApi } from '../share-api.ts';
import { Table } from '../table.tsx';
import { useAsked, useRepeated } from '../use.ts';
import { count, day, figure, w } from '../words.ts';
import { Section } from './inside/section.tsx';
import { Keys } from './share/keys.tsx';

const typescript = (address: string, model: string): string => `import OpenAI from 'openai';

const client = new OpenAI({ baseURL: '${address}', apiKey: process.env.NOMOAT_KEY });
const answer = await client.chat.completions.create({
  model: ${JSON.stringify(model)},
  messages: [{ role: 'user', content: 'Hello' }],
});
console.log(answer.choices[0].message.content);`;

const python = (address: string, model: string): string => `import os
from openai import OpenAI

client = OpenAI(base_url="${address}", api_key=os.environ["NOMOAT_KEY"])
answer = client.chat.completions.create(
    model=${JSON.stringify(model)},
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.choices[0].message.content)`;

function Snippets({ models }: Pick<StudioState, 'models'>): JSX.Element {
  const words = w().server;
  const address = `${location.origin}/v1`;
  const names = models.map(({ id }) => id);
  const [model, choose] = useState(names.at(-1) ?? 'nomoat-mini');
  return (
    <Section title={words.snippets}>
      <h3>{words.address}</h3>
      <Copyable text={address} label={words.address} />
      <div class="fields">
        <Select
          label={w().serving.snippetModel}
          value={model}
          options={names.map((name) => [name, name])}
          onChange={choose}
        />
      </div>
      <h3>TypeScript</h3>
      <Copyable text={typescript(address, model)} label="TypeScript" />
      <h3>Python</h3>
      <Copyable text={python(address, model)} label="Python" />
      <p>
        <a href="/openapi.json" target="_blank" rel="noreferrer">
          {words.docs}
        </a>
      </p>
    </Section>
  );
}

function Loaded({ contexts, memory, running, waiting }: ServerState): JSX.Element {
  const words = w().serving;
  const load = fill(words.waiting, { running: count(running), waiting: count(waiting) });
  const takes = fill(words.takes, { used: bytes(memory.used), limit: bytes(memory.limit) });
  return (
    <Section title={words.loaded} note={`${takes}; ${load}`}>
      {contexts.length === 0 ? <p class="note">{words.nothingLoaded}</p> : null}
      {contexts.length > 0 ? (
        <Table
          caption={words.loaded}
          columns={[
            [words.base],
            [words.weights, 'n'],
            [words.context, 'n'],
            [words.adapters, 'n'],
            [words.sequences, 'n'],
            [words.pace, 'n'],
            [words.slowdown, 'n'],
          ]}
          rows={contexts.map((each) => [
            each.base,
            bytes(each.baseBytes),
            bytes(each.bytes),
            count(each.adapters),
            count(each.sequences),
            each.secondsPerToken === null ? '–' : figure(1000 * each.secondsPerToken, 3),
            each.slowdown === null ? '–' : `${figure(each.slowdown, 3)} ×`,
          ])}
        />
      ) : null}
    </Section>
  );
}

function Requests({ requests }: Pick<ServerState, 'requests'>): JSX.Element {
  const words = w().serving;
  return (
    <Section title={words.requests}>
      {requests.length === 0 ? <p class="note">{words.noRequests}</p> : null}
      {requests.length > 0 ? (
        <Table
          caption={words.requests}
          columns={[
            [words.when],
            [words.route],
            [words.status, 'n'],
            [words.took, 'n'],
            [words.base],
            [words.key],
            [words.tokens, 'n'],
          ]}
          rows={requests.map(
            ({ at, completionTokens, key, method, milliseconds, model, promptTokens, route, status }) => [
              day(new Date(1000 * at).toISOString()),
              `${method} ${route}`,
              status,
              count(milliseconds),
              model ?? '–',
              key ?? '–',
              promptTokens === null ? '–' : `${count(promptTokens)}, ${count(completionTokens ?? 0)}`,
            ],
          )}
        />
      ) : null}
    </Section>
  );
}

const Models = ({ models }: Pick<StudioState, 'models'>): JSX.Element => {
  const words = w().server;
  return (
    <Section title={words.models}>
      <Table
        caption={words.models}
        columns={[[words.model], [words.size, 'n'], [words.tunedFrom]]}
        rows={models.map(({ bytes: size, id, parent }) => [id, bytes(size), parent ?? '–'])}
      />
    </Section>
  );
};

const lookMilliseconds = 3000;

export function Server(): JSX.Element {
  const words = w().server;
  const { again, fault, value } = useAsked('state', (signal) => api.state(signal));
  const server = useAsked('server', (signal) => shareApi.server(signal));
  useRepeated(server.again, lookMilliseconds);
  const memory = value?.memory;
  return (
    <Page title={words.title} lead={words.lead}>
      <FaultNotice fault={fault} again={again} />
      {value === null && !fault ? <Busy>{w().app.loading}</Busy> : null}
      {value && memory ? (
        <>
          <Tiles
            items={[
              { name: words.models, value: count(value.models.length) },
              { name: words.cores, value: count(value.cores) },
              {
                name: words.memory,
                value: bytes(memory.available),
                note: fill(words.memoryFree, { free: bytes(memory.available), total: bytes(memory.total) }),
              },
            ]}
          />
          <Keys />
          <Snippets models={value.models} />
          {server.value ? <Loaded {...server.value} /> : null}
          {server.value ? <Requests {...server.value} /> : null}
          <Models models={value.models} />
        </>
      ) : null}
    </Page>
  );
}
