/** The judge that a user names: a model of a server that speaks OpenAI's API. The network is asked for, and only here. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ServerConnection } from '../client/connection.ts';
import { NomoatError } from '../errors.ts';
import type { Judge } from '../evaluate/judge.ts';
import { KeptAnswers } from '../evaluate/kept-answers.ts';
import { keptAnswersPath } from '../store/cache.ts';

const reply = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().nullable() }) })).min(1),
});

/** A word is asked for; models that think aloud first are cut, and have no opinion. */
const wordTokens = 16;

/** `https://host/v1/model`, the model's name may have slashes of its own. Throws NomoatError where it is none. */
function partsOf(given: string): { readonly url: string; readonly model: string } {
  const invalid = (fault: string): NomoatError =>
    new NomoatError({
      code: 'invalid-settings',
      part: '`judge`',
      fault,
      remedy: 'Give address and model, such as http://127.0.0.1:8080/v1/my-model.',
    });
  if (!URL.canParse(given) || !/^https?:/.test(given))
    throw invalid(`${JSON.stringify(given)} is no address of http or https`);
  const found = /^(https?:\/\/[^/]+(?:\/.*?)?\/v1)\/(.+)$/.exec(given) ?? /^(https?:\/\/[^/]+)\/(.+)$/.exec(given);
  if (!found) throw invalid(`${JSON.stringify(given)} names no model behind the address`);
  return { url: found[1]!, model: found[2]! };
}

/** Keys go to the host that they are of: OpenAI's own to OpenAI alone. */
function keyFor(url: string, env: Readonly<Record<string, string | undefined>>): string | null {
  const isOpenAi = new URL(url).hostname === 'api.openai.com';
  return env['NOMOAT_JUDGE_API_KEY'] ?? (isOpenAi ? env['OPENAI_API_KEY'] : undefined) ?? null;
}

/** Who cannot reach a judge is told of it, not of servers of nomoat. */
function ofJudge(url: string, error: unknown): unknown {
  if (!(error instanceof NomoatError) || error.code !== 'server-unreachable') return error;
  return new NomoatError({
    code: 'server-unreachable',
    part: `the judge at ${url}`,
    fault: error.fault,
    remedy: "Give the address of an API like OpenAI's and the model's name behind it, and ask again: answers are kept.",
    cause: error,
  });
}

/** The judge at an address, with the key in NOMOAT_JUDGE_API_KEY, if one is there. Its replies, of up to `maxTokens`, are kept. Throws NomoatError. */
export function judgeModel(
  given: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
  maxTokens: number = wordTokens,
): Judge {
  const { model, url } = partsOf(given);
  const connection = new ServerConnection({ url, apiKey: keyFor(url, env) });
  const identity = createHash('sha256').update(`judge ${url} ${model}`).digest('hex');
  const store = new KeptAnswers(keptAnswersPath(identity), `judge ${maxTokens}`);
  return {
    name: model,
    async ask(messages, signal) {
      const question = { ask: { messages }, expected: '' };
      const known = store.find(question);
      if (known) return known.text;
      const body = { model, messages, temperature: 0, max_tokens: maxTokens };
      const said = connection.json('/v1/chat/completions', { method: 'POST', body, signal });
      const found = reply.safeParse(
        await said.catch((error: unknown) => {
          throw ofJudge(url, error);
        }),
      );
      if (!found.data)
        throw new NomoatError({
          code: 'server-unreachable',
          part: `the judge at ${url}`,
          fault: 'answers with what is no chat completion',
          remedy: "Give the address of an API like OpenAI's.",
          cause: found.error,
        });
      const text = found.data.choices[0]!.message.content ?? '';
      store.keep(question, { text, ended: true });
      return text;
    },
  };
}
