/** What a run says. Promises: an event is in events.jsonl before anybody hears of it. */
import type { RunEvent } from '../events.ts';
import type { RunFolder } from './run-folder.ts';

export class Journal {
  private readonly folder: RunFolder;
  private readonly emit: (event: RunEvent) => void;

  constructor(folder: RunFolder, emit: (event: RunEvent) => void) {
    this.folder = folder;
    this.emit = emit;
  }

  readonly tell = (event: RunEvent): void => {
    this.folder.append(event);
    this.emit(event);
  };

  notice(code: string, message: string): void {
    this.tell({ type: 'notice', code, message });
  }

  /** What is only worth knowing while it lasts: it is not logged. */
  mention(message: string): void {
    this.emit({ type: 'notice', code: 'preparing', message });
  }
}
