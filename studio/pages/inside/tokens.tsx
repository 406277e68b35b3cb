/** Expected answers token by token: how much likelier tuning made each. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { TokenChange } from '../../../src/inspect/token-changes.ts';
import type { TokenChanges } from '../../../src/library/token-changes.ts';
import { TextField } from '../../fields.tsx';
import { Foreign, fill } from '../../parts.tsx';
import { Table } from '../../table.tsx';
import { Notes, TaskView } from '../../task-view.tsx';
import { useAskedTask } from '../../tasks.ts';
import { visible } from '../../visible.ts';
import { count, figure, w } from '../../words.ts';
import { FileChoice } from './file-choice.tsx';
import { Section } from './section.tsx';

/** Nats from which a change has the next strength: e times, e cubed. */
const strengths = [0.1, 1, 3];
/** Rows of the table, from either end. */
const shownTotals = 10;

const strengthOf = (change: number): number => strengths.filter((each) => Math.abs(change) >= each).length;

function Token({ after, before, text }: TokenChange): JSX.Element {
  const change = after - before;
  const strength = strengthOf(change);
  const kind = strength === 0 ? 'same' : `${change > 0 ? 'up' : 'down'}-${strength}`;
  return (
    <span class={`token ${kind}`} title={`${change > 0 ? '+' : ''}${figure(change, 3)}`}>
      {visible(text)}
    </span>
  );
}

function Totals({ totals }: Pick<TokenChanges, 'totals'>): JSX.Element {
  const words = w().inside;
  const ends =
    totals.length <= 2 * shownTotals ? totals : [...totals.slice(0, shownTotals), ...totals.slice(-shownTotals)];
  return (
    <details>
      <summary>{words.totals}</summary>
      <Table
        caption={words.totals}
        columns={[[words.token], [words.times, 'n'], [words.change, 'n']]}
        rows={ends.map(({ change, count: times, text }) => [
          visible(text),
          count(times),
          `${change > 0 ? '▲ +' : change < 0 ? '▼ ' : ''}${figure(change, 3)}`,
        ])}
      />
    </details>
  );
}

const Found = ({ examples, notes, totals }: TokenChanges): JSX.Element => {
  const words = w().inside;
  return (
    <>
      <p class="legend">
        <span class="tokens-changed">
          <span class="token up-2">{words.likelier}</span> <span class="token down-2">{words.unlikelier}</span>
        </span>
      </p>
      <div class="examples">
        {examples.map(({ after, before, prompt, tokens }, i) => (
          <article class="example" key={i}>
            <div class="question">
              <Foreign>{prompt}</Foreign>
            </div>
            <p class="tokens-changed" dir="auto">
              {tokens.map((token, t) => (
                <Token key={t} {...token} />
              ))}
            </p>
            <p class="note">{fill(words.whole, { before: figure(before, 3), after: figure(after, 3) })}</p>
          </article>
        ))}
      </div>
      <Totals totals={totals} />
      <Notes notes={notes} />
    </>
  );
};

export function Tokens({ run }: { readonly run: string }): JSX.Element {
  const words = w().inside;
  const task = useAskedTask('tokens', 'tokens');
  const [file, choose] = useState('');
  const [limit, setLimit] = useState('20');
  const ask = (): void => task.begin({ run, limit: Number(limit) || null, ...(file === '' ? {} : { data: [file] }) });
  return (
    <Section title={words.tokens} note={words.tokensNote}>
      <div class="fields">
        <FileChoice label={words.source} none={words.heldOut} value={file} onChange={choose} />
        <TextField label={words.examples} inputMode="numeric" value={limit} onChange={setLimit} />
      </div>
      <p class="actions">
        <button type="button" class="button" disabled={task.busy} onClick={ask}>
          {words.compute}
        </button>
      </p>
      <TaskView followed={task} again={ask}>
        {(found: TokenChanges) => <Found {...found} />}
      </TaskView>
    </Section>
  );
}
