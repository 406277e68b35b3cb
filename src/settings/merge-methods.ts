/** The names of the ways to merge adapters; what they do is in src/merge. Pure. */
export const mergeMethods = [
  'cat',
  'linear',
  'svd',
  'regmean',
  'slerp',
  'model-stock',
  'ties',
  'dare',
  'dare-ties',
  'della',
  'breadcrumbs',
  'magnitude-prune',
  'peft-linear',
  'peft-ties',
  'peft-dare',
  'peft-dare-ties',
  'peft-magnitude-prune',
] as const;
/** A way to merge adapters: of their updates, or (`peft-...`) of their factors, as PEFT's add_weighted_adapter does. */
export type MergeMethod = (typeof mergeMethods)[number];

/** Those that leave out a share of what there is. */
export const prunes = (method: MergeMethod): boolean => /ties|dare|della|breadcrumbs|prune/.test(method);
/** Those that look at what the adapters read, in data of their own. */
export const readsInputs = (method: MergeMethod): boolean => method === 'regmean';
/** Those that draw: elements, or the rows that they look at. */
export const draws = (method: MergeMethod): boolean => /dare|della/.test(method) || readsInputs(method);
/** Those whose result is a mean, of those that agree or by inputs, so that weights of 1 are what is usual, and not shares of 1. */
export const averages = (method: MergeMethod): boolean => /ties|della/.test(method) || readsInputs(method);
