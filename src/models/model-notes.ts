/**
 * What a model's file says that its owner should know before training on it, and that is no reason to refuse it.
 * Promises: every note names the key or the token. Knows nothing of the data.
 */
import type { GgufFile } from '../formats/gguf/types.ts';
import { endTokenTexts, specialTexts, strayTokenIds } from '../formats/gguf/vocabulary.ts';
import { type ChatTemplate, chatTemplateOf } from '../text/chat-template.ts';
import type { Message } from '../text/example.ts';
import { unusedKeys } from './metadata-keys.ts';

/** Texts that look like control tokens: <|im_end|>, <start_of_turn>, </s>. */
const controlLike = /<\|[^<>|\s]{1,40}\|>|<\/?\w{1,20}_of_\w{1,20}>|<\/?s>/g;
/** An answer that no template writes by itself. */
const answer = 'zqx-answer-zqx';
const question: Message = { role: 'user', content: 'zqx-question-zqx' };

/** The template; null where there is none or it cannot be read, which is said where one is needed. */
function templateOf(model: GgufFile): ChatTemplate | null {
  try {
    return chatTemplateOf(model);
  } catch {
    return null;
  }
}

/** A conversation by the template, with a system message where it takes one; null where it takes neither. */
function sample(template: ChatTemplate): string | null {
  const turns: Message[] = [question, { role: 'assistant', content: answer }, question];
  for (const messages of [[{ role: 'system', content: 'zqx-system-zqx' }, ...turns], turns]) {
    try {
      return template.render(messages, { addGenerationPrompt: true });
    } catch {}
  }
  return null;
}

function templateNotes(model: GgufFile): string[] {
  const template = templateOf(model);
  const text = template && sample(template);
  if (text === null) return [];
  const notes: string[] = [];
  const special = specialTexts(model);
  const split = [...new Set(text.match(controlLike))].filter((spelt) => !special.has(spelt));
  if (split.length > 0)
    notes.push(
      `The chat template writes ${split.slice(0, 5).join(', ')}, which the vocabulary has as no token of ${split.length > 1 ? 'their' : 'its'} own: the model sees the letters.`,
    );
  const after = text.slice(text.lastIndexOf(answer) + answer.length);
  const ends = endTokenTexts(model);
  if (text.includes(answer) && !ends.some((end) => after.trimStart().startsWith(end)))
    notes.push(
      `The chat template ends an answer with ${JSON.stringify(after.slice(0, 20))}, which is none of the tokens at which generation ends (${ends.slice(0, 5).join(', ') || 'there are none'}): answers may not stop.`,
    );
  return notes;
}

export function modelNotes(model: GgufFile): string[] {
  const unused = unusedKeys(model, model.string('general.architecture') ?? '');
  const stray = strayTokenIds(model).map(({ name, id }) => `${name} = ${id}`);
  return [
    ...(unused.length > 0
      ? [
          `The model's file states ${unused.join(', ')}: llama.cpp computes without ${unused.length > 1 ? 'them' : 'it'} for this architecture, and so does nomoat.`,
        ]
      : []),
    ...(stray.length > 0
      ? [
          `The model's file names special tokens that its vocabulary does not have: ${stray.join(', ')}. llama.cpp takes its defaults for them.`,
        ]
      : []),
    ...templateNotes(model),
  ];
}
