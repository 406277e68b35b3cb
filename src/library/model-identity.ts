/** What a model's answers depend on, as a name for the file that keeps them. */
import { createHash } from 'node:crypto';
import { adapterFiles } from '../adapter/read-adapter.ts';
import type { ResolvedChat } from '../library.ts';
import { digestOf } from '../store/file-digest.ts';

/** All that a model's answers depend on beside questions and sampling. */
export async function identityOf({ adapters, chatTemplate, modelPath, specialTokens }: ResolvedChat): Promise<string> {
  const files = [modelPath, ...adapters.flatMap(({ path }) => adapterFiles(path))];
  const scales = adapters.map(({ scale }) => scale);
  const parts = [await Promise.all(files.map((path) => digestOf(path))), chatTemplate, specialTokens];
  // Answers from before there were scales are found by the name without.
  if (scales.some((scale) => scale !== 1)) parts.push(scales.map(String));
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
