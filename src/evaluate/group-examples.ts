/** Which examples belong together: what one conversation or one template gave many of says less than as many independent ones. Pure. */
import { type Clusters, promptOf, type TestQuestion } from './test-set.ts';

/** What asks for examples to be grouped by what they are, where the data has no column of that name; `none` groups nothing. */
export const clusterKinds = ['conversation', 'template', 'none'] as const;

/** What an example begins with: the system prompt and the first thing that is asked. */
function beginningOf({ ask }: TestQuestion): string {
  if ('prompt' in ask) return ask.prompt;
  const first = ask.messages.findIndex(({ role }) => role === 'user');
  return JSON.stringify(ask.messages.slice(0, first + 1).map(({ content, role }) => [role, content]));
}

/** What varies in texts that are made from one template: numbers and what stands in quotes. */
const variable = /\d+(?:[.,:]\d+)*|"[^"\n]*"|“[^”\n]*”/g;

/** A prompt with what a template would vary taken out. */
export const templateOf = (prompt: string): string => prompt.replace(variable, '#').replace(/\s+/g, ' ').trim();

/** Grouped by the beginning of their conversations; null where no two begin alike. */
export function byConversation(questions: readonly TestQuestion[]): Clusters | null {
  const names = questions.map(beginningOf);
  return new Set(names).size < names.length ? { by: 'the beginning of their conversation', names } : null;
}

/** Grouped by the template of what is asked last. */
export const byTemplate = (questions: readonly TestQuestion[]): Clusters => ({
  by: 'their template: numbers and quoted texts apart',
  names: questions.map((question) => templateOf(promptOf(question))),
});
