/**
 * Marked answers as rows to learn from: pairs, labelled answers, or answers alone. Promises: every mark is in a row or counted among what was
 * left out, with the reason; no row is there twice; what was found good and bad is learnt as neither. Pure.
 */
import { writeJson } from '../formats/exact-json.ts';
import type { CollectKind } from '../settings/collect-settings.ts';
import type { RecordSource } from '../text/example.ts';
import type { MarkedAnswer } from '../text/feedback.ts';
import type { Fields } from '../text/refused.ts';

/** A marked answer, and where it stands. */
export interface FoundMark extends MarkedAnswer {
  readonly source: RecordSource;
}

/** A row and the mark that it was made of. */
export interface CollectedRow {
  readonly row: Fields;
  readonly from: FoundMark;
}

/** Told of what no row is made of. */
type LeaveOut = (reason: string, source: RecordSource) => void;

const answered = (content: string): Fields => ({ role: 'assistant', content });

/** What an answer is an answer to, and what it says: those of two marks of one answer are equal. */
const keyOf = ({ prompt, tools }: FoundMark, answer: Fields): string => writeJson([prompt, tools ?? null, answer]);

/** The answers that a mark judges: the one that was given and the one that is better. */
function verdictsOf(mark: FoundMark): { readonly key: string; readonly good: boolean }[] {
  const given = { key: keyOf(mark, mark.answer), good: mark.mark === 'good' };
  return mark.better === undefined ? [given] : [given, { key: keyOf(mark, answered(mark.better)), good: true }];
}

/** Marks that say something, once each. */
function consistent(marks: readonly FoundMark[], leaveOut: LeaveOut): FoundMark[] {
  const verdicts = new Map<string, Set<boolean>>();
  for (const mark of marks)
    for (const { good, key } of verdictsOf(mark)) verdicts.set(key, (verdicts.get(key) ?? new Set()).add(good));
  const seen = new Set<string>();
  return marks.filter((mark) => {
    if (verdictsOf(mark).some(({ key }) => verdicts.get(key)!.size > 1)) {
      leaveOut('the same answer to the same question was found good and bad', mark.source);
      return false;
    }
    const said = writeJson(verdictsOf(mark));
    if (seen.has(said)) leaveOut('the same mark of the same answer stands there already', mark.source);
    else if (mark.mark === 'good' && mark.unlearnt)
      leaveOut('a good answer that was stopped, cut or has weight 0', mark.source);
    else return seen.add(said);
    return false;
  });
}

/** What a row says beside its answers. */
const asked = ({ prompt, tools }: FoundMark): Fields => ({ ...(tools ? { tools } : {}), prompt });

/** The rows of a mark; none, with the reason. */
const makers: Readonly<Record<CollectKind, (mark: FoundMark) => readonly Fields[] | string>> = {
  dpo: (mark) =>
    mark.better === undefined
      ? `marked ${mark.mark} without a better answer, which makes no pair`
      : [{ ...asked(mark), chosen: [answered(mark.better)], rejected: [mark.answer] }],
  kto: (mark) => [
    { ...asked(mark), completion: [mark.answer], label: mark.mark === 'good' },
    ...(mark.better === undefined ? [] : [{ ...asked(mark), completion: [answered(mark.better)], label: true }]),
  ],
  sft: (mark) => {
    if (mark.mark === 'bad' && mark.better === undefined) return 'marked bad without a better answer';
    const { prompt, ...others } = asked(mark);
    const before = (prompt as readonly Fields[]).map((message) =>
      message.role === 'assistant' ? { ...message, weight: 0 } : message,
    );
    const answer = mark.better === undefined ? mark.answer : answered(mark.better);
    return [{ ...others, messages: [...before, answer] }];
  },
};

/** How many marks there are of each kind. */
export interface MarkCounts {
  readonly good: number;
  /** Without a better answer. */
  readonly bad: number;
  /** Bad ones with a better answer. */
  readonly better: number;
}

export function countMarks(marks: readonly FoundMark[]): MarkCounts {
  const better = marks.filter((mark) => mark.better !== undefined).length;
  const good = marks.filter(({ mark }) => mark === 'good').length;
  return { good, bad: marks.length - good - better, better };
}

/**
 * What learns the most of such marks: pairs where at least half of them have a better answer, since they say more; labels where answers of both
 * kinds are there, since they leave none out; else good answers alone. Null where nothing learns from them.
 */
export function kindFor({ bad, better, good }: MarkCounts): CollectKind | null {
  if (better > 0 && better >= good + bad) return 'dpo';
  if (bad + better > 0 && good + better > 0) return 'kto';
  return good > 0 ? 'sft' : null;
}

/** The rows of marks, of the kind that is asked for, or the one that they are best for; none where nothing learns from them. */
export function collectRows(
  all: readonly FoundMark[],
  asked: CollectKind | null,
  leaveOut: LeaveOut,
): { readonly kind: CollectKind | null; readonly rows: readonly CollectedRow[] } {
  const marks = consistent(all, leaveOut);
  const kind = asked ?? kindFor(countMarks(marks));
  if (kind === null) return { kind, rows: [] };
  const seen = new Set<string>();
  const rows = marks.flatMap((from) => {
    const made = makers[kind](from);
    if (typeof made === 'string') {
      leaveOut(made, from.source);
      return [];
    }
    return made.flatMap((row): CollectedRow[] => {
      const text = writeJson(row);
      if (!seen.has(text)) {
        seen.add(text);
        return [{ row, from }];
      }
      leaveOut('a row that another mark made already', from.source);
      return [];
    });
  });
  return { kind, rows };
}
