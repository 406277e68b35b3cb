/** The tools of a conversation, as far as reading calls needs them. Pure. */
import { isObject } from '../refused.ts';

/** Schemas of arguments, by the names of functions. */
export type OfferedTools = ReadonlyMap<string, unknown>;

/** The functions among tools of OpenAI's form. */
export const offeredTools = (tools: readonly unknown[]): OfferedTools =>
  new Map(
    tools.flatMap((tool): [string, unknown][] => {
      const called = isObject(tool) ? (isObject(tool.function) ? tool.function : tool) : {};
      return typeof called.name === 'string' ? [[called.name, called.parameters]] : [];
    }),
  );
