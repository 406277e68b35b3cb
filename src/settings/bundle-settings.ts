/** The settings of the commands by which adapters are passed on: lineage, pack, verify and reproduce. */
import { z } from 'zod';
import { texts, toggle } from './fields.ts';

export const lineageOptions = {
  verify: toggle(false, 'look for everything that it names (weights, bases, data), and compare digests'),
  within: texts('DIR...', 'folders to look in, beside those of the adapter, of ./runs and of the models of this machine; default: none'), // biome-ignore format: one line
};
export const lineageSettings = z.object(lineageOptions);
