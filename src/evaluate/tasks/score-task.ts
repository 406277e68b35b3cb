/** A task's questions to one model: likelihoods of options, or texts, and what they score. Knows nothing of engines and files. */
import type { RowScore, ScoreRow } from '../../chat/score-row.ts';
import { NomoatError } from '../../errors.ts';
import type { Answered } from '../evaluate-answers.ts';
import { type Choice, calibrationOf, largest, softmax } from '../likelihood/calibration.ts';
import type { ChoiceQuestion, Task, TaskDocument, TaskScores, TextQuestion } from './task.ts';

/** What a model is asked for; what was computed before is not computed again. */
export interface Asker {
  /** Scores in the order of the rows; null where a row does not fit the context. */
  readonly score: (rows: readonly ScoreRow[]) => Promise<readonly (RowScore | null)[]>;
  /** Answers to prompts as they stand, up to what ends them; null where a prompt does not fit. */
  readonly answer: (questions: readonly TextQuestion[]) => Promise<readonly (string | null)[]>;
}

/** What a model made of a task. */
export type TaskAnswers = Pick<Answered, 'answers' | 'given'>;

const unfit = (task: Task, count: number): NomoatError =>
  new NomoatError({
    code: 'context-full',
    part: task.name,
    fault: `has ${count} prompts that do not fit the context`,
    remedy: 'Put fewer examples into the prompts (`shots`), or take a model with a longer context.',
  });

const isChoice = ({ question }: TaskDocument): boolean => question.kind === 'choice';

/** By metric, in the order of the documents; of lists, so that their mean is that of all their parts. */
function byMetric(task: Task, all: readonly TaskScores[]): Record<string, number[]> {
  return Object.fromEntries(
    task.metrics.map(({ name }) => {
      const parts = all.map((scores) => [scores[name] ?? 0].flat());
      const total = parts.reduce((sum, list) => sum + list.length, 0);
      return [name, parts.map((list) => (list.reduce((sum, each) => sum + each, 0) * parts.length) / total)];
    }),
  );
}

async function scoreChoices(task: Task, documents: readonly TaskDocument[], { score }: Asker): Promise<TaskAnswers> {
  const questions = documents.map(({ question }) => question as ChoiceQuestion);
  const found = await score(
    questions.flatMap(({ options }) => options.map(({ continuation, prompt }) => ({ prompt, continuation }))),
  );
  const missing = found.filter((each) => each === null).length;
  if (missing > 0) throw unfit(task, missing);
  const values = found.map((each) => each!.logProbability);
  const logs = questions.map(({ options }) => values.splice(0, options.length));
  const chosen = questions.map(({ among }, i) => logs[i]!.slice(0, among));
  const choices = questions.map(({ right }, i): Choice => ({ probabilities: softmax(chosen[i]!), right }));
  return {
    answers: questions.map(({ options }, i) => ({ text: options[largest(chosen[i]!)]!.text, ended: true })),
    given: [
      {
        scores: byMetric(
          task,
          questions.map((question, i) => question.score(logs[i]!)),
        ),
        calibration: calibrationOf(choices),
      },
    ],
  };
}

async function scoreTexts(task: Task, documents: readonly TaskDocument[], { answer }: Asker): Promise<TaskAnswers> {
  const questions = documents.map(({ question }) => question as TextQuestion);
  const found = await answer(questions);
  const missing = found.filter((each) => each === null).length;
  if (missing > 0) throw unfit(task, missing);
  const scores: TaskScores[] = [];
  for (const [i, question] of questions.entries()) scores.push(await question.score(found[i]!));
  return {
    answers: found.map((text) => ({ text: text!, ended: true })),
    given: [{ scores: byMetric(task, scores), calibration: null }],
  };
}

/** Asks all documents, whose prompts are whole. Rejects with NomoatError where one does not fit the context. */
export const scoreTask = (task: Task, documents: readonly TaskDocument[], asker: Asker): Promise<TaskAnswers> =>
  documents.every(isChoice) ? scoreChoices(task, documents, asker) : scoreTexts(task, documents, asker);
