/**
 * The models that a server offers, by name: those on this machine, those in its own folders, and finished runs. Promises: a request's
 * name is only ever looked up here, never made a path; what is new on the disk is there without a restart.
 */
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { NomoatError } from '../errors.ts';
import { isAdapterGguf } from '../formats/gguf/adapter-file.ts';
import { standsForModel } from '../formats/gguf/part-names.ts';
import { listModels } from '../library/models.ts';
import { type KnownRuns, type ListedRun, listRuns, type RunState } from '../run/run-folder.ts';
import { isModelGguf } from '../store/catalogue.ts';
import { ggufStem } from '../store/local-scan.ts';
import { checkpointIn, checkpointModel, runModel, secondsOf } from './fine-tuned-names.ts';
import { type KnownMerges, mergedModels } from './merged-models.ts';
import { namedStack } from './named-stack.ts';
import type { ServedModel } from './served-model.ts';

function fileModel(id: string, path: string, ownedBy: string): ServedModel[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats ? [{ id, aliases: [], path, created: secondsOf(stats.mtimeMs), ownedBy, parent: null, base: null }] : [];
}

function modelsInside(folder: string): ServedModel[] {
  const path = resolve(folder);
  let names: string[];
  try {
    names = readdirSync(path).sort();
  } catch (error) {
    throw new NomoatError({
      part: path,
      fault: `is no folder of models that can be read (${(error as NodeJS.ErrnoException).code})`,
      remedy: 'Give folders with GGUF files in `models`.',
      cause: error,
    });
  }
  const isModel = (name: string): boolean =>
    isModelGguf(name) && standsForModel(join(path, name)) && !isAdapterGguf(join(path, name));
  return names.filter(isModel).flatMap((name) => fileModel(ggufStem(name), join(path, name), 'local'));
}

const finished: readonly (RunState | 'unreadable')[] = ['done', 'stopped-early'];
/** A name stands for one model: of several, the later ones are listed by whose they are as well, and a number. */
function withoutDoubles(models: readonly ServedModel[]): Map<string, ServedModel> {
  const byId = new Map<string, ServedModel>();
  const paths = new Set<string>();
  for (const model of models) {
    if (paths.has(model.path)) continue;
    let { id } = model;
    for (let n = 1; byId.has(id); n++) id = `${model.ownedBy}/${model.id}${n === 1 ? '' : `-${n}`}`;
    byId.set(id, { ...model, id });
    paths.add(model.path);
  }
  return byId;
}

export interface ModelFolders {
  readonly models: readonly string[];
  readonly runs: string;
  /** Local models by the names that scripts have for hosted ones; a date behind such a name is of no account. */
  readonly map?: ReadonlyMap<string, string>;
  /** The suffix that a job gave the model of a run, by the run's name; null where no job made it. */
  readonly suffixOf?: (run: string) => string | null;
}

/** Of the folder of runs: what the studio made of them. */
export const exportsName = 'exports';

/** A name of a hosted model without the date of its version. */
const undated = (name: string): string => name.replace(/-\d{4}-\d{2}-\d{2}$/, '');

interface Known {
  readonly models: ReadonlyMap<string, ServedModel>;
  /** Of runs that have no result yet: their checkpoints are models already. */
  readonly unfinished: readonly ServedModel[];
}

export class ModelList {
  private readonly given: ModelFolders;
  /** Adapters that requests have loaded, by their names. */
  private readonly loaded = new Map<string, ServedModel>();
  private readonly freshMilliseconds: number;
  private readonly runs: KnownRuns = new Map();
  private readonly merges: KnownMerges = new Map();
  private known: Known | null = null;
  private readAt = Number.NEGATIVE_INFINITY;

  /** What was read of the disk holds for `freshMilliseconds`. */
  constructor(folders: ModelFolders, freshMilliseconds: number) {
    this.given = folders;
    this.freshMilliseconds = freshMilliseconds;
  }

  /** In the order of precedence. Rejects with NomoatError where a folder cannot be read the first time. */
  async all(): Promise<readonly ServedModel[]> {
    return [...(await this.fresh()).models.values(), ...this.loaded.values()];
  }

  /** Below these, requests may name adapters. */
  get folders(): readonly string[] {
    return this.given.models;
  }

  /** Offers an adapter as a model, under a name that no other has. */
  load(model: ServedModel): void {
    this.loaded.set(model.id, model);
  }

  /** Whether there was a loaded adapter of that name, which is no model any more. */
  unload(name: string): boolean {
    return this.loaded.delete(name);
  }

  /** null where there is none of that name, nor a stack of names; full names go before others, and what is here before what a name is mapped to. */
  async find(name: string): Promise<ServedModel | null> {
    const known = await this.fresh();
    const found = this.findAs(known, name);
    const mapped = found ? null : this.mapped(name);
    return found ?? (mapped === null ? namedStack(name, (part) => this.findAs(known, part)) : findIn(known, mapped));
  }

  private findAs(known: Known, name: string): ServedModel | null {
    return findIn(known, name) ?? this.loaded.get(name) ?? null;
  }

  /** The local model that a hosted one's name is mapped to; null where it is not. */
  mapped(name: string): string | null {
    return this.given.map?.get(name) ?? this.given.map?.get(undated(name)) ?? null;
  }

  /** What is on the disk is read anew for the next request. */
  forget(): void {
    this.readAt = Number.NEGATIVE_INFINITY;
  }

  private async fresh(): Promise<Known> {
    if (this.known !== null && performance.now() - this.readAt <= this.freshMilliseconds) return this.known;
    const isFirst = this.known === null;
    // What is in a folder that is taken away later is not there any more; the other models are.
    const inside = <T>(list: (folder: string) => T[], folder: string): T[] => {
      try {
        return list(folder);
      } catch (error) {
        if (isFirst) throw error;
        return [];
      }
    };
    const own = this.given.models.flatMap((folder) => inside(modelsInside, folder));
    const { local } = await listModels();
    const found = local.flatMap(({ name, path, source }) => fileModel(name, path, source));
    const runs = inside((folder) => listRuns(folder, this.runs), this.given.runs);
    const of = (wanted: (run: ListedRun) => boolean): ServedModel[] =>
      runs.filter(wanted).flatMap((run) => this.ofRun(run));
    const merged = await mergedModels(join(this.given.runs, exportsName), local, this.merges);
    const models = withoutDoubles([...own, ...found, ...of(({ state }) => finished.includes(state)), ...merged]);
    this.known = { models, unfinished: of(({ state }) => !finished.includes(state)) };
    this.readAt = performance.now();
    return this.known;
  }

  private ofRun(run: ListedRun): ServedModel[] {
    const suffix = this.given.suffixOf?.(run.name) ?? run.name;
    return run.record ? [runModel(run, run.record, suffix)] : [];
  }
}

function findIn(known: Known, name: string): ServedModel | null {
  const byAlias = (models: Iterable<ServedModel>, wanted: string): ServedModel | undefined =>
    [...models].find(({ aliases, id }) => id === wanted || aliases.includes(wanted));
  const found = known.models.get(name) ?? byAlias(known.models.values(), name);
  if (found) return found;
  const checkpoint = checkpointIn(name);
  if (checkpoint === null) return null;
  const { model, step } = checkpoint;
  const run = byAlias(known.models.values(), model) ?? byAlias(known.unfinished, model);
  return run ? checkpointModel(run, step) : null;
}
