/** Routes of tasks: what a request names becomes what the library is called with. */
import { basename, join } from 'node:path';
import type { z } from 'zod';
import { otherRuns } from '../../library/other-runs.ts';
import { listRuns, RunFolder } from '../../run/run-folder.ts';
import { adapterInside, isRun } from '../../settings/load.ts';
import { ApiError, wrongParameter } from '../api-error.ts';
import { readParameters } from '../parameters.ts';
import { type Handler, jsonOf } from '../request.ts';
import { fileOf } from '../routes/files.ts';
import type { RouteParts, Routes } from '../routes/routes.ts';
import { stateFolder } from '../state/database.ts';
import { inJson, withFileNames } from './file-names.ts';
import type { LibraryCall } from './library-calls.ts';
import { exportsFolder, madeOrBelow, newExport, placeBelow } from './places.ts';
import { summaryNamed } from './run-summary.ts';
import { type TaskKind, taskParameters } from './task-parameters.ts';
import { type Task, type TaskRequest, Tasks } from './tasks.ts';

type Given<Kind extends TaskKind> = z.output<(typeof taskParameters)[Kind]>;
/** Without what was given as null: the library has its own defaults. */
type Present<T> = { readonly [Key in keyof T]: Exclude<T[Key], null | undefined> };

const present = <T extends object>(given: T): Partial<Present<T>> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null && value !== undefined)) as Partial<
    Present<T>
  >;

/** Where the studio was started: places that a request names lie below. */
const root = (): string => process.cwd();

/** The words of requests as paths of this machine. */
class Names {
  private readonly parts: RouteParts;

  constructor(parts: RouteParts) {
    this.parts = parts;
  }

  get runs(): string {
    return this.parts.workspace.runs;
  }

  /** The folder of a run. Throws ApiError where there is none. */
  run(name: string, param = 'run'): string {
    const path = join(this.runs, name);
    if (basename(name) === name && summaryNamed(this.parts.workspace, name) && isRun(path)) return path;
    throw new ApiError({ status: 404, code: 'run_not_found', param, message: `There is no run '${name}' here.` });
  }

  /** An adapter by a name of the list of models, else a run or what was made. */
  async model(name: string, param: string): Promise<string> {
    const found = await this.parts.models.find(name);
    if (found && found.parent !== null) return found.path;
    return this.adapter(name, param);
  }

  /** A run, or what was made. */
  adapter(name: string, param: string): string {
    return isRun(join(this.runs, name)) && basename(name) === name
      ? this.run(name, param)
      : madeOrBelow(this.runs, root(), name, param);
  }

  files(ids: readonly string[]): string[] {
    const { files } = this.parts.workspace.open();
    return ids.map((id) => files.pathOf(fileOf(this.parts, id, 'data').id));
  }

  new(name: string): string {
    return newExport(this.runs, name, 'name');
  }

  /** A key of this user by its name, or a file. */
  key(key: string | null | undefined): string | null {
    return !key ? null : /[/\\]/.test(key) ? placeBelow(root(), key, 'key') : key;
  }

  /** The base of the first of several that says what it is. Throws ApiError. */
  base(adapters: readonly string[]): string {
    for (const path of adapters) if (isRun(path)) return new RunFolder(path).read().settings.modelPath;
    throw wrongParameter('adapters', 'invalid_value', 'One of the adapters has to be a run: it knows the base.');
  }

  /** Finished runs on the base of a run, but itself: what its spectrum is compared with. */
  others(run: string): string[] {
    const { modelDigest } = new RunFolder(run).read();
    return otherRuns(listRuns(this.runs), { modelDigest, path: run });
  }
}

type Calls = { readonly [Kind in TaskKind]: (given: Given<Kind>, names: Names) => LibraryCall | Promise<LibraryCall> };

const lookingCalls: Pick<Calls, 'inspect' | 'compare' | 'tokens' | 'sources' | 'lens' | 'lineage'> = {
  inspect: ({ intruders, run }, names) => {
    const adapter = names.run(run);
    return {
      name: 'inspectAdapter',
      options: { adapter, intruders: intruders ?? false, clean: names.others(adapter) },
    };
  },
  compare: ({ other, run }, names) => ({
    name: 'compareAdapters',
    options: { adapter: names.run(run), other: names.run(other, 'other') },
  }),
  tokens: ({ data, limit, run }, names) => ({
    name: 'tokenChanges',
    options: { adapter: names.run(run), data: data ? names.files(data) : null, limit: limit ?? null },
  }),
  sources: ({ answer, prompt, run, seconds }, names) => ({
    name: 'answerSources',
    options: { run: names.run(run), answer, prompt: prompt ?? null, ...present({ seconds }) },
  }),
  lens: ({ prompt, run }, names) => ({ name: 'logitLens', options: { adapter: names.run(run), prompt } }),
  lineage: ({ adapter, verify }, names) => ({
    name: 'lineage',
    options: { adapter: names.adapter(adapter, 'adapter'), verify: verify ?? false, within: [names.runs] },
  }),
};

const calls: Calls = {
  ...lookingCalls,
  evaluate: ({ data, forgetting, run }, names) => ({
    name: 'evaluate',
    options: { model: names.run(run), data: names.files(data), forgetting: forgetting ?? false },
  }),
  check: ({ limit, run }, names) => ({ name: 'check', options: { model: names.run(run), ...present({ limit }) } }),
  merge: async ({ adapters, data, name, ...given }, names) => {
    const paths = await Promise.all(adapters.map((each, i) => names.model(each, `adapters[${i}]`)));
    return {
      name: 'mergeAdapters',
      options: {
        ...present(given),
        adapters: paths.map(adapterInside),
        base: names.base(paths),
        ...(data ? { data: names.files(data) } : {}),
        out: names.new(name),
      },
    };
  },
  export: ({ name, run, to, type }, names) => ({
    name: 'exportRun',
    options: { run: names.run(run), to, out: names.new(name), ...present({ type }) },
  }),
  pack: ({ adapter, key, name, ...given }, names) => ({
    name: 'packBundle',
    options: {
      ...present(given),
      adapter: names.adapter(adapter, 'adapter'),
      key: names.key(key),
      out: names.new(name),
    },
  }),
  verify: ({ bundle, key }, names) => ({
    name: 'verifyBundle',
    options: { bundle: madeOrBelow(names.runs, root(), bundle, 'bundle'), key: names.key(key) },
  }),
  push: ({ source, to, ...given }, names) => ({
    name: 'push',
    options: {
      ...present(given),
      source: names.adapter(source, 'source'),
      // A path with a dot before it is a folder; what has none is the hub's.
      to: /^[.~/\\]|^\w+:/.test(to) ? placeBelow(root(), to, 'to') : to,
    },
  }),
};

/** Paths of this machine as the page knows them: data by its file's name, runs and what was made by theirs. What was written is to be found: its paths stay. */
function shownBy(parts: RouteParts) {
  return (found: object): object => {
    const { workspace } = parts;
    const { files } = workspace.open();
    const { files: written, ...others } = found as { readonly files?: unknown };
    const given = JSON.stringify(others);
    let text = withFileNames(given, new Set(given.match(/file-[A-Za-z0-9]{10,}/g) ?? []), files);
    for (const folder of [exportsFolder(workspace.runs), workspace.runs])
      text = text.replaceAll(`"${inJson(join(folder, 'x').slice(0, -1))}`, '"');
    const weights = inJson(join('x', 'adapter', 'adapter.gguf').slice(1));
    const named = JSON.parse(text.replaceAll(`${weights}"`, '"')) as object;
    return written === undefined ? named : { ...named, files: written };
  };
}

export interface TaskParts extends RouteParts {
  readonly closing: AbortSignal;
}

export function taskRoutes(parts: TaskParts): Routes {
  let opened: Tasks | null = null;
  const tasks = (): Tasks => {
    // The lock of the folder's state is held from here on.
    parts.workspace.open();
    opened ??= new Tasks(join(stateFolder(parts.workspace.runs), 'tasks'), parts.closing, shownBy(parts));
    return opened;
  };
  const named = (id: string): Task => {
    const task = tasks().find(id);
    if (task) return task;
    throw new ApiError({ status: 404, code: 'task_not_found', param: 'id', message: `There is no task '${id}'.` });
  };
  const beginning =
    <Kind extends TaskKind>(kind: Kind): Handler =>
    async (context) => {
      const asked = readParameters(await jsonOf(context), taskParameters[kind] as z.ZodObject, {}) as Given<Kind>;
      const call = await (calls[kind] as (given: Given<Kind>, names: Names) => Promise<LibraryCall>)(
        asked,
        new Names(parts),
      );
      return context.json(tasks().begin({ kind, asked: { ...asked }, call } satisfies TaskRequest));
    };
  const kinds = Object.keys(taskParameters) as TaskKind[];
  return {
    ...Object.fromEntries(kinds.map((kind) => [`POST /studio/v1/tasks/${kind}`, beginning(kind)])),
    'GET /studio/v1/tasks': (context) => context.json({ tasks: tasks().all() }),
    'GET /studio/v1/tasks/:id': (context) => context.json(named(context.req.param('id') ?? '')),
    'POST /studio/v1/tasks/:id/cancel': (context) => {
      const { id } = named(context.req.param('id') ?? '');
      return context.json(tasks().cancel(id)!);
    },
  };
}
