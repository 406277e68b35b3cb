/**
 * What a standard task is made of: how a record becomes a question, and what an answer to it scores. Promises: prompts and metrics are those of
 * lm-evaluation-harness 0.4.13, byte for byte, so that numbers compare. Types, and what several tasks share. Pure.
 */
import { z } from 'zod';
import type { TaskName } from '../../settings/task-names.ts';
import { largest } from '../likelihood/calibration.ts';

/** Scores of one question by metric; a list where several instructions are scored by themselves. */
export type TaskScores = Readonly<Record<string, number | readonly number[]>>;

/** One of several options, whose likelihood decides. */
export interface Option {
  readonly prompt: string;
  readonly continuation: string;
  /** As it is shown. */
  readonly text: string;
}

/** A question whose options are compared by their likelihood. */
export interface ChoiceQuestion {
  readonly kind: 'choice';
  readonly options: readonly Option[];
  /** The first so many are the choice; others are scored beside them. By default all. */
  readonly among?: number;
  /** Of the one that is right. */
  readonly right: number;
  /** `logProbabilities` of the options, nats, in their order. */
  readonly score: (logProbabilities: readonly number[]) => TaskScores;
}

/** A question that is answered with a text. */
export interface TextQuestion {
  readonly kind: 'text';
  readonly prompt: string;
  readonly expected: string;
  /** Texts that end the answer, and are no part of it. */
  readonly until: readonly string[];
  /** Tokens at most. */
  readonly maxTokens: number;
  readonly score: (answer: string) => TaskScores | Promise<TaskScores>;
}

/** A record of a task's data. */
export interface TaskDocument {
  readonly question: ChoiceQuestion | TextQuestion;
  /** Question and answer as they stand in the prompts of others. */
  readonly shot: string;
  /** Before all prompts. */
  readonly description?: string;
  /** Examples in a prompt are of the same one. */
  readonly group?: string;
}

/** A metric of a task. */
export interface TaskMetric {
  readonly name: string;
  readonly summary: string;
  /** Whether scores are 0 or 1 only. */
  readonly binary: boolean;
}

/** Which part of a data set a file is, by its name. */
export type Split = 'train' | 'validation' | 'test' | 'dev';

/** A standard task. */
export interface Task {
  readonly name: TaskName;
  /** Where its files are published, and which. */
  readonly files: string;
  /** The first one decides. */
  readonly metrics: readonly TaskMetric[];
  /** Parts that are asked, the first that is there. */
  readonly asked: readonly Split[];
  readonly shots: {
    /** Examples before each question, where nobody says. */
    readonly count: number;
    /** The parts that they come from. */
    readonly from: readonly Split[];
    readonly choose: 'at-random' | 'first';
    /** Whether one more is drawn than is shown. */
    readonly spare?: boolean;
  };
  /** Columns of files that have no line of names. */
  readonly columns?: readonly string[];
  /** Whether labels stand in a file beside, `NAME-labels.lst`, a line each. */
  readonly labelFile?: boolean;
  /** Where answers are run as programs: in what. */
  readonly sandbox?: string;
  /** null where the record is none of the task's. `file` is its name without folder and extension. */
  readonly read: (record: unknown, file: string) => TaskDocument | null;
}

/** Between questions of a prompt. */
export const shotEnd = '\n\n';

export const acc: TaskMetric = { name: 'acc', summary: 'the right option is the likeliest', binary: true };
export const accNorm: TaskMetric = {
  name: 'acc_norm',
  summary: 'the same, each log-probability divided by the characters of its option',
  binary: true,
};

/** Characters as Python counts them. */
const pythonLength = (text: string): number => [...text].length;

/** A question with options behind one prompt, as `multiple_choice` of the harness has them. */
export const choiceQuestion = (prompt: string, choices: readonly string[], right: number): ChoiceQuestion => ({
  kind: 'choice',
  right,
  options: choices.map((text) => ({ prompt, continuation: ` ${text}`, text })),
  score: (logs) => ({
    acc: Number(largest(logs) === right),
    acc_norm: Number(largest(logs.map((log, i) => log / pythonLength(choices[i]!))) === right),
  }),
});

/** A record of such a question. */
export const choiceDocument = (prompt: string, choices: readonly string[], right: number): TaskDocument => ({
  question: choiceQuestion(prompt, choices, right),
  shot: `${prompt} ${choices[right]}`,
});

/** Reads by a schema: null where the record is another one. */
export const reading =
  <T>(schema: z.ZodType<T>, make: (record: T, file: string) => TaskDocument | null): Task['read'] =>
  (record, file) => {
    const found = schema.safeParse(record);
    return found.success ? make(found.data, file) : null;
  };

/** A whole number, as one or as its digits. */
export const whole = z.union([z.number().int(), z.string().regex(/^\d+$/).transform(Number)]);
