/**
 * What may be written to a stream beside plain text: colours, and codes that move the cursor. Follows no-color.org and force-color.org;
 * a `dumb` terminal shows codes as they are, and whatever is no terminal keeps them in a file. Pure.
 */

interface Stream {
  readonly isTTY?: boolean;
}
interface Environment {
  readonly TERM?: string | undefined;
  readonly NO_COLOR?: string | undefined;
  readonly FORCE_COLOR?: string | undefined;
}

const isSet = (value: string | undefined): boolean => value !== undefined && value !== '';

/** Whether the cursor can be moved, and a mode of the terminal be set. */
export const movesCursor = (stream: Stream, env: Environment = process.env): boolean =>
  stream.isTTY === true && env.TERM !== 'dumb';

/** Whether text may be coloured. NO_COLOR wins: who sets both has a program that forces colours, and does not want them here. */
export function showsColour(stream: Stream, env: Environment = process.env): boolean {
  const { FORCE_COLOR: force, NO_COLOR: none } = env;
  if (isSet(none)) return false;
  if (isSet(force)) return force !== '0' && force !== 'false';
  return movesCursor(stream, env);
}
