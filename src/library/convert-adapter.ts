/** An adapter of any kind in another format. Promises: it fits its base, or nothing is written; nothing that exists is overwritten. */
import { readAdapterBase, readFrozen } from '../adapter/adapter-base.ts';
import { isDora } from '../adapter/dora.ts';
import { exportAdapter, frozenNotes } from '../adapter/export.ts';
import { parentAt } from '../adapter/lineage-files.ts';
import { atRank, lostText } from '../adapter/low-rank.ts';
import { readAdapter } from '../adapter/read-adapter.ts';
import { lossText } from '../evaluate/likelihood/loss.ts';
import { openGguf } from '../formats/gguf/read.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import type { LoraAdapter } from '../lora/adapter.ts';
import { baseWarning } from '../run/base-model.ts';
import { convertSettings, type ExportFormat, type MergedType } from '../settings/adapter-settings.ts';
import { templateBeside } from '../settings/chat-template.ts';
import { type Given, parseSettings } from '../settings/parse-settings.ts';
import { resolveModel } from '../store/local-models.ts';
import { withChatTemplate } from '../text/chat-template.ts';
import { assertGiven } from '../words/given.ts';
import { defaultExportPath } from './export-path.ts';
import { type Exported, needlessFaults } from './export-run.ts';
import { mergeLosses } from './merge-losses.ts';
import { readTest } from './test-data.ts';

/** How many modules are done, of how many; of a search for weights, how many tries. */
export interface ModuleProgress {
  readonly done: number;
  readonly total: number;
  readonly of?: 'tries' | 'blocks';
}

/** What an adapter becomes, and where. */
export interface ConvertOptions {
  /** `peft`: a folder for Transformers; `gguf`: an adapter for llama.cpp; `mlx`: a folder for mlx-lm; `ollama`: a folder with a Modelfile; `merged-gguf`: one model. */
  readonly to: ExportFormat;
  /** The model that the adapter is for: a name that `listModels()` lists, or a GGUF file, of any type. */
  readonly base: string;
  /** A new folder for peft, mlx and ollama, a new .gguf file for gguf and merged-gguf (default: named after the adapter, in the current folder). */
  readonly out?: string;
  /** Type of the merged weights, for merged-gguf and ollama (default: F16). */
  readonly type?: MergedType;
  /** For ollama: the adapter in a file of its own, which only Ollama up to 0.34.0 reads (default: false). */
  readonly ollamaAdapter?: boolean;
  /** At most this rank for each module: the nearest update of that rank (default: the ranks that there are). DoRA needs it unless it is merged. */
  readonly rank?: number;
  /** Test data with answers: the loss of the merged model beside that of the base with the adapter, for merged-gguf and ollama (default: none). */
  readonly data?: string | readonly string[];
  /** Alpha of a .safetensors file that has no adapter_config.json beside it. */
  readonly alpha?: number;
  /** Ends it; nothing is written then. */
  readonly signal?: AbortSignal;
  /** Told how far it is. */
  readonly onProgress?: (progress: ModuleProgress) => void;
}

interface Lowered {
  readonly adapter: LoraAdapter;
  readonly notes: readonly string[];
}

async function lowered(
  adapter: LoraAdapter,
  model: GgufFile,
  { onProgress, signal }: ConvertOptions,
  rank: number | null,
): Promise<Lowered> {
  if (rank === null) return { adapter, notes: [] };
  const found = await atRank(adapter, {
    rank,
    model,
    signal,
    onModule: (done, total) => onProgress?.({ done, total }),
  });
  const kind = isDora(adapter) ? 'DoRA as plain LoRA of' : 'With';
  return { adapter: found.adapter, notes: [`${kind} rank ${rank} leaves out ${lostText(found.energy)}.`] };
}

/** Only what is merged is rounded. */
const dataFaults = ({ data, ollamaAdapter, to }: Given): string[] =>
  data === undefined ||
  (Array.isArray(data) && data.length === 0) ||
  to === 'merged-gguf' ||
  (to === 'ollama' && !ollamaAdapter)
    ? []
    : ['`data`: nothing is merged, so there is no loss to measure'];

interface Compared {
  readonly adapter: string;
  readonly basePath: string;
  readonly files: readonly string[];
  /** Whether llama.cpp takes the adapter beside its base. */
  readonly isPlain: boolean;
  readonly signal: AbortSignal | undefined;
}

/** What rounding the merged weights costs, in sentences. */
async function lossNotes(data: readonly string[], compared: Compared): Promise<string[]> {
  const { adapter, basePath, files, isPlain, signal } = compared;
  const merged = { name: 'the merged model', model: files.find((file) => file.endsWith('.gguf'))!, adapter: null };
  const other = isPlain
    ? { name: 'the base with the adapter', model: basePath, adapter }
    : { name: 'the base', model: basePath, adapter: null };
  const notes: string[] = [];
  for (const path of data) {
    const { comparisons, models } = await mergeLosses(
      await readTest({ data: path }, basePath),
      [merged, other],
      signal,
    );
    notes.push(
      `Loss on ${path}: ${models.map(({ loss, name }) => `${name} ${loss.toFixed(4)}`).join(', ')} nats per token.`,
      ...comparisons.map(lossText),
    );
  }
  return notes;
}

/**
 * Reads the adapter at `adapter` (a PEFT folder, a .safetensors file, mlx-lm's folder, a GGUF LoRA, or a run), holds it
 * against its base and writes it in another format. Rejects with NomoatError where it is broken or does not fit, of kind
 * `interrupted` where `signal` is aborted.
 */
export async function convertAdapter(adapter: string, options: ConvertOptions): Promise<Exported> {
  assertGiven('the adapter', adapter);
  const { onProgress: _, signal: __, ...given } = options;
  const settings = parseSettings(
    convertSettings,
    { given },
    { command: 'convert', together: (values) => [...needlessFaults(values), ...dataFaults(values)] },
  );
  const { alpha, base, ollamaAdapter, rank, to, type } = settings;
  const { path: basePath } = await resolveModel(base);
  const chatTemplate = templateBeside(adapter);
  const model = withChatTemplate(openGguf(basePath), chatTemplate);
  try {
    const notes: string[] = [];
    const note = (text: string): void => void notes.push(text);
    const read = readAdapter(adapter, model, { dora: true, note, ...(alpha === null ? {} : { alpha }) });
    const warning = await baseWarning(adapter, basePath);
    const { adapter: written, notes: lost } = await lowered(read, model, options, rank);
    const frozen = readFrozen(adapter);
    const files = await exportAdapter({
      format: to,
      adapter: written,
      model,
      out: settings.out ?? defaultExportPath(adapter, to),
      mergedType: type ?? 'F16',
      ollamaAdapter,
      chatTemplate,
      base: readAdapterBase(adapter),
      frozen,
      begotten: {
        how: 'convert',
        settings: { to, ...(rank === null ? {} : { rank }) },
        parents: [parentAt(adapter, { note })],
      },
    });
    const losses = await lossNotes(settings.data, {
      adapter,
      basePath,
      files,
      isPlain: !isDora(read),
      signal: options.signal,
    });
    return {
      files,
      notes: [
        ...notes,
        ...frozenNotes({ format: to, frozen, ollamaAdapter }),
        ...(warning === null ? [] : [warning]),
        ...lost,
        ...losses,
      ],
    };
  } finally {
    model.close();
  }
}
