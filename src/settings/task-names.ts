/** Standard tasks, by name; src/evaluate/tasks has what they ask. */
export const taskNames = ['arc_easy', 'arc_challenge', 'hellaswag', 'piqa', 'winogrande', 'gsm8k', 'mmlu', 'truthfulqa'] as const; // biome-ignore format: one line
/** arc_easy, arc_challenge, hellaswag, piqa, winogrande, gsm8k, mmlu or truthfulqa. */
export type TaskName = (typeof taskNames)[number];
