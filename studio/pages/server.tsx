/** The server behind the page: its models, and how programs ask it. */
import type { JSX } from 'preact';
import { bytes } from '../../src/report/figures.ts';
import { api } from '../api.ts';
import { Busy, Copyable, FaultNotice, fill, Page, Tiles } from '../parts.tsx';
import { useAsked } from '../use.ts';
import { count, w } from '../words.ts';

const typescript = (address: string, model: string): string => `import OpenAI from 'openai';

const client = new OpenAI({ baseURL: '${address}', apiKey: process.env.NOMOAT_KEY });
const answer = await client.chat.completions.create({
  model: '${model}',
  messages: [{ role: 'user', content: 'Hello' }],
});
console.log(answer.choices[0].message.content);`;

const python = (address: string, model: string): string => `import os
from openai import OpenAI

client = OpenAI(base_url="${address}", api_key=os.environ["NOMOAT_KEY"])
answer = client.chat.completions.create(
    model="${model}",
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.choices[0].message.content)`;

export function Server(): JSX.Element {
  const words = w().server;
  const { again, fault, value } = useAsked('state', (signal) => api.state(signal));
  const address = `${location.origin}/v1`;
  const model = value?.models.at(-1)?.id ?? 'nomoat-mini';
  return (
    <Page title={words.title} lead={words.lead}>
      <FaultNotice fault={fault} again={again} />
      {value === null && !fault ? <Busy>{w().app.loading}</Busy> : null}
      {value ? (
        <>
          <Tiles
            items={[
              { name: words.models, value: count(value.models.length) },
              { name: words.cores, value: count(value.cores) },
              {
                name: words.memory,
                value: bytes(value.memory.available),
                note: fill(words.memoryFree, { free: bytes(value.memory.available), total: bytes(value.memory.total) }),
              },
            ]}
          />
          <section aria-labelledby="snippets-title">
            <h2 id="snippets-title">{words.snippets}</h2>
            <h3>{words.address}</h3>
            <Copyable text={address} label={words.address} />
            <p class="note">{words.key}</p>
            <Copyable text="nomoat keys add my-program" label={words.key} />
            <h3>TypeScript</h3>
            <Copyable text={typescript(address, model)} label="TypeScript" />
            <h3>Python</h3>
            <Copyable text={python(address, model)} label="Python" />
            <p>
              <a href="/openapi.json" target="_blank" rel="noreferrer">
                {words.docs}
              </a>
            </p>
          </section>
          <section aria-labelledby="models-title">
            <h2 id="models-title">{words.models}</h2>
            <div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th scope="col">{words.model}</th>
                    <th scope="col" class="n">
                      {words.size}
                    </th>
                    <th scope="col" class="wide">
                      {words.tunedFrom}
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {value.models.map(({ bytes: size, id, parent }) => (
                    <tr key={id}>
                      <th scope="row" dir="auto">
                        {id}
                      </th>
                      <td class="n">{bytes(size)}</td>
                      <td class="wide" dir="auto">
                        {parent ?? '–'}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </section>
        </>
      ) : null}
    </Page>
  );
}
