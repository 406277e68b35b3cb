/**
 * The chat in a terminal, and the single answer for pipes.
 * Promises: answers, and nothing else, go to `output`; prompts and notices go to `notices`. Ctrl-C stops an answer, not the
 * program; a second one, or one at an empty line, leaves after saying so. A pasted text is one message, and bytes that are no text
 * reach no model. Knows nothing of how answers are made.
 */
import { createInterface, type Interface } from 'node:readline';
import { NomoatError } from '../errors.ts';
import { assertDecoded, decodeText } from '../formats/decode-text.ts';
import type { Mark } from '../text/feedback.ts';
import { harmless } from '../words/harmless.ts';
import { nearestNames } from '../words/nearest-name.ts';
import { Draft, plainPaste } from './draft.ts';
import { askForPasteMarks, maxPasteBytes, PasteReader } from './paste-reader.ts';
import { ConversationSaver } from './save-conversation.ts';
import { type ChatCommand, ChatSession, chatHelp, commandNames } from './session.ts';
import { shownText } from './shown-text.ts';
import { answerOnce, lengthNotice, readPiped } from './single-answer.ts';
import { movesCursor } from './terminal-abilities.ts';
import type { TerminalChatOptions } from './terminal-options.ts';

/**
 * Runs until the user leaves. Without a prompt and with piped input, the whole input is one question.
 * Returns the exit code: 0, or 130 where the single answer was interrupted.
 */
export async function runTerminalChat(options: TerminalChatOptions): Promise<number> {
  const prompt = options.prompt ?? (options.input.isTTY ? null : await readPiped(options.input));
  if (prompt !== null) return answerOnce(options, prompt);
  return new TerminalChat(options).run();
}

type Handlers = {
  readonly [Kind in ChatCommand['kind']]: (command: Extract<ChatCommand, { kind: Kind }>) => void | Promise<void>;
};

/** The interactive loop: lines are worked off one after another, so that typing ahead loses nothing. */
class TerminalChat {
  private readonly options: TerminalChatOptions;
  private readonly session: ChatSession;
  private readonly saver = new ConversationSaver();
  private readonly readline: Interface;
  private answering: AbortController | null = null;
  private leaving = false;
  private readonly draft = new Draft();
  private savePath: string | null = null;
  private closed = false;
  private readonly handlers: Handlers = {
    empty: () => {},
    message: ({ text }) => this.answer(text),
    help: () => this.notice(chatHelp),
    exit: () => this.readline.close(),
    reset: () => this.reset(),
    system: ({ text }) => this.system(text),
    mark: ({ mark }) => this.notice(this.marked(mark)),
    save: ({ path }) => this.save(path),
    unknown: ({ name }) => this.unknown(name),
  };

  constructor(options: TerminalChatOptions) {
    this.options = options;
    this.session = new ChatSession(options.system ?? null);
    const { input, notices } = options;
    const terminal = notices.isTTY === true;
    this.readline = createInterface({
      // Marks are understood wherever they come from; who is asked for them is another matter.
      input: terminal ? new PasteReader(input, (bytes) => this.paste(bytes)) : input,
      output: notices,
      terminal,
      prompt: '> ',
      completer: (line: string) => [commandNames.filter((name) => line !== '' && name.startsWith(line)), line],
    });
  }

  async run(): Promise<number> {
    const { readline, options } = this;
    const stop = (): void => {
      this.answering?.abort();
      readline.close();
    };
    options.signal?.addEventListener('abort', stop, { once: true });
    let queue = Promise.resolve();
    const closed = new Promise<void>((resolve) => {
      readline.once('close', () => {
        this.closed = true;
        resolve();
      });
    });
    const interrupt = (): void => this.interrupt();
    readline.on('SIGINT', interrupt);
    // Where lines are not edited, the terminal makes a signal of Ctrl-C.
    if (!readline.terminal) process.on('SIGINT', interrupt);
    readline.on('line', (line) => {
      const work = this.enter(line);
      queue = queue.then(work);
    });
    const askNoMore = movesCursor(options.notices) ? askForPasteMarks(options.notices) : () => {};
    try {
      this.notice('Type a message, or /help.');
      readline.prompt();
      await closed;
      this.answering?.abort();
      await queue;
    } finally {
      askNoMore();
      process.off('SIGINT', interrupt);
      options.signal?.removeEventListener('abort', stop);
    }
    options.notices.write('\n');
    return 0;
  }

  private notice(text: string): void {
    this.options.notices.write(`${harmless(text)}\n`);
  }

  private said(error: NomoatError): string {
    const { errorText = ({ message }) => message } = this.options;
    return `${errorText(error)}${error.code === 'context-full' ? ' /reset begins a new conversation.' : ''}`;
  }

  private interrupt(): void {
    if (this.answering && !this.answering.signal.aborted) {
      this.answering.abort();
      return;
    }
    if (this.leaving) {
      this.readline.close();
      return;
    }
    this.leaving = true;
    this.draft.clear();
    this.clearLine();
    this.notice('\n(Ctrl-C again, or /exit, to leave)');
    this.readline.prompt();
  }

  /** A pasted text: what is one line is edited on, of several all but the last one are done. */
  private paste(bytes: Buffer | null): void {
    if (this.closed) return;
    const { readline } = this;
    try {
      if (bytes === null)
        throw new NomoatError({
          part: 'the paste',
          fault: `is longer than ${maxPasteBytes} bytes`,
          remedy: 'Paste less, or pipe it: nomoat chat MODEL < FILE',
        });
      const { leftOut, text } = plainPaste(decodeText('the paste', bytes));
      const [before, after] = [readline.line.slice(0, readline.cursor), readline.line.slice(readline.cursor)];
      const taken = this.draft.paste(text, before, after);
      if (taken === null) readline.write(text);
      else this.show(taken);
      if (leftOut > 0) this.aside(`(${leftOut} control character${leftOut === 1 ? '' : 's'} of the paste left out)`);
    } catch (error) {
      this.aside(error instanceof NomoatError ? `(left out) ${this.said(error)}` : String(error));
    }
  }

  /** The editor keeps one line: those before it are written above. */
  private show({ done, line }: { done: string; line: string }): void {
    const { readline } = this;
    this.clearLine();
    this.options.notices.write(done.endsWith('\n') ? done : `${done}\n`);
    readline.prompt();
    readline.write(line);
  }

  private clearLine(): void {
    for (const name of ['e', 'u']) this.readline.write(null, { ctrl: true, name });
    // A dumb terminal's editor knows no such keys.
    Object.assign(this.readline, { line: '', cursor: 0 });
  }

  /** A notice while a line is edited, which stands below it again. */
  private aside(text: string): void {
    this.notice(`\n${text}`);
    this.readline.prompt(true);
  }

  /** Enter. What it means is known at once, but waits for its turn. */
  private enter(line: string): () => Promise<void> {
    let fault: unknown = null;
    let command: ChatCommand | null = null;
    try {
      // Bytes that are no UTF-8 come as this.
      assertDecoded('the line', line);
      command = this.draft.enter(line);
    } catch (error) {
      fault = error;
      this.draft.clear();
    }
    return () => this.work(command, fault);
  }

  /** Does what was entered; its faults are printed, since the conversation goes on. */
  private async work(command: ChatCommand | null, fault: unknown): Promise<void> {
    if (this.closed) return;
    this.leaving = false;
    if (command === null && fault === null) return;
    try {
      if (fault !== null) throw fault;
      await this.obey(command!);
    } catch (error) {
      this.notice(error instanceof NomoatError ? this.said(error) : String(error));
    }
    if (!this.closed) this.readline.prompt();
  }

  private async obey<Kind extends ChatCommand['kind']>(command: ChatCommand & { kind: Kind }): Promise<void> {
    await this.handlers[command.kind as Kind](command as Extract<ChatCommand, { kind: Kind }>);
  }

  private reset(): void {
    this.session.reset();
    this.saver.begin();
    this.notice('(new conversation)');
  }

  private unknown(name: string): void {
    const near = nearestNames(name, commandNames, 1)[0];
    this.notice(`There is no ${name}. ${near ? `Did you mean ${near}?` : 'Type /help.'}`);
  }

  private system(text: string | null): void {
    if (text === null) {
      this.notice(`system prompt: ${this.session.systemPrompt ?? '(none)'}`);
      return;
    }
    this.session.setSystem(text);
    this.notice(text === '' ? '(system prompt removed)' : '(system prompt set; it holds from the next answer on)');
  }

  /** Marks the last answer; gives the notice of it. */
  private marked(mark: Mark): string {
    const { lastAnswer } = this.session;
    if (lastAnswer === null) return '(no answer to mark yet)';
    if (mark.better === '') return 'Say what would have been right: /better TEXT';
    if (mark.better?.trim() === lastAnswer.trim()) return '(that is what was answered: /good says so)';
    this.session.mark(mark);
    const how = mark.better === undefined ? `marked ${mark.mark}` : 'marked bad, with a better answer';
    return `(${how}; /save writes it down)`;
  }

  private save(path: string | null): void {
    if (!this.session.answered) {
      this.notice('(nothing to save yet)');
      return;
    }
    this.savePath = path ?? this.savePath ?? `chat-${stamp((this.options.now ?? (() => new Date()))())}.jsonl`;
    const lines = this.saver.save(this.savePath, this.session.toRecord(this.options.disclosed ?? null));
    this.notice(`(saved to ${this.savePath}, which now holds ${lines} conversation${lines === 1 ? '' : 's'})`);
  }

  private async answer(text: string): Promise<void> {
    const { model, output, sampling } = this.options;
    this.session.ask(text);
    this.answering = new AbortController();
    let shown = '';
    try {
      const generated = await model.generate(this.session.messages, {
        ...sampling,
        signal: this.answering.signal,
        onText: (piece) => {
          shown += piece;
          output.write(shownText(piece, output));
        },
      });
      output.write('\n');
      if (generated.text === '' && generated.stopReason !== 'end-of-turn') this.session.takeBack();
      else this.session.answer(generated.text, generated.stopReason === 'end-of-turn');
      if (generated.stopReason === 'aborted') this.notice('(stopped)');
      if (generated.stopReason === 'length') this.options.notices.write(lengthNotice(generated));
    } catch (error) {
      if (shown !== '') output.write('\n');
      this.session.takeBack();
      throw error;
    } finally {
      this.answering = null;
    }
  }
}

/** 20260131-235959, local time. */
function stamp(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}
