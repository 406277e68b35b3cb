/** The prompt of a conversation, with tools, as a chat template writes it. Promises: nothing of it is left out. Pure. */
import type { AnswerForm } from '../text/answers/answer-form.ts';
import { answerFormOf } from '../text/answers/find-answer-form.ts';
import { type ChatTemplate, ConversationRefused, type MarkedText } from '../text/chat-template.ts';
import type { Message } from '../text/example.ts';
import { leftOut } from '../text/left-out.ts';
import type { PromptOptions } from './chat-model.ts';

const noAnswers: ReadonlySet<number> = new Set();

const hasTools = ({ role, tool_calls }: Message): boolean => tool_calls !== undefined || role === 'tool';

/** Throws ConversationRefused, also where the template has no place for tools, calls or their results. */
export function promptText(
  template: ChatTemplate,
  messages: readonly Message[],
  { templateValues, tools }: PromptOptions,
): MarkedText {
  const rendering = template.renderMarked(messages, { tools, values: templateValues, addGenerationPrompt: true });
  if (!tools && !messages.some(hasTools)) return rendering;
  const { refusal } = leftOut(rendering, messages, tools, noAnswers);
  if (refusal) throw new ConversationRefused(refusal.fault, refusal.detail);
  return rendering;
}

/** Of a model without a template. */
const plainAnswers: AnswerForm = { thoughts: null, calls: null, noCalls: 'the model has no chat template' };

/** The form of a template's answers, found out once for each kind of prompt. */
export class AnswerForms {
  private readonly template: ChatTemplate | null;
  private readonly known = new Map<string, AnswerForm>();

  constructor(template: ChatTemplate | null) {
    this.template = template;
  }

  of({ templateValues = {} }: PromptOptions): AnswerForm {
    if (!this.template) return plainAnswers;
    const key = JSON.stringify(templateValues);
    const found = this.known.get(key) ?? answerFormOf(this.template, { values: templateValues });
    if (this.known.size < mostForms) this.known.set(key, found);
    return found;
  }

  asksFor(name: string): boolean {
    return new RegExp(`\\b${name.replace(/\W/g, '')}\\b`).test(this.template?.source ?? '') && /^\w+$/.test(name);
  }
}

/** Values are few: truth values, efforts. */
const mostForms = 64;
