/** Identifiers as OpenAI's API writes them, and its times. */
import { randomBytes } from 'node:crypto';

/** As many letters as theirs have. */
const letters = 24;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A new identifier; 24 letters of 62 are never given twice. */
export function newId(prefix: string): string {
  let id = '';
  while (id.length < letters)
    // A byte beyond the last multiple of 62 would prefer the first letters.
    for (const byte of randomBytes(letters))
      if (byte < alphabet.length * 4 && id.length < letters) id += alphabet[byte % alphabet.length];
  return `${prefix}${id}`;
}

/** Seconds since 1970. */
export const nowInSeconds = (): number => Math.floor(Date.now() / 1000);
