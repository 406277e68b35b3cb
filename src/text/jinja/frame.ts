/** A scope while a template is compiled: where its names are, and what happens when it is entered. */
import { SyntaxFault } from './lexer.ts';
import type { Statement } from './nodes.ts';
import type { Activation, Evaluate, Execute } from './runtime.ts';
import { type Place, Symbols, Unit } from './symbols.ts';
import { Undefined } from './values.ts';

/** Compiles statements, which may hold bodies themselves: loops and macros are given it, so that they need not know what there is. */
export type CompileBody = (nodes: readonly Statement[], frame: Frame) => Execute;

export class Frame {
  readonly symbols: Symbols;
  /** Inside an if, an unknown filter is an error only when it is reached. */
  readonly soft: boolean;
  readonly inLoop: boolean;

  private constructor(symbols: Symbols, soft: boolean, inLoop: boolean) {
    this.symbols = symbols;
    this.soft = soft;
    this.inLoop = inLoop;
  }

  static root(): Frame {
    return new Frame(new Symbols(null, new Unit(null)), false, false);
  }

  /** Whether what is run here is run once, in order, and writes to the output. */
  get isTop(): boolean {
    return this.symbols.parent === null;
  }

  get unit(): Unit {
    return this.symbols.unit;
  }

  /** A scope inside this one, in the same unit. */
  inner(): Frame {
    return new Frame(new Symbols(this.symbols, this.unit), this.soft, this.inLoop);
  }

  /** The scope of a loop's body, where break and continue are allowed. */
  loop(): Frame {
    return new Frame(new Symbols(this.symbols, this.unit), false, true);
  }

  /** A scope with a unit of its own, which is called: a macro's, a recursive loop's, a loop's test. */
  called(inLoop = false): Frame {
    return new Frame(new Symbols(this.symbols, new Unit(this.unit)), false, inLoop);
  }

  /** The same scope inside an if. */
  branch(): Frame {
    return new Frame(this.symbols, true, this.inLoop);
  }

  /** Gives the names of the scope what they begin with. To be made when all symbols of the scope are known. */
  enter(): (activation: Activation) => void {
    const steps: ((activation: Activation) => void)[] = [];
    for (const [place, load] of this.symbols.loads) {
      const { slot } = place;
      if (load.kind === 'undefined')
        steps.push((a) => {
          a.locals[slot] = undefined;
        });
      else if (load.kind === 'resolve')
        steps.push((a) => {
          a.locals[slot] = a.runtime.resolve(load.name);
        });
      else if (load.kind === 'alias') {
        const read = reader(this.unit, load.place);
        steps.push((a) => {
          a.locals[slot] = read(a);
        });
      }
    }
    if (steps.length === 0) return () => {};
    return (a) => {
      for (const step of steps) step(a);
    };
  }

  place(name: string, line: number): Place {
    const place = this.symbols.find(name);
    if (!place) throw new SyntaxFault(`the name '${name}' is not known to its scope`, line);
    return place;
  }

  load(name: string, line: number): Evaluate {
    const place = this.place(name, line);
    const nothing = (): Undefined => new Undefined(`'${name}' is undefined`);
    if (place.unit === this.unit) {
      const { slot } = place;
      return (a) => {
        const value = a.locals[slot];
        return value === undefined ? nothing() : value;
      };
    }
    const read = reader(this.unit, place);
    return (a) => {
      const value = read(a);
      return value === undefined ? nothing() : value;
    };
  }
}

/** Reads a place of a unit or of one around it; undefined where it has no value. */
export function reader(unit: Unit, { unit: home, slot }: Place): Evaluate {
  let hops = 0;
  for (let at: Unit | null = unit; at !== null && at !== home; at = at.parent) hops++;
  if (hops === 0) return (a) => a.locals[slot];
  if (hops === 1) return (a) => a.parent!.locals[slot];
  return (a) => {
    let at = a;
    for (let i = 0; i < hops; i++) at = at.parent!;
    return at.locals[slot];
  };
}
