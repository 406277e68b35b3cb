/**
 * Lines for people, and on a terminal a bar below them that writes over itself: it goes back to the line's beginning,
 * which needs no codes. Promises: what is said cannot steer the terminal.
 */
import { movesCursor } from '../chat/terminal-abilities.ts';
import { harmless } from '../words/harmless.ts';

export type Out = NodeJS.WritableStream & { isTTY?: boolean; columns?: number };

/** In a log, at most one line of progress in this many seconds. */
const logSeconds = 10;
/** Where a terminal does not tell its width. */
const usualColumns = 80;
const minBar = 10;

export class StatusLine {
  private readonly out: Out;
  /** Whether there is a bar: else progress is lines. */
  readonly drawsBar: boolean;
  /** Columns that the bar takes, which a line after it has to blank. */
  private bar = 0;
  private lastLine = 0;

  constructor(out: Out) {
    this.out = out;
    this.drawsBar = movesCursor(out);
  }

  /** Takes the bar away. */
  clear(): void {
    if (this.bar > 0) this.out.write(`\r${' '.repeat(this.bar)}\r`);
    this.bar = 0;
  }

  line(text: string): void {
    this.clear();
    this.out.write(`${harmless(text)}\n`);
  }

  /** Step `step` of `steps`, from 1: the bar, or now and then a line. */
  progress(step: number, steps: number, text: string): void {
    if (this.drawsBar) this.drawBar(step / steps, harmless(text));
    else if (step === 1 || step === steps || Date.now() - this.lastLine > logSeconds * 1000) {
      this.lastLine = Date.now();
      this.line(text);
    }
  }

  /** Never the last column, after which terminals go on in the next line. */
  private drawBar(share: number, text: string): void {
    const columns = (this.out.columns || usualColumns) - 1;
    const room = Math.max(minBar, columns - text.length - '[] '.length);
    const filled = Math.round(room * share);
    const bar = `[${'#'.repeat(filled)}${' '.repeat(room - filled)}] ${text}`.slice(0, columns);
    this.out.write(`\r${bar.padEnd(this.bar)}`);
    this.bar = bar.length;
  }
}
