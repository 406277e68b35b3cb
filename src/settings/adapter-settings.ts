/** The settings of the commands that write adapters: export, convert, merge and extract. */
import { z } from 'zod';
import {
  above,
  choice,
  number,
  numbers,
  openChoice,
  openText,
  requiredChoice,
  requiredText,
  texts,
  toggle,
  whole,
  wholeFrom,
} from './fields.ts';
import { mergeMethods } from './merge-methods.ts';

export const exportFormats = ['peft', 'gguf', 'mlx', 'ollama', 'merged-gguf'] as const;
/** peft, gguf, mlx, ollama or merged-gguf. */
export type ExportFormat = (typeof exportFormats)[number];
/** What the matrices of a merged model are written in. */
export const mergedTypes = ['F16', 'Q8_0', 'Q4_0', 'Q4_K_M'] as const;
/** F16, Q8_0, Q4_0 or Q4_K_M. */
export type MergedType = (typeof mergedTypes)[number];

const exportedAs = {
  to: requiredChoice(exportFormats, 'peft, gguf, mlx, ollama or merged-gguf', 'FORMAT'),
  type: openChoice(
    mergedTypes,
    'type of the merged weights, for merged-gguf and ollama; default: F16',
    mergedTypes.join('|'),
  ),
  ollamaAdapter: toggle(
    false,
    'for ollama: the adapter in a file of its own instead of a merged model; only Ollama up to 0.34.0 reads that (0.34.1 and later refuse ADAPTER in a Modelfile)',
  ),
};
export const exportOptions = { out: requiredText('PATH', 'a new file or folder'), ...exportedAs };
export const exportSettings = z.object(exportOptions);

export const convertOptions = {
  base: requiredText('MODEL', 'the model that the adapter is for: a name that `listModels()` lists, or a GGUF file'),
  out: openText('PATH', 'a new file or folder; default: named after the adapter, in this folder'),
  ...exportedAs,
  rank: wholeFrom(
    null,
    1,
    'at most this rank for each module, by what of the update is largest; default: the ranks that there are',
  ),
  data: texts(
    'FILE|DIR...',
    'test data with answers: the loss of the merged model beside that of the base with the adapter; default: none',
  ),
  alpha: number(null, [1e-3, 10000], 'of a .safetensors file that has no config beside it; default: none'),
};
export const convertSettings = z.object(convertOptions);

const baseOfAdapters = requiredText(
  'MODEL',
  'the model that the adapters are for: a name that `listModels()` lists, or a GGUF file',
);
export const mergeOptions = {
  base: baseOfAdapters,
  out: requiredText('PATH', 'a new file or folder'),
  to: choice('peft', exportFormats, 'what the result is written as'),
  method: choice('svd', mergeMethods, 'how; docs/adapters.md says what each computes'),
  weights: numbers(
    'W,W...',
    'one for each adapter; default: shares of 1, or 1 each for methods that take the mean of those that agree',
  ),
  lastCheckpoints: wholeFrom(
    null,
    2,
    'of each run its last checkpoints, this many, instead of its result: their average, exactly where no other method or rank is given',
    { unit: 'checkpoints' },
  ),
  density: above(0.5, 0, 'share of an update that ties, dare, della, breadcrumbs and magnitude-prune keep', 1),
  rank: wholeFrom(
    null,
    1,
    'at most this rank for each module; default: all of it for cat and linear, else the highest of the adapters',
  ),
  data: texts(
    'FILE|DIR...',
    "test data with answers, such as each adapter's own: the losses of result, adapters and base on each; default: none",
  ),
  search: texts(
    'FILE|DIR...',
    "data with answers, such as each adapter's own, on which weights are looked for without gradients, apart from `data`; default: none",
  ),
  inputs: texts(
    'FILE|DIR...',
    'for regmean, data of each adapter, in their order, such as it was trained on, of which some thousand tokens are looked at; default: what each run learnt',
  ),
  searchTries: whole(20, [2, 1000], 'weights that a search tries', { unit: 'tries' }),
  seed: whole(0, [0, 2 ** 32 - 1], 'of what dare and della draw, and of a search'),
};
export const mergeSettings = z.object(mergeOptions);

export const extractOptions = {
  out: requiredText('PATH', 'a new file or folder'),
  to: choice('peft', exportFormats, 'what the adapter is written as'),
  rank: wholeFrom(16, 1, 'of each module: the nearest of that rank to what tuning changed'),
};
export const extractSettings = z.object(extractOptions);
