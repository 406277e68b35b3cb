/**
 * A process that makes one call of the library and says what came of it. Started by call-library.ts: reading and tokenising large data, or a probe of
 * the machine, takes seconds in which the server's own process would answer nobody.
 */
import { answerCall } from '../child-answer.ts';
import type { LibraryCall } from './call-library.ts';

async function made(call: LibraryCall): Promise<object> {
  if (call.name === 'preview') return (await import('../../library/preview.ts')).preview(call.options);
  if (call.name === 'inspectData') return (await import('../../library/inspect-data.ts')).inspectData(call.options);
  if (call.name === 'plan') return (await import('../../library/plan.ts')).plan(call.options);
  return (await import('../../library/collect.ts')).collect(call.sources, call.options);
}

answerCall('the library', made);
