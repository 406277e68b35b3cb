/** IFEval (arXiv 2311.07911): whether an answer does what it was told, strictly or with some leniency, by prompt and by instruction. */
import { z } from 'zod';
import { type Arguments, checks } from './ifeval-checks.ts';
import { reading, type Task, type TaskScores } from './task.ts';

const record = z.object({
  prompt: z.string(),
  instruction_id_list: z.array(z.string()).min(1),
  kwargs: z.array(z.record(z.string(), z.unknown())),
});
type Told = z.output<typeof record>;

/** Without its first line, its last line, both, and each without asterisks: what models put around their answers is forgiven. */
function variantsOf(answer: string): string[] {
  const lines = answer.split('\n');
  const cut = [lines, lines.slice(1), lines.slice(0, -1), lines.slice(1, -1)].map((rest, i) =>
    i === 0 ? answer : rest.join('\n').trim(),
  );
  return [...cut, ...cut.map((text) => text.replaceAll('*', ''))];
}

/** Each instruction, 1 where one of the answers follows it. */
function followed({ instruction_id_list: names, kwargs }: Told, answers: readonly string[]): number[] {
  return names.map((name, i) => {
    // What is empty or 0 says nothing, as in the harness.
    const given: Arguments = Object.fromEntries(
      Object.entries(kwargs[i] ?? {}).filter(
        ([, value]) => Boolean(value) && !(Array.isArray(value) && value.length === 0),
      ),
    );
    return Number(answers.some((answer) => answer.trim() !== '' && checks[name]!(answer, given)));
  });
}

function scoresOf(told: Told, answer: string): TaskScores {
  const [strict, loose] = [[answer], variantsOf(answer)].map((answers) => followed(told, answers));
  const all = (each: readonly number[]): number => Number(each.every((one) => one === 1));
  return {
    prompt_level_strict_acc: all(strict!),
    inst_level_strict_acc: strict!,
    prompt_level_loose_acc: all(loose!),
    inst_level_loose_acc: loose!,
  };
}

export const ifeval: Task = {
  name: 'ifeval',
  files: 'google/IFEval: input_data.jsonl',
  metrics: [
    { name: 'prompt_level_strict_acc', summary: 'the answer follows all instructions', binary: true },
    {
      name: 'inst_level_strict_acc',
      summary: 'share of all instructions that are followed; of an example, weighted by how many it has',
      binary: false,
    },
    {
      name: 'prompt_level_loose_acc',
      summary: 'as prompt_level_strict_acc, or so without first line, last line or asterisks',
      binary: true,
    },
    {
      name: 'inst_level_loose_acc',
      summary: 'as inst_level_strict_acc, or so without first line, last line or asterisks',
      binary: false,
    },
  ],
  asked: ['train', 'test'],
  shots: { count: 0, from: ['train'], choose: 'at-random' },
  read: reading(record, (told) =>
    told.instruction_id_list.every((name) => name in checks)
      ? {
          question: {
            kind: 'text',
            prompt: told.prompt,
            expected: told.instruction_id_list.join(', '),
            until: [],
            maxTokens: 1280,
            score: (answer) => scoresOf(told, answer),
          },
          shot: told.prompt,
        }
      : null,
  ),
};
