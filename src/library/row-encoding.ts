/** What rows of a model are encoded with, as training would. */
import { openGguf } from '../formats/gguf/read.ts';
import { resolveChatTemplate } from '../settings/chat-template.ts';
import { resolveModel } from '../store/local-models.ts';
import { type ChatTemplate, chatTemplateOf, withChatTemplate } from '../text/chat-template.ts';
import type { EncodeOptions } from '../tokens/encode-example.ts';

/** Whose rows. */
export interface EncodingOf {
  /** A model's name or file. */
  readonly model: string;
  /** Chat template instead of the model's own: a file, or a name. */
  readonly chatTemplate?: string | null | undefined;
}

/** Calls with the encoding, whose tokenizer is closed afterwards. Rejects with NomoatError where the model or the template is not found. */
export async function withEncoding<T>(
  { chatTemplate, model }: EncodingOf,
  call: (encoding: EncodeOptions) => Promise<T>,
): Promise<T> {
  const { path } = await resolveModel(model);
  // With its engine, which a program that imports the library does not wait for.
  const { openTokenizer } = await import('../llama/tokenizer.ts');
  const file = withChatTemplate(openGguf(path), resolveChatTemplate(chatTemplate ?? null));
  try {
    const tokenizer = await openTokenizer(path);
    try {
      // Read once, and only where a row needs it.
      let template: ChatTemplate | null = null;
      const once = (): ChatTemplate => {
        template ??= chatTemplateOf(file);
        return template;
      };
      return await call({ template: once, tokenizer, supervise: 'answers', specialTokens: 'auto' });
    } finally {
      await tokenizer.close();
    }
  } finally {
    file.close();
  }
}
