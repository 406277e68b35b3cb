/**
 * A recipe: settings as a YAML map. Promises: what the file says is what is read, or it is refused with the line; YAML's parser would go on
 * with what it could make of a broken one. Knows nothing of which options there are.
 */
import { readFileSync, statSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { NomoatError } from '../errors.ts';
import { tooDeep } from '../formats/bounded-json.ts';
import { decodeText } from '../formats/decode-text.ts';
import { assertGiven } from '../words/given.ts';
import type { Given } from './parse-settings.ts';

/** Larger files are no recipes. */
const maxRecipeBytes = 1 << 20;
/** YAML aliases beyond this are an attack. */
const maxAliases = 100;

/** The options that the recipe at `path` gives. Throws NomoatError. */
export function readRecipe(path: string): Given {
  const refuse = (fault: string, cause?: unknown): never => {
    throw new NomoatError({
      part: path,
      fault,
      remedy: 'A recipe is a YAML file of `option: value` lines; see recipes/.',
      cause,
    });
  };
  assertGiven('`recipe`', path);
  let text = '';
  try {
    if (statSync(path).size > maxRecipeBytes) refuse(`is larger than ${maxRecipeBytes} bytes`);
    text = decodeText(path, readFileSync(path));
  } catch (error) {
    if (error instanceof NomoatError) throw error;
    refuse(`cannot be read (${(error as NodeJS.ErrnoException).code})`, error);
  }
  // The parser takes minutes for what it calls itself for thousands of times.
  if (tooDeep(text)) refuse('is nested too deeply');
  let value: unknown;
  try {
    const document = parseDocument(text, { logLevel: 'error' });
    // A tag that nobody knows is a warning, and its value would be taken for a text.
    const fault = document.errors[0] ?? document.warnings[0];
    if (fault) throw fault;
    value = document.toJS({ maxAliasCount: maxAliases });
  } catch (error) {
    refuse(`is no valid YAML (${(error as Error).message.split('\n')[0]!.replace(/:$/, '')})`, error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse('is no map of options');
  return value as Given;
}
