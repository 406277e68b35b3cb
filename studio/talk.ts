/** A conversation with one or several models, streamed by /v1/chat/completions, kept in this browser. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, Fault, posting } from './api.ts';

export interface Call {
  readonly name: string;
  readonly arguments: string;
}
export interface AnswerState {
  readonly text: string;
  readonly thoughts: string;
  readonly calls: readonly Call[];
  readonly writing: boolean;
  /** Whether it ended at the longest answer. */
  readonly cut: boolean;
  readonly fault: Fault | null;
}
/** What was said, and each model's answer to it. */
export interface Turn {
  readonly prompt: string;
  readonly answers: readonly (AnswerState | undefined)[];
}

export interface Sampling {
  readonly system: string;
  readonly temperature: number;
  readonly maxTokens: number | null;
}

export interface Conversation {
  readonly turns: readonly Turn[];
  readonly busy: boolean;
  readonly send: (prompt: string) => void;
  readonly retry: (index: number) => void;
  /** Forgets that turn and those behind it. */
  readonly cutAt: (index: number) => void;
  readonly stop: () => void;
}

const empty: AnswerState = { text: '', thoughts: '', calls: [], writing: true, cut: false, fault: null };
const keptName = 'nomoat-studio-talk';
/** A browser keeps some megabytes: of longer conversations the last turns. */
const keptTurns = 500;

function kept(): readonly Turn[] {
  try {
    const turns = JSON.parse(localStorage.getItem(keptName) ?? '[]') as readonly Turn[];
    // What was being written when the page was closed ended there.
    return turns.map((turn) => ({
      ...turn,
      answers: turn.answers.map((answer) => answer && { ...answer, writing: false }),
    }));
  } catch {
    return [];
  }
}

function keep(turns: readonly Turn[]): void {
  try {
    localStorage.setItem(keptName, JSON.stringify(turns.slice(-keptTurns)));
  } catch {
    // Without room, it lasts as long as the page.
  }
}

interface Chunk {
  readonly choices: readonly {
    readonly finish_reason: string | null;
    readonly delta: {
      readonly content?: string;
      readonly reasoning_content?: string;
      readonly tool_calls?: readonly {
        readonly index: number;
        readonly function: { readonly name?: string; readonly arguments: string };
      }[];
    };
  }[];
  readonly error?: { readonly message: string; readonly code: string };
}

/** The events of a stream, as they come. */
async function* chunksOf(response: Response): AsyncGenerator<Chunk> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    const parts = (rest + value).split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const data = part.replace(/^data: /, '');
      if (data !== '[DONE]') yield JSON.parse(data) as Chunk;
    }
  }
}

function withChunk(answer: AnswerState, { choices, error }: Chunk): AnswerState {
  if (error) return { ...answer, fault: new Fault(error.message, error.code, 0) };
  const [choice] = choices;
  if (!choice) return answer;
  const { content = '', reasoning_content: thought = '', tool_calls: pieces = [] } = choice.delta;
  const calls = [...answer.calls];
  for (const {
    function: { arguments: more, name = '' },
    index,
  } of pieces)
    calls[index] = { name: (calls[index]?.name ?? '') + name, arguments: (calls[index]?.arguments ?? '') + more };
  return {
    ...answer,
    text: answer.text + content,
    thoughts: answer.thoughts + thought,
    calls,
    cut: choice.finish_reason === 'length',
  };
}

/** What a model is asked with: its own answers stand before. */
function bodyOf(
  asked: { readonly model: string; readonly index: number; readonly before: readonly Turn[]; readonly prompt: string },
  sampling: Sampling,
): object {
  const { before, index, model, prompt } = asked;
  const { maxTokens, system, temperature } = sampling;
  const said = before.flatMap((turn) => [
    { role: 'user', content: turn.prompt },
    { role: 'assistant', content: turn.answers[index]?.text ?? '' },
  ]);
  const messages = [
    ...(system ? [{ role: 'system', content: system }] : []),
    ...said,
    { role: 'user', content: prompt },
  ];
  return { model, messages, stream: true, temperature, ...(maxTokens ? { max_tokens: maxTokens } : {}) };
}

export function useConversation(models: readonly string[], sampling: Sampling): Conversation {
  const [turns, set] = useState(kept);
  const [busy, setBusy] = useState(false);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  useEffect(() => {
    if (!busy) keep(turns);
  }, [turns, busy]);
  const answer = async (before: readonly Turn[], prompt: string, m: number, signal: AbortSignal): Promise<void> => {
    let state = empty;
    const show = (next: AnswerState): void => {
      state = next;
      set((all) =>
        all.map((turn, i) =>
          i === before.length ? { ...turn, answers: models.map((_, n) => (n === m ? state : turn.answers[n])) } : turn,
        ),
      );
    };
    show(empty);
    try {
      const response = await ask(
        '/v1/chat/completions',
        posting(bodyOf({ model: models[m]!, index: m, before, prompt }, sampling), signal),
      );
      for await (const chunk of chunksOf(response)) show(withChunk(state, chunk));
    } catch (error) {
      if (!signal.aborted)
        show({ ...state, fault: error instanceof Fault ? error : new Fault(String(error), 'page', 0) });
    }
    show({ ...state, writing: false });
  };
  const begin = (before: readonly Turn[], prompt: string): void => {
    const control = new AbortController();
    stop.current = control;
    set([...before, { prompt, answers: [] }]);
    setBusy(true);
    void Promise.all(models.map((_, m) => answer(before, prompt, m, control.signal))).then(() => setBusy(false));
  };
  return {
    turns,
    busy,
    send: (prompt) => begin(turns, prompt),
    retry: (index) => begin(turns.slice(0, index), turns[index]!.prompt),
    cutAt: (index) => set(turns.slice(0, index)),
    stop: () => stop.current?.abort(),
  };
}
