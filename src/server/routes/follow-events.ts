/** The events of a job as they come. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventObject } from '../jobs/job-object.ts';
import { type JobStore, unfinished } from '../state/job-store.ts';

/** How often it is looked: steps take longer. */
const lookMilliseconds = 200;
/** Read at once. */
const pageSize = 100;

/** From the first event, or from that behind `after`, until the job has ended; waits meanwhile. Throws the signal's reason. */
export async function* followEvents(
  jobs: JobStore,
  job: string,
  after: string | null,
  signal: AbortSignal,
): AsyncGenerator<object, void> {
  for (let last = after; ; ) {
    // Before the look, so that what was told last is not missed.
    const goesOn = unfinished.includes(jobs.find(job)?.status ?? 'failed');
    const page = jobs.events(job, { after: last, limit: pageSize, order: 'asc' });
    for (const event of page?.data ?? []) {
      yield eventObject(event);
      last = event.id;
    }
    if (page?.hasMore) continue;
    if (!goesOn) return;
    signal.throwIfAborted();
    await sleep(lookMilliseconds);
  }
}
