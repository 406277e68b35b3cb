/** HumanEval (arXiv 2107.03374): functions that a model writes, run against their tests. Only in a child process, and only where it is asked for. */
import { z } from 'zod';
import { runPython, sandbox } from './python-sandbox.ts';
import { reading, type Task } from './task.ts';

const record = z.object({ prompt: z.string(), entry_point: z.string(), test: z.string() });

export const humaneval: Task = {
  name: 'humaneval',
  files: 'openai/human-eval: HumanEval.jsonl.gz',
  metrics: [{ name: 'pass@1', summary: 'the function passes its tests', binary: true }],
  asked: ['test'],
  shots: { count: 0, from: ['train'], choose: 'at-random' },
  sandbox,
  read: reading(record, ({ entry_point: name, prompt, test }) => {
    const check = `${test}\ncheck(${name})`;
    return {
      question: {
        kind: 'text',
        prompt,
        expected: check,
        until: ['\nclass', '\ndef', '\n#', '\nif', '\nprint'],
        maxTokens: 1024,
        score: async (answer) => ({ 'pass@1': Number(await runPython(`${prompt}${answer}\n${check}`)) }),
      },
      shot: `${prompt} ${check}`,
    };
  }),
};
