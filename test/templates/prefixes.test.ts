/** Beginnings of a conversation rendered together with the whole of it, against renderings of each by itself. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readJson } from '../../src/formats/exact-json.ts';
import { JinjaTemplate, marked, type PrefixRendering, type Rendered } from '../../src/text/jinja/index.ts';
import { conversations } from './conversations.ts';

type Variables = Record<string, unknown> & { readonly messages: readonly unknown[] };

const folder = join(import.meta.dirname, '../fixtures/templates');
const names = readdirSync(folder).filter((name) => name.endsWith('.jinja'));
const options = { now: new Date(2024, 6, 26, 15, 4, 5) };
const load = (name: string): JinjaTemplate => new JinjaTemplate(readFileSync(join(folder, name), 'utf8'));

function orNull<T>(run: () => T): T | null {
  try {
    return run();
  } catch (error) {
    if (error instanceof Error && error.name === 'NomoatError') return null;
    throw error;
  }
}

/** A beginning put together out of the whole. */
function joined(whole: Rendered, { shared, text, spans }: PrefixRendering): Rendered {
  const kept = whole.spans.flatMap((span) =>
    span.start < shared ? [{ ...span, end: Math.min(span.end, shared) }] : [],
  );
  const moved = spans.map((span) => ({ ...span, start: span.start + shared, end: span.end + shared }));
  return { text: whole.text.slice(0, shared) + text, spans: [...kept, ...moved] };
}

const originsOf = ({ text, spans }: Rendered): (number | null)[] => {
  const origins = new Array<number | null>(text.length).fill(null);
  for (const { start, end, origin } of spans) origins.fill(origin as number, start, end);
  return origins;
};

/** Of each template; more take minutes. */
const count = 30;

test('each equals the rendering by itself, in all templates', () => {
  const counts = { told: 0, left: 0 };
  for (const name of names) {
    const template = load(name);
    for (const text of conversations(count)) {
      const { messages, ...others } = readJson(text) as Variables;
      const all = { ...others, messages: messages.map((message, i) => marked(message, i)) };
      const cuts = messages.map((_, i) => i);
      const found = orNull(() => template.renderPrefixes(all, cuts, options));
      if (!found) continue;
      expect(found.whole).toEqual(template.render(all, options));
      for (const [cut, prefix] of found.prefixes.entries()) {
        if (prefix === null) counts.left++;
        else {
          counts.told++;
          const alone = template.render({ ...all, messages: all.messages.slice(0, cut) }, options);
          const together = joined(found.whole, prefix);
          expect(together.text, `${name}, ${cut} of ${text}`).toBe(alone.text);
          expect(originsOf(together)).toEqual(originsOf(alone));
        }
      }
    }
  }
  expect(counts).toEqual({ told: 16_924, left: 6679 });
});

test('what a list is asked for decides which beginnings are told', () => {
  const told = (source: string, count = 4): boolean[] => {
    const messages = Array.from({ length: count }, (_, i) => ({
      role: i % 2 ? 'assistant' : 'user',
      content: `<${i}>`,
    }));
    const template = new JinjaTemplate(source);
    const { whole, prefixes } = template.renderPrefixes({ messages }, [0, 1, 2, 3, 4]);
    for (const [cut, prefix] of prefixes.entries())
      if (prefix) expect(joined(whole, prefix).text).toBe(template.render({ messages: messages.slice(0, cut) }).text);
    return prefixes.map((prefix) => prefix !== null);
  };
  const loop = '{% for m in messages %}{{ m.content }}{% endfor %}!';
  expect(told(loop)).toEqual([true, true, true, true, true]);
  expect(told(`{{ messages[0].content }}${loop}`)).toEqual([false, true, true, true, true]);
  expect(told(`{{ messages | length }}${loop}`)).toEqual([false, false, false, false, true]);
  expect(told(`{{ messages[-1].content }}${loop}`)).toEqual([false, false, false, false, true]);
  expect(told(`{% set messages = messages[1:] %}${loop}`)).toEqual([false, true, true, true, true]);
  expect(told('{% for m in messages %}{{ m.content }}{% if loop.last %}.{% endif %}{% endfor %}')).toEqual([
    true,
    false,
    false,
    false,
    true,
  ]);
  const assistantsLast = "{% for m in messages %}{{ m.content ~ (loop.last if m.role == 'assistant') }}{% endfor %}";
  expect(told(assistantsLast)).toEqual([true, true, false, true, true]);
  expect(told('{% for m in messages %}{{ m.content }}{% else %}none{% endfor %}{{ messages | length }}')).toEqual([
    true,
    true,
    true,
    true,
    true,
  ]);
  const counted =
    '{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{{ ns.n }}{% endfor %}{% set ns.n = ns.n * 10 %}={{ ns.n }}';
  expect(told(counted)).toEqual([true, true, true, true, true]);
  expect(told(`{% set j = joiner() %}{% for m in messages %}{{ j() }}{% endfor %}{{ j() }}`)).toEqual([
    false,
    false,
    false,
    false,
    true,
  ]);
  expect(told(`{% if true %}a{% if messages %}${loop}b{% endif %}c{% endif %}d`)).toEqual([
    false,
    true,
    true,
    true,
    true,
  ]);
  expect(told(`{% for m in messages %}{% break %}{% endfor %}${loop}`)).toEqual([true, true, true, true, true]);
});
