/** One at a time, in the order of asking. Promises: no more wait than may; whoever leaves while waiting loses its place and is no burden. */
export class Turns {
  private readonly most: number;
  private readonly waiting: (() => void)[] = [];
  private taken = false;

  /** `most` may wait beside the one whose turn it is. */
  constructor(most: number) {
    this.most = most;
  }

  /** Whether one more may neither go nor wait. */
  get full(): boolean {
    return this.taken && this.waiting.length >= this.most;
  }

  /** Resolves when it is this caller's turn, which ends with the function that is returned. Rejects with the signal's reason. */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.taken) await this.wait(signal);
    this.taken = true;
    return () => this.next();
  }

  private wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.waiting.splice(this.waiting.indexOf(go), 1);
        reject(signal.reason);
      };
      const go = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
      this.waiting.push(go);
    });
  }

  private next(): void {
    const go = this.waiting.shift();
    // The turn is handed on, never free in between: nobody who comes now gets before those who wait.
    if (go) go();
    else this.taken = false;
  }
}
