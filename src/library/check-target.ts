/** What a safety check is of: a run, an adapter or a model, and the base that it is compared with. Promises: of an adapter nothing is loaded before its files were read. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { adapterFiles, readAdapter } from '../adapter/read-adapter.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { type ResolvedChat, resolveChat } from '../library.ts';
import { runOfCheckpoint } from '../run/run-folder.ts';
import { templateBeside } from '../settings/chat-template.ts';
import { adapterInside, isRun } from '../settings/load.ts';
import { usualRivals } from './contestants.ts';
import { asChat, findTarget } from './inspect-target.ts';

/** Who is checked. */
export interface CheckTarget {
  readonly chat: ResolvedChat;
  /** Asked in the same way; null where there is nothing to compare with. */
  readonly base: ResolvedChat | null;
  /** Where the adapter lies; null of models. */
  readonly adapterPath: string | null;
  readonly notes: readonly string[];
}

const adapterFile = /\.(safetensors|bin|pt|pth|ckpt|pkl)$/i;

/** Whether it is an adapter by itself: a GGUF by what it says it is. */
function isAdapter(name: string): boolean {
  const path = resolve(name);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return false;
  if (stat.isDirectory()) return readdirSync(path).some((each) => /^adapter/.test(each) || adapterFile.test(each));
  if (adapterFile.test(path)) return true;
  if (!path.toLowerCase().endsWith('.gguf')) return false;
  const file = openGguf(path);
  try {
    return file.string('general.type') === 'adapter';
  } finally {
    file.close();
  }
}

/** The base, asked as `chat` is. */
async function baseOf(against: string | null, chat: ResolvedChat): Promise<ResolvedChat | null> {
  if (against === null) return null;
  const { adapters, modelPath } = await resolveChat({ model: against });
  const { chatTemplate, specialTokens, systemPrompt } = chat;
  return { modelPath, adapters, chatTemplate, specialTokens, systemPrompt, warnings: [] };
}

/** What should be known of the files that come with an adapter. */
function filesBeside(path: string): string[] {
  const folder = statSync(path).isDirectory() ? path : dirname(path);
  const pickles = readdirSync(folder).filter((name) => /\.(bin|pt|pth|ckpt|pkl)$/i.test(name));
  return [
    ...(pickles.length > 0
      ? [`Beside it lies ${pickles.join(', ')}: pickles can run any program, and nomoat never reads one.`]
      : []),
    ...(templateBeside(path) === null
      ? []
      : ['It brings a chat template of its own, which decides what the model is asked with: read it.']),
  ];
}

/** An adapter by itself, read and held against its base before anything runs it. */
async function adapterTarget(name: string, against: string | null): Promise<CheckTarget> {
  // What cannot be read, a pickle among it, is refused before its base is looked for.
  adapterFiles(adapterInside(resolve(name)));
  const found = await findTarget(name, against);
  const base = openGguf(found.modelPath);
  const notes = [...found.notes, ...filesBeside(found.path)];
  try {
    readAdapter(found.path, base, { note: (text) => notes.push(text) });
  } finally {
    base.close();
  }
  const chat = await asChat(name, found);
  return {
    chat,
    base: await baseOf(found.modelPath, chat),
    adapterPath: found.path,
    notes: [...notes, ...chat.warnings],
  };
}

/** Finds it. Rejects with NomoatError. */
export async function findCheckTarget(name: string, against: string | null): Promise<CheckTarget> {
  if (!isRun(name) && runOfCheckpoint(name) === null && isAdapter(name)) return adapterTarget(name, against);
  const chat = await resolveChat({ model: name });
  const inside = isRun(name) ? adapterInside(resolve(name)) : null;
  return {
    chat,
    base: await baseOf(against ?? usualRivals(name)[0] ?? null, chat),
    adapterPath: inside !== null && existsSync(inside) && chat.adapters.length > 0 ? inside : null,
    notes: chat.warnings,
  };
}

/** Bytes of the files of an adapter, by their names. */
export const sizesOf = (paths: readonly string[]): { file: string; bytes: number }[] =>
  paths.map((path) => ({ file: basename(path), bytes: statSync(path).size }));
