/** Why a job fails, as its object and its events say it. */
import type { JobError, NewEvent } from '../state/job-store.ts';

/** A job that cannot go on for a reason that its creator can mend. */
export class JobFailure extends Error {
  override readonly name = 'JobFailure';
  readonly told: JobError;
  readonly events: readonly NewEvent[];

  constructor(told: JobError, events: readonly NewEvent[] = []) {
    super(told.message);
    this.told = told;
    this.events = events;
  }
}
