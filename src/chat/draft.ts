/**
 * A message while it is written: lines that go on, and pasted texts of several lines, until Enter ends it. Pure.
 * Promises: a pasted text is one message as it stands, whatever its lines begin or end with.
 */
import { type ChatCommand, parseChatLine } from './session.ts';

/** What readline takes for the end of a line when a text is put into it; it would lose which of them it was. */
const lineEnd = /[\n\u2028\u2029]/;
/** Such control characters a paste keeps: they are text. */
const keptControls = '\\n\\t';
const controls = new RegExp(`(?![${keptControls}])\\p{Cc}`, 'gu');

/** A pasted text without what would steer the terminal, its line ends all LF, and how many control characters were left out. */
export function plainPaste(text: string): { text: string; leftOut: number } {
  const lines = text.replace(/\r\n?/g, '\n');
  return { text: lines.replace(controls, ''), leftOut: lines.match(controls)?.length ?? 0 };
}

export class Draft {
  /** What stands before the line that is edited. */
  private head = '';
  private pasted = false;
  /** Nothing of it was typed before the paste, so nothing in it is a command. */
  private literal = false;

  /**
   * Takes a pasted text at the cursor. Null where it is a part of one line, which the editor takes; else the text that is done, and
   * what goes on being edited.
   */
  paste(text: string, before: string, after: string): { done: string; line: string } | null {
    if (!lineEnd.test(text)) return null;
    if (this.head === '' && before === '') this.literal = true;
    this.pasted = true;
    const whole = before + text;
    const end = whole.lastIndexOf('\n') + 1;
    // A line end of another kind stays with what is done.
    const line = lineEnd.test(whole.slice(end)) ? '' : whole.slice(end);
    const done = whole.slice(0, whole.length - line.length);
    this.head += done;
    return { done, line: line + after };
  }

  /** Enter: what the line means with all that stands before it; null where it goes on in the next one. */
  enter(line: string): ChatCommand | null {
    if (!this.pasted && line.endsWith('\\')) {
      this.head += `${line.slice(0, -1)}\n`;
      return null;
    }
    const { literal, pasted } = this;
    const whole = this.head + line;
    this.clear();
    // Who copies whole lines copies the end of the last one, too.
    const text = pasted ? whole.replace(/\n+$/, '') : whole;
    return literal && text.trim() !== '' ? { kind: 'message', text } : parseChatLine(text);
  }

  clear(): void {
    this.head = '';
    this.pasted = false;
    this.literal = false;
  }
}
