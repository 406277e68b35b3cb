/**
 * events.jsonl as it is read again: for the report and for a run that goes on. Promises: what a kill or a damaged disk left there is passed
 * over and counted, never taken for an event.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { codeOfKind, isErrorCode } from '../error-codes.ts';
import { eventsVersion, type RunEndEvent, type RunEvent } from '../events.ts';
import { parseBounded } from '../formats/bounded-json.ts';
import { versionField, versionOf } from '../formats/file-version.ts';

const number = z.number();
const figure = number.nullable();
const text = z.string();
const interval = z.tuple([number, number]);

/** An object with numbers and texts of those names, and what else is given. */
function shape(
  names: { readonly number?: readonly string[]; readonly text?: readonly string[] },
  others: Readonly<Record<string, z.ZodType>> = {},
): z.ZodType {
  const of = (type: z.ZodType, list: readonly string[] = []) => list.map((name) => [name, type] as const);
  return z.looseObject({ ...Object.fromEntries([...of(number, names.number), ...of(text, names.text)]), ...others });
}

const refusal = shape(
  { number: ['prompts', 'value'], text: ['kind', 'by'] },
  {
    interval,
    against: shape({ number: ['value', 'difference', 'adjustedPValue'], text: ['outcome'] }, { interval }).nullable(),
  },
);

/** How a run's process ends. */
export const runEndings = [
  'done',
  'interrupted',
  'failed',
  'stopped-early',
  'diverged',
  'proof-failed',
] as const satisfies readonly RunEndEvent['state'][];

/** What the report and a resumed run read of each kind of event: numbers that are computed with, texts that are shown. */
const shapes: { readonly [T in RunEvent['type']]: z.ZodType } = {
  'run-start': shape({ number: ['parameters', 'trainableParameters'], text: ['run', 'model', 'architecture'] }, { version: versionField(eventsVersion), resumedFromStep: number.optional() }), // biome-ignore format: a table
  'data-ready': shape({ number: ['rows', 'tokens', 'supervisedTokens', 'truncatedRows', 'refusedRows', 'splitRows', 'duplicateRows', 'leakedRows', 'validationRows', 'validationSupervisedTokens', 'stepsPerEpoch', 'steps'], text: ['format'] }, { refusals: z.record(text, number), refused: z.array(z.looseObject({ reason: text, source: z.looseObject({ file: text }) })) }), // biome-ignore format: a table
  plan: shape({ number: ['seconds', 'firstStepSeconds', 'tokensPerSecond', 'peakMemoryBytes', 'diskBytes'], text: ['activations'] }), // biome-ignore format: a table
  estimate: shape({ number: ['seconds', 'tokensPerSecond', 'peakMemoryBytes'] }),
  precision: shape({ text: ['precision', 'reason'] }, { divergence: figure, levels: figure }),
  'step-end': shape({ number: ['step', 'loss', 'learningRate', 'tokens', 'tokensPerSecond'] }),
  validation: shape({ number: ['step', 'loss', 'tokens'] }, { bitsPerByte: number.optional() }),
  'checkpoint-saved': shape({ number: ['step'] }),
  'export-parity': shape({ number: ['tokens'], text: ['base'] }, { meanDifference: figure, worstDifference: figure, bound: figure, passed: z.boolean().nullable() }), // biome-ignore format: a table
  notice: shape({ text: ['code', 'message'] }),
  'training-sample': shape({ number: ['step'], text: ['prompt', 'expected', 'answer'] }),
  sample: shape({ text: ['prompt', 'expected', 'before', 'after'] }),
  verdict: shape({ number: ['examples', 'heldOut', 'seconds'], text: ['metric'] }, { scores: z.array(shape({ number: ['score'], text: ['name', 'kind'] }, { interval })).min(1), comparisons: z.array(shape({ number: ['difference', 'pValue'], text: ['with', 'outcome'] }, { interval })), degenerate: z.record(text, number), trainedOn: figure, nearlyTrainedOn: figure, sentences: z.array(text) }), // biome-ignore format: a table
  'answer-drift': shape({ number: ['prompts', 'tokensBefore', 'tokensAfter', 'cutBefore', 'cutAfter', 'divergence'] }),
  safety: shape(
    { number: ['seconds'] },
    {
      refusals: z.array(refusal),
      drift: shape({ number: ['prompts', 'divergence', 'sameBeginning'] }, { interval }).nullable(),
      sentences: z.array(text),
    },
  ),
  'run-end': shape({ number: ['seconds', 'peakMemoryBytes', 'steps'] }, { state: z.enum(runEndings), secondsBefore: number.optional(), validationBefore: figure, validationAfter: figure, bestStep: figure, adapter: text.nullable(), model: text.nullable(), verdict: text.optional() }), // biome-ignore format: a table
  error: shape({ text: ['message'] }),
};

/** A line of the log: an event, one that only a newer nomoat knows, or damaged. */
function eventOf(line: string): RunEvent | 'newer' | null {
  const parsed = parseBounded(line);
  if (typeof parsed === 'string') return null;
  const { value } = parsed;
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : null;
  if (typeof type !== 'string' || !Object.hasOwn(shapes, type)) return null;
  if (type === 'run-start' && (versionOf(value) ?? 0) > eventsVersion) return 'newer';
  if (!shapes[type as RunEvent['type']].safeParse(value).success) return null;
  const event = value as RunEvent;
  if (event.type !== 'error' || isErrorCode(event.code)) return event;
  // Logs of 0.1 have no codes.
  return { ...event, code: Object.hasOwn(codeOfKind, event.kind ?? '') ? codeOfKind[event.kind] : 'failed' };
}

const damage = (lost: number, of: number): RunEvent => ({
  type: 'notice',
  code: 'damaged-log',
  message: `${lost} of ${of} lines of events.jsonl are damaged and left out.`,
});
const newer: RunEvent = {
  type: 'notice',
  code: 'newer-log',
  message: `A newer nomoat wrote in events.jsonl: this one reads its version ${eventsVersion}, and leaves out what that one wrote.`,
};

/** The lines of one log, in order, as events. What is left out is counted. */
export class LogLines {
  private lines = 0;
  private lost = 0;
  private isNewer = false;
  private leftOut = false;

  /** The event of the next line; null where it is none, or a newer nomoat's. */
  read(line: string): RunEvent | null {
    this.lines++;
    const event = eventOf(line);
    // One log holds what several versions wrote, where a run was resumed by another.
    if (event === 'newer') this.isNewer = true;
    else if (event?.type === 'run-start') this.isNewer = false;
    if (event === 'newer' || this.isNewer) {
      this.leftOut = true;
      return null;
    }
    if (event === null) this.lost++;
    return event;
  }

  /** What was left out, in sentences. */
  notices(): RunEvent[] {
    return [...(this.leftOut ? [newer] : []), ...(this.lost > 0 ? [damage(this.lost, this.lines)] : [])];
  }
}

/** The events of the file, and a notice where some of its lines are none; empty where there is no file that can be read. */
export function readEvents(path: string): RunEvent[] {
  let lines: string[];
  try {
    lines = readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
  const log = new LogLines();
  // A kill can leave a half-written last line.
  const events = lines.slice(0, -1).flatMap((line) => log.read(line) ?? []);
  return [...events, ...log.notices()];
}
