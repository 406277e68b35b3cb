/**
 * A training file by the rules of OpenAI's fine-tuning platform, and by what a model can learn of it. Promises: where
 * nothing is at fault, `tune` of that model refuses none of its rows. Trains nothing, writes nothing.
 */
import { checkTuningLines, type TuningFileCheck } from '../dataset/tuning-file.ts';
import { openGguf } from '../formats/gguf/read.ts';
import { resolveChatTemplate } from '../settings/chat-template.ts';
import { resolveModel } from '../store/local-models.ts';
import { type ChatTemplate, chatTemplateOf, withChatTemplate } from '../text/chat-template.ts';
import type { TuningFormat } from '../text/tuning-rows.ts';

/** How a training file is checked. */
export interface CheckTuningFileOptions {
  /** What its rows have to be; left out, what the first one is. */
  readonly formats?: readonly TuningFormat[];
  /** The model that is tuned: what its chat template refuses and rows that spell its control tokens are faults, too. */
  readonly model?: string;
  /** Chat template instead of the model's own: a file, or a name. */
  readonly chatTemplate?: string;
  /** Stops the reading: then it rejects with NomoatError (interrupted). */
  readonly signal?: AbortSignal;
}

/**
 * Checks a training file (JSONL) as OpenAI's platform did before a job: what is wrong with its rows is in the result,
 * with the lines. Rejects with NomoatError where it cannot be read, and where the model is not found or has no chat
 * template that conversations need.
 */
export async function checkTuningFile(path: string, options: CheckTuningFileOptions = {}): Promise<TuningFileCheck> {
  const { chatTemplate, formats, model, signal } = options;
  const limits = { ...(formats ? { formats } : {}), ...(signal ? { signal } : {}) };
  if (model === undefined) return await checkTuningLines(path, limits);
  const { path: modelPath } = await resolveModel(model);
  // With its engine, which a program that imports the library does not wait for.
  const { openTokenizer } = await import('../llama/tokenizer.ts');
  const file = withChatTemplate(openGguf(modelPath), resolveChatTemplate(chatTemplate ?? null));
  try {
    const tokenizer = await openTokenizer(modelPath);
    try {
      // Read once, and only where a row needs it.
      let template: ChatTemplate | null = null;
      const once = (): ChatTemplate => {
        template ??= chatTemplateOf(file);
        return template;
      };
      const encoding = { template: once, tokenizer, supervise: 'answers', specialTokens: 'auto' } as const;
      return await checkTuningLines(path, { ...limits, encoding });
    } finally {
      await tokenizer.close();
    }
  } finally {
    file.close();
  }
}
