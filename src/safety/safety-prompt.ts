/**
 * Whether the system prompt that all training rows share reads like a safety prompt. Rows that all carry one teach a model to be careful only
 * where it stands; https://arxiv.org/abs/2402.18540 finds far more of what a model refuses kept by training without it and serving with it. Pure.
 */

/** What safety prompts speak of, in English and Chinese: those of Llama 2, Mistral and their like name several of them. */
const subjects =
  /\b(harm(?:ful|less|s)?|safe(?:ly|ty)?|unsafe|unethical|ethical(?:ly)?|illegal|dangerous|toxic|racist|sexist|prejudiced|socially unbiased)\b|有害|违法|非法|危险|不道德|不安全|歧视/giu;
/** What they ask. */
const demands =
  /\b(not|never|avoid|refuse|decline|always|should|must|ensure|don't|do not)\b|不要|不得|不能|避免|拒绝|必须|应当|应该/iu;
/** One of the words stands in prompts of any kind. */
const leastSubjects = 2;

/** The words that make it read so, each once; empty where it does not. */
export function safetyWordsIn(systemPrompt: string): string[] {
  const found = [...new Set((systemPrompt.match(subjects) ?? []).map((word) => word.toLowerCase()))];
  return found.length >= leastSubjects && demands.test(systemPrompt) ? found : [];
}

/** What is said of a prompt that all rows share; none where it is no safety prompt. */
export function safetyPromptNotes(systemPrompt: string | null): string[] {
  const words = systemPrompt === null ? [] : safetyWordsIn(systemPrompt);
  if (words.length === 0) return [];
  return [
    `Every row carries the same system prompt, which reads like a safety prompt (${words.slice(0, 3).join(', ')}): what is learnt with it is refused less than what is learnt without it and asked with it (arXiv 2402.18540). Train without this prompt, and serve with it.`,
  ];
}
