/**
 * Names of models that runs made: `ft:<base>:nomoat:<suffix>:<id>`, and `…:ckpt-step-<n>` of their checkpoints, as OpenAI's API has them.
 * Pure but for looking whether a checkpoint is there.
 */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type ListedRun, type RunRecord, runOfCheckpoint } from '../run/run-folder.ts';
import { checkpointFolder } from '../train/checkpoint.ts';
import type { ServedModel } from './served-model.ts';

/** Enough to tell the runs of a folder apart. */
const idLetters = 8;
/** Names of fine-tuned models are divided by colons. */
const withoutColons = (name: string): string => name.replace(/[:\s]+/g, '-');

/** `ft:<base>:nomoat:<suffix>:<id>`. The suffix is what a job was given, or the run's name. */
export function fineTunedName(run: string, { created, settings }: RunRecord, suffix: string): string {
  const id = createHash('sha256')
    .update(`${created} ${basename(run)}`)
    .digest('hex')
    .slice(0, idLetters);
  return `ft:${withoutColons(settings.model)}:nomoat:${withoutColons(suffix)}:${id}`;
}

/** Seconds since 1970. */
export const secondsOf = (milliseconds: number): number => Math.floor(milliseconds / 1000);

/** What a run made, whether it is finished or not: an adapter or a base that was tuned whole; a pretrained model has its run's name. */
export function runModel({ name, path }: ListedRun, record: RunRecord, suffix: string): ServedModel {
  const { created, settings } = record;
  const since = { path, base: null, created: secondsOf(Date.parse(created)), ownedBy: 'nomoat' };
  if (settings.method === 'pretrain') return { ...since, id: name, aliases: [], parent: null };
  return { ...since, id: fineTunedName(path, record, suffix), aliases: [name], parent: settings.model };
}

/** The name of a checkpoint of the model that is called `name`. */
export const checkpointName = (name: string, step: number): string => `${name}:ckpt-step-${step}`;

/** The model's name and the step in the name of a checkpoint; null where it is none. */
export function checkpointIn(name: string): { readonly model: string; readonly step: number } | null {
  const [, model, step] = /^(.+):ckpt-step-(\d{1,10})$/.exec(name) ?? [];
  return model === undefined ? null : { model, step: Number(step) };
}

/** Where a run's checkpoint after `step` is; null where it is not there, or no model by itself. */
export function checkpointPath(run: string, step: number): string | null {
  const path = checkpointFolder(join(run, 'checkpoints'), step);
  return runOfCheckpoint(path) === null ? null : path;
}

/** The checkpoint of a run's model as a model; null where it is not there. */
export function checkpointModel(model: ServedModel, step: number): ServedModel | null {
  const path = checkpointPath(model.path, step);
  const stats = path === null ? undefined : statSync(path, { throwIfNoEntry: false });
  if (path === null || !stats) return null;
  return { ...model, id: checkpointName(model.id, step), aliases: [], path, created: secondsOf(stats.mtimeMs) };
}
