/**
 * Examples as a method learns from them: pairs of answers, answers with labels, or answers alone. Promises: data that is of another kind than
 * the method wants is refused with what would learn from it, or row by row where some are; nobody's preferences are dropped without a word. Pure.
 */
import { NomoatError } from '../errors.ts';
import { isPreferenceMethod, type Method, wantsPairs } from '../settings/methods.ts';
import type { Content, Example } from '../text/example.ts';
import { withValues } from '../words/program-words.ts';
import type { Refusal } from './read-data-file.ts';

export interface Learnt {
  readonly examples: readonly Example[];
  readonly refusals: readonly Refusal[];
  /** What a person should know of the preferences, in sentences. */
  readonly notes: readonly string[];
}

const wrongKind = (fault: string, remedy: string): NomoatError =>
  new NomoatError({ code: 'unusable-data', part: 'the data', fault, remedy });

/** How the chosen answers alone are learnt. */
const chosenAlone =
  "to learn the chosen answers alone, give `promptColumn: 'prompt', completionColumn: 'chosen'` or, for whole conversations, name their key messages";

/** Only the last answer of a conversation is what was labelled. */
function lastAnswer<T extends Content>(content: T): T {
  if (content.kind !== 'chat') return content;
  const last = content.messages.findLastIndex(({ role }) => role === 'assistant');
  const messages = content.messages.map((message, i) =>
    message.role === 'assistant' && i < last ? { ...message, weight: 0 as const } : message,
  );
  return { ...content, messages };
}

/** A pair as two labelled answers. */
function unpaired({ label: _, rejected, ...chosen }: Example): Example[] {
  const { notes: _notes, source, weight } = chosen;
  return [
    { ...chosen, label: true },
    { ...rejected!, source, label: false, ...(weight === undefined ? {} : { weight }) },
  ];
}

function pairs(examples: readonly Example[], method: Method): Learnt {
  const kept = examples.filter(({ rejected }) => rejected !== undefined);
  if (kept.length === 0) {
    const labelled = examples.some(({ label }) => label !== undefined);
    throw wrongKind(
      `holds no pair of answers, and ${withValues({ method })} learns from pairs`,
      labelled
        ? `Its answers have labels: ${withValues({ method: 'kto' })} learns from those.`
        : 'A pair has a prompt and two answers: {"prompt": "...", "chosen": "...", "rejected": "..."}.',
    );
  }
  const refusals = examples
    .filter(({ rejected }) => rejected === undefined)
    .map(({ source }) => ({ source, reason: 'has one answer, not a pair' }));
  return { examples: kept, refusals, notes: [...lengthNotes(kept), ...weightNotes(kept)] };
}

const lengthOf = (content: Content): number =>
  content.kind === 'chat'
    ? (content.messages.at(-1)?.content?.length ?? 0)
    : (content.kind === 'completion' ? content.completion : content.text).length;

/** So few pairs may be so by chance. */
const fewPairs = 20;
/** A share above which length alone tells the better answer: a model that learnt nothing else would be as right. */
const lengthShare = 0.9;

/** Whether the longer side wins nearly always, or the shorter. */
function lengthNotes(examples: readonly Example[]): string[] {
  const differ = examples.filter((each) => lengthOf(each) !== lengthOf(each.rejected!));
  if (differ.length < fewPairs) return [];
  const longer = differ.filter((each) => lengthOf(each) > lengthOf(each.rejected!)).length / differ.length;
  if (longer < lengthShare && longer > 1 - lengthShare) return [];
  const [side, share] = longer >= lengthShare ? ['longer', longer] : ['shorter', 1 - longer];
  return [
    `The ${side} answer is the preferred one in ${Math.round(100 * share)}% of the pairs: the model may learn its length and nothing else. ${withValues({ lossType: 'sigmoid-norm' })} compares answers per token.`,
  ];
}

/** Weights of single answers, which preferences do not have. */
function weightNotes(examples: readonly Example[]): string[] {
  const weighted = examples.filter(
    (each) => each.kind === 'chat' && each.messages.some(({ weight = 1 }) => weight !== 0 && weight !== 1),
  ).length;
  return weighted === 0
    ? []
    : [
        `${weighted} of the conversations give weights to messages, which are not read: preferences are about whole answers, and a weight beside them, of the record, is.`,
      ];
}

function labelled(examples: readonly Example[], heldOut: boolean): Learnt {
  const all = examples.flatMap((example) => (example.rejected ? unpaired(example) : [example]));
  const kept = all.filter(({ label }) => label !== undefined);
  if (kept.length === 0)
    throw wrongKind(
      `holds no labelled answer, and ${withValues({ method: 'kto' })} learns from labels`,
      'A label is true or false beside an answer: {"prompt": "...", "completion": "...", "label": true}.',
    );
  const good = kept.filter(({ label }) => label).length;
  if (!heldOut && (good === 0 || good === kept.length))
    throw wrongKind(
      `holds ${kept.length} labelled answers, all of them ${good > 0 ? 'good' : 'bad'}`,
      good > 0
        ? `Where all answers are good, ${withValues({ method: 'lora' })} learns them.`
        : 'Good answers are wanted too.',
    );
  const refusals = all
    .filter(({ label }) => label === undefined)
    .map(({ source }) => ({ source, reason: 'has no label that says whether its answer is good' }));
  const counts = `${good} of the answers are labelled good, ${kept.length - good} bad.`;
  const notes = [counts, ...weightNotes(kept)];
  return { examples: kept.map(lastAnswer), refusals, notes };
}

/** The examples as `method` learns from them, or is measured on. Throws NomoatError where it cannot learn from any. */
export function learntFrom(examples: readonly Example[], method: Method, heldOut = false): Learnt {
  if (examples.length === 0) return { examples, refusals: [], notes: [] };
  if (wantsPairs(method)) return pairs(examples, method);
  if (isPreferenceMethod(method)) return labelled(examples, heldOut);
  const preferred = examples.filter(({ rejected }) => rejected !== undefined).length;
  if (preferred > 0)
    throw wrongKind(
      `holds preference data: ${preferred} of ${examples.length} examples have two answers`,
      `${withValues({ method: 'dpo' })} learns from them; ${chosenAlone}.`,
    );
  const labels = examples.filter(({ label }) => label !== undefined).length;
  const notes =
    labels > 0
      ? [`${labels} answers have a label, which is not read: ${withValues({ method: 'kto' })} learns from labels.`]
      : [];
  return { examples, refusals: [], notes };
}
