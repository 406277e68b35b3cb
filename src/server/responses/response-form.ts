/** Answers in the form of POST /v1/responses, whole and as events. */
import { randomUUID } from 'node:crypto';
import type { AnswerEvent, Job, Usage } from '../answer.ts';
import type { ApiError } from '../api-error.ts';
import type { RouteForm } from '../route-form.ts';
import { type ResponseEvent, ResponseItems } from './response-items.ts';
import { type ResponseParameters, responseJob } from './response-request.ts';

const seconds = (): number => Math.floor(Date.now() / 1000);

const usageOf = ({ completion_tokens, prompt_tokens, prompt_tokens_details, total_tokens }: Usage) => ({
  input_tokens: prompt_tokens,
  input_tokens_details: { cached_tokens: prompt_tokens_details.cached_tokens, cache_write_tokens: 0 },
  output_tokens: completion_tokens,
  // Thoughts are counted with the rest.
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens,
});

/** What a response has beside its output: what was asked for, and what there never is. */
const askedFor = (given: ResponseParameters) => ({
  model: given.model,
  instructions: given.instructions ?? null,
  max_output_tokens: given.max_output_tokens ?? null,
  temperature: given.temperature ?? null,
  top_p: given.top_p ?? null,
  tools: given.tools ?? [],
  tool_choice: given.tool_choice ?? 'auto',
  parallel_tool_calls: given.parallel_tool_calls ?? true,
  reasoning: { effort: given.reasoning?.effort ?? null, summary: null },
  text: { format: given.text?.format ?? { type: 'text' }, verbosity: 'medium' },
  background: false,
  error: null,
  metadata: {},
  previous_response_id: null,
  service_tier: 'default',
  store: false,
  truncation: 'disabled',
});

/** One response, from its beginning to its end. */
class Response {
  private readonly begun: object;

  constructor(given: ResponseParameters) {
    const id = `resp_${randomUUID().replaceAll('-', '')}`;
    this.begun = { id, object: 'response', created_at: seconds(), ...askedFor(given) };
  }

  inProgress(): object {
    return {
      ...this.begun,
      status: 'in_progress',
      completed_at: null,
      incomplete_details: null,
      output: [],
      usage: null,
    };
  }

  ended(output: readonly object[], cut: boolean, usage: Usage): object {
    return {
      ...this.begun,
      status: cut ? 'incomplete' : 'completed',
      completed_at: cut ? null : seconds(),
      incomplete_details: cut ? { reason: 'max_output_tokens' } : null,
      output,
      usage: usageOf(usage),
    };
  }
}

const isCut = (event: AnswerEvent): boolean => event.kind === 'end' && event.reason === 'length';

/** The events without those of calls that were none after all: their text follows. */
function withoutBroken(events: readonly AnswerEvent[]): AnswerEvent[] {
  const broken = new Set(events.flatMap((event) => (event.kind === 'no-call' ? [event.call] : [])));
  return events.filter((event) => !('call' in event && broken.has(event.call)));
}

function whole(given: ResponseParameters, events: readonly AnswerEvent[], usage: Usage): object {
  const items = new ResponseItems(() => {});
  for (const event of withoutBroken(events)) items.hear(event);
  return new Response(given).ended(items.output, events.some(isCut), usage);
}

async function* pieces(
  given: ResponseParameters,
  events: AsyncIterable<AnswerEvent>,
  usage: Promise<Usage>,
): AsyncGenerator<ResponseEvent, void, undefined> {
  const response = new Response(given);
  const said: ResponseEvent[] = [];
  const items = new ResponseItems((event) => said.push(event));
  yield { type: 'response.created', response: response.inProgress() };
  yield { type: 'response.in_progress', response: response.inProgress() };
  let cut = false;
  for await (const event of events) {
    items.hear(event);
    cut ||= isCut(event);
    yield* said.splice(0);
  }
  const type = cut ? 'response.incomplete' : 'response.completed';
  yield { type, response: response.ended(items.output, cut, await usage) };
}

/** Each event has its type as its name and its number among its values. */
class EventFrames {
  private count = 0;

  frame({ type, ...rest }: ResponseEvent): string {
    return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: this.count++, ...rest })}\n\n`;
  }

  /** OpenAI's clients throw what stands below `error`. */
  error(error: ApiError): string {
    const { code, message, param } = error.toJSON().error;
    return this.frame({ type: 'error', code, message, param, ...error.toJSON() });
  }
}

/** What a request asks for, and how it is answered. Throws ApiError. */
export function responseRequest(body: unknown): { job: Job; form: RouteForm } {
  const { given, job } = responseJob(body);
  const frames = new EventFrames();
  return {
    job,
    form: {
      param: 'input',
      whole: (events, usage) => whole(given, events, usage),
      pieces: (events, usage) => pieces(given, events, usage),
      frames: {
        of: (value) => frames.frame(value as ResponseEvent),
        error: (error) => frames.error(error),
        last: '',
      },
    },
  };
}
