/** /v1/embeddings: texts as vectors, by models that were trained for it. */
import type { Embedders } from '../embeddings/embedders.ts';
import { embeddingRequest } from '../embeddings/embedding-request.ts';
import { modelFault } from '../model-fault.ts';
import { jsonOf } from '../request.ts';
import { modelOf } from './models.ts';
import type { RouteParts, Routes } from './routes.ts';

/** float32, little-endian, whatever the machine has. */
function base64Of(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.byteLength);
  for (const [i, value] of vector.entries()) bytes.writeFloatLE(value, i * Float32Array.BYTES_PER_ELEMENT);
  return bytes.toString('base64');
}

export const embeddingRoutes = (parts: RouteParts & { readonly embedders: Embedders }): Routes => ({
  'POST /v1/embeddings': async (context) => {
    const { base64, inputs, model } = embeddingRequest(await jsonOf(context));
    const served = await modelOf(context, parts.models, model);
    const { noted, signal, spend } = context.get('asked');
    const data: object[] = [];
    let tokens = 0;
    try {
      await parts.embedders.use(served, signal, async (embedder) => {
        for (const [index, input] of inputs.entries()) {
          signal.throwIfAborted();
          const { tokens: count, vector } = await embedder.embed(input);
          tokens += count;
          data.push({ object: 'embedding', index, embedding: base64 ? base64Of(vector) : [...vector] });
        }
      });
    } catch (error) {
      throw modelFault(error, served, 'input');
    } finally {
      spend(tokens);
    }
    noted.usage = {
      prompt_tokens: tokens,
      completion_tokens: 0,
      total_tokens: tokens,
      prompt_tokens_details: { cached_tokens: 0 },
    };
    return context.json({ object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } });
  },
});
