/** What the environment says of engines. */
import { tuneOptions } from './options.ts';

export type EngineSetting = ReturnType<typeof tuneOptions.engine.parse>;

/** What NOMOAT_ENGINE asks for by name, before any setting; null where it is not set, or names none. */
export function namedEngine(): EngineSetting | null {
  const { data } = tuneOptions.engine.safeParse(process.env.NOMOAT_ENGINE);
  return process.env.NOMOAT_ENGINE && data ? data : null;
}
