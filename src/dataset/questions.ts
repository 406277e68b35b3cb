/** Examples as questions with the answers that are expected. Pure. */
import type { TestQuestion } from '../evaluate/test-set.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { chatTemplateOf } from '../text/chat-template.ts';
import type { Example } from '../text/example.ts';
import { markupOf, movedBoundary } from '../text/prompt-markup.ts';
import type { Question } from './prepared.ts';

/** What the model is asked, and the answer that the data has; null for plain text. */
export function questionOf(example: Example, model: GgufFile): Question | null {
  if (example.kind === 'text') return null;
  if (example.kind === 'completion' && model.string('tokenizer.chat_template')) {
    const { completion, prompt } = example;
    const markup = markupOf(prompt, chatTemplateOf(model));
    const asked = (markup?.kind === 'unfinished' && movedBoundary(prompt, completion, markup)) || example;
    if (markup) return { prompt: asked.prompt, expected: asked.completion };
  }
  if (example.kind === 'completion')
    return { messages: [{ role: 'user', content: example.prompt }], expected: example.completion };
  const last = example.messages.findLastIndex(({ role }) => role === 'assistant');
  return last < 1
    ? null
    : { messages: example.messages.slice(0, last), expected: example.messages[last]!.content ?? '' };
}

/** A question that can be scored: with an expected answer, which the beginning of a plain text has not; null for others. */
export function testQuestion(question: Question | null): TestQuestion | null {
  if (question === null || 'beginning' in question || question.expected.trim() === '') return null;
  const { expected } = question;
  return { ask: 'messages' in question ? { messages: question.messages } : { prompt: question.prompt }, expected };
}

/** Those of the questions that can be scored. */
export const testQuestions = (questions: readonly (Question | null)[]): TestQuestion[] =>
  questions.flatMap((question) => testQuestion(question) ?? []);
