/** What `loop` is inside a for loop: https://jinja.palletsprojects.com/en/stable/templates/#for. */
import { typeError } from './errors.ts';
import { equal } from './operators.ts';
import { rest } from './types.ts';
import { Attributed, admit, Callable, type Kwargs, Tuple, Undefined, type Value } from './values.ts';
import type { View } from './watched-list.ts';

export type Recurse = (iterable: Value, depth: number) => Value;

export abstract class LoopContext extends Attributed {
  readonly typeName = 'LoopContext';
  index0 = -1;
  private readonly depth0: number;
  private readonly recurse: Recurse | null;
  private lastChanged: Value | undefined = undefined;

  constructor(depth0: number, recurse: Recurse | null) {
    super();
    this.depth0 = depth0;
    this.recurse = recurse;
  }

  protected abstract length(): number;
  /** undefined at the end. */
  protected abstract peek(): Value | undefined;
  protected abstract before(): Value;

  attribute(name: string): Value | undefined {
    switch (name) {
      case 'index0':
        return this.index0;
      case 'index':
        return this.index0 + 1;
      case 'first':
        return this.index0 === 0;
      case 'last':
        return this.peek() === undefined;
      case 'length':
      case '__len__':
        return this.length();
      case 'revindex':
        return this.length() - this.index0;
      case 'revindex0':
        return this.length() - this.index0 - 1;
      case 'previtem':
        return this.index0 === 0 ? new Undefined('there is no previous item') : this.before();
      case 'nextitem': {
        const next = this.peek();
        return next === undefined ? new Undefined('there is no next item') : next;
      }
      case 'depth':
        return this.depth0 + 1;
      case 'depth0':
        return this.depth0;
      case 'cycle':
        return new Callable('cycle', (args) => this.cycle(args));
      case 'changed':
        return new Callable('changed', (args) => this.changed(args));
      case '__repr__':
        return `<LoopContext ${this.index0 + 1}/${this.length()}>`;
      default:
        return undefined;
    }
  }

  private cycle(args: readonly Value[]): Value {
    if (args.length === 0) throw typeError('no items for cycling given');
    return args[this.index0 % args.length];
  }

  private changed(args: readonly Value[]): boolean {
    const value = new Tuple(args);
    if (this.lastChanged !== undefined && equal(this.lastChanged, value)) return false;
    this.lastChanged = value;
    return true;
  }

  /** loop(children) of a recursive loop. */
  invoke(args: readonly Value[], kwargs: Kwargs): Value {
    if (!this.recurse) throw typeError("The loop must have the 'recursive' marker to be called recursively.");
    const iterable = args[0] ?? kwargs.get('iterable');
    if (args.length + kwargs.size !== 1 || iterable === undefined) throw typeError('loop() takes one argument');
    return this.recurse(iterable, this.depth0 + 1);
  }
}

/** Over elements that are all there. */
export class ListLoop extends LoopContext {
  private readonly items: readonly Value[];

  constructor(items: readonly Value[], depth0: number, recurse: Recurse | null) {
    super(depth0, recurse);
    this.items = items;
  }

  protected length(): number {
    return this.items.length;
  }

  protected peek(): Value | undefined {
    return this.index0 + 1 < this.items.length ? admit(this.items[this.index0 + 1]) : undefined;
  }

  protected before(): Value {
    return admit(this.items[this.index0 - 1]);
  }
}

/** Over a list that notes what is asked of it. */
export class ViewLoop extends LoopContext {
  private readonly view: View;

  constructor(view: View, depth0: number, recurse: Recurse | null) {
    super(depth0, recurse);
    this.view = view;
  }

  protected length(): number {
    this.view.watch.note(Number.POSITIVE_INFINITY);
    return this.view.size;
  }

  protected peek(): Value | undefined {
    const next = this.index0 + 1;
    return this.view.reaches(next) ? admit(this.view.at(next)) : undefined;
  }

  protected before(): Value {
    return admit(this.view.at(this.index0 - 1));
  }
}

/** Over elements that come one by one; asking for the end takes them out of their source early, as in Python. */
export class LazyLoop extends LoopContext {
  private iterator: Iterator<Value>;
  private known: number | null = null;
  private after: Value | undefined = undefined;
  private current: Value = null;
  private previous: Value = null;

  constructor(iterator: Iterator<Value>, depth0: number, recurse: Recurse | null) {
    super(depth0, recurse);
    this.iterator = iterator;
  }

  /** The next element; undefined at the end. */
  next(): Value | undefined {
    const value = this.peek();
    this.after = undefined;
    if (value === undefined) return undefined;
    this.index0++;
    this.previous = this.current;
    this.current = value;
    return value;
  }

  protected length(): number {
    if (this.known === null) {
      const items = rest(this.iterator);
      this.iterator = items[Symbol.iterator]();
      this.known = items.length + this.index0 + 1 + (this.after === undefined ? 0 : 1);
    }
    return this.known;
  }

  protected peek(): Value | undefined {
    if (this.after === undefined) {
      const step = this.iterator.next();
      if (!step.done) this.after = step.value;
    }
    return this.after;
  }

  protected before(): Value {
    return this.previous;
  }
}
