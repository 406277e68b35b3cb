/** The rows that a data file becomes under a model, as `preview` and a run make them, with their texts. */

import { readExamples } from '../../src/dataset/dataset-files.ts';
import { buildSets } from '../../src/dataset/row-sets.ts';
import { openGguf } from '../../src/formats/gguf/read.ts';
import { openTokenizer } from '../../src/llama/tokenizer.ts';
import { resolveOptions } from '../../src/settings/load.ts';
import { withChatTemplate } from '../../src/text/chat-template.ts';
import { templateOfName } from '../../src/text/named-templates.ts';
import type { RowsReport } from '../../src/tokens/rows.ts';

export interface Rows {
  /** Of each row, its whole text and what of it is learnt. */
  readonly rows: readonly { readonly text: string; readonly learnt: string; readonly tokens: readonly number[] }[];
  readonly report: RowsReport;
  /** Refused records and rows, with their reasons. */
  readonly refusals: readonly string[];
  /** What was tried on refused rows and helps. */
  readonly remedy: string | null;
}

export async function rowsOf(
  modelPath: string,
  data: string,
  given: Readonly<Record<string, string | number>> = {},
): Promise<Rows> {
  const settings = resolveOptions(given);
  const dataset = await readExamples([data], settings);
  const model = withChatTemplate(openGguf(modelPath), templateOfName(String(given['chatTemplate'] ?? '')));
  const tokenizer = await openTokenizer(modelPath);
  try {
    const sets = await buildSets({ train: dataset.train, validation: [], settings, model, tokenizer });
    const { report, rows } = sets.train;
    return {
      rows: rows.map(({ tokens, supervised }) => ({
        text: tokenizer.decode([...tokens]),
        learnt: tokenizer.decode([...tokens].filter((_, t) => supervised[t] === 1)),
        tokens: [...tokens],
      })),
      report,
      refusals: [...dataset.refusals.map(({ reason }) => reason), ...report.refused.map(({ reason }) => reason)],
      remedy: sets.remedy(),
    };
  } finally {
    await tokenizer.close();
    model.close();
  }
}
