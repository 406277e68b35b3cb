/** Finds out how a model's template has answers written, by what it renders. Pure. */
import type { ChatTemplate, RenderOptions } from '../chat-template.ts';
import type { AnswerForm, ThoughtForm } from './answer-form.ts';
import { promptEnd, showsTools, thoughtsProbe } from './call-probe.ts';
import { findCallForm } from './find-call-form.ts';
import { thoughtTags } from './thought-tags.ts';

const tag = String.raw`(?:<[^<>\s]+>|\[[^[\]\s]+\])`;
const tagAtEnd = new RegExp(`(${tag})\\s*$`);
const tagAtStart = new RegExp(`^\\s*(${tag})\\s*$`);

/** The markup around thoughts that the template puts there itself, or that it knows from answers. */
function thoughtMarkup(template: ChatTemplate, options: RenderOptions, end: string): readonly [string, string] | null {
  const probe = thoughtsProbe(template, options);
  if (probe) {
    const known = thoughtTags.find(
      ([open, close]) => probe.before.trimEnd().endsWith(open) && probe.between.trim() === close,
    );
    if (known) return known;
    const [open, close] = [tagAtEnd.exec(probe.before)?.[1], tagAtStart.exec(probe.between)?.[1]];
    if (open !== undefined && close !== undefined) return [open, close];
  }
  // Templates that cut thoughts out of earlier answers name what closes them.
  return thoughtTags.find(([open, close]) => template.source.includes(close) || end.includes(open)) ?? null;
}

function thoughtsOf(template: ChatTemplate, options: RenderOptions): ThoughtForm | null {
  let end: string;
  try {
    end = promptEnd(template, options);
  } catch {
    return null;
  }
  const [open, close] = thoughtMarkup(template, options, end) ?? [];
  if (open === undefined || close === undefined) return null;
  return { open, close, begun: end.lastIndexOf(open) > end.lastIndexOf(close) };
}

/** The form of the answers to prompts that are rendered so. */
export function answerFormOf(template: ChatTemplate, options: Omit<RenderOptions, 'addGenerationPrompt'>): AnswerForm {
  const asked = { ...options, addGenerationPrompt: true };
  const thoughts = thoughtsOf(template, asked);
  if (!showsTools(template, asked))
    return { thoughts, calls: null, noCalls: 'the chat template of the model has no place for tools' };
  const calls = findCallForm(template, asked);
  const noCalls = calls
    ? null
    : 'the chat template of the model shows tools, and writes calls in no form that is known here';
  return { thoughts, calls, noCalls };
}
