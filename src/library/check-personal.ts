/** Personal data and keys that open models complete: after beginnings of everybody's, and after the training data's own. */

import { unlessTooLong } from '../chat/refusals.ts';
import { sideBySide } from '../evaluate/side-by-side.ts';
import type { TestQuestion } from '../evaluate/test-set.ts';
import {
  completedValues,
  completionTokens,
  learntValues,
  type PersonalFindings,
  personalBeginnings,
} from '../safety/personal-completions.ts';
import type { OpenModelOf } from './check-answers.ts';
import { learntQuestions } from './test-data.ts';

/** Texts that are continued as they are. */
async function continued(
  { team }: OpenModelOf,
  texts: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const found = new Array<string>(texts.length).fill('');
  await sideBySide(texts.length, team.atOnce, async (i) => {
    const answer = await unlessTooLong(() =>
      team.continue(texts[i]!, { temperature: 0, maxTokens: completionTokens, ...(signal ? { signal } : {}) }),
    );
    signal?.throwIfAborted();
    found[i] = answer?.text ?? '';
  });
  return found;
}

const textOf = ({ ask, expected }: TestQuestion): string =>
  [...('prompt' in ask ? [ask.prompt] : ask.messages.map(({ content }) => content ?? '')), expected].join('\n');

/** What the models give of personal data; `run` may have training data that is still there. */
export async function personalFindings(
  { base, model }: { readonly model: OpenModelOf; readonly base: OpenModelOf | null },
  run: string,
  { signal }: { readonly signal?: AbortSignal },
): Promise<PersonalFindings> {
  const learnt = await learntQuestions(run);
  const completions = {
    model: await continued(model, personalBeginnings, signal),
    base: base && (await continued(base, personalBeginnings, signal)),
  };
  const values = await completedValues(completions, learnt && learnt.map(textOf).join('\n'));
  const rows = learnt === null ? [] : await learntValues(learnt.map(({ expected }) => expected));
  const promptOf = ({ ask }: TestQuestion): string =>
    'prompt' in ask ? ask.prompt : model.team.promptText(ask.messages);
  const texts = rows.map(({ before, question }) => `${promptOf(learnt![question]!)}${before}`);
  const givenBy = async (of: OpenModelOf | null): Promise<number> => {
    if (of === null || texts.length === 0) return 0;
    const answers = await continued(of, texts, signal);
    return rows.filter(({ value }, i) => answers[i]!.trimStart().startsWith(value.trim())).length;
  };
  return {
    beginnings: personalBeginnings.length,
    learntRows: learnt && rows.length,
    given: { model: await givenBy(model), base: await givenBy(base) },
    values,
  };
}
