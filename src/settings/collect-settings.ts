/** The settings of `collect`, as a zod schema. */
import { z } from 'zod';
import { openChoice, requiredText } from './fields.ts';

/** What the rows are to be learnt by: pairs by `dpo` and its kin, labels by `kto`, good answers alone by every other method. */
export const collectKinds = ['dpo', 'kto', 'sft'] as const;
/** What a collected row is learnt by. */
export type CollectKind = (typeof collectKinds)[number];

export const collectOptions = {
  out: requiredText(
    'FILE.jsonl',
    'the new file of rows; where they come from is in FILE.jsonl.provenance.json beside it',
  ),
  to: openChoice(
    collectKinds,
    'pairs, labelled answers, or good and better answers alone; default: what the marks are best for',
  ),
};
export const collectSettings = z.object(collectOptions);
