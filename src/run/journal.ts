/** What a run says. Promises: an event is in events.jsonl before anybody hears of it. */
import type { RunEvent } from '../events.ts';
import type { RunFolder } from './run-folder.ts';

export class Journal {
  private readonly folder: RunFolder;
  private readonly listener: (event: RunEvent) => void;

  constructor(folder: RunFolder, listener: (event: RunEvent) => void) {
    this.folder = folder;
    this.listener = listener;
  }

  readonly emit = (event: RunEvent): void => {
    this.folder.append(event);
    this.listener(event);
  };

  notice(code: string, message: string): void {
    this.emit({ type: 'notice', code, message });
  }

  /** What is only worth knowing while it lasts: it is not logged. */
  emitTransient(message: string): void {
    this.listener({ type: 'notice', code: 'preparing', message });
  }
}
