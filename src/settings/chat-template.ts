/**
 * What `chatTemplate` names, as the template's text. Promises: a file that cannot be read or holds no template is named before any time
 * is spent.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NomoatError } from '../errors.ts';
import { decodeText } from '../formats/decode-text.ts';
import { ChatTemplate } from '../text/chat-template.ts';
import { templateNames, templateOfName } from '../text/named-templates.ts';
import { nearestNames } from '../words/nearest-name.ts';

/** No template that a model came with is longer than a tenth of it. */
const maxTemplateBytes = 1 << 20;
/** A text with markup is the template itself, as a run's recipe holds it. */
const isTemplate = (text: string): boolean => /\{[{%]/.test(text);

function readTemplate(given: string): string {
  try {
    const { size } = statSync(given);
    if (size > maxTemplateBytes)
      throw new NomoatError({
        code: 'unusable-chat-template',
        part: given,
        fault: `has ${size} bytes, more than any chat template (${maxTemplateBytes})`,
        remedy: 'Give a file that holds a Jinja template.',
      });
    // A byte order mark would be the beginning of every prompt.
    return decodeText(given, readFileSync(given));
  } catch (error) {
    if (error instanceof NomoatError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const [near] = nearestNames(given.toLowerCase(), templateNames, 1);
    throw new NomoatError({
      code: 'unusable-chat-template',
      part: '`chatTemplate`',
      fault: `${given} is no template by name, and no file that can be read (${code})`,
      remedy: `${near ? `Did you mean ${near}? ` : ''}Names are ${templateNames.join(', ')}.`,
      cause: error,
    });
  }
}

/** The template inside the JSON that the hub keeps it in (tokenizer_config.json, chat_template.json); null where the text is no such JSON. */
function templateInside(text: string, given: string): string | null {
  if (!text.trimStart().startsWith('{')) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // A template may begin with a brace.
    return null;
  }
  const { chat_template: inside } = value as { chat_template?: unknown };
  // Several by name: the one that is used unless asked.
  const named = Array.isArray(inside) ? (inside as { name?: unknown; template?: unknown }[]) : [];
  const template = named.find(({ name }) => name === 'default')?.template ?? inside;
  if (typeof template === 'string') return template;
  throw new NomoatError({
    part: given,
    fault: 'is JSON without a chat_template',
    remedy: 'Give a file that holds a Jinja template, or the tokenizer_config.json that holds one.',
  });
}

const templateIn = (text: string, given: string): string => templateInside(text, given) ?? text;

/** The template of a name, a file, or the text itself; null where none is given. Throws NomoatError. */
export function resolveChatTemplate(given: string | null): string | null {
  if (given === null) return null;
  const text = templateOfName(given) ?? (isTemplate(given) ? given : templateIn(readTemplate(given), given));
  if (!isTemplate(text))
    throw new NomoatError({
      code: 'unusable-chat-template',
      part: given,
      fault: 'holds no Jinja template (neither {{ nor {%)',
      remedy: "Give the text of a model's chat_template.",
    });
  // Parsed for its faults.
  new ChatTemplate(text, { bosToken: '', eosToken: '' });
  return text;
}

/** The template's file in an adapter's folder, as Transformers names it. https://huggingface.co/docs/transformers/chat_templating_writing */
export const chatTemplateFile = 'chat_template.jinja';

/** The chat template that lies in an adapter's folder, or beside its file; null where there is none. */
export function templateBeside(adapter: string): string | null {
  const folder = statSync(adapter, { throwIfNoEntry: false })?.isDirectory() ? adapter : dirname(adapter);
  const path = join(folder, chatTemplateFile);
  return existsSync(path) ? resolveChatTemplate(path) : null;
}
