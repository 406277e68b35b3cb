/** What a model's answers depend on, as a name for the file that keeps them. */
import { createHash } from 'node:crypto';
import { adapterFiles } from '../adapter/read-adapter.ts';
import type { ResolvedChat } from '../library.ts';
import { digestOf } from '../store/file-digest.ts';

/** All that a model's answers depend on beside questions and sampling. */
export async function identityOf({
  adapterPath,
  chatTemplate,
  modelPath,
  specialTokens,
}: ResolvedChat): Promise<string> {
  const files = adapterPath === null ? [modelPath] : [modelPath, ...adapterFiles(adapterPath)];
  const parts = [await Promise.all(files.map((path) => digestOf(path))), chatTemplate, specialTokens];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
