/** Snippets of the template language, each against what jinja2 makes of it (bench/oracles/render_templates.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readJson } from '../../src/formats/exact-json.ts';
import {
  JinjaTemplate,
  marked,
  TemplateConstructError,
  TemplateFailed,
  TemplateRaised,
} from '../../src/text/jinja/index.ts';

interface Expected {
  readonly text?: string;
  readonly raised?: string;
  readonly error?: string;
}

const folder = join(import.meta.dirname, '../fixtures/templates');
const read = (name: string): unknown => readJson(readFileSync(join(folder, name), 'utf8'));
const { variables, snippets } = read('snippets.json') as { variables: Record<string, unknown>; snippets: string[] };
const expected = read('snippets-expected.json') as Expected[];

/** What this engine does not do: Python's builtin methods as texts have addresses, files cannot be loaded. */
const lacking = [
  'a builtin_function_or_method as text (Python prints its address)',
  'the filter `pprint`',
  'the filter `random`',
  'the statement `extends`',
  'the statement `from`',
  'the statement `import`',
  'the statement `include`',
];

function outcome(snippet: string, given: Record<string, unknown>): Expected & { lacks?: string } {
  try {
    return { text: new JinjaTemplate(snippet).render(given, { now: new Date(2024, 6, 26, 15, 4, 5) }).text };
  } catch (error) {
    if (error instanceof TemplateRaised) return { raised: error.raised };
    if (error instanceof TemplateFailed) return { error: error.python };
    if (error instanceof TemplateConstructError) return { lacks: error.construct };
    throw error;
  }
}

const markedVariables = Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, marked(value, 1)]));

test('there is one result for each snippet', () => {
  expect(snippets.length).toBe(expected.length);
  expect(snippets.length).toBeGreaterThan(900);
});

test.each([
  ['plain', variables],
  ['marked', markedVariables],
])('all snippets give what jinja2 gives, with %s variables', (_, given) => {
  const lacks: string[] = [];
  const differing = snippets.flatMap((snippet, i) => {
    const found = outcome(snippet, given);
    const { text, raised, error } = expected[i]!;
    if (found.lacks) lacks.push(found.lacks);
    const equal =
      found.lacks !== undefined ||
      (found.text === text && found.raised === raised && (found.error === undefined) === (error === undefined));
    return equal ? [] : [{ snippet, found, expected: expected[i] }];
  });
  expect(differing).toEqual([]);
  expect([...new Set(lacks)].sort()).toEqual(lacking);
});
