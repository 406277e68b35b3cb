/** The standard tasks by name. A new one is a module, and a line here and in src/settings/task-names.ts. */
import type { TaskName } from '../../settings/task-names.ts';
import { choiceTasks } from './choices.ts';
import { gsm8k } from './gsm8k.ts';
import { humaneval } from './humaneval.ts';
import { ifeval } from './ifeval.ts';
import type { Task } from './task.ts';

const tasks: readonly Task[] = [...choiceTasks, gsm8k, humaneval, ifeval];

/** The task of this name. */
export const taskOf = (name: TaskName): Task => tasks.find((task) => task.name === name)!;
