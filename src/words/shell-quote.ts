/**
 * Words of a command that is printed for a person to paste into a shell. Pure. Open to all folders, as errors.ts is.
 * Promises: the shell makes of the quoted word the same word, and words that need no quoting stay as they are.
 */

/** Characters that no shell looks at twice. */
const plain = { posix: /^[\w@%+=:,./-]+$/, windows: /^[\w@+=:,./\\-]+$/ } as const;
const control = /\p{Cc}/u;

/** bash, zsh and ksh read this form; the plain quotes would put a line end into the middle of the command. */
function withEscapes(word: string): string {
  const escaped = word.replace(/[\\']/g, '\\$&').replace(/\p{Cc}/gu, (char) => {
    const bytes = [...new TextEncoder().encode(char)];
    return bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  });
  return `$'${escaped}'`;
}

/**
 * On Windows, double quotes serve PowerShell and cmd alike; a word with what PowerShell replaces inside them is quoted as PowerShell
 * takes it literally. File names hold no double quotes there.
 */
function windowsQuote(word: string): string {
  if (plain.windows.test(word)) return word;
  return /[$`"]/.test(word) ? `'${word.replaceAll("'", "''")}'` : `"${word}"`;
}

/** One word of a command line. */
export function shellQuote(word: string, platform: NodeJS.Platform = process.platform): string {
  if (platform === 'win32') return windowsQuote(word);
  if (plain.posix.test(word)) return word;
  if (control.test(word)) return withEscapes(word);
  return `'${word.replaceAll("'", "'\\''")}'`;
}
