/** A recipe: settings as a YAML map. Knows nothing of which options there are. */
import { readYamlMap } from '../formats/yaml-map.ts';
import { assertGiven } from '../words/given.ts';
import type { Given } from './parse-settings.ts';

/** The options that the recipe at `path` gives. Throws NomoatError. */
export function readRecipe(path: string): Given {
  assertGiven('`recipe`', path);
  return readYamlMap(path, 'options', 'A recipe is a YAML file of `option: value` lines; see recipes/.');
}
