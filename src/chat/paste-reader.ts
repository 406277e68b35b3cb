/**
 * Reads keys from a terminal and tells pasted texts apart by the marks that the terminal puts around them when it is asked to
 * ("bracketed paste"). Promises: keys and pastes come in their order; a paste is never taken for keys, and memory stays within the limit.
 */
import { Readable } from 'node:stream';

const begin = Buffer.from('\u001b[200~');
const end = Buffer.from('\u001b[201~');
const ask = '\u001b[?2004h';
const askNoMore = '\u001b[?2004l';
/** No context that a laptop holds is longer as text; the terminal shows what is pasted, which takes its time. */
export const maxPasteBytes = 1 << 20;
/** A part of a mark at the end of what was read may be the Escape key: the rest of a mark follows at once. */
const markMilliseconds = 50;
const interruptKey = 0x03;
/** Signals that end a program at once, and would leave the terminal in the mode that it was put into. */
const deadly = ['SIGTERM', 'SIGHUP'] as const;

export type KeySource = NodeJS.ReadableStream & { readonly isTTY?: boolean; setRawMode?(mode: boolean): unknown };

/** Asks the terminal to mark pastes until the returned function is called, or the program ends in whatever way it can notice. */
export function askForPasteMarks(terminal: NodeJS.WritableStream): () => void {
  const stop = (): void => {
    process.off('exit', stop);
    process.off('SIGCONT', begin);
    for (const signal of deadly) process.off(signal, die);
    terminal.write(askNoMore);
  };
  const begin = (): void => void terminal.write(ask);
  const die = (signal: NodeJS.Signals): void => {
    stop();
    process.kill(process.pid, signal);
  };
  process.on('exit', stop);
  // Back from Ctrl-Z: the shell has set the terminal as it likes it.
  process.on('SIGCONT', begin);
  for (const signal of deadly) process.on(signal, die);
  begin();
  return stop;
}

/** How many bytes at the end of `bytes` may be the beginning of `mark`. */
function begunMark(bytes: Buffer, mark: Buffer): number {
  let length = Math.min(bytes.length, mark.length - 1);
  while (length > 0 && !bytes.subarray(-length).equals(mark.subarray(0, length))) length--;
  return length;
}

/** Stands for the terminal where keys are read; its `data` events come at once, so that a paste finds all keys before it done. */
export class PasteReader extends Readable {
  private readonly source: KeySource;
  private readonly onPaste: (bytes: Buffer | null) => void;
  private held: Buffer = Buffer.alloc(0);
  private paste: Buffer[] | null = null;
  private pasteBytes = 0;
  private timer: NodeJS.Timeout | undefined;

  /** `onPaste` gets each paste, or null for one beyond the limit. */
  constructor(source: KeySource, onPaste: (bytes: Buffer | null) => void) {
    super();
    this.source = source;
    this.onPaste = onPaste;
    source.on('data', (chunk) => this.receive(Buffer.from(chunk)));
    source.on('end', () => this.finish());
  }

  get isTTY(): boolean | undefined {
    return this.source.isTTY;
  }
  setRawMode(mode: boolean): void {
    this.source.setRawMode?.(mode);
  }
  override _read(): void {}
  override pause(): this {
    this.source.pause();
    return this;
  }
  override resume(): this {
    this.source.resume();
    return this;
  }

  private keys(bytes: Buffer): void {
    if (bytes.length > 0) this.emit('data', bytes);
  }

  private receive(chunk: Buffer): void {
    clearTimeout(this.timer);
    // Where the end of a paste got lost, Ctrl-C is the way out; in a paste it does not come alone.
    if (this.paste && chunk.length === 1 && chunk[0] === interruptKey) this.paste = null;
    let bytes = Buffer.concat([this.held, chunk]);
    this.held = Buffer.alloc(0);
    while (bytes.length > 0) {
      const mark = this.paste ? end : begin;
      const at = bytes.indexOf(mark);
      const upTo = at < 0 ? bytes.length - begunMark(bytes, mark) : at;
      if (this.paste) this.keep(bytes.subarray(0, upTo));
      else this.keys(bytes.subarray(0, upTo));
      if (at < 0) {
        this.held = bytes.subarray(upTo);
        break;
      }
      bytes = bytes.subarray(at + mark.length);
      if (this.paste) this.endPaste();
      else [this.paste, this.pasteBytes] = [[], 0];
    }
    if (this.held.length > 0 && !this.paste) this.timer = setTimeout(() => this.release(), markMilliseconds);
  }

  private keep(bytes: Buffer): void {
    this.pasteBytes += bytes.length;
    if (this.pasteBytes <= maxPasteBytes) this.paste?.push(Buffer.from(bytes));
    else this.paste = [];
  }

  private endPaste(): void {
    const bytes = this.pasteBytes > maxPasteBytes ? null : Buffer.concat(this.paste ?? []);
    this.paste = null;
    this.onPaste(bytes);
  }

  private release(): void {
    const bytes = this.held;
    this.held = Buffer.alloc(0);
    this.keys(bytes);
  }

  private finish(): void {
    clearTimeout(this.timer);
    if (this.paste) {
      this.keep(this.held);
      this.endPaste();
    } else this.release();
    this.emit('end');
  }
}
