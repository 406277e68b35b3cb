/** Calls of the library that take their time, made in a process of their own (call-process.ts). */

import type { CollectedData, CollectOptions } from '../../library/collect.ts';
import type { DataInspection, InspectDataOptions } from '../../library/inspect-data.ts';
import type { PlanOptions } from '../../library/plan.ts';
import type { Preview, PreviewOptions } from '../../library/preview.ts';
import type { PlanReport } from '../../plan/plan-variants.ts';
import { callInChild } from '../child-call.ts';

/** What is called, with what crosses to another process: no functions, no signals. */
export type LibraryCall =
  | { readonly name: 'preview'; readonly options: Omit<PreviewOptions, 'onProgress'> }
  | { readonly name: 'inspectData'; readonly options: Omit<InspectDataOptions, 'onProgress' | 'signal'> }
  | { readonly name: 'plan'; readonly options: PlanOptions }
  | {
      readonly name: 'collect';
      readonly sources: readonly string[];
      readonly options: Omit<CollectOptions, 'signal'>;
    };

/** What each gives. */
interface Given {
  readonly preview: Preview;
  readonly inspectData: DataInspection;
  readonly plan: PlanReport;
  readonly collect: CollectedData;
}

/** Rejects as the library does, and with the signal's reason where that is aborted. */
export const callLibrary = <Call extends LibraryCall>(call: Call, signal: AbortSignal): Promise<Given[Call['name']]> =>
  callInChild({ program: 'server/studio/call-process.js', part: `the process of ${call.name}`, command: call }, signal);
