/** Numbers of events as text. Pure. JSON has no NaN and no infinity, so a figure may be null, and a log may have been edited. */

/** The number with so many digits after the point, or words where there is none. */
export const fixed = (value: unknown, digits: number): string =>
  typeof value === 'number' && Number.isFinite(value) ? value.toFixed(digits) : 'not a number';
