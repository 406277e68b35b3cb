/** Standard tasks, by name; src/evaluate/tasks has what they ask. */
export const taskNames = [
  'arc_easy',
  'arc_challenge',
  'hellaswag',
  'piqa',
  'winogrande',
  'gsm8k',
  'mmlu',
  'ifeval',
  'truthfulqa',
  'humaneval',
] as const;
/** arc_easy, arc_challenge, hellaswag, piqa, winogrande, gsm8k, mmlu, ifeval, truthfulqa or humaneval. */
export type TaskName = (typeof taskNames)[number];
