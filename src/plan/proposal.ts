/** A run before it begins, for whoever decides whether it shall: nothing of it is written yet. */

import { stepsOf } from '../batches/order.ts';
import type { Prepared } from '../dataset/prepared.ts';
import type { PlanEvent } from '../events.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { threadsOf } from '../machine/machine.ts';
import { parameterCount } from '../models/config.ts';
import { type Money, moneyOf, type Prices, usualPrices } from './prices.ts';
import { settingWarnings } from './setting-warnings.ts';

/** What whoever confirms a run is shown. */
export interface Proposal {
  /** Absolute path of the folder that it would make. */
  readonly run: string;
  /** The base model's name or file. */
  readonly model: string;
  /** Weights of the model. */
  readonly parameters: number;
  /** Training rows. */
  readonly rows: number;
  /** Of those rows. */
  readonly tokens: number;
  /** Of those, the learnt ones. */
  readonly supervisedTokens: number;
  /** Rows of the data that cannot be used. */
  readonly refusedRows: number;
  /** Optimizer steps of the whole run. */
  readonly steps: number;
  /** Says which settings the data decided, where it did. */
  readonly chosen: string | null;
  /** What is to be known of the data, the model, the settings and the runs that it begins with, in sentences. */
  readonly notes: readonly string[];
  /** What it would take. */
  readonly plan: PlanEvent;
  /** Of the plan's time, at usual prices. */
  readonly money: Money & Prices;
}

/** Decides whether a run begins; the signal tells that there is nothing to decide any more. */
export type Confirm = (proposal: Proposal, signal: AbortSignal) => boolean | Promise<boolean>;

export function proposalOf(
  { chosen, notes, overruled, report, settings, train }: Prepared,
  plan: PlanEvent,
  model: GgufFile,
): Proposal {
  const { steps } = stepsOf(train.length, settings);
  return {
    run: settings.run,
    model: settings.model,
    parameters: parameterCount(model),
    rows: report.rows,
    tokens: report.tokens,
    supervisedTokens: report.supervisedTokens,
    refusedRows: report.refusedRows,
    steps,
    chosen,
    notes: [...notes, ...overruled, ...settingWarnings(settings, steps, threadsOf(settings.threads))],
    plan,
    money: { ...moneyOf(plan.seconds, usualPrices), ...usualPrices },
  };
}
