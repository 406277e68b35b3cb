/**
 * A model as a request asks for it: one of the list, with adapters beside its own. Promises: an adapter that counts nothing is none; the
 * same adapters in another order are the same model; those of another base are refused by their place in the request.
 */
import { realpathSync } from 'node:fs';
import type { LoadedAdapter } from '../adapter/frozen-stack.ts';
import { type ResolvedChat, resolveChat } from '../library.ts';
import { wrongParameter } from './api-error.ts';
import type { ServedModel } from './served-model.ts';

/** An adapter that a request names. */
export interface AskedAdapter {
  readonly served: ServedModel;
  readonly scale: number;
  /** Where the request names it, such as `lora[0].id`. */
  readonly param: string;
}

export interface AskedModel {
  readonly served: ServedModel;
  readonly adapters: readonly AskedAdapter[];
}

/** Another file under the same name is another model. */
const stampOf = ({ created, path }: ServedModel): string => `${created} ${path}`;

/** The same for whoever asks for the same. */
export function keyOf({ adapters, served }: AskedModel): string {
  const named = adapters.map((adapter) => `${adapter.scale} ${stampOf(adapter.served)}`);
  return JSON.stringify([stampOf(served), ...named.sort()]);
}

const resolved = ({ base, path }: ServedModel): Promise<ResolvedChat> =>
  resolveChat(base === null ? { model: path } : { model: base, adapter: path });

/** What is to be opened. */
export interface ToOpen extends Omit<ResolvedChat, 'warnings'> {
  readonly notes: readonly string[];
}

/** Rejects with NomoatError, or with ApiError where an adapter is none for this model. */
export async function toOpen({ adapters, served }: AskedModel): Promise<ToOpen> {
  const { adapters: beside, warnings, ...own } = await resolved(served);
  const base = realpathSync(own.modelPath);
  const all: LoadedAdapter[] = [];
  const notes = [...warnings];
  for (const { param, scale, served: named } of adapters) {
    const other = await resolved(named);
    const fault =
      other.adapters.length === 0
        ? 'no adapter'
        : realpathSync(other.modelPath) === base
          ? null
          : 'an adapter of another model';
    if (fault !== null)
      throw wrongParameter(param, 'invalid_value', `Invalid value for '${param}': '${named.id}' is ${fault}.`);
    // What it stands on counts as it did in its training.
    all.push(...other.adapters.map((each) => (each.frozen ? each : { ...each, scale: each.scale * scale })));
    notes.push(...other.warnings);
  }
  // A request that names the model's own adapter says how much it counts.
  const unnamed = beside.filter((own) => !all.some(({ path }) => path === own.path));
  const once = all.filter(({ path }, i) => all.findIndex((other) => other.path === path) === i);
  return { ...own, adapters: [...unnamed, ...once].filter(({ scale }) => scale !== 0), notes };
}
