/** What a page is made of. Types, and what several of its sections read from them. Pure. */
import type { LineageEntry } from '../adapter/lineage.ts';
import type { BaselineKind } from '../evaluate/baselines.ts';
import type { Comparison } from '../evaluate/compare.ts';
import type { Evaluation, ModelEvaluation } from '../evaluate/evaluation.ts';
import type { RunEvent } from '../events.ts';
import type { UpdateNorm } from '../inspect/update-norms.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import { type Text, verbatim } from './say.ts';
import { words } from './words.ts';

/** What the page tells of a run's record (run.json): src/run/run-record.ts says what each field is. */
export interface ReportedRun {
  readonly nomoat: string;
  readonly state: string;
  readonly created: string;
  readonly machine: Readonly<Record<string, unknown>>;
  readonly modelDigest: string;
  readonly dataDigests: Readonly<Record<string, string>>;
  readonly adapterDigests?: Readonly<Record<string, string>>;
  readonly settings: RunSettings;
  readonly systemPrompt: string | null;
  readonly verdict?: string;
  readonly chosenFromData?: string;
}

/** A run, an evaluation, or an evaluated run. */
export interface ReportContent {
  readonly run: ReportedRun | null;
  /** Of the run; empty without one. */
  readonly events: readonly RunEvent[];
  readonly evaluation: Evaluation | null;
  /** Of the run's adapter; null where nobody looked, or there is none. */
  readonly updates: readonly UpdateNorm[] | null;
  /** Of the run's adapter, its own entry first; absent where there is none. */
  readonly lineage?: readonly LineageEntry[] | null;
  /** The command that makes it again, and the recipe that the command names. */
  readonly repeat: { readonly command: string; readonly recipe: string | null };
  /** The command that evaluates the run; null where that was done. */
  readonly evaluate: string | null;
  /** nomoat's version. */
  readonly version: string;
}

/** The events of one kind, in their order. */
export const eventsOf = <T extends RunEvent['type']>(
  events: readonly RunEvent[],
  type: T,
): Extract<RunEvent, { type: T }>[] =>
  events.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type);

const baselineNames: Readonly<Record<BaselineKind, Text>> = {
  majority: words.result.majority,
  nearest: words.result.neighbour,
  'few-shot': words.result.fewShot,
};

/** A model as it is called; the base of a run in the reader's language. */
export function modelName(name: string): Text {
  const [, base] = /^the base (.+)$/.exec(name) ?? [];
  return base === undefined ? verbatim(name) : words.result.theBase({ name: base });
}

/** How somebody who was compared is called: baselines in the reader's language, models as they are. */
export function nameOf({ baselines }: Evaluation, name: string): Text {
  const baseline = baselines.find((each) => each.name === name);
  return baseline ? baselineNames[baseline.kind] : modelName(name);
}

/** The model that the page is about, and the one that it is first compared with. */
export const pairOf = ({
  models: [first, rival],
}: Evaluation): { first: ModelEvaluation; rival: ModelEvaluation | null } => ({
  first: first!,
  rival: rival ?? null,
});

/** Comparisons by the metric that decides. */
export const decisive = ({ comparisons, metrics: [metric] }: Evaluation): Comparison[] =>
  comparisons.filter((each) => each.metric === metric!.name);
