/** Sampling settings, checked. Pure. */

import { NomoatError } from '../errors.ts';
import { samplingFault, samplingOptions, samplingSettings } from '../settings/command-settings.ts';
import { readGiven } from '../settings/parse-settings.ts';
import type { LogitBias, Sampling } from './chat-model.ts';

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

/** OpenAI's most. */
const mostAlternatives = 20;

/** How many alternatives were asked for; null where no log-probabilities were. Throws NomoatError. */
export function resolveAlternatives(given: number | undefined, option: string): number | null {
  if (given === undefined) return null;
  if (Number.isInteger(given) && given >= 0 && given <= mostAlternatives) return given;
  throw new NomoatError({
    code: 'invalid-settings',
    part: `\`${option}\``,
    fault: `${String(given)} is no whole number from 0 to ${mostAlternatives}`,
    remedy: 'Give how many of the likeliest tokens are wanted beside each.',
  });
}

/** Beyond it a token is as good as forbidden or forced already: OpenAI's range. */
const mostBias = 100;

/** The biases, of tokens that there are. Throws NomoatError. */
export function resolveLogitBias(given: LogitBias | undefined, vocabularySize: number): LogitBias {
  const bias = given ?? {};
  for (const [id, value] of Object.entries(bias)) {
    const isToken = /^\d+$/.test(id) && Number(id) < vocabularySize;
    const isInRange = typeof value === 'number' && Math.abs(value) <= mostBias;
    if (isToken && isInRange) continue;
    throw new NomoatError({
      code: 'invalid-settings',
      part: '`logitBias`',
      fault: isToken
        ? `${String(value)} for token ${id} is not from -${mostBias} to ${mostBias}`
        : `the model has no token ${id}; its ids are 0 to ${vocabularySize - 1}`,
      remedy: 'Give numbers by token ids.',
      fields: { option: 'logitBias' },
    });
  }
  return bias;
}
