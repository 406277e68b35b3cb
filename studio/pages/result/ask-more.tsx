/** What the run's own end did not ask: test data of the reader's, and requests that should be refused. */
import '../../inside.css';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Evaluation } from '../../../src/evaluate/evaluation.ts';
import type { SafetyReport } from '../../../src/library/check.ts';
import type { ReportContent } from '../../../src/report/content.ts';
import { headlineOf } from '../../../src/report/headline.ts';
import { answersSection } from '../../../src/report/sections/answers.ts';
import { forgottenSection } from '../../../src/report/sections/inside.ts';
import { resultSection } from '../../../src/report/sections/result.ts';
import { words as reportWords } from '../../../src/report/words.ts';
import { commandLine, libraryCall } from '../../commands.ts';
import { Check, TextField } from '../../fields.tsx';
import { AsCommand } from '../../parts.tsx';
import { Table } from '../../table.tsx';
import { Notes, TaskView } from '../../task-view.tsx';
import { useAskedTask } from '../../tasks.ts';
import { figure, said, w } from '../../words.ts';
import { FileChoice } from '../inside/file-choice.tsx';
import { Section } from '../inside/section.tsx';
import { Markup } from './markup.tsx';

function Evaluated({ content }: { readonly content: ReportContent }): JSX.Element {
  const { lead, title } = headlineOf(content);
  const { page } = reportWords;
  const others = { ...content, events: [] };
  return (
    <>
      <p class="verdict-title">{said(title)}</p>
      <p>{said(lead)}</p>
      <Markup title={said(page.result)} markup={resultSection(others).text} />
      <Markup title={said(page.answers)} markup={answersSection(others).text} />
      <Markup title={said(page.forgotten)} markup={forgottenSection(others).text} />
    </>
  );
}

function Evaluate({ content, name }: AskMoreProps): JSX.Element {
  const words = w().proof;
  const task = useAskedTask('evaluate', 'evaluated');
  const [file, choose] = useState('');
  const [forgetting, setForgetting] = useState(false);
  return (
    <Section title={words.evaluate} note={words.evaluateNote}>
      <div class="fields">
        <FileChoice label={words.data} none={null} value={file} onChange={choose} />
      </div>
      <Check label={words.forgetting} value={forgetting} onChange={setForgetting} />
      <p class="actions">
        <button
          type="button"
          class="button"
          disabled={task.busy || file === ''}
          onClick={() => task.begin({ run: name, data: [file], forgetting })}
        >
          {words.doEvaluate}
        </button>
      </p>
      <TaskView followed={task}>
        {(evaluation: Evaluation) => <Evaluated content={{ ...content, evaluation }} />}
      </TaskView>
      <AsCommand
        command={commandLine('eval', [`runs/${name}`], { data: 'test.jsonl', forgetting })}
        program={libraryCall('evaluate', { model: `runs/${name}`, data: 'test.jsonl', forgetting })}
      />
    </Section>
  );
}

/** Likelihoods are logarithms of probabilities; answers are shares. */
const shown = (by: 'likelihood' | 'answers', value: number | null): string =>
  value === null ? '–' : `${figure(100 * (by === 'likelihood' ? Math.exp(value) : value), 3)} %`;

function Refusals({ notes, refusals, verdict }: SafetyReport): JSX.Element {
  const words = w().proof;
  return (
    <>
      <Notes notes={verdict} />
      <Table
        caption={words.safety}
        columns={[[words.kind], [words.measure], [words.before, 'n'], [words.after, 'n']]}
        rows={refusals.map(({ against, by, kind, value }) => [
          words.kinds[kind],
          words.by[by],
          shown(by, against?.value ?? null),
          shown(by, value),
        ])}
      />
      <Notes notes={notes} />
    </>
  );
}

function Safety({ name }: { readonly name: string }): JSX.Element {
  const words = w().proof;
  const task = useAskedTask('check', 'checked');
  const [limit, set] = useState('20');
  return (
    <Section title={words.safety} note={words.safetyNote}>
      <div class="fields">
        <TextField label={words.requests} inputMode="numeric" value={limit} onChange={set} />
      </div>
      <p class="actions">
        <button
          type="button"
          class="button"
          disabled={task.busy}
          onClick={() => task.begin({ run: name, limit: Number(limit) || null })}
        >
          {words.doCheck}
        </button>
      </p>
      <TaskView followed={task}>{(found: SafetyReport) => <Refusals {...found} />}</TaskView>
      <AsCommand
        command={commandLine('check', [`runs/${name}`], { limit })}
        program={libraryCall('check', { model: `runs/${name}`, limit: Number(limit) })}
      />
    </Section>
  );
}

interface AskMoreProps {
  readonly name: string;
  readonly content: ReportContent;
}

export const AskMore = (props: AskMoreProps): JSX.Element => (
  <>
    <Evaluate {...props} />
    <Safety name={props.name} />
  </>
);
