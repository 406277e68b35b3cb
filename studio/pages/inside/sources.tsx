/** "Why did it say that?": training rows that an answer may come from. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { AnswerSources, SourceRow } from '../../../src/library/answer-sources.ts';
import { TextArea, TextField } from '../../fields.tsx';
import { Foreign, fill } from '../../parts.tsx';
import { Notes, TaskView } from '../../task-view.tsx';
import { useAskedTask } from '../../tasks.ts';
import { count, figure, w } from '../../words.ts';
import { Section } from './section.tsx';

function Rows({ rows, title }: { readonly rows: readonly SourceRow[]; readonly title: string }): JSX.Element {
  const { row } = w().data;
  return (
    <div>
      <h3>{title}</h3>
      {rows.length === 0 ? <p class="note">{w().inside.noRows}</p> : null}
      <ol class="sources">
        {rows.map(({ answer, source, text, value }, i) => (
          <li key={i}>
            <p class="finding-head">
              <span class="tag plain">{figure(value, 3)}</span>
              <span class="where" dir="auto">
                {source.file.split(/[/\\]/).at(-1)}, {fill(row, { n: count(source.record ?? source.line) })}
              </span>
            </p>
            <Foreign>{answer}</Foreign>
            <details>
              <summary>{w().app.more}</summary>
              <Foreign>{text}</Foreign>
            </details>
          </li>
        ))}
      </ol>
    </div>
  );
}

const Found = ({ byGradient, byText, compared, notes, trainingRows }: AnswerSources): JSX.Element => {
  const words = w().inside;
  return (
    <>
      <div class="pair">
        <Rows title={words.byText} rows={byText} />
        <Rows title={words.byGradient} rows={byGradient} />
      </div>
      <p class="note">{fill(words.compared, { compared: count(compared), rows: count(trainingRows) })}</p>
      <Notes notes={notes} />
    </>
  );
};

export function Sources({ run }: { readonly run: string }): JSX.Element {
  const words = w().inside;
  const task = useAskedTask('sources', 'why');
  const asked = task.task?.asked as { readonly prompt?: string; readonly answer?: string } | undefined;
  const [prompt, setPrompt] = useState<string | null>(null);
  const [answer, setAnswer] = useState<string | null>(null);
  const [seconds, setSeconds] = useState('30');
  // What a shared address asked stands in the fields.
  const said = { prompt: prompt ?? asked?.prompt ?? '', answer: answer ?? asked?.answer ?? '' };
  const ask = (): void =>
    task.begin({
      run,
      answer: said.answer,
      ...(said.prompt === '' ? {} : { prompt: said.prompt }),
      seconds: Number(seconds) || 0,
    });
  return (
    <Section title={words.why} note={words.whyNote}>
      <div class="fields">
        <TextArea label={words.question} value={said.prompt} onChange={setPrompt} />
        <TextArea label={words.answer} value={said.answer} onChange={setAnswer} />
        <TextField
          label={words.seconds}
          hint={words.secondsHint}
          inputMode="numeric"
          value={seconds}
          onChange={setSeconds}
        />
      </div>
      <p class="actions">
        <button type="button" class="button" disabled={task.busy || said.answer.trim() === ''} onClick={ask}>
          {words.find}
        </button>
      </p>
      <TaskView followed={task}>{(found: AnswerSources) => <Found {...found} />}</TaskView>
    </Section>
  );
}
