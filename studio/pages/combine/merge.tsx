/** Adapters merged into one, and the report of it. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { MergedAdapters } from '../../../src/library/merge-adapters.ts';
import type { Interference } from '../../../src/library/merge-interference.ts';
import type { MergeLosses } from '../../../src/library/merge-losses.ts';
import { draws, type MergeMethod, mergeMethods, prunes } from '../../../src/settings/merge-methods.ts';
import { mostModels } from '../../chats.ts';
import { commandLine } from '../../commands.ts';
import { Select, TextField } from '../../fields.tsx';
import { AsCommand, fill, Tiles } from '../../parts.tsx';
import { addressOf } from '../../route.ts';
import { Table } from '../../table.tsx';
import { Notes, TaskView } from '../../task-view.tsx';
import { useAskedTask } from '../../tasks.ts';
import { count, figure, w } from '../../words.ts';
import { FileChoice } from '../inside/file-choice.tsx';
import { Section } from '../inside/section.tsx';
import { Written } from '../share/written.tsx';
import { type Chosen, usualWeight } from './chosen.ts';

const percent = (value: number | null): string => (value === null ? '–' : `${figure(100 * value, 3)} %`);

function Interferences({ found }: { readonly found: readonly Interference[] }): JSX.Element {
  const words = w().combine;
  return (
    <>
      <h3>{words.interference}</h3>
      <Table
        caption={words.interference}
        columns={[[words.pair], [w().inside.cosineOf, 'n'], [w().inside.shared, 'n'], [words.chance, 'n']]}
        rows={found.map(({ adapters, chance, cosine, outputs }) => [
          adapters.join(' · '),
          figure(cosine, 3),
          percent(outputs),
          percent(chance?.outputs ?? null),
        ])}
      />
      <p class="note">{words.interferenceNote}</p>
    </>
  );
}

function Losses({ data, models, verdict }: MergeLosses): JSX.Element {
  const words = w().combine;
  const title = fill(words.losses, { data });
  return (
    <>
      <h3>{title}</h3>
      <Table
        caption={title}
        columns={[[words.who], [words.loss, 'n']]}
        rows={models.map(({ loss, name }) => [name, figure(loss, 4)])}
      />
      <p class="note">{words.lossNote}</p>
      <Notes notes={verdict} />
    </>
  );
}

interface FoundProps {
  readonly merged: MergedAdapters;
  readonly name: string;
  readonly parts: readonly string[];
}

function Found({ merged, name, parts }: FoundProps): JSX.Element {
  const words = w().combine;
  const { discarded, files, interference, losses, modules, notes, rank, weights } = merged;
  return (
    <>
      <h3>{words.report}</h3>
      <Tiles
        items={[
          { name: words.weights, value: weights.map((each) => figure(each, 3)).join(' · ') },
          { name: words.modules, value: count(modules) },
          { name: words.highest, value: count(rank) },
          { name: words.lost, value: percent(discarded), note: words.lostNote },
        ]}
      />
      <Interferences found={interference} />
      {losses.map((each) => (
        <Losses key={each.data} {...each} />
      ))}
      <Written files={files} notes={notes} title={w().exported.written} />
      <p class="actions">
        <a class="button first" href={addressOf(['chat'], { models: [name, ...parts].slice(0, mostModels).join(',') })}>
          {words.talkMerged}
        </a>
        <a class="button" href={addressOf(['made', name])}>
          {fill(w().share.lineage, { name })}
        </a>
      </p>
    </>
  );
}

const summaryOf = (method: string): string => {
  const { methods } = w().combine;
  return methods[method.startsWith('peft-') ? 'peft' : method] ?? method;
};

function useMergeSettings(chosen: readonly Chosen[]) {
  const [method, setMethod] = useState<MergeMethod>('svd');
  const [density, setDensity] = useState('0.5');
  const [rank, setRank] = useState('');
  const [seed, setSeed] = useState('0');
  const [file, setFile] = useState('');
  const [name, setName] = useState('merged');
  const asked = {
    adapters: chosen.map(({ id }) => id),
    method,
    // Sliders that nobody moved mean the method's own: shares of 1 for sums, 1 each for means.
    ...(method === 'model-stock' || chosen.every(({ weight }) => weight === usualWeight)
      ? {}
      : { weights: chosen.map(({ weight }) => weight) }),
    ...(prunes(method) ? { density: Number(density) } : {}),
    ...(rank === '' || method.startsWith('peft-') ? {} : { rank: Number(rank) }),
    ...(draws(method) ? { seed: Number(seed) } : {}),
    ...(file === '' ? {} : { data: [file] }),
    name,
  };
  const set = { setMethod, setDensity, setRank, setSeed, setFile, setName };
  return { method, density, rank, seed, file, name, asked, ...set };
}

type MergeSettings = ReturnType<typeof useMergeSettings>;

function Fields(given: MergeSettings): JSX.Element {
  const words = w().combine;
  const { density, file, method, name, rank, seed } = given;
  return (
    <div class="fields">
      <Select
        label={words.method}
        hint={summaryOf(method)}
        value={method}
        options={mergeMethods.map((each) => [each, `${each}: ${summaryOf(each)}`])}
        onChange={(each) => given.setMethod(each as MergeMethod)}
      />
      {prunes(method) ? (
        <TextField label={words.density} inputMode="decimal" value={density} onChange={given.setDensity} />
      ) : null}
      {method.startsWith('peft-') ? null : (
        <TextField label={words.rank} hint={words.rankHint} inputMode="numeric" value={rank} onChange={given.setRank} />
      )}
      {draws(method) ? (
        <TextField label={words.seed} inputMode="numeric" value={seed} onChange={given.setSeed} />
      ) : null}
      <FileChoice label={words.test} none={words.noTest} value={file} onChange={given.setFile} />
      <TextField label={words.name} value={name} onChange={given.setName} />
    </div>
  );
}

export function Merge({ chosen }: { readonly chosen: readonly Chosen[] }): JSX.Element {
  const words = w().combine;
  const task = useAskedTask('merge', 'merge');
  const settings = useMergeSettings(chosen);
  const { adapters, data: _, name, ...options } = settings.asked;
  const begin = (): void => task.begin(settings.asked);
  const out = { ...options, base: 'BASE', out: name };
  return (
    <Section title={words.merge}>
      <Fields {...settings} />
      <p class="actions">
        <button type="button" class="button first" disabled={task.busy || name === ''} onClick={begin}>
          {words.make}
        </button>
      </p>
      <TaskView followed={task}>
        {(merged: MergedAdapters, { asked }) => (
          <Found
            merged={merged}
            name={String(asked['name'])}
            parts={(asked['adapters'] as readonly string[] | undefined) ?? []}
          />
        )}
      </TaskView>
      <AsCommand
        command={commandLine('merge', adapters, out)}
        program={`import { mergeAdapters } from 'nomoat';\n\nconst merged = await mergeAdapters(${JSON.stringify(adapters)}, ${JSON.stringify(out, null, 2)});`}
      />
    </Section>
  );
}
