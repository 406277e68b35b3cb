/** What a chat model is opened with. Types alone. */
import type { SpecialTokens } from '../tokens/encode-text.ts';
import type { ScaledAdapter } from './shared-base.ts';

export interface OpenChatOptions {
  readonly modelPath: string;
  /** A GGUF LoRA, a PEFT folder, a run's folder, or a .safetensors file with its config beside it. */
  readonly adapterPath?: string | null;
  /** Further ones, added to it or alone. */
  readonly adapters?: readonly ScaledAdapter[];
  /** Answers that are computed side by side, at most; each holds memory for a whole context (default: 1). */
  readonly sequences?: number | undefined;
  /** Threads to compute with, at most: a small model is evaluated by one. */
  readonly threads: number;
  /** Tokens of prompt and answer together; by default 4096, or fewer where the model was trained on fewer. */
  readonly contextSize?: number | undefined;
  /** Text of a chat template to use instead of the model's own. */
  readonly chatTemplate?: string | null | undefined;
  /** What control tokens spelled in messages become; text unless asked. */
  readonly specialTokens?: SpecialTokens | undefined;
  /** What a person should know before they read an answer, and what the training conversations shared: the model hands them on. */
  readonly notes?: readonly string[];
  readonly systemPrompt?: string | null;
  /** Stops the opening. */
  readonly signal?: AbortSignal;
}
