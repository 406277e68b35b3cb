/**
 * The models that a server offers, by name: those on this machine, those in its own folders, and finished runs. Promises: a request's
 * name is only ever looked up here, never made a path; what is new on the disk is there without a restart.
 */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { NomoatError } from '../errors.ts';
import { standsForModel } from '../formats/gguf/part-names.ts';
import { listModels } from '../library/models.ts';
import { listRuns } from '../library/runs.ts';
import type { ListedRun, RunRecord, RunState } from '../run/run-folder.ts';
import { isModelGguf } from '../store/catalogue.ts';
import { ggufStem } from '../store/local-scan.ts';

/** A model by the name that requests have for it. */
export interface ServedModel {
  readonly id: string;
  /** Other names for it. */
  readonly aliases: readonly string[];
  /** What `openModel` takes: a file, or the folder of a run. */
  readonly path: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly ownedBy: string;
  /** The base that a run trained an adapter for; else null. */
  readonly parent: string | null;
}

/** As OpenAI's API and vLLM's list it. */
export const listed = ({ created, id, ownedBy, parent }: ServedModel) => ({
  id,
  object: 'model' as const,
  created,
  owned_by: ownedBy,
  parent,
  root: parent ?? id,
  shutdown_date: null,
});

const secondsOf = (milliseconds: number): number => Math.floor(milliseconds / 1000);

function fileModel(id: string, path: string, ownedBy: string): ServedModel[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats ? [{ id, aliases: [], path, created: secondsOf(stats.mtimeMs), ownedBy, parent: null }] : [];
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
  const isModel = (name: string): boolean => isModelGguf(name) && standsForModel(join(path, name));
  return names.filter(isModel).flatMap((name) => fileModel(ggufStem(name), join(path, name), 'local'));
}

const finished: readonly (RunState | 'unreadable')[] = ['done', 'stopped-early'];
/** Enough to tell the runs of a folder apart. */
const idLetters = 8;
/** Names of fine-tuned models are divided by colons. */
const withoutColons = (name: string): string => name.replace(/[:\s]+/g, '-');

/** `ft:<base>:nomoat:<run>:<id>` of an adapter or of a base that was tuned whole; a pretrained model has its run's name. */
function runModel({ name, path }: ListedRun, { created, settings }: RunRecord): ServedModel {
  const since = { path, created: secondsOf(Date.parse(created)), ownedBy: 'nomoat' };
  if (settings.method === 'pretrain') return { ...since, id: name, aliases: [], parent: null };
  const id = createHash('sha256').update(`${created} ${name}`).digest('hex').slice(0, idLetters);
  const { model: parent } = settings;
  return { ...since, id: `ft:${withoutColons(parent)}:nomoat:${withoutColons(name)}:${id}`, aliases: [name], parent };
}

const runsInside = (folder: string): ServedModel[] =>
  listRuns(folder).flatMap((run) => (run.record && finished.includes(run.state) ? [runModel(run, run.record)] : []));

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
}

export class ModelList {
  private readonly folders: ModelFolders;
  private readonly freshMilliseconds: number;
  private known: ReadonlyMap<string, ServedModel> | null = null;
  private readAt = Number.NEGATIVE_INFINITY;

  /** What was read of the disk holds for `freshMilliseconds`. */
  constructor(folders: ModelFolders, freshMilliseconds: number) {
    this.folders = folders;
    this.freshMilliseconds = freshMilliseconds;
  }

  /** In the order of precedence. Rejects with NomoatError where a folder cannot be read the first time. */
  async all(): Promise<readonly ServedModel[]> {
    return [...(await this.fresh()).values()];
  }

  /** null where there is none of that name; full names go before others. */
  async find(name: string): Promise<ServedModel | null> {
    const known = await this.fresh();
    return known.get(name) ?? [...known.values()].find(({ aliases }) => aliases.includes(name)) ?? null;
  }

  private async fresh(): Promise<ReadonlyMap<string, ServedModel>> {
    if (this.known !== null && performance.now() - this.readAt <= this.freshMilliseconds) return this.known;
    const isFirst = this.known === null;
    // What is in a folder that is taken away later is not there any more; the other models are.
    const inside = (list: (folder: string) => ServedModel[], folder: string): ServedModel[] => {
      try {
        return list(folder);
      } catch (error) {
        if (isFirst) throw error;
        return [];
      }
    };
    const own = this.folders.models.flatMap((folder) => inside(modelsInside, folder));
    const { local } = await listModels();
    const found = local.flatMap(({ name, path, source }) => fileModel(name, path, source));
    const known = withoutDoubles([...own, ...found, ...inside(runsInside, this.folders.runs)]);
    this.known = known;
    this.readAt = performance.now();
    return known;
  }
}
