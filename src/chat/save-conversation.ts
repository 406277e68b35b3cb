/**
 * Saves conversations as JSONL, one a line, so that they can be training data.
 * Promises: what a file held stays; a conversation saved again after more turns replaces its own line and no other.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { NomoatError } from '../errors.ts';
import { writeFileAtomic } from '../formats/atomic-write.ts';

/** A file of saved chats is rewritten whole at each save; beyond this it is a data set, which should not be. */
const maxSaveBytes = 64 << 20;

export class ConversationSaver {
  /** What was last written for the current conversation, and where. */
  private last: { path: string; line: string } | null = null;

  /** Begins another conversation: the next save adds a line. */
  begin(): void {
    this.last = null;
  }

  /** Writes `line` (JSON, no newline) to `path`; returns how many lines the file then has. Throws NomoatError. */
  save(path: string, line: string): number {
    const lines = this.read(path);
    if (this.last?.path === path && lines.at(-1) === this.last.line) lines.pop();
    lines.push(line);
    writeFileAtomic(path, `${lines.join('\n')}\n`);
    this.last = { path, line };
    return lines.length;
  }

  private read(path: string): string[] {
    if (!existsSync(path)) return [];
    const stat = statSync(path);
    const remedy = 'Give another file name.';
    if (!stat.isFile()) throw new NomoatError({ part: path, fault: 'is no file', remedy });
    if (stat.size > maxSaveBytes) {
      throw new NomoatError({ part: path, fault: `has ${stat.size} bytes, too many to add a chat to`, remedy });
    }
    const lines = this.text(path, remedy).split('\n');
    if (lines.at(-1) === '') lines.pop();
    const foreign = lines.findIndex((line) => line.trim() !== '' && !line.trimStart().startsWith('{'));
    if (foreign >= 0) {
      throw new NomoatError({ part: path, fault: `is no JSONL file (line ${foreign + 1} is no object)`, remedy });
    }
    return lines;
  }
  /** What is written back whole must be read whole: bytes that are no UTF-8 would come back as others. */
  private text(path: string, remedy: string): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
    } catch (cause) {
      throw new NomoatError({
        part: path,
        fault: 'is not valid UTF-8, and a chat cannot be added to it',
        remedy,
        cause,
      });
    }
  }
}
