/** What a server is told of names of hosted models and of web pages. Throws NomoatError where that will not do. */
import { NomoatError } from '../errors.ts';
import { nearestNames } from '../words/nearest-name.ts';
import type { ModelList } from './model-list.ts';

const refuse = (part: string, fault: string, remedy: string): NomoatError =>
  new NomoatError({ code: 'invalid-settings', part, fault, remedy });

/** `NAME=MODEL` as a map. */
export function mapOf(pairs: readonly string[]): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const pair of pairs) {
    const [, name, model] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
    if (name === undefined || model === undefined)
      throw refuse(
        '`map`',
        `"${pair}" is no NAME=MODEL`,
        'Give the name that scripts have, and the model of this machine that stands for it: gpt-4.1-mini=nomoat-mini.',
      );
    if (map.has(name)) throw refuse('`map`', `${name} stands there twice`, 'Give one model for each name.');
    map.set(name, model);
  }
  return map;
}

/** Rejects where a name is mapped to a model that is not there. */
export async function assertMapped(models: ModelList, map: ReadonlyMap<string, string>): Promise<void> {
  for (const [name, model] of map) {
    if ((await models.find(model)) !== null) continue;
    const near = nearestNames(
      model,
      (await models.all()).map(({ id }) => id),
      1,
    );
    const hint = near.length > 0 ? ` Did you mean ${near[0]}?` : '';
    throw refuse(
      '`map`',
      `${name} stands for ${model}, which is no model of this machine`,
      `Give the name of one that is served.${hint}`,
    );
  }
}

/** Throws where an origin is none: with a path or a slash behind it, no page would ever have it. */
export function assertOrigins(origins: readonly string[]): void {
  for (const origin of origins) {
    if (URL.canParse(origin) && new URL(origin).origin === origin) continue;
    throw refuse(
      '`origins`',
      `"${origin}" is no origin`,
      'Give scheme, host and port alone, such as http://localhost:5173.',
    );
  }
}
