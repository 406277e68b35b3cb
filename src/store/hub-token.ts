/**
 * The hub's token from where its own programs keep it: HF_TOKEN, HUGGING_FACE_HUB_TOKEN, the file that `hf auth login` writes
 * (HF_TOKEN_PATH, else HF_HOME/token, else ~/.cache/huggingface/token). It is never shown.
 * https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
 */
import { readFileSync } from 'node:fs';
import { NomoatError } from '../errors.ts';
import { hubTokenFile, type Surroundings } from './model-folders.ts';

/** A header holds no others; a token has nothing else. */
const printable = /^[\x21-\x7e]+$/;

/** null where there is none. Throws NomoatError where what is there is no token. */
export function hubToken(around: Surroundings): string | null {
  const { HF_HUB_DISABLE_IMPLICIT_TOKEN: off, HF_TOKEN, HUGGING_FACE_HUB_TOKEN } = around.env;
  const given = HF_TOKEN?.trim() || HUGGING_FACE_HUB_TOKEN?.trim();
  const token = given || (off && !/^(0|false|no|off)$/i.test(off) ? null : fromFile(hubTokenFile(around)));
  if (!token || printable.test(token)) return token || null;
  throw new NomoatError({
    part: given ? 'HF_TOKEN' : hubTokenFile(around),
    fault: 'holds a text that is no token (it has spaces, line breaks or letters that no token has)',
    remedy: 'Copy the token again from the settings of your account on the hub.',
  });
}

function fromFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}
