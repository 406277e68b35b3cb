/**
 * The templates of the most used chat models over 200 random conversations each, against what jinja2 makes of them
 * (bench/oracles/render_templates.py). CONVERSATIONS=FILE writes the conversations for it.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readJson } from '../../src/formats/exact-json.ts';
import {
  JinjaTemplate,
  marked,
  TemplateConstructError,
  TemplateFailed,
  TemplateRaised,
} from '../../src/text/jinja/index.ts';
import { conversations } from './conversations.ts';

type Variables = Record<string, unknown>;

const folder = join(import.meta.dirname, '../fixtures/templates');
const now = new Date(2024, 6, 26, 15, 4, 5);
const texts = conversations(200);
const plain = texts.map((text) => readJson(text) as Variables);
const everythingMarked = plain.map((variables) =>
  Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, marked(value, 1)])),
);
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.jinja'))
  .map((name) => name.slice(0, -'.jinja'.length))
  .sort();

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);

function outcome(template: JinjaTemplate, variables: Variables): string {
  try {
    return digest(template.render(variables, { now }).text);
  } catch (error) {
    if (error instanceof TemplateRaised) return `!${digest(error.raised)}`;
    if (error instanceof TemplateFailed) return '?';
    if (error instanceof TemplateConstructError) return `lacks ${error.construct}`;
    throw error;
  }
}

beforeAll(() => {
  if (process.env.CONVERSATIONS) writeFileSync(process.env.CONVERSATIONS, JSON.stringify(texts));
});

describe('renderings equal those of jinja2', () => {
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<string, string>;
  const counts = { rendered: 0, raised: 0, failed: 0 };

  test('of all templates there are', () => {
    expect(Object.keys(expected).sort()).toEqual(names);
    expect(names.length).toBeGreaterThanOrEqual(45);
  });

  test.each(names)('%s', (name) => {
    const template = new JinjaTemplate(readFileSync(join(folder, `${name}.jinja`), 'utf8'));
    const found = plain.map((variables) => outcome(template, variables));
    for (const result of found) counts[result[0] === '!' ? 'raised' : result === '?' ? 'failed' : 'rendered']++;
    expect(found).toEqual(expected[name]!.split(' '));
    expect(everythingMarked.map((variables) => outcome(template, variables))).toEqual(found);
  });

  test('most conversations are rendered, and nothing is refused for want of a construct', () => {
    expect(counts).toEqual({ rendered: 20_959, raised: 1388, failed: 4853 });
  });
});
