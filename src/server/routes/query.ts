/** Parameters behind the question mark, and pages of lists. Promises: a parameter that is not known is refused, never ignored. */
import { z } from 'zod';
import { wrongParameter } from '../api-error.ts';
import { readParameters } from '../parameters.ts';
import type { Page, PageQuery } from '../state/pages.ts';

/** A whole number in words. */
export const wholeText = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `expected a whole number from ${least} to ${most}`)
    .transform(Number)
    .pipe(z.int().min(least).max(most));

/** Parameters of a page: `limit` up to `most`. */
export const pageParameters = (most: number) => ({
  after: z.string().optional().describe('the id of the last one that is known already'),
  limit: wholeText(1, most).optional().describe(`1 to ${most}`),
});

/** Reads what stands behind the question mark. Throws ApiError. */
export function readQuery<Shape extends z.core.$ZodLooseShape>(
  url: string,
  schema: z.ZodObject<Shape>,
): z.output<z.ZodObject<Shape>> {
  const given: Record<string, string> = {};
  for (const [name, value] of new URL(url).searchParams) {
    if (Object.hasOwn(given, name)) throw wrongParameter(name, 'invalid_value', `'${name}' was given twice.`);
    given[name] = value;
  }
  return readParameters(given, schema, {});
}

/** What `readQuery` gives of a page as the stores take it. */
export const pageQuery = (
  { after, limit }: { readonly after?: string | undefined; readonly limit?: number | undefined },
  usualLimit: number,
  order: PageQuery['order'] = 'desc',
): PageQuery => ({ after: after ?? null, limit: limit ?? usualLimit, order });

/** A page as OpenAI's API has it. Throws ApiError where `after` named nothing of the list. */
export function listOf<T extends { readonly id: string }>(page: Page<T> | null): object {
  if (page === null)
    throw wrongParameter('after', 'invalid_value', "Invalid value for 'after': nothing in this list has that id.");
  const { data, hasMore } = page;
  return { object: 'list', data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: hasMore };
}
