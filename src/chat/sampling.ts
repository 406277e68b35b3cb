/** Sampling settings, checked. Pure. */
import { NomoatError } from '../errors.ts';
import { defaultSampling, type Sampling } from './chat-model.ts';

/** The settings in full. Throws NomoatError with all faults together. */
export function resolveSampling(options: Partial<Sampling>): Sampling {
  const pick = <Key extends keyof Sampling>(key: Key): Sampling[Key] =>
    (options[key] === undefined ? defaultSampling[key] : options[key]) as Sampling[Key];
  const sampling: Sampling = {
    temperature: pick('temperature'),
    topP: pick('topP'),
    topK: pick('topK'),
    minP: pick('minP'),
    repeatPenalty: pick('repeatPenalty'),
    maxTokens: pick('maxTokens'),
    seed: pick('seed'),
  };
  const whole = (value: number | null, least: number): boolean =>
    value === null || (Number.isSafeInteger(value) && value >= least);
  const faults = [
    sampling.temperature >= 0 && sampling.temperature <= 100
      ? ''
      : `temperature ${sampling.temperature} is not 0 to 100`,
    sampling.topP > 0 && sampling.topP <= 1 ? '' : `top-p ${sampling.topP} is not above 0 and up to 1`,
    whole(sampling.topK, 0) ? '' : `top-k ${sampling.topK} is no whole number from 0`,
    sampling.minP >= 0 && sampling.minP < 1 ? '' : `min-p ${sampling.minP} is not from 0 to below 1`,
    sampling.repeatPenalty > 0 ? '' : `repeat penalty ${sampling.repeatPenalty} is not above 0`,
    whole(sampling.maxTokens, 1) ? '' : `max tokens ${sampling.maxTokens} is no whole number from 1`,
    whole(sampling.seed, 0) && (sampling.seed ?? 0) < 2 ** 32 ? '' : `seed ${sampling.seed} is not 0 to 4294967295`,
  ].filter((fault) => fault !== '');
  if (faults.length > 0) {
    throw new NomoatError({ part: 'sampling', fault: faults.join('; '), remedy: 'Give values in these ranges.' });
  }
  return sampling;
}
