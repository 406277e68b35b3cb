/** What is wrong with the settings of a merge, in sentences. Pure. */
import type { z } from 'zod';
import type { mergeSettings } from '../settings/adapter-settings.ts';
import { draws, type MergeMethod, prunes, readsInputs } from '../settings/merge-methods.ts';
import type { Given } from '../settings/parse-settings.ts';
import { withValues } from '../words/program-words.ts';

/** What does nothing with this method, or is not to be had of it. */
export function methodFaults({ density, inputs, method, rank, search, searchTries, seed, weights }: Given): string[] {
  const name = (method ?? 'svd') as MergeMethod;
  const named = withValues({ method: name });
  return [
    ...(density !== undefined && !prunes(name) ? [`\`density\`: ${named} prunes nothing`] : []),
    ...(seed !== undefined && !draws(name) && search === undefined ? [`\`seed\`: ${named} draws nothing`] : []),
    ...(rank !== undefined && name.startsWith('peft-') ? [`\`rank\`: ${named} keeps the rank of the factors`] : []),
    ...(inputs !== undefined && !readsInputs(name) ? [`\`inputs\`: ${named} looks at none`] : []),
    ...(weights !== undefined && search !== undefined ? ['`weights`: `search` finds them'] : []),
    ...(search !== undefined && name === 'model-stock' ? [`\`search\`: ${named} has no weights`] : []),
    ...(searchTries !== undefined && search === undefined
      ? ['`searchTries`: nothing is looked for without `search`']
      : []),
    ...(weights !== undefined && name === 'model-stock' ? [`\`weights\`: ${named} finds its own`] : []),
  ];
}

/** What does not go with so many adapters. */
export function countFaults(
  paths: readonly string[],
  { inputs, method, weights }: z.infer<typeof mergeSettings>,
): string[] {
  const fewer = (name: string, given: readonly unknown[]): string[] =>
    given.length > 0 && given.length !== paths.length
      ? [`\`${name}\`: there are ${given.length} for ${paths.length} adapters`]
      : [];
  return [
    ...(paths.length < 2 ? ['the adapters: two or more are merged'] : []),
    ...(method === 'slerp' && paths.length !== 2 ? ['the adapters: slerp goes from one to one other'] : []),
    ...fewer('weights', weights),
    ...fewer('inputs', inputs),
    ...(method === 'slerp' && weights.length === 2 && weights[0]! + weights[1]! === 0
      ? ['`weights`: they sum to 0']
      : []),
  ];
}
