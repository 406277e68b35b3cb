/** Answers as they come from /v1/chat/completions. */
import { eventData } from '../src/client/event-data.ts';
import { ask, type Fault, posting } from './api.ts';
import type { KeptAnswer } from './chats.ts';

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

/** What has come of a body, piece by piece: not every browser takes a stream for something to loop over. */
async function* piecesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) yield value!;
}

/** The events of a stream, as they come. */
async function* chunksOf(response: Response): AsyncGenerator<Chunk> {
  for await (const data of eventData(piecesOf(response.body!))) if (data !== '[DONE]') yield JSON.parse(data) as Chunk;
}

function withChunk(answer: KeptAnswer, { choices, error }: Chunk): KeptAnswer {
  if (error) return { ...answer, fault: error.message || error.code };
  const [choice] = choices;
  if (!choice) return answer;
  const { content = '', reasoning_content: thought = '', tool_calls: pieces = [] } = choice.delta;
  const calls = [...answer.calls];
  for (const { function: called, index } of pieces)
    calls[index] = {
      name: (calls[index]?.name ?? '') + (called.name ?? ''),
      arguments: (calls[index]?.arguments ?? '') + called.arguments,
    };
  return {
    ...answer,
    text: answer.text + content,
    thoughts: answer.thoughts + thought,
    calls,
    cut: choice.finish_reason === 'length',
  };
}

/** Shown at most so often: a small model says some hundred tokens a second. */
const showMilliseconds = 40;

/** Resolves with the whole answer, or with what there was when it failed or was stopped; `show` hears of it on the way. */
export async function answered(
  body: object,
  begun: KeptAnswer,
  { show, signal }: { readonly signal: AbortSignal; readonly show: (answer: KeptAnswer) => void },
): Promise<KeptAnswer> {
  let state = begun;
  let shown = 0;
  try {
    const response = await ask('/v1/chat/completions', posting(body, signal));
    for await (const chunk of chunksOf(response)) {
      state = withChunk(state, chunk);
      if (performance.now() - shown < showMilliseconds) continue;
      shown = performance.now();
      show(state);
    }
    return state;
  } catch (error) {
    if (signal.aborted) return { ...state, cut: true };
    const { code, message } = error as Partial<Fault>;
    return { ...state, fault: message || code || String(error) };
  }
}
