/** Python's range. */
import { PythonError, typeError, valueError } from './errors.ts';
import { maxRange } from './limits.ts';
import { Native } from './marked-text.ts';
import { toIndex, type Value } from './values.ts';

export class Range extends Native {
  readonly start: number;
  readonly stop: number;
  readonly step: number;
  readonly length: number;

  constructor(start: number, stop: number, step: number) {
    super();
    this.start = start;
    this.stop = stop;
    this.step = step;
    this.length = Math.max(0, Math.ceil((stop - start) / step));
  }

  at(index: number): number {
    return this.start + index * this.step;
  }

  items(): number[] {
    return Array.from({ length: this.length }, (_, i) => this.at(i));
  }
}

export function rangeOf(args: readonly Value[]): Range {
  if (args.length < 1 || args.length > 3) throw typeError(`range expected 1 to 3 arguments, got ${args.length}`);
  const numbers = args.map((arg) => {
    const number = toIndex(arg);
    if (number === null) throw typeError('object cannot be interpreted as an integer');
    return number;
  });
  const [start, stop] = numbers.length === 1 ? [0, numbers[0]!] : [numbers[0]!, numbers[1]!];
  const step = numbers[2] ?? 1;
  if (step === 0) throw valueError('range() arg 3 must not be zero');
  const range = new Range(start, stop, step);
  if (range.length > maxRange)
    throw new PythonError(
      'OverflowError',
      `Range too big. The sandbox blocks ranges larger than MAX_RANGE (${maxRange}).`,
    );
  return range;
}
