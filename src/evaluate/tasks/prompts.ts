/** What a task asks of its documents: their questions behind examples, as lm-evaluation-harness puts them there. Pure. */
import { NomoatError } from '../../errors.ts';
import { PythonRandom } from './python-random.ts';
import { shotEnd, type Task, type TaskDocument } from './task.ts';

/** By which the harness draws examples. */
const shotSeed = 1234;

/** Documents of a task, those that are asked and those that examples are taken from. */
export interface TaskData {
  readonly asked: readonly TaskDocument[];
  readonly shots: readonly TaskDocument[];
  /** Whether the examples are taken from those that are asked. */
  readonly areShared: boolean;
}

/** `count` examples for each document, never the document itself. */
function shotsFor(task: Task, { areShared, asked, shots }: TaskData, count: number): (readonly TaskDocument[])[] {
  if (count === 0) return asked.map(() => []);
  const random = new PythonRandom(shotSeed);
  const pools = new Map<string | undefined, TaskDocument[]>();
  for (const shot of shots) pools.set(shot.group, [...(pools.get(shot.group) ?? []), shot]);
  return asked.map((document) => {
    const pool = pools.get(document.group) ?? [];
    const others = areShared ? pool.filter((each) => each !== document) : pool;
    if (others.length < count) {
      const of = document.group === undefined ? '' : ` of ${document.group}`;
      throw new NomoatError({
        code: 'unusable-data',
        part: task.name,
        fault: `has ${others.length} examples${of} for its prompts, not ${count}`,
        remedy: `Give the files that they come from (${task.shots.from.join(' or ')}), or \`shots\` 0.`,
      });
    }
    if (task.shots.choose === 'first') return others.slice(0, count);
    const spare = areShared || task.shots.spare === true;
    const drawn = random.sample(pool, Math.min(pool.length, count + Number(spare)));
    return drawn.filter((each) => each !== document).slice(0, count);
  });
}

/** The documents with description and examples before their prompts. Throws NomoatError where there are too few examples. */
export function withShots(task: Task, data: TaskData, count: number): TaskDocument[] {
  const shots = shotsFor(task, data, count);
  return data.asked.map((document, i) => {
    const before = (document.description ?? '') + shots[i]!.map(({ shot }) => shot + shotEnd).join('');
    const { question } = document;
    if (question.kind === 'text') return { ...document, question: { ...question, prompt: before + question.prompt } };
    return {
      ...document,
      question: {
        ...question,
        options: question.options.map((option) => ({ ...option, prompt: before + option.prompt })),
      },
    };
  });
}
