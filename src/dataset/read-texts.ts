/**
 * The documents that a pretraining run learns: plain text files, and the texts of data files. Promises: what is learnt is a text that
 * somebody wrote, never the JSON or the table around it; records without one are refused by name, as is a file of other records.
 */
import { shuffled } from '../batches/order.ts';
import { NomoatError } from '../errors.ts';
import { kindByName } from '../records/data-files.ts';
import { documentsOf, readTextFile } from '../records/text-documents.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import { describeKeys, detectFormat } from '../text/records.ts';
import { readExamples } from './dataset-files.ts';
import type { Refusal } from './read-data-file.ts';

/** Fewer documents than this are not divided by document: the end of the text is held out instead. */
const fewDocuments = 20;
/** A line that is longer is not looked into: a record of a text is found in its first lines, and a text has line ends. */
const maxRecordLine = 1 << 20;

/** Files that a pretraining run reads. */
export const textFiles = ({ data, validation }: RunSettings): string[] =>
  typeof validation === 'string' ? [...data, validation] : [...data];

interface Documents {
  readonly documents: readonly string[];
  readonly notes: readonly string[];
  readonly refusals: readonly Refusal[];
}

export interface Texts {
  readonly train: readonly string[];
  readonly validation: readonly string[];
  /** What a person should know of the files. */
  readonly notes: readonly string[];
  /** Records without a text. */
  readonly refusals: readonly Refusal[];
}

/** The position, or the one before it where it lies inside a character of two units. */
const wholeCharacter = (text: string, at: number): number =>
  /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(at - 1, at + 1)) ? at - 1 : at;

type Asked = Pick<RunSettings, 'data' | 'seed' | 'validation'> & { readonly textColumn?: string | null };

/** Texts of records; other records than texts are refused as a file. */
async function recordTexts(path: string, textColumn: string | null): Promise<Documents> {
  const { files, notes, refusals, train } = await readExamples([path], { textColumn });
  const other = train.find(({ kind }) => kind !== 'text');
  if (other)
    throw new NomoatError({
      part: path,
      fault: `holds records of the format ${files[0]!.format}, not texts`,
      remedy: 'Learn them with `tune()`, or choose the field that holds the text: `textColumn`.',
    });
  const texts = train.flatMap((example) => (example.kind === 'text' ? [example.text] : []));
  return {
    documents: texts.flatMap(documentsOf),
    notes: [`${path}: the texts of ${texts.length} records are learnt, not the file as it is`, ...notes],
    refusals,
  };
}

/** A text file whose first line is a record, named for what it is not. */
function refuseRecords(path: string, [first]: readonly string[]): void {
  const line = /^\s*(\{.*\})\s*(?:\n|$)/.exec(first?.slice(0, maxRecordLine) ?? '')?.[1];
  if (line === undefined) return;
  try {
    const record: unknown = JSON.parse(line);
    if (detectFormat(record) === null) return;
    throw new NomoatError({
      part: path,
      fault: `holds records, one a line (keys: ${describeKeys(record)}), and is named as plain text`,
      remedy: 'Name it .jsonl: then the texts inside are learnt, not the JSON around them.',
    });
  } catch (error) {
    if (error instanceof NomoatError) throw error;
    // No JSON: a text that begins with a brace.
  }
}

async function readDocuments(path: string, textColumn: string | null): Promise<Documents> {
  if (kindByName(path) !== undefined) return recordTexts(path, textColumn);
  const { documents } = await readTextFile(path);
  refuseRecords(path, documents);
  return { documents, notes: [], refusals: [] };
}

/** Documents of the files, and those held out. Throws NomoatError. */
export async function readTexts({ data, seed, textColumn = null, validation }: Asked): Promise<Texts> {
  const read: Documents[] = [];
  for (const path of data) read.push(await readDocuments(path, textColumn));
  const documents = read.flatMap((each) => each.documents);
  const notes = read.flatMap((each) => each.notes);
  const refusals = read.flatMap((each) => each.refusals);
  if (validation === null) return { train: documents, validation: [], notes, refusals };
  if (typeof validation === 'string') {
    const held = await readDocuments(validation, textColumn);
    const refused = held.refusals.length > 0 ? [`Held out: ${held.refusals.length} records without a text.`] : [];
    return { train: documents, validation: held.documents, notes: [...notes, ...held.notes, ...refused], refusals };
  }
  return { ...divided(documents, seed, validation), notes, refusals };
}

function divided(documents: readonly string[], seed: number, share: number): Pick<Texts, 'train' | 'validation'> {
  if (documents.length < fewDocuments) {
    const cut = documents.map((text) => wholeCharacter(text, Math.floor(text.length * (1 - share))));
    return {
      train: documents.map((text, i) => text.slice(0, cut[i])),
      validation: documents.map((text, i) => text.slice(cut[i])).filter((text) => text !== ''),
    };
  }
  const held = new Set(shuffled(documents.length, seed).slice(0, Math.max(1, Math.round(documents.length * share))));
  return {
    train: documents.filter((_, i) => !held.has(i)),
    validation: documents.filter((_, i) => held.has(i)),
  };
}
