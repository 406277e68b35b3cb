/** What a run costs in money. Pure, and apart from costs.ts, which knows engines. */
import { priceSettings } from '../settings/command-settings.ts';

export interface Prices {
  /** Watts that the machine draws while it trains. */
  readonly watts: number;
  readonly perKilowattHour: number;
  /** Of a rented machine that is as fast. */
  readonly perHour: number;
}

const { pricePerHour: perHour, pricePerKwh: perKilowattHour, watts } = priceSettings.parse({});
export const usualPrices: Prices = { watts, perKilowattHour, perHour };

export interface Money {
  readonly kilowattHours: number;
  readonly energyCost: number;
  readonly rentedCost: number;
}

export function moneyOf(seconds: number, { perHour, perKilowattHour, watts }: Prices): Money {
  const hours = seconds / 3600;
  const kilowattHours = (watts * hours) / 1000;
  return { kilowattHours, energyCost: kilowattHours * perKilowattHour, rentedCost: hours * perHour };
}
