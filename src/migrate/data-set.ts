/**
 * Data sets for tuning, as OpenAI, Azure, Together and Fireworks take them. Promises: says whose form the rows have,
 * what a job would refuse, and how many rows `tune` reads, which takes more forms than jobs do.
 */
import { readExamples } from '../dataset/dataset-files.ts';
import type { TuningFileCheck } from '../dataset/tuning-file.ts';
import { NomoatError } from '../errors.ts';
import { type TuningFormat, tuningFormatOf } from '../text/tuning-rows.ts';
import { counted, type Imported, imported } from './imported.ts';

/** Whose platforms take rows of a form. */
const owners: Readonly<Record<TuningFormat | 'text', string>> = {
  chat: 'conversations as OpenAI, Azure, Together and Fireworks take them',
  completion: "prompts and completions, as OpenAI's and Azure's older models and Together take them",
  preference: 'pairs of answers, as OpenAI, Azure and Together take them',
  reinforcement: 'conversations to be graded, as OpenAI, Azure and Fireworks take them',
  text: 'texts, as Together takes them',
};
const fireworksChat = 'conversations as Fireworks takes them (it knows weights of any message, and thoughts)';

interface Turn {
  readonly role?: unknown;
  readonly weight?: unknown;
  readonly reasoning_content?: unknown;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Whether a conversation has what only Fireworks knows. */
function isFireworks(value: unknown): boolean {
  const messages = isObject(value) && Array.isArray(value.messages) ? (value.messages as unknown[]) : [];
  return messages
    .filter(isObject)
    .some((turn: Turn) => 'reasoning_content' in turn || ('weight' in turn && turn.role !== 'assistant'));
}

type Form = TuningFormat | 'text' | null;

/** The form of the first row that has one. */
function formOf(head: readonly unknown[]): { form: Form; owner: string | null } {
  for (const value of head) {
    const form = tuningFormatOf(value);
    if (form === 'chat' && head.some(isFireworks)) return { form, owner: fireworksChat };
    if (form) return { form, owner: owners[form] };
    if (isObject(value) && typeof value.text === 'string') return { form: 'text', owner: owners.text };
  }
  return { form: null, owner: null };
}

/** What `tune` would read of the file, in a sentence, and a fault where it reads nothing. */
async function readByTune(path: string): Promise<{ words: string; format: string | null; fault: string | null }> {
  try {
    const { format, refusals, train } = await readExamples([path]);
    const all = train.length + refusals.length;
    return { words: `\`tune()\` reads ${train.length} of its ${counted(all, 'row')}`, format, fault: null };
  } catch (error) {
    if (!(error instanceof NomoatError)) throw error;
    return { words: '', format: null, fault: `${error.fault}. ${error.remedy}` };
  }
}

/** A data set of JSONL at `path`, which begins with `head`; `check` holds it against the rules of jobs. */
export async function importDataSet(
  path: string,
  head: readonly unknown[],
  check: (path: string) => Promise<TuningFileCheck>,
): Promise<Imported> {
  const { form, owner } = formOf(head);
  if (form === null || form === 'text') return await importOther(path, owner);
  const { examples, faultCount, faults, notes } = await check(path);
  const differences = notes.map((note) => `It ${note}.`);
  const trains = form !== 'reinforcement';
  const by =
    form === 'preference'
      ? "Jobs of the method dpo take it as it is, and so does `tune()` with `method: 'dpo'`."
      : 'Jobs take it as it is, and so does `tune()`.';
  if (!trains) differences.push(`A job on it is refused: ${form} cannot be trained yet.`);
  else if (faultCount === 0) differences.push(by);
  else {
    const { fault, words } = await readByTune(path);
    differences.push(
      fault === null
        ? `A job refuses the whole file for what is wrong with it; ${words}, and \`preview()\` shows what a model learns of them.`
        : `\`tune()\` refuses it, too: ${fault}`,
    );
  }
  const listed = { faults: faults.map(({ message }) => message), faultCount, differences };
  return imported(path, 'data-set', `is a data set: ${counted(examples, 'example')}, ${owner}`, listed);
}

/** Data in a form that jobs do not take, but `tune` may. */
export async function importOther(path: string, owner: string | null): Promise<Imported> {
  const { fault, format, words } = await readByTune(path);
  if (fault !== null) return imported(path, 'unknown', 'is nothing that is known here', { faults: [`It ${fault}`] });
  const what = owner ?? `rows of the form ${format}`;
  const differences = [
    `Jobs take conversations, and prompts with completions, as JSONL only: they refuse it, as OpenAI does. ${words}.`,
  ];
  return imported(path, 'data-set', `is a data set of ${what}`, { differences });
}
