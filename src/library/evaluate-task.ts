/** Standard tasks, asked and scored as lm-evaluation-harness does, of one model or several side by side. */
import { NomoatError } from '../errors.ts';
import type { Answered, AnswersGiven } from '../evaluate/evaluate-answers.ts';
import { KeptAnswers } from '../evaluate/kept-answers.ts';
import { answerUntil } from '../evaluate/tasks/answer-until.ts';
import { withShots } from '../evaluate/tasks/prompts.ts';
import { readTaskData } from '../evaluate/tasks/read-task.ts';
import { type Asker, scoreTask } from '../evaluate/tasks/score-task.ts';
import { taskOf } from '../evaluate/tasks/table.ts';
import { shotEnd, type Task, type TaskDocument } from '../evaluate/tasks/task.ts';
import { type TestSet, testSetOf } from '../evaluate/test-set.ts';
import { listOf } from '../library.ts';
import { type TaskName, taskNames } from '../settings/task-names.ts';
import { type Opened, withModel } from './likelihoods.ts';

/** Which task is asked, and of what files. */
export interface TaskOptions {
  readonly task: TaskName;
  /** Files or a folder, as the task's authors publish them. */
  readonly data: string | readonly string[];
  /** Examples before each question; by default as many as lm-evaluation-harness puts there. */
  readonly shots?: number | null;
  /** Documents at most, the first of the files; by default all. */
  readonly limit?: number | null;
  /** Whether programs that a model writes are run, in a sandbox (humaneval asks for it; default: false). */
  readonly runCode?: boolean;
  readonly threads?: number | null;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly model: string; readonly done: number; readonly total: number }) => void;
}

interface Named {
  readonly model: string;
  readonly name: string;
}

/** Questions at once. */
const sideBySide = 8;

const wrong = (part: string, fault: string, remedy: string): NomoatError =>
  new NomoatError({ code: 'invalid-settings', part, fault, remedy });

function taskGiven({ runCode = false, shots, task: name }: TaskOptions): Task {
  if (!taskNames.includes(name))
    throw wrong('`task`', `"${name}" is none of ${taskNames.join(', ')}`, 'Give one of them.');
  if (shots !== null && shots !== undefined && !(Number.isSafeInteger(shots) && shots >= 0))
    throw wrong('`shots`', `${shots} is no whole number from 0`, 'Give one.');
  const task = taskOf(name);
  if (task.sandbox && !runCode)
    throw wrong(
      `\`task\`: ${name}`,
      'scores programs that the model writes, by running them',
      `\`runCode: true\` runs them, ${task.sandbox}.`,
    );
  if (runCode && !task.sandbox)
    throw wrong('`runCode`', `is of no use with ${name}, which runs nothing`, 'Leave it out.');
  return task;
}

/** As they are shown and compared: without examples and beginnings that all have. */
const testOf = (documents: readonly TaskDocument[]): TestSet =>
  testSetOf(
    documents.map(({ question }) => {
      const { prompt, text } =
        question.kind === 'text'
          ? { prompt: question.prompt, text: question.expected }
          : question.options[question.right]!;
      return { ask: { prompt: prompt.split(shotEnd).at(-1)! }, expected: text };
    }),
  );

function askerOf({ answersPath, open, scores, told }: Opened, options: TaskOptions): Asker {
  const signal = options.signal ? { signal: options.signal } : {};
  return {
    score: scores,
    answer: (questions) => {
      const [{ maxTokens, until }] = questions as [(typeof questions)[number]];
      const store = new KeptAnswers(answersPath, `task greedy ${maxTokens} until ${JSON.stringify(until)}`);
      return answerUntil(questions, open, {
        atOnce: sideBySide,
        store,
        onAnswer: (done) => told(done, questions.length),
        ...signal,
      });
    },
  };
}

/** What models made of a task, all that an evaluation is made of but findings. Rejects with NomoatError. */
export async function askTask(models: readonly Named[], options: TaskOptions): Promise<Omit<AnswersGiven, 'findings'>> {
  const task = taskGiven(options);
  const shots = options.shots ?? task.shots.count;
  const data = await readTaskData(listOf(options.data), task, shots);
  const asked = options.limit ? data.asked.slice(0, options.limit) : data.asked;
  const documents = withShots(task, { ...data, asked }, shots);
  options.signal?.throwIfAborted();
  const answered: Answered[] = [];
  for (const { model, name } of models) {
    const { onProgress, signal, threads } = options;
    const likelihoods = {
      model,
      ...(signal ? { signal } : {}),
      ...(threads ? { threads } : {}),
      onRow: (done: number, total: number) => onProgress?.({ model: name, done, total }),
    };
    const { costs, result } = await withModel(likelihoods, (opened) =>
      scoreTask(task, documents, askerOf(opened, options)),
    );
    answered.push({ name, ...result, costs });
  }
  return {
    test: testOf(asked),
    metrics: task.metrics.map((metric) => ({ ...metric, of: () => 0 })),
    suggested: `${task.name}, ${shots} examples before each question`,
    models: answered,
    baselines: [],
  };
}
