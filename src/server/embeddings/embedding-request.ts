/** The parameters of POST /v1/embeddings. */
import { z } from 'zod';
import type { Prompt } from '../../chat/chat-model.ts';
import { open, plainText, type RefusedTable, readParameters } from '../parameters.ts';

/** OpenAI's. */
const mostInputs = 2048;
const text = plainText.min(1);
const tokens = z.array(z.int().min(0)).min(1);

export const embeddingParameters = z.object({
  model: z
    .string()
    .min(1)
    .describe(
      'a model that was trained for embeddings: its file has a `pooling_type` (mean, first or last token). Others are refused, and adapters are',
    ),
  input: z
    .union([text, tokens, z.array(text).min(1).max(mostInputs), z.array(tokens).min(1).max(mostInputs)], {
      error: `expected a text, a list of up to ${mostInputs} texts, a list of tokens, or a list of such lists, none of them empty`,
    })
    .describe(`a text, a list of tokens, or up to ${mostInputs} of either; none of them empty`),
  encoding_format: open(z.enum(['float', 'base64'])).describe('`float`, or `base64` of float32, little-endian'),
});

export const embeddingRefusals = {
  dimensions: { why: 'vectors have as many numbers as the model makes' },
  user: { why: 'users are not told apart, and nothing is kept of them' },
} satisfies RefusedTable;

export interface EmbeddingRequest {
  readonly model: string;
  readonly inputs: readonly Prompt[];
  readonly base64: boolean;
}

const isTokens = (input: readonly unknown[]): input is readonly number[] => typeof input[0] === 'number';

/** What the body asks for. Throws ApiError. */
export function embeddingRequest(body: unknown): EmbeddingRequest {
  const { encoding_format: format, input, model } = readParameters(body, embeddingParameters, embeddingRefusals);
  const inputs: readonly Prompt[] = typeof input === 'string' || isTokens(input) ? [input] : input;
  return { model, inputs, base64: format === 'base64' };
}
