/** What a run costs in money. Pure, and apart from costs.ts, which knows engines. */
import { priceSettings } from '../settings/command-settings.ts';

/** What costs are counted with; of whatever currency. */
export interface Prices {
  /** Watts that the machine draws while it trains. */
  readonly watts: number;
  /** Price of electricity. */
  readonly perKilowattHour: number;
  /** Of a rented machine that is as fast. */
  readonly perHour: number;
}

const { pricePerHour: perHour, pricePerKwh: perKilowattHour, watts } = priceSettings.parse({});
export const usualPrices: Prices = { watts, perKilowattHour, perHour };

/** What a run costs. */
export interface Money {
  /** Drawn by the whole run. */
  readonly kilowattHours: number;
  /** Of the electricity. */
  readonly energyCost: number;
  /** Of a rented machine for the same time, instead. */
  readonly rentedCost: number;
}

export function moneyOf(seconds: number, { perHour, perKilowattHour, watts }: Prices): Money {
  const hours = seconds / 3600;
  const kilowattHours = (watts * hours) / 1000;
  return { kilowattHours, energyCost: kilowattHours * perKilowattHour, rentedCost: hours * perHour };
}
