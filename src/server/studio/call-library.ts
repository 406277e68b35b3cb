/** Calls of the library that are answered as soon as they have been made, in a process of their own (library-process.ts). */
import type { CollectedData } from '../../library/collect.ts';
import type { DataInspection } from '../../library/inspect-data.ts';
import type { Preview } from '../../library/preview.ts';
import type { PlanReport } from '../../plan/plan-variants.ts';
import { callInChild } from '../child-call.ts';
import type { LibraryCall } from './library-calls.ts';

/** Of the package: what makes a call. */
export const libraryProcess = 'server/studio/library-process.js';

/** What each gives. */
interface Given {
  readonly preview: Preview;
  readonly inspectData: DataInspection;
  readonly plan: PlanReport;
  readonly collect: CollectedData;
}

export type AnsweredCall = Extract<LibraryCall, { name: keyof Given }>;

/** Rejects as the library does, and with the signal's reason where that is aborted. */
export const callLibrary = <Call extends AnsweredCall>(call: Call, signal: AbortSignal): Promise<Given[Call['name']]> =>
  callInChild({ program: libraryProcess, part: `the process of ${call.name}`, command: call }, signal);
