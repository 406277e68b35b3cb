/**
 * Ends an answer before the first stop sequence. Promises: no character of a stop sequence is given out, wherever the pieces are cut; what
 * may be the beginning of one is held back until it is known. Pure.
 */
import { begunAt } from '../text/common-length.ts';

export class StopFilter {
  private readonly stops: readonly string[];
  private readonly onText: (text: string) => void;
  private held = '';
  private found = false;

  /** `onText` is called with what is sure to be of the answer. */
  constructor(stops: readonly string[], onText: (text: string) => void) {
    this.stops = stops;
    this.onText = onText;
  }

  /** Whether a stop sequence was met: what comes after it is not heard any more. */
  get stopped(): boolean {
    return this.found;
  }

  push(piece: string): void {
    if (this.found) return;
    const text = this.held + piece;
    const places = this.stops.map((stop) => text.indexOf(stop)).filter((place) => place >= 0);
    this.found = places.length > 0;
    const sure = this.found
      ? Math.min(...places)
      : text.length - Math.max(0, ...this.stops.map((stop) => begunAt(text, stop)));
    this.held = this.found ? '' : text.slice(sure);
    if (sure > 0) this.onText(text.slice(0, sure));
  }

  /** Gives out what is held back: no stop sequence came of it. */
  end(): void {
    if (this.held !== '') this.onText(this.held);
    this.held = '';
  }
}
