/**
 * Values that come one after the other, for any number of readers. Promises: every reader, however late, gets all of them from the
 * beginning; one that leaves or is slow is none of the others' business. All are kept: a run has one event of some 200 bytes a step.
 */
export class EventHistory<T> implements AsyncIterable<T> {
  private readonly values: T[] = [];
  private readonly sleepers = new Set<() => void>();
  private ending: { readonly error: unknown } | null = null;

  push(value: T): void {
    if (this.ending) return;
    this.values.push(value);
    this.wakeAll();
  }

  /** Nothing comes after this; where there is an error, every reader gets it after the last value. */
  end(error: unknown = null): void {
    this.ending ??= { error };
    this.wakeAll();
  }

  /** What came so far. */
  get soFar(): readonly T[] {
    return this.values;
  }

  private wakeAll(): void {
    for (const wake of this.sleepers) wake();
    this.sleepers.clear();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (let next = 0; ; ) {
      if (next < this.values.length) yield this.values[next++]!;
      else if (this.ending) {
        if (this.ending.error !== null) throw this.ending.error;
        return;
      } else await new Promise<void>((wake) => this.sleepers.add(wake));
    }
  }
}
