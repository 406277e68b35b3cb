/** Every character that came from a message lies in a span of that message, in all templates of the corpus. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { JinjaTemplate, marked } from '../../src/text/jinja/index.ts';

const folder = join(import.meta.dirname, '../fixtures/templates');
const names = readdirSync(folder).filter((name) => name.endsWith('.jinja'));

/** Each text is made of a letter that nothing else has, and of what templates strip, split and escape. */
const first = 0xe000;
const letter = (origin: number): string => String.fromCharCode(first + origin);
const textOf = (origin: number): string => {
  const x = letter(origin);
  return `\n ${x}${x} "${x}"\n<${x}>\\ ${x}. ${x}\n`;
};

const call = (origin: number): unknown => ({
  id: 'abcdefghi',
  type: 'function',
  function: { name: letter(origin), arguments: { city: textOf(origin), list: [letter(origin), 1.5] } },
});
const contents: readonly Record<string, unknown>[] = [
  { role: 'system', content: textOf(0) },
  { role: 'user', content: textOf(1) },
  { role: 'assistant', content: textOf(2), tool_calls: [call(2)] },
  { role: 'tool', tool_call_id: 'abcdefghi', name: letter(3), content: textOf(3) },
  { role: 'assistant', content: `<think>\n${textOf(4)}</think>\n\n${textOf(4)}`, reasoning_content: textOf(4) },
  { role: 'user', content: textOf(5) },
];

/** Some templates take no tools, some no system message. */
const conversations = [
  contents,
  [contents[0]!, contents[1]!, contents[4]!, contents[5]!],
  [contents[1]!, contents[4]!, contents[5]!],
];
const tools = [
  {
    type: 'function',
    function: { name: letter(9), description: textOf(9), parameters: { type: 'object', properties: {} } },
  },
];

function spansOf(source: string, messages: readonly Record<string, unknown>[], withTools: boolean): number | null {
  try {
    const { text, spans } = new JinjaTemplate(source).render({
      messages: messages.map((message) => marked(message, contents.indexOf(message))),
      tools: withTools ? marked(tools, 9) : null,
      documents: null,
      add_generation_prompt: true,
      bos_token: '<s>',
      eos_token: '</s>',
    });
    const origins = new Map<number, number>();
    for (const { start, end, origin } of spans) for (let at = start; at < end; at++) origins.set(at, origin as number);
    let letters = 0;
    for (let at = 0; at < text.length; at++) {
      const origin = text.charCodeAt(at) - first;
      if (origin < 0 || origin > 9) continue;
      letters++;
      expect(origins.get(at), `character ${at}: …${text.slice(Math.max(0, at - 30), at + 30)}…`).toBe(origin);
    }
    return letters;
  } catch (error) {
    if (error instanceof Error && error.name === 'NomoatError') return null;
    throw error;
  }
}

test('marks reach the output of nearly all templates', () => {
  const counts = names.map((name) => {
    const source = readFileSync(join(folder, name), 'utf8');
    const found = conversations.flatMap((messages) => [
      spansOf(source, messages, false),
      spansOf(source, messages, true),
    ]);
    return Math.max(...found.map((letters) => letters ?? 0));
  });
  expect(counts.filter((letters) => letters > 0).length).toBeGreaterThanOrEqual(names.length - 5);
});
