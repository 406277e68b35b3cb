/** The requests that ended last, for whoever looks at the server. Promises: bounded; nothing of their contents. */
import type { RequestLog, ServerLog } from './log.ts';

export interface RecentRequest extends RequestLog {
  /** When it ended, seconds since 1970. */
  readonly at: number;
}

/** More nobody reads. */
const mostKept = 200;

export class RecentRequests {
  private readonly kept: RecentRequest[] = [];

  /** What is none is passed over; so is what the page itself asks for, again and again. */
  take(entry: ServerLog): void {
    if (entry.type !== 'request' || entry.route.startsWith('/studio') || entry.route === '-') return;
    this.kept.push({ ...entry, at: Date.now() / 1000 });
    if (this.kept.length > mostKept) this.kept.shift();
  }

  /** A log that is kept here too. */
  beside(onLog: (entry: ServerLog) => void): (entry: ServerLog) => void {
    return (entry) => {
      this.take(entry);
      onLog(entry);
    };
  }

  /** Newest first. */
  all(): RecentRequest[] {
    return [...this.kept].reverse();
  }
}
