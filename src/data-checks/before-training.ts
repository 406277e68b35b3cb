/**
 * What of the checks a run begins with. Usually a sample is looked at for what takes no library to find, and what
 * is found is said; with `strictData` every check of every row runs, and severe findings refuse the data. Promises: the same for the same rows.
 */
import { NomoatError } from '../errors.ts';
import { type Example, placeOf, type RecordSource } from '../text/example.ts';
import { charactersIn } from './characters.ts';
import { rowOf } from './data-row.ts';
import type { DataFinding } from './finding.ts';
import { keysIn } from './personal/key-forms.ts';

/** Characters that are looked at: about 50 ms of processor time (docs/log/data-and-templates.md), of a start that takes seconds. */
const lookedAt = 200_000;

interface Told {
  readonly rule: string;
  readonly source: RecordSource;
}

/** What a row holds that no model should learn, as far as forms alone tell. */
function severeIn(example: Example): Told | null {
  const { source, texts } = rowOf(example);
  for (const { text } of texts) {
    const [found] = [...keysIn(text), ...charactersIn(text).filter(({ severity }) => severity === 'severe')];
    if (found) return { rule: found.rule, source };
  }
  return null;
}

/** Rows at even distances that are so long together as is looked at. */
function sampleOf(examples: readonly Example[]): Example[] {
  const lengths = examples.map((example) => rowOf(example).texts.reduce((sum, { text }) => sum + text.length, 0));
  const all = lengths.reduce((sum, length) => sum + length, 0);
  const step = Math.max(1, all / lookedAt);
  return Array.from({ length: Math.ceil(examples.length / step) }, (_, i) => examples[Math.floor(i * step)]!);
}

/** What is to be known of the data before it is learnt, in a sentence; nothing where nothing was found. */
export function glanceAtData(examples: readonly Example[]): string[] {
  const sample = sampleOf(examples);
  const found = sample.flatMap((example) => severeIn(example) ?? []);
  const [first] = found;
  if (!first) return [];
  const of = sample.length < examples.length ? `${sample.length} of ${examples.length} rows were looked at: ` : '';
  return [
    `${of}${found.length} ${found.length === 1 ? 'row holds' : 'rows hold'} what no model should learn, the first ${placeOf(first.source)} (${first.rule}). \`inspectData()\` lists it all, and writes the data without it.`,
  ];
}

const severe = ({ severity }: DataFinding): boolean => severity === 'severe';

/** Throws NomoatError where any row has a severe finding. Rejects with the signal's reason where it is aborted. */
export async function assertClean(examples: readonly Example[], signal?: AbortSignal): Promise<void> {
  // With its libraries, which other runs do not wait for.
  const { checkRows } = await import('./check-rows.ts');
  const found = (await checkRows(examples, { signal })).findings.filter(severe);
  const [first] = found;
  if (!first) return;
  const rows = new Set(found.flatMap((finding) => finding.rows.map(placeOf)));
  throw new NomoatError({
    code: 'unusable-data',
    part: placeOf(first.rows[0]!),
    fault: `${rows.size} ${rows.size === 1 ? 'row holds' : 'rows hold'} what no model should learn, this one: ${first.rule} (${first.excerpt})`,
    remedy:
      '`inspectData()` lists all of them and writes the data without them; without `strictData` it is trained on as it is.',
  });
}
