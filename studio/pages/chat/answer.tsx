/** An answer with what is thought of it: good, bad, or what would have been better. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Fault } from '../../api.ts';
import { isSaid, type KeptAnswer } from '../../chats.ts';
import { TextArea } from '../../fields.tsx';
import { Markdown } from '../../markdown.tsx';
import { FaultNotice, Foreign, fill, Tag } from '../../parts.tsx';
import { w } from '../../words.ts';

type Thought = Pick<KeptAnswer, 'mark' | 'better'>;

interface BetterProps {
  readonly answer: KeptAnswer;
  readonly save: (thought: Thought) => void;
  readonly close: () => void;
}

function Better({ answer, close, save }: BetterProps): JSX.Element {
  const words = w().chat;
  const [text, set] = useState(answer.better ?? answer.text);
  const isBetter = text.trim() !== '' && text.trim() !== answer.text.trim();
  return (
    <form
      class="better"
      onSubmit={(event) => {
        event.preventDefault();
        if (isBetter) save({ mark: 'bad', better: text });
        close();
      }}
    >
      <TextArea label={words.betterLabel} hint={words.betterNote} value={text} onChange={set} focused />
      <p class="actions">
        <button type="submit" class="button first" disabled={!isBetter}>
          {words.betterKeep}
        </button>
        <button type="button" class="button" onClick={close}>
          {words.betterLeave}
        </button>
      </p>
    </form>
  );
}

function Thoughts({
  answer,
  think,
}: {
  readonly answer: KeptAnswer;
  readonly think: (thought: Thought) => void;
}): JSX.Element {
  const words = w().chat;
  const [writing, write] = useState(false);
  if (writing) return <Better answer={answer} save={think} close={() => write(false)} />;
  const { better, mark } = answer;
  const press = (wanted: 'good' | 'bad') => (): void => think({ mark: mark === wanted ? null : wanted, better: null });
  return (
    <>
      {better ? (
        <div class="better-said">
          <h3>{words.betterLabel}</h3>
          <Foreign>{better}</Foreign>
        </div>
      ) : null}
      <p class="small-actions marks">
        <button type="button" class="quiet" aria-pressed={mark === 'good'} onClick={press('good')}>
          <span aria-hidden="true">✓</span> {words.good}
        </button>
        <button type="button" class="quiet" aria-pressed={mark === 'bad'} onClick={press('bad')}>
          <span aria-hidden="true">✗</span> {words.bad}
        </button>
        <button type="button" class="quiet" aria-pressed={better !== null} onClick={() => write(true)}>
          <span aria-hidden="true">✎</span> {words.better}
        </button>
      </p>
    </>
  );
}

interface AnswerProps {
  readonly answer: KeptAnswer | null | undefined;
  /** Over it, where there are several. */
  readonly title: string | null;
  readonly best: boolean;
  readonly writing: boolean;
  /** null where nothing is kept. */
  readonly think: ((thought: Thought) => void) | null;
}

export function Answer({ answer, best, think, title, writing }: AnswerProps): JSX.Element {
  const words = w().chat;
  const { calls = [], cut, fault = null, text = '', thoughts = '' } = answer ?? {};
  return (
    <div class="column" aria-busy={writing}>
      {title === null ? null : (
        <h3 dir="auto">
          {title} {best ? <Tag tone="good">{words.best}</Tag> : null}
        </h3>
      )}
      {thoughts ? (
        <details>
          <summary>{words.thinking}</summary>
          <Foreign>{thoughts}</Foreign>
        </details>
      ) : null}
      <Markdown text={text} />
      {calls.map((call, i) => (
        <details key={i} open>
          <summary>{fill(words.calls, { name: call.name })}</summary>
          <Foreign>{call.arguments}</Foreign>
        </details>
      ))}
      {writing ? (
        <span class="busy" role="status">
          <span class="spinner" aria-hidden="true" />
          <span class="hidden">{words.writing}</span>
        </span>
      ) : null}
      {cut && !writing ? <p class="note">{words.cut}</p> : null}
      {fault === null ? null : <FaultNotice fault={new Fault(fault, fault, 0)} />}
      {!writing && fault === null && !isSaid(answer) ? <p class="note">{words.nothingSaid}</p> : null}
      {!writing && think && isSaid(answer) ? <Thoughts answer={answer} think={think} /> : null}
    </div>
  );
}
