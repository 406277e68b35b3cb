/** Calls of the library that take seconds or minutes: what each is asked for, as it crosses to a process of its own. Types alone. */
import type { AnswerSourcesOptions } from '../../library/answer-sources.ts';
import type { CheckOptions } from '../../library/check.ts';
import type { CollectOptions } from '../../library/collect.ts';
import type { CompareAdaptersOptions } from '../../library/compare-adapters.ts';
import type { EvaluateOptions } from '../../library/evaluate.ts';
import type { ExportRunOptions } from '../../library/export-run.ts';
import type { InspectOptions } from '../../library/inspect.ts';
import type { InspectDataOptions } from '../../library/inspect-data.ts';
import type { LineageOptions } from '../../library/lineage.ts';
import type { LogitLensOptions } from '../../library/logit-lens.ts';
import type { MergeAdaptersOptions } from '../../library/merge-adapters.ts';
import type { PackBundleOptions } from '../../library/pack-bundle.ts';
import type { PlanOptions } from '../../library/plan.ts';
import type { PreviewOptions } from '../../library/preview.ts';
import type { PushOptions } from '../../library/push.ts';
import type { TokenChangesOptions } from '../../library/token-changes.ts';
import type { VerifyBundleOptions } from '../../library/verify-bundle.ts';

/** What each takes; what it is called with by place has a name of its own. */
export interface CallOptions {
  readonly preview: PreviewOptions;
  readonly inspectData: InspectDataOptions;
  readonly plan: PlanOptions;
  readonly collect: CollectOptions & { readonly sources: readonly string[] };
  readonly inspectAdapter: InspectOptions;
  readonly compareAdapters: CompareAdaptersOptions;
  readonly tokenChanges: TokenChangesOptions;
  readonly answerSources: AnswerSourcesOptions;
  readonly logitLens: LogitLensOptions;
  readonly lineage: LineageOptions & { readonly adapter: string };
  readonly evaluate: EvaluateOptions;
  readonly check: CheckOptions;
  readonly mergeAdapters: MergeAdaptersOptions & { readonly adapters: readonly string[] };
  readonly exportRun: ExportRunOptions & { readonly run: string };
  readonly packBundle: PackBundleOptions & { readonly adapter: string };
  readonly verifyBundle: VerifyBundleOptions & { readonly bundle: string };
  readonly push: PushOptions & { readonly source: string };
}

export type CallName = keyof CallOptions;

/** A call without what does not cross: functions and signals. */
export type LibraryCall = {
  [Name in CallName]: { readonly name: Name; readonly options: Omit<CallOptions[Name], 'signal' | 'onProgress'> };
}[CallName];
