/** What a run would take, from a probe of this machine. Promises: nothing is written but what `from` brings here, nothing is trained but the probe's blocks. */

import { NomoatError } from '../errors.ts';
import { listOf, type TuneOptions } from '../library.ts';
import type { PlanReport } from '../plan/plan-variants.ts';
import { type Prices, usualPrices } from '../plan/prices.ts';
import type { Given } from '../settings/parse-settings.ts';
import { type SettingsSources, tuneSettings } from './start-from.ts';

/** What is planned: a run's own options, with prices. */
export type PlanOptions = Omit<TuneOptions, 'confirm' | 'signal'> & {
  /** What the machine draws (watts), a kilowatt-hour costs, and an hour of a rented machine; those left out are usual ones. */
  readonly prices?: Partial<Prices>;
  /**
   * The adapter that the run would go on from, as for `tuneFrom`: what is not on this machine is pulled with its base, since its recipe and shapes
   * decide what the run takes.
   */
  readonly from?: string | null;
};

function pricesOf(given: Partial<Prices>): Prices {
  const prices = { ...usualPrices };
  for (const name of Object.keys(usualPrices) as (keyof Prices)[]) {
    const price = given[name];
    if (price === undefined) continue;
    if (typeof price !== 'number' || !(price >= 0 && Number.isFinite(price)))
      throw new NomoatError({
        code: 'invalid-settings',
        part: `prices.${name}`,
        fault: `${String(price)} is ${price < 0 ? 'negative' : 'no number'}`,
        remedy: 'Give a number from 0.',
      });
    prices[name] = price;
  }
  return prices;
}

/** What else a plan is asked with, beside a run's settings. */
type Beside = Pick<PlanOptions, 'prices'> & Omit<SettingsSources, 'around'>;

/** As `plan`, of settings that nobody has looked at yet. */
export async function planGiven(
  data: readonly string[],
  given: Given,
  { prices, ...sources }: Beside,
): Promise<PlanReport> {
  const resolved = pricesOf(prices ?? {});
  const settings = await tuneSettings(data, given, { ...sources, recipe: sources.recipe ?? null });
  // With the engines, which a program that imports the library does not wait for.
  const { planTuning } = await import('../plan/plan-variants.ts');
  return planTuning(settings, resolved);
}

/** The run as asked for beside faster, leaner and better ones, and which to take. Rejects with NomoatError. */
export async function plan(given: PlanOptions): Promise<PlanReport> {
  const { data, from = null, prices = {}, recipe = null, ...options } = { ...given };
  return planGiven(listOf(data), options, { from, prices, recipe });
}
