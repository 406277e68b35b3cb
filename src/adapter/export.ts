/**
 * An adapter leaves in one of the field's formats.
 * Promises: what stands at the destination is never overwritten; files appear whole or not at all; what a format cannot say is
 * refused before anything is written.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { NomoatError } from '../errors.ts';
import { replaceFolderAtomic, writeFailure, writeFileAtomic } from '../formats/atomic-write.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { type LoraAdapter, summarizeAdapter } from '../lora/adapter.ts';
import { readModelConfig } from '../models/config.ts';
import type { ExportFormat, MergedType } from '../settings/adapter-settings.ts';
import { chatTemplateFile } from '../settings/chat-template.ts';
import { frozenStackName } from '../store/shared-folder.ts';
import { assertGiven } from '../words/given.ts';
import { type AdapterBase, adapterBaseName, carryFrozen, type FrozenStack, writeAdapterBase } from './adapter-base.ts';
import { type CardInfo, renderCard } from './card.ts';
import { isDora } from './dora.ts';
import { checkAdapterFits, readGgufLora, writeGgufLora } from './gguf-lora.ts';
import { type Begotten, lineageKey, lineageText } from './lineage.ts';
import { parentAt, writeLineage } from './lineage-files.ts';
import { writeMlx } from './mlx.ts';
import { renderModelfile } from './modelfile.ts';
import { writePeft } from './peft.ts';
import { mlxWeightsName, peftConfigName } from './peft-files.ts';
import { rewriteModel } from './rewrite-model.ts';
import { withUpdates } from './updated-model.ts';

export interface ExportOptions {
  readonly format: ExportFormat;
  readonly adapter: LoraAdapter;
  readonly model: GgufFile;
  /** A new folder for peft, mlx and ollama, a new file for gguf and merged-gguf. */
  readonly out: string;
  /** For merged-gguf and ollama; F16 unless asked. */
  readonly mergedType?: MergedType;
  /** For peft: the template that was trained with where it is not the model's own, laid beside as Transformers expects it. */
  readonly chatTemplate?: string | null;
  /** For ollama: the base's path and the adapter in a file of its own, which Ollama reads up to 0.34.0. */
  readonly ollamaAdapter?: boolean;
  /** For ollama: the SYSTEM of the Modelfile. */
  readonly systemPrompt?: string | null;
  /** For ollama: further stop texts beside the model's own end-of-turn tokens. */
  readonly stop?: readonly string[];
  /** For peft and mlx: the base that the adapter was trained on, where that is known. */
  readonly base?: AdapterBase | null;
  /** What the adapter was trained on top of: it goes along, and into what is merged. */
  readonly frozen?: FrozenStack | null;
  /** How it was made and of what; default: nothing is said of it. */
  readonly begotten?: Begotten;
  /** For peft: what the card says beyond the adapter's own settings. */
  readonly card?: Partial<CardInfo>;
}

const cardName = 'README.md';
const ggufLoraName = 'adapter.gguf';
const mergedName = 'model.gguf';
const modelfileName = 'Modelfile';

/** nomoat.json, where there is something to say: of `out`, which is `temporary` still. */
function describeMaking(
  temporary: string,
  out: string,
  { base = null, begotten, frozen }: Pick<ExportOptions, 'base' | 'begotten' | 'frozen'>,
): void {
  if (frozen) carryFrozen(temporary, frozen);
  if (begotten) writeLineage(temporary, { base, name: out }, begotten);
  else if (base) writeAdapterBase(temporary, base);
}

/** For the metadata of a GGUF LoRA. */
const lineageOfLora = ({ base = null, begotten }: ExportOptions, name: string): string | undefined =>
  begotten && lineageText(name, base, begotten);

/** For the metadata of a merged model, which descends from what its base was merged of too. */
function lineageOfMerged(options: ExportOptions, name: string): string | undefined {
  const { base = null, begotten, format, mergedType = 'F16', model } = options;
  if (!begotten) return undefined;
  const ofBase = model.string(lineageKey) === undefined ? [] : [parentAt(model.path)];
  const settings = { ...begotten.settings, to: format, type: mergedType };
  return lineageText(name, base, { ...begotten, settings, parents: [...begotten.parents, ...ofBase] });
}

type Exporter = (options: ExportOptions, out: string) => string[];

function writePeftFolder(
  { adapter, base, begotten, model, card, chatTemplate, frozen }: ExportOptions,
  out: string,
): string[] {
  replaceFolderAtomic(out, (temporary) => {
    writePeft(temporary, adapter, readModelConfig(model).layers);
    describeMaking(temporary, out, { base, begotten, frozen });
    const info = {
      architecture: readModelConfig(model).architecture,
      ...card,
      adapter: summarizeAdapter(adapter),
    };
    writeFileAtomic(join(temporary, cardName), renderCard(info));
    if (chatTemplate) writeFileAtomic(join(temporary, chatTemplateFile), chatTemplate);
  });
  const names = [
    'adapter_config.json',
    'adapter_model.safetensors',
    ...(base || begotten || frozen ? [adapterBaseName] : []),
    ...(frozen ? [frozenStackName] : []),
    cardName,
    ...(chatTemplate ? [chatTemplateFile] : []),
  ];
  return names.map((name) => join(out, name));
}

function writeMlxFolder({ adapter, base, begotten, model, frozen }: ExportOptions, out: string): string[] {
  replaceFolderAtomic(out, (temporary) => {
    writeMlx(temporary, adapter, readModelConfig(model).layers);
    describeMaking(temporary, out, { base, begotten, frozen });
  });
  const beside = [...(base || begotten || frozen ? [adapterBaseName] : []), ...(frozen ? [frozenStackName] : [])];
  return [peftConfigName, mlxWeightsName, ...beside].map((name) => join(out, name));
}

/** The base with the adapter in its weights. */
function writeModel(path: string, options: ExportOptions, name: string): void {
  const { adapter, mergedType = 'F16', model } = options;
  rewriteModel(path, model, { type: mergedType, adapter, lineage: lineageOfMerged(options, name) });
}

function writeOllamaFolder(options: ExportOptions, out: string): string[] {
  const { adapter, model, ollamaAdapter, stop, systemPrompt } = options;
  if (ollamaAdapter && model.parts.length > 1) {
    throw new NomoatError({
      code: 'unusable-export',
      part: model.path,
      fault: `is a model in ${model.parts.length} files, which a Modelfile cannot name`,
      remedy: 'Export the merged model: leave `ollamaAdapter` out.',
    });
  }
  // First, since it may refuse the template.
  const modelfile = renderModelfile({
    model,
    from: ollamaAdapter ? resolve(model.path) : `./${mergedName}`,
    adapterFile: ollamaAdapter ? ggufLoraName : null,
    systemPrompt: systemPrompt ?? null,
    stop: stop ?? [],
  });
  replaceFolderAtomic(out, (temporary) => {
    // Each is named as the folder: model.gguf tells nobody what it is.
    const name = basename(out);
    if (ollamaAdapter) writeGgufLora(join(temporary, ggufLoraName), adapter, model, lineageOfLora(options, name));
    else writeModel(join(temporary, mergedName), options, name);
    writeFileAtomic(join(temporary, modelfileName), modelfile);
  });
  return [ollamaAdapter ? ggufLoraName : mergedName, modelfileName].map((name) => join(out, name));
}

function writeMerged(options: ExportOptions, out: string): string[] {
  writeModel(out, options, basename(out));
  return [out];
}

const exporters: Readonly<Record<ExportFormat, { readonly kind: 'file' | 'folder'; readonly write: Exporter }>> = {
  peft: { kind: 'folder', write: writePeftFolder },
  ollama: { kind: 'folder', write: writeOllamaFolder },
  gguf: {
    kind: 'file',
    write: (options, out) => {
      writeGgufLora(out, options.adapter, options.model, lineageOfLora(options, basename(out)));
      return [out];
    },
  },
  mlx: { kind: 'folder', write: writeMlxFolder },
  'merged-gguf': { kind: 'file', write: writeMerged },
};

function checkDestination(out: string, kind: 'file' | 'folder'): void {
  if (existsSync(out)) {
    throw new NomoatError({
      code: 'path-exists',
      part: out,
      fault: 'exists already, and exports overwrite nothing',
      remedy: 'Give another `out`, or remove it first.',
    });
  }
  if (kind === 'file' && !out.endsWith('.gguf')) {
    throw new NomoatError({
      code: 'invalid-settings',
      part: out,
      fault: 'does not end in .gguf',
      remedy: 'Give `out` a file name like model.gguf.',
    });
  }
  try {
    mkdirSync(dirname(out), { recursive: true });
  } catch (error) {
    throw writeFailure(out, error);
  }
}

/** Of what is merged: the model with what the adapter was trained on top of. */
function withFrozenUpdates({ format, frozen, model, ollamaAdapter }: ExportOptions): GgufFile {
  const merges = format === 'merged-gguf' || (format === 'ollama' && !ollamaAdapter);
  return merges && frozen ? withUpdates(model, readGgufLora(frozen.path, model)) : model;
}

/** What is to be known of an adapter that was trained on top of others, where it is not merged with them; empty for all else. */
export function frozenNotes({
  format,
  frozen,
  ollamaAdapter,
}: Pick<ExportOptions, 'format' | 'frozen' | 'ollamaAdapter'>): string[] {
  if (!frozen || format === 'merged-gguf' || (format === 'ollama' && !ollamaAdapter)) return [];
  const names = frozen.adapters.map(({ name, scale }) => (scale === 1 ? name : `${name}@${scale}`)).join('+');
  const beside =
    format === 'peft' || format === 'mlx' ? `${frozenStackName} beside it has them` : `${frozen.path} has them`;
  return [`It was trained on top of ${names}, and is nothing without: ${beside}, as a GGUF LoRA.`];
}

/** DoRA is merged exactly; as an adapter it is not written. */
function assertPlain({ adapter, format, ollamaAdapter }: ExportOptions): void {
  const merged = format === 'merged-gguf' || (format === 'ollama' && !ollamaAdapter);
  if (merged || !isDora(adapter)) return;
  throw new NomoatError({
    code: 'unusable-export',
    part: 'the adapter',
    fault: `is DoRA, whose update has full rank: no plain LoRA, which ${format} wants, is the same`,
    remedy: "Merge it (`to: 'merged-gguf'`), which is exact, or give the `rank` of the nearest plain LoRA.",
  });
}

/** Writes the adapter as `format` and returns the paths of the files. Throws NomoatError. */
export async function exportAdapter(options: ExportOptions): Promise<string[]> {
  assertGiven('`out`', options.out);
  const out = resolve(options.out);
  const { kind, write } = exporters[options.format];
  checkAdapterFits('the adapter', options.adapter, options.model);
  checkDestination(out, kind);
  assertPlain(options);
  const model = withFrozenUpdates(options);
  // What it was made of says which model it is for, also where that is a GGUF file, beside which nothing stands.
  const base = options.base ?? options.begotten?.parents[0]?.entries[0]?.base ?? null;
  return write({ ...options, base, model }, out);
}
