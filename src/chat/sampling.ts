/** Sampling settings, checked. Pure. */

import { NomoatError } from '../errors.ts';
import { samplingFault, samplingOptions, samplingSettings } from '../settings/command-settings.ts';
import { readGiven } from '../settings/parse-settings.ts';
import type { Sampling } from './chat-model.ts';

/** The settings in full. Throws NomoatError with all faults together. */
export function resolveSampling(options: Partial<Sampling>): Sampling {
  const given = Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(samplingOptions, name)));
  const { faults, values } = readGiven(samplingOptions, given, String, samplingFault);
  if (faults.length > 0)
    throw new NomoatError({
      code: 'invalid-settings',
      part: 'sampling',
      fault: faults.join('; '),
      remedy: 'Give values in these ranges.',
    });
  return samplingSettings.parse(values);
}
