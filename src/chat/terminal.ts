/**
 * The chat in a terminal, and the single answer for pipes.
 * Promises: answers, and nothing else, go to `output`; prompts and notices go to `notices`. Ctrl-C stops an answer, not the
 * program; a second one, or one at an empty line, leaves after saying so. Knows nothing of how answers are made.
 */
import { createInterface, type Interface } from 'node:readline';
import { NomoatError } from '../errors.ts';
import { nearestNames } from '../files/nearest-name.ts';
import type { ChatModel, Generated, Sampling } from './chat-model.ts';
import { ConversationSaver } from './save-conversation.ts';
import { type ChatCommand, ChatSession, chatHelp, commandNames, parseChatLine } from './session.ts';

/** A piped prompt beyond this cannot fit any model's context; better refused than read without end. */
const maxPipedBytes = 16 << 20;

export interface TerminalChatOptions {
  readonly model: ChatModel;
  readonly system?: string | null;
  readonly sampling?: Partial<Sampling>;
  /** One question, one answer, the end; standard input is then not read. */
  readonly prompt?: string | null;
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream;
  /** Where prompts, hints and errors go: standard error. */
  readonly notices: NodeJS.WritableStream;
  /** With a single answer: print one JSON object instead of its text. */
  readonly json?: boolean;
  /** Stops the answer and the program. */
  readonly signal?: AbortSignal;
  /** The clock behind the default name of a saved file. */
  readonly now?: () => Date;
}

/**
 * Runs until the user leaves. Without a prompt and with piped input, the whole input is one question.
 * Returns the exit code: 0, or 130 where the single answer was interrupted.
 */
export async function runTerminalChat(options: TerminalChatOptions): Promise<number> {
  if (options.prompt !== undefined && options.prompt !== null) return answerOnce(options, options.prompt);
  if (!options.input.isTTY) return answerOnce(options, await readAll(options.input));
  return new TerminalChat(options).run();
}

async function readAll(input: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk));
    bytes += chunks.at(-1)!.length;
    if (bytes > maxPipedBytes) {
      throw new NomoatError({
        part: 'standard input',
        fault: `is longer than ${maxPipedBytes} bytes`,
        remedy: 'Pipe a shorter prompt.',
      });
    }
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

async function answerOnce(options: TerminalChatOptions, prompt: string): Promise<number> {
  if (prompt.trim() === '') {
    throw new NomoatError({ part: 'the prompt', fault: 'is empty', remedy: 'Give --prompt TEXT or pipe a text in.' });
  }
  const { model, output, sampling, signal } = options;
  const session = new ChatSession(options.system ?? null);
  session.ask(prompt);
  const generated = await model.generate(session.messages, {
    ...sampling,
    ...(signal ? { signal } : {}),
    ...(options.json ? {} : { onText: (piece) => void output.write(piece) }),
  });
  output.write(options.json ? `${JSON.stringify({ type: 'answer', ...generated })}\n` : '\n');
  if (generated.stopReason === 'length') options.notices.write(lengthNotice(generated, 'give a larger --context-size'));
  return generated.stopReason === 'aborted' ? 130 : 0;
}

function lengthNotice({ tokens }: Generated, whenFull = '/reset'): string {
  return `(cut after ${tokens} tokens: raise --max-tokens, or ${whenFull} when the context is full)\n`;
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
  private continued = '';
  private savePath: string | null = null;
  private closed = false;
  private readonly handlers: Handlers = {
    empty: () => {},
    message: ({ text }) => this.answer(text),
    help: () => this.notice(chatHelp),
    exit: () => this.readline.close(),
    reset: () => this.reset(),
    system: ({ text }) => this.system(text),
    save: ({ path }) => this.save(path),
    unknown: ({ name }) => this.unknown(name),
  };

  constructor(options: TerminalChatOptions) {
    this.options = options;
    this.session = new ChatSession(options.system ?? null);
    this.readline = createInterface({
      input: options.input,
      output: options.notices,
      terminal: true,
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
    readline.on('SIGINT', () => this.interrupt());
    readline.on('line', (line) => {
      queue = queue.then(() => this.line(line));
    });
    this.notice('Type a message, or /help.');
    readline.prompt();
    await closed;
    this.answering?.abort();
    await queue;
    options.signal?.removeEventListener('abort', stop);
    options.notices.write('\n');
    return 0;
  }

  private notice(text: string): void {
    this.options.notices.write(`${text}\n`);
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
    this.continued = '';
    this.notice('\n(Ctrl-C again, or /exit, to leave)');
    this.readline.prompt();
  }

  /** Handles one line; its faults are printed, since the conversation goes on. */
  private async line(line: string): Promise<void> {
    if (this.closed) return;
    this.leaving = false;
    if (line.endsWith('\\')) {
      this.continued += `${line.slice(0, -1)}\n`;
      return;
    }
    const whole = this.continued + line;
    this.continued = '';
    try {
      await this.obey(parseChatLine(whole));
    } catch (error) {
      this.notice(error instanceof NomoatError ? error.message : String(error));
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

  private save(path: string | null): void {
    if (!this.session.answered) {
      this.notice('(nothing to save yet)');
      return;
    }
    this.savePath = path ?? this.savePath ?? `chat-${stamp((this.options.now ?? (() => new Date()))())}.jsonl`;
    const lines = this.saver.save(this.savePath, this.session.toRecord());
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
          output.write(piece);
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
