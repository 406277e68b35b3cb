/**
 * A list that knows how much of it has been asked for, so that a rendering can tell what it would have done with a
 * shorter list. It is an array to all code; what looks at its end or its length without care counts as having needed
 * all of it.
 */

/** What a rendering has needed of one list so far. */
export class Watch {
  /**
   * Lists that share this many first elements, and have at least so many, have been rendered alike so far; Infinity
   * where the length itself was asked for.
   */
  need = 0;
  /** Elements from here on are hidden: the list ends before them. */
  limit = Number.POSITIVE_INFINITY;

  note(count: number): void {
    if (count > this.need) this.need = count;
  }
}

/** A watched list, or the rest of one from `offset` on. */
export class View {
  readonly watch: Watch;
  private readonly source: readonly unknown[];
  private readonly offset: number;

  constructor(source: readonly unknown[], offset: number, watch: Watch) {
    this.source = source;
    this.offset = offset;
    this.watch = watch;
  }

  /** The number of elements, without noting that it was asked for. */
  get size(): number {
    return Math.max(0, Math.min(this.source.length, this.watch.limit) - this.offset);
  }

  /** Where an element stands in the watched list. */
  place(index: number): number {
    return this.offset + index;
  }

  /** Whether there is an element at the index. A list without one gives the same answer when it is shorter. */
  has(index: number): boolean {
    const found = index < this.size;
    if (found) this.watch.note(this.offset + index + 1);
    return found;
  }

  /** As has, where a longer list would have gone on: the end counts as asked for. */
  reaches(index: number): boolean {
    const found = this.has(index);
    if (!found) this.watch.note(Number.POSITIVE_INFINITY);
    return found;
  }

  at(index: number): unknown {
    return this.has(index) ? this.source[this.offset + index] : undefined;
  }

  from(start: number): readonly unknown[] {
    return viewed(new View(this.source, this.offset + start, this.watch));
  }
}

const viewKey = Symbol('view');

export const watched = (source: readonly unknown[], watch: Watch): readonly unknown[] =>
  viewed(new View(source, 0, watch));

/** The view behind a watched list; undefined for other arrays. */
export const viewOf = (list: readonly unknown[]): View | undefined => (list as { readonly [viewKey]?: View })[viewKey];

const isIndex = (property: string | symbol): property is string =>
  typeof property === 'string' && /^\d+$/.test(property);

function viewed(view: View): readonly unknown[] {
  return new Proxy<readonly unknown[]>([], {
    get(target, property) {
      if (property === viewKey) return view;
      if (property === 'length') {
        view.watch.note(Number.POSITIVE_INFINITY);
        return view.size;
      }
      return isIndex(property) ? view.at(Number(property)) : Reflect.get(target, property);
    },
    has(target, property) {
      return isIndex(property) ? view.has(Number(property)) : Reflect.has(target, property);
    },
  });
}
