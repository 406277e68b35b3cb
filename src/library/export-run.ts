/** A run's adapter in another format. Promises: what would do nothing is refused; nothing that exists is overwritten. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readAdapterBase, readFrozen } from '../adapter/adapter-base.ts';
import { exportAdapter, frozenNotes } from '../adapter/export.ts';
import { parentAt } from '../adapter/lineage-files.ts';
import { readPeft } from '../adapter/peft.ts';
import { NomoatError } from '../errors.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { assertSameBase } from '../run/base-model.ts';
import { modelFileName, RunFolder, type RunRecord } from '../run/run-folder.ts';
import { runWarning, unfinished } from '../run/run-result.ts';
import { type ExportFormat, exportFormats, type MergedType, mergedTypes } from '../settings/adapter-settings.ts';
import { trainsAdapter } from '../settings/methods.ts';
import type { Given } from '../settings/parse-settings.ts';
import { withChatTemplate } from '../text/chat-template.ts';
import { withValues } from '../words/program-words.ts';

/** What is written, and where. */
export interface ExportRunOptions {
  /** `peft`: a folder for Transformers; `gguf`: an adapter for llama.cpp; `mlx`: a folder for mlx-lm; `ollama`: a folder with a Modelfile; `merged-gguf`: one model. */
  readonly to: ExportFormat;
  /** A new folder for peft, mlx and ollama, a new .gguf file for gguf and merged-gguf. */
  readonly out: string;
  /** Type of the merged weights, for merged-gguf and ollama (default: F16). */
  readonly type?: MergedType;
  /** For ollama: the adapter in a file of its own, which only Ollama up to 0.34.0 reads (default: false). */
  readonly ollamaAdapter?: boolean;
}

/** What an export wrote. */
export interface Exported {
  /** Absolute paths of what was written. */
  readonly files: readonly string[];
  /** What should be known before it is used, in sentences. */
  readonly notes: readonly string[];
}

/** What does nothing in this format. */
export function needlessFaults({ ollamaAdapter, to, type }: Given): string[] {
  const merges = to === 'merged-gguf' || (to === 'ollama' && !ollamaAdapter);
  return [
    ...(ollamaAdapter && to !== undefined && to !== 'ollama'
      ? [`\`ollamaAdapter\`: does nothing with ${withValues({ to })}`]
      : []),
    ...(type !== undefined && to !== undefined && !merges
      ? ['`type`: nothing is merged, so there is no type to choose']
      : []),
  ];
}

const exportFaults = (options: Given): string[] => [
  ...(exportFormats.some((name) => name === options['to'])
    ? []
    : [`\`to\`: ${options['to']} is none of ${exportFormats.join(', ')}`]),
  ...(typeof options['out'] === 'string' && options['out'] !== '' ? [] : ['`out`: is no path']),
  ...([...mergedTypes, undefined].some((name) => name === options['type'])
    ? []
    : [`\`type\`: ${options['type']} is none of ${mergedTypes.join(', ')}`]),
  ...needlessFaults(options),
];

function assertExportable(run: string, folder: RunFolder, record: RunRecord): void {
  if (!trainsAdapter(record.settings.method)) {
    throw new NomoatError({
      code: 'no-adapter',
      part: run,
      fault: 'trained every weight: it has no adapter',
      remedy: `Its result is a whole model, which others load as it is: ${join(run, 'model', modelFileName)}`,
    });
  }
  if (existsSync(folder.adapter)) return;
  throw unfinished(run, record);
}

/** Writes the adapter of the run in `run`. Rejects with NomoatError. */
export async function exportRun(run: string, options: ExportRunOptions): Promise<Exported> {
  const faults = exportFaults({ ...options });
  if (typeof run !== 'string') faults.push("the run: is no path of a run's folder");
  if (faults.length > 0)
    throw new NomoatError({
      code: 'invalid-settings',
      part: 'the export',
      fault: faults.join('; '),
      remedy: 'Leave out what does nothing, and give the others as said.',
      fields: { faults },
    });
  const { ollamaAdapter = false, out, to, type = 'F16' } = options;
  const folder = new RunFolder(run);
  const record = folder.read();
  const warning = runWarning(run, record);
  assertExportable(run, folder, record);
  await assertSameBase(run, record);
  const { chatTemplate = null } = record.settings;
  const model = withChatTemplate(openGguf(record.settings.modelPath), chatTemplate);
  try {
    const frozen = readFrozen(folder.adapter);
    const files = await exportAdapter({
      format: to,
      adapter: readPeft(folder.adapter),
      model,
      out,
      mergedType: type,
      ollamaAdapter,
      systemPrompt: record.systemPrompt,
      chatTemplate,
      base: readAdapterBase(folder.adapter),
      frozen,
      begotten: { how: 'convert', settings: { to }, parents: [parentAt(folder.adapter)] },
    });
    // PEFT computes as the trainer does.
    const below = frozenNotes({ format: to, frozen, ollamaAdapter });
    return { files, notes: [...below, ...(warning !== null && to !== 'peft' ? [warning] : [])] };
  } finally {
    model.close();
  }
}
