/** The first page: give data, or go on where something is. */
import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { bytes } from '../../src/report/figures.ts';
import { type AskedDataSet, api, Fault, type UploadedFile } from '../api.ts';
import { filesOfDrop } from '../dropped.ts';
import { Busy, FaultNotice, fill, Page } from '../parts.tsx';
import { addressOf, go } from '../route.ts';
import { useAction, useAsked } from '../use.ts';
import { w } from '../words.ts';
import { RunList } from './runs.tsx';

/** Runs that are shown here; all have a page of their own. */
const shownRuns = 5;

interface Told {
  readonly name: string;
  readonly share: number;
}

const dataAddress = (files: readonly UploadedFile[]): string =>
  addressOf(['data'], { files: files.map(({ id }) => id).join(',') });

/** Sends files one after the other, and goes to what they hold. */
function useUpload(): {
  readonly told: Told | null;
  readonly fault: Fault | null;
  readonly take: (files: readonly File[]) => void;
  readonly busy: boolean;
} {
  const [told, tell] = useState<Told | null>(null);
  const { act, busy, fault } = useAction();
  const take = (files: readonly File[]): void => {
    if (files.length === 0) return;
    void act(async () => {
      const sent: UploadedFile[] = [];
      try {
        for (const file of files) {
          const { name, size } = file;
          if (size === 0) throw new Fault(fill(w().home.empty, { name }), 'empty_file', 0);
          tell({ name, share: 0 });
          sent.push(await api.upload(file, (share) => tell({ name, share })));
        }
      } finally {
        tell(null);
      }
      go(dataAddress(sent));
    });
  };
  return { told, fault, take, busy };
}

function Drop(): JSX.Element {
  const [over, set] = useState(false);
  const { busy, fault, take, told } = useUpload();
  const input = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const { home } = w();
  const taken = ({ currentTarget }: { readonly currentTarget: HTMLInputElement }): void => {
    take([...(currentTarget.files ?? [])]);
    currentTarget.value = '';
  };
  const dropped = (event: DragEvent): void => {
    event.preventDefault();
    set(false);
    void filesOfDrop(event.dataTransfer).then(take);
  };
  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: what is dropped here can be chosen by the buttons in it */}
      <div
        class={`drop ${over ? 'over' : ''}`}
        onDragOver={(event) => {
          event.preventDefault();
          set(true);
        }}
        onDragLeave={() => set(false)}
        onDrop={dropped}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M12 15V4m0 0L8 8m4-4l4 4M4 15v3a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-3" />
        </svg>
        <p class="drop-title">{home.drop}</p>
        <p class="note">{home.dropHint}</p>
        <p class="actions">
          <button type="button" class="button first" disabled={busy} onClick={() => input.current?.click()}>
            {home.pick}
          </button>
          <button type="button" class="button" disabled={busy} onClick={() => folder.current?.click()}>
            {home.pickFolder}
          </button>
        </p>
        <input ref={input} type="file" multiple hidden aria-label={home.pick} onChange={taken} />
        <input
          ref={folder}
          type="file"
          hidden
          aria-label={home.pickFolder}
          {...{ webkitdirectory: true }}
          onChange={taken}
        />
        {told ? (
          <Busy>{fill(home.uploading, { name: told.name, percent: `${Math.round(100 * told.share)}%` })}</Busy>
        ) : null}
      </div>
      <FaultNotice fault={fault} />
    </>
  );
}

const examples = ['colours', 'intents'] as const;

/** What a reader begins with who has no file: examples of the package, or data of their own. */
function Other(): JSX.Element {
  const { home } = w();
  const { act, busy, fault } = useAction();
  const take = (example: AskedDataSet['example'] & string): void =>
    void act(async () => go(dataAddress([(await api.makeData({ from: 'example', example })).file])));
  return (
    <section aria-labelledby="other-title">
      <h2 id="other-title">{home.noFile}</h2>
      <p class="actions">
        <a class="button first" href={addressOf(['tour'])}>
          {home.tour}
        </a>
        {examples.map((name) => (
          <button key={name} type="button" class="button" disabled={busy} onClick={() => take(name)}>
            {fill(home.example, { name: home.examples[name]! })}
          </button>
        ))}
        <a class="button" href={addressOf(['make'], { as: 'table' })}>
          {home.write}
        </a>
        <a class="button" href={addressOf(['make'], { as: 'said' })}>
          {home.fromChats}
        </a>
      </p>
      <FaultNotice fault={fault} />
    </section>
  );
}

/** What may have been written by hand: larger files would not be. */
const isWritten = ({ bytes: size, filename }: UploadedFile): boolean => /\.jsonl$/.test(filename) && size < 1e6;

function FilesHere(): JSX.Element | null {
  const { again, value } = useAsked('files', () => api.files());
  const { act, fault } = useAction();
  if (!value || value.length === 0) return null;
  const { home } = w();
  const remove = (id: string): void =>
    void act(async () => {
      await api.removeFile(id);
      again();
    });
  return (
    <section aria-labelledby="files-title">
      <h2 id="files-title">{home.here}</h2>
      <FaultNotice fault={fault} />
      <ul class="list">
        {value.slice(0, 20).map((file) => (
          <li key={file.id}>
            <a href={dataAddress([file])} dir="auto">
              {file.filename}
            </a>
            {isWritten(file) ? (
              <a class="edit" href={addressOf(['make'], { as: 'table', file: file.id })}>
                {home.edit}
                <span class="hidden"> {file.filename}</span>
              </a>
            ) : null}
            <span class="muted">{bytes(file.bytes)}</span>
            <button
              type="button"
              class="quiet"
              aria-label={fill(home.remove, { name: file.filename })}
              onClick={() => remove(file.id)}
            >
              ✕
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Home(): JSX.Element {
  const { home } = w();
  const { fault, again, value } = useAsked('runs', (signal) => api.runs(signal));
  return (
    <Page title={home.title} lead={home.lead}>
      {fault ? <FaultNotice fault={fault} again={again} /> : <Drop />}
      {fault ? null : <Other />}
      <FilesHere />
      {value && value.length > 0 ? (
        <section aria-labelledby="runs-title">
          <h2 id="runs-title">{home.recentRuns}</h2>
          <RunList runs={value.slice(0, shownRuns)} />
          {value.length > shownRuns ? (
            <p>
              <a href={addressOf(['runs'])}>{home.allRuns}</a>
            </p>
          ) : null}
        </section>
      ) : null}
      <p class="note local">{w().app.local}</p>
    </Page>
  );
}
