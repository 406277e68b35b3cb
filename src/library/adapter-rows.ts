/** Data as the rows that an adapter's run would learn. */
import { readExamples } from '../dataset/dataset-files.ts';
import { learntExamples } from '../dataset/divide.ts';
import { buildSets } from '../dataset/row-sets.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { listOf } from '../library.ts';
import type { RunRecord } from '../run/run-folder.ts';
import { resolveOptions } from '../settings/load.ts';
import { withChatTemplate } from '../text/chat-template.ts';
import type { TokenRow } from '../tokens/token-row.ts';

/** Whose rows. */
export interface RowsOf {
  readonly model: GgufFile;
  /** Of the run that made the adapter, where that is known. */
  readonly record: RunRecord | null;
  readonly signal?: AbortSignal | undefined;
}

/** The examples of files, or, where none are given, of the run: those that it learnt. */
const examplesOf = async (record: RunRecord | null, data: string | readonly string[] | null) =>
  data === null && record !== null
    ? await learntExamples(record.settings)
    : (
        await readExamples(listOf(data ?? []), {
          format: 'auto',
          promptColumn: null,
          completionColumn: null,
          textColumn: null,
        })
      ).train;

/** Rows of `data`, or of what the run learnt. Rejects with NomoatError where they are not to be had. */
export async function adapterRows(
  { model, record, signal }: RowsOf,
  data: string | readonly string[] | null,
): Promise<readonly TokenRow[]> {
  const settings = record?.settings ?? resolveOptions({});
  const train = await examplesOf(record, data);
  // With its engine, which a program that imports the library does not wait for.
  const { openTokenizer } = await import('../llama/tokenizer.ts');
  const tokenizer = await openTokenizer(model.path);
  try {
    const asked = withChatTemplate(model, settings.chatTemplate);
    return (await buildSets({ train, validation: [], settings, model: asked, tokenizer, signal })).train.rows;
  } finally {
    await tokenizer.close();
  }
}
