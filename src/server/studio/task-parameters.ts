/** What tasks are asked for. Runs and models are named as the server lists them; other places are words of places.ts. */
import { z } from 'zod';
import { exportFormats, mergedTypes } from '../../settings/adapter-settings.ts';
import { mergeMethods } from '../../settings/merge-methods.ts';
import { open, plainText } from '../parameters.ts';

/** Longer texts are no prompt that a person reads an answer for. */
const mostCharacters = 100_000;
const mostAdapters = 8;
const mostExamples = 200;
const mostWeight = 10;
const mostSeconds = 3600;
const text = plainText.max(mostCharacters);
const name = z.string().min(1).max(200);

const run = name.describe('a run of the folder');
const files = z.array(name).min(1).describe('ids of files (`POST /v1/files`, purpose `user_data`)');
const made = name.describe('what was made, as `GET /studio/v1/exports` lists it, or a place below the studio');
const newName = name.describe('of what is written, in the folder `exports` of the runs');

export const taskParameters = {
  inspect: z.object({
    run,
    intruders: open(z.boolean()).describe('whether intruder dimensions are looked for, which takes most of the time'),
  }),
  compare: z.object({ run, other: run }),
  tokens: z.object({
    run,
    data: open(files).describe('examples with answers; default: those that the run held out'),
    limit: open(z.int().min(1).max(mostExamples)),
  }),
  sources: z.object({
    run,
    answer: text.min(1),
    prompt: open(text),
    seconds: open(z.int().min(0).max(mostSeconds)).describe('for gradients at most; 0: by text alone'),
  }),
  lens: z.object({ run, prompt: text.min(1) }),
  lineage: z.object({
    adapter: name.describe('a run, or what was made'),
    verify: open(z.boolean()).describe('look for what it names, and compare digests'),
  }),
  evaluate: z.object({
    run,
    data: files,
    forgetting: open(z.boolean()).describe('whether general text and questions are asked of the model and its base'),
  }),
  check: z.object({ run, limit: open(z.int().min(1).max(mostExamples)).describe('requests of each kind') }),
  merge: z.object({
    adapters: z.array(name).min(2).max(mostAdapters).describe('runs, or models made of one'),
    method: open(z.enum(mergeMethods)),
    weights: open(z.array(z.number().min(-mostWeight).max(mostWeight))).describe('one for each adapter'),
    density: open(z.number().gt(0).max(1)),
    rank: open(z.int().min(1)),
    seed: open(z.int().min(0)),
    data: open(files).describe('test data, for the losses of result, adapters and base'),
    name: newName,
  }),
  export: z.object({ run, to: z.enum(exportFormats), type: open(z.enum(mergedTypes)), name: newName }),
  pack: z.object({
    adapter: name.describe('a run, or what was made'),
    key: open(name).describe('of the signing keys of this user'),
    license: open(name),
    baseModel: open(name),
    oci: open(z.boolean()),
    name: newName,
  }),
  verify: z.object({ bundle: made, key: open(name).describe('of the signing keys, or the place of a public key') }),
  push: z.object({
    source: name.describe('a run, or what was made'),
    to: name.describe('organisation/name of the hub, or a place below the studio such as ./shared/org/name'),
    license: open(name),
    baseModel: open(name),
    private: open(z.boolean()),
  }),
} as const;
export type TaskKind = keyof typeof taskParameters;
