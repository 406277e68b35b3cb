/**
 * Adapters that a request names by their place below the folders of models. Promises: no name leaves those folders, be it by its words or by
 * links; what lies outside is not told apart from what is not there.
 */
import { realpathSync } from 'node:fs';
import { isAbsolute, join, relative, sep, win32 } from 'node:path';
import { adapterFiles } from '../adapter/read-adapter.ts';
import { NomoatError } from '../errors.ts';
import { ApiError, wrongParameter } from './api-error.ts';

/** Of a place; longer ones than file systems have are not looked for. */
const mostCharacters = 1024;

/** What is wrong with a name before anything is looked for; null where nothing is. */
function faultOf(name: string): string | null {
  if (name.length > mostCharacters) return `it has more than ${mostCharacters} characters`;
  if (name.includes('\0')) return 'it has a character that no file name has';
  if (isAbsolute(name) || win32.isAbsolute(name) || /^[a-z]:/i.test(name))
    return 'it has to be a place below a folder of models, not a path from the root';
  if (name.split(/[/\\]/).some((part) => part === '..' || part === '.' || part === ''))
    return "it has a part that is empty, '.' or '..'";
  return null;
}

const isInside = (folder: string, path: string): boolean => {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
};

/** The adapter's path and its files', links followed; null where something of it is not there or elsewhere. */
function insideOf(folder: string, name: string): string | null {
  try {
    const root = realpathSync(folder);
    const path = realpathSync(join(root, name));
    return isInside(root, path) && adapterFiles(path).every((file) => isInside(root, realpathSync(file))) ? path : null;
  } catch (error) {
    if (!(error instanceof NomoatError)) return null;
    throw new ApiError({
      status: 422,
      code: 'unusable_adapter',
      param: 'lora_path',
      message: `'${name}' is no adapter: a GGUF LoRA, or a folder of PEFT's.`,
      cause: error,
    });
  }
}

/** The path of the adapter that is called so below one of `folders`. Throws ApiError. */
export function adapterBelow(folders: readonly string[], name: string): string {
  const fault = faultOf(name);
  if (fault !== null) throw wrongParameter('lora_path', 'invalid_value', `Invalid value for 'lora_path': ${fault}.`);
  for (const folder of folders) {
    const path = insideOf(folder, name);
    if (path !== null) return path;
  }
  throw new ApiError({
    status: 404,
    code: 'adapter_not_found',
    param: 'lora_path',
    message: `There is no '${name}' below the server's folders of models.`,
  });
}
