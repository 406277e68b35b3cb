/**
 * A process that makes one call of the library, says how far it is and what came of it. Started by call-library.ts and tasks.ts: reading and tokenising
 * large data, a probe of the machine or an evaluation take time in which the server's own process would answer nobody.
 */
import { answerCall, type Heard } from '../child-answer.ts';
import type { CallName, CallOptions, LibraryCall } from './library-calls.ts';

/** Each is imported when it is called: a process makes one. */
const calls: { readonly [Name in CallName]: (options: CallOptions[Name], heard: Heard) => Promise<object> } = {
  preview: async (options) => (await import('../../library/preview.ts')).preview(options),
  inspectData: async (options, heard) =>
    (await import('../../library/inspect-data.ts')).inspectData({ ...options, ...heard }),
  plan: async (options) => (await import('../../library/plan.ts')).plan(options),
  collect: async ({ sources, ...options }, { signal }) =>
    (await import('../../library/collect.ts')).collect(sources, { ...options, signal }),
  inspectAdapter: async (options, heard) =>
    (await import('../../library/inspect.ts')).inspectAdapter({ ...options, ...heard }),
  compareAdapters: async (options, heard) =>
    (await import('../../library/compare-adapters.ts')).compareAdapters({ ...options, ...heard }),
  tokenChanges: async (options, heard) =>
    (await import('../../library/token-changes.ts')).tokenChanges({ ...options, ...heard }),
  answerSources: async (options, heard) =>
    (await import('../../library/answer-sources.ts')).answerSources({ ...options, ...heard }),
  logitLens: async (options, heard) =>
    (await import('../../library/logit-lens.ts')).logitLens({ ...options, ...heard }),
  lineage: async ({ adapter, ...options }, { signal }) =>
    (await import('../../library/lineage.ts')).lineage(adapter, { ...options, signal }),
  evaluate: async (options, heard) => (await import('../../library/evaluate.ts')).evaluate({ ...options, ...heard }),
  check: async (options, heard) => (await import('../../library/check.ts')).check({ ...options, ...heard }),
  mergeAdapters: async ({ adapters, ...options }, heard) =>
    (await import('../../library/merge-adapters.ts')).mergeAdapters(adapters, { ...options, ...heard }),
  exportRun: async ({ run, ...options }) => (await import('../../library/export-run.ts')).exportRun(run, options),
  packBundle: async ({ adapter, ...options }) =>
    (await import('../../library/pack-bundle.ts')).packBundle(adapter, options),
  verifyBundle: async ({ bundle, ...options }) =>
    (await import('../../library/verify-bundle.ts')).verifyBundle(bundle, options),
  push: async ({ source, ...options }, heard) =>
    (await import('../../library/push.ts')).push(source, { ...options, ...heard }),
};

answerCall('the library', ({ name, options }: LibraryCall, heard) => {
  const call = calls[name] as (options: LibraryCall['options'], heard: Heard) => Promise<object>;
  return call(options, heard);
});
