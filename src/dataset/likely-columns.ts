/** Which columns of other names than the known ones may be meant. Pure. */
import { withValues } from '../words/program-words.ts';

/** Names that people give to a question and its answer, as they often come together. */
const likelyPairs: readonly (readonly [string, string])[] = [
  // In capitals.
  ['prompt', 'completion'],
  ['instruction', 'output'],
  ['question', 'answer'],
  ['instruction', 'response'],
  ['instruction', 'answer'],
  ['prompt', 'response'],
  ['prompt', 'answer'],
  ['prompt', 'output'],
  ['input', 'output'],
  ['input', 'target'],
  ['query', 'response'],
  ['query', 'answer'],
  ['problem', 'solution'],
  ['source', 'target'],
  ['user', 'assistant'],
  ['human', 'assistant'],
  ['q', 'a'],
];

/** What a question is often asked of, in a column of its own. */
const moreColumns: readonly string[] = ['context', 'input', 'passage', 'document'];

/** What to try with columns of other names. */
export function likelyColumns(record: unknown): string {
  const names = new Map(
    typeof record === 'object' && record ? Object.keys(record).map((key) => [key.toLowerCase(), key]) : [],
  );
  const pair = likelyPairs.find((each) => each.every((name) => names.has(name)));
  if (!pair) return names.has('text') ? `Try ${withValues({ textColumn: names.get('text') })}. ` : '';
  const more = moreColumns.find((name) => names.has(name));
  const lost =
    more === undefined ? '' : `To learn "${names.get(more)}" too, name the columns instruction, input and output. `;
  const columns = { promptColumn: names.get(pair[0]), completionColumn: names.get(pair[1]) };
  return `Try ${withValues(columns)}. ${lost}`;
}
