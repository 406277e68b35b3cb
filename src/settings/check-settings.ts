/** The settings of `check`, as a zod schema. */
import { z } from 'zod';
import { openText, toggle, wholeFrom } from './fields.ts';

export const checkOptions = {
  against: openText(
    'MODEL',
    'what it is compared with, and what an adapter by itself is put on; default: the base of a run or an adapter',
  ),
  prompts: openText('FILE', 'harmful requests of your own, one on each line; default: those of XSTest'),
  limit: wholeFrom(100, 1, 'requests of each kind, at most', { unit: 'requests' }),
  answers: toggle(true, 'generate answers too', 'compare likelihoods alone: no answers and no personal data'),
  maxTokens: wholeFrom(null, 1, 'longest answer; default: 16, and 128 for a guard', { unit: 'tokens' }),
  guard: openText(
    'NAME|FILE.gguf',
    'a guard model that judges answers to harmful requests: Qwen3Guard or Llama Guard; default: none',
  ),
  canaries: openText('FILE', 'texts that should not be known, one on each line: how exposed they are; default: none'),
  threads: wholeFrom(null, 1, 'threads to compute with, at most: small models use one; default: physical cores', {
    unit: 'threads',
  }),
};
export const checkSettings = z.object(checkOptions);
