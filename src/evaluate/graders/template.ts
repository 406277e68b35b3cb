/** What OpenAI's evals fill in: `{{ item.question }}` and `{{ sample.output_text }}`. Pure. */
import { NomoatError } from '../../errors.ts';

/** What templates name: the item, and of graders the sample, the model's answer. */
export interface Namespace {
  readonly item: Readonly<Record<string, unknown>>;
  readonly sample?: { readonly output_text: string };
}

const places = /\{\{\s*([\w.[\]]+)\s*\}\}/g;

const failure = (fault: string): NomoatError =>
  new NomoatError({
    code: 'unusable-data',
    part: 'the definition of the eval',
    fault,
    remedy: 'Its templates name fields of `item`, and graders `sample.output_text`.',
  });

const within = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;

/** The answer read as JSON; undefined where it is none. */
function outputJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function valueAt(path: string, { item, sample }: Namespace): unknown {
  const [root, ...keys] = path.replace(/\[(\w+)\]/g, '.$1').split('.');
  const isJson = root === 'sample' && keys[0] === 'output_json';
  const start =
    root === 'item' ? item : isJson ? outputJson(sample?.output_text ?? '') : root === 'sample' ? sample : undefined;
  const found = (isJson ? keys.slice(1) : keys).reduce(within, start);
  // An answer that is no JSON, or other JSON than was hoped for, is the model's fault and fails the check.
  if (found === undefined && isJson) return '';
  if (found === undefined) throw failure(`names ${path}, which is not there`);
  return found;
}

/** The template with its places filled in; what is no text, as JSON. Throws NomoatError where it names what is not there. */
export const filled = (template: string, values: Namespace): string =>
  template.replace(places, (_, path: string) => {
    const value = valueAt(path, values);
    return typeof value === 'string' ? value : JSON.stringify(value);
  });
