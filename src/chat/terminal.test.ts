import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { NomoatError } from '../errors.ts';
import type { Message } from '../text/example.ts';
import type { ChatModel, Generated, GenerateOptions } from './chat-model.ts';
import { runTerminalChat } from './terminal.ts';
import type { TerminalChatOptions } from './terminal-options.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-terminal-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Stream = PassThrough & { isTTY: boolean };

/** Answers "answer N" in two pieces, or does what the test says; remembers what it was asked. */
class ScriptedModel implements ChatModel {
  readonly contextSize = 100;
  readonly asked: { messages: Message[]; options: GenerateOptions }[] = [];
  next: ((options: GenerateOptions) => Promise<Generated>) | null = null;

  async generate(messages: readonly Message[], options: GenerateOptions = {}): Promise<Generated> {
    this.asked.push({ messages: [...messages], options });
    if (this.next) return this.next(options);
    const text = `answer ${this.asked.length}`;
    options.onText?.(text.slice(0, 3));
    options.onText?.(text.slice(3));
    return { text, tokens: 2, promptTokens: 5, reusedTokens: 0, stopReason: 'end-of-turn' };
  }
  complete(): Promise<Generated> {
    throw new Error('a chat completes no plain text');
  }
  continue(): Promise<Generated> {
    throw new Error('a chat continues no prompt as it is');
  }

  promptTokens(): number[] {
    return [];
  }
  async close(): Promise<void> {}
}

/** Answers "par" and then waits until it is stopped. */
const untilStopped = (options: GenerateOptions): Promise<Generated> =>
  new Promise((resolve) => {
    options.onText?.('par');
    const stopped: Generated = { text: 'par', tokens: 1, promptTokens: 5, reusedTokens: 0, stopReason: 'aborted' };
    options.signal?.addEventListener('abort', () => resolve(stopped));
  });

function collect(stream: PassThrough): { text: string; until(pattern: RegExp): Promise<void> } {
  const state = { text: '', until: (pattern: RegExp) => wait(pattern) };
  stream.on('data', (chunk) => {
    state.text += String(chunk);
  });
  const wait = async (pattern: RegExp): Promise<void> => {
    for (let i = 0; i < 500 && !pattern.test(state.text); i++) await new Promise((resolve) => setTimeout(resolve, 5));
    if (!pattern.test(state.text)) throw new Error(`never saw ${pattern} in ${JSON.stringify(state.text)}`);
  };
  return state;
}

function start(model: ChatModel, tty: boolean, extra: Partial<TerminalChatOptions> = {}) {
  const input = Object.assign(new PassThrough(), { isTTY: tty });
  const [output, notices] = [0, 1].map(() => Object.assign(new PassThrough(), { isTTY: tty })) as [Stream, Stream];
  const shown = collect(output);
  const noticed = collect(notices);
  const ended = runTerminalChat({ model, input, output, notices, ...extra });
  return { input, shown, noticed, ended };
}

/** A colour, a title, an answer to who asks, a C1 code, and a line that is written over: split inside the codes. */
const steering = ['a\x1b', '[31mb\x1b]0;t', '\x07c\x9b2', 'Jd\re\u202ef\tg\nh'];
const says = async (options: GenerateOptions): Promise<Generated> => {
  for (const piece of steering) options.onText?.(piece);
  return { text: steering.join(''), tokens: 4, promptTokens: 1, reusedTokens: 0, stopReason: 'end-of-turn' };
};

describe('an answer with control characters', () => {
  it.each([
    ['single', { prompt: 'hi' }],
    ['in a chat', {}],
  ])('cannot steer the terminal: %s', async (_, extra) => {
    const model = Object.assign(new ScriptedModel(), { next: says });
    const { input, noticed, shown, ended } = start(model, true, extra);
    if (!('prompt' in extra)) {
      input.write('hi\r');
      await shown.until(/h\n/);
      input.write('/system \u009b2J\u202e\r/system\r/exit\r');
    }
    await ended;
    expect(shown.text).toBe('a␛[31mb␛]0;t␇c\ufffd2Jd␍e\ufffdf\tg\nh\n');
    if (!('prompt' in extra)) expect(noticed.text).toContain('system prompt: \ufffd2J\ufffd');
    expect(model.asked[0]!.messages[0]!.content).toBe('hi');
  });

  it('goes into a pipe or a file as it is', async () => {
    const model = Object.assign(new ScriptedModel(), { next: says });
    const { shown, ended } = start(model, false, { prompt: 'hi' });
    await ended;
    expect(shown.text).toBe(`${steering.join('')}\n`);
  });
});

it('an error of the model is said in the words that it was given, with what helps in a terminal', async () => {
  const full = new NomoatError({ code: 'context-full', part: 'x', fault: 'is full', remedy: 'Raise `contextSize`.' });
  const model = Object.assign(new ScriptedModel(), { next: () => Promise.reject(full) });
  const errorText = ({ remedy }: NomoatError): string => remedy.replace('`contextSize`', '--context-size');
  const { input, noticed, ended } = start(model, true, { errorText });
  input.write('hi\r');
  await noticed.until(/new conversation/);
  input.write('/exit\r');
  await ended;
  expect(noticed.text).toContain('Raise --context-size. /reset begins a new conversation.\n');
});

describe('a single answer', () => {
  it('streams the answer to a prompt, and nothing else, to the output', async () => {
    const model = new ScriptedModel();
    const { shown, noticed, ended } = start(model, true, { prompt: 'hi', system: 'S', sampling: { temperature: 0 } });
    expect(await ended).toBe(0);
    expect(shown.text).toBe('answer 1\n');
    expect(noticed.text).toBe('');
    expect(model.asked[0]!.messages.map(({ role }) => role)).toEqual(['system', 'user']);
    expect(model.asked[0]!.options.temperature).toBe(0);
  });

  it('takes the whole of a piped input as one question', async () => {
    const model = new ScriptedModel();
    const { input, shown, ended } = start(model, false);
    input.write('line one\n/reset\n');
    input.end(Buffer.from('é\n'));
    expect(await ended).toBe(0);
    expect(model.asked[0]!.messages).toEqual([{ role: 'user', content: 'line one\n/reset\né' }]);
    expect(shown.text).toBe('answer 1\n');
  });

  it('prints one JSON object with json, and refuses an empty prompt', async () => {
    const { shown, ended } = start(new ScriptedModel(), false, { prompt: 'hi', json: true });
    await ended;
    expect(JSON.parse(shown.text)).toEqual({
      type: 'answer',
      text: 'answer 1',
      tokens: 2,
      promptTokens: 5,
      reusedTokens: 0,
      stopReason: 'end-of-turn',
    });
    await expect(start(new ScriptedModel(), false, { prompt: ' ' }).ended).rejects.toThrow(/the prompt: is empty/);
  });

  it('ends with 130 when it is interrupted, and says when an answer was cut', async () => {
    const model = new ScriptedModel();
    model.next = untilStopped;
    const controller = new AbortController();
    const { shown, ended } = start(model, false, { prompt: 'hi', signal: controller.signal });
    await shown.until(/par/);
    controller.abort();
    expect(await ended).toBe(130);
    model.next = async () => ({ text: 'x', tokens: 9, promptTokens: 1, reusedTokens: 0, stopReason: 'length' });
    const cut = start(model, false, { prompt: 'hi' });
    await cut.ended;
    expect(cut.noticed.text).toMatch(/cut after 9 tokens/);
  });
});

describe('the interactive chat', () => {
  it('keeps turns, sets the system prompt, resets, saves, and leaves with /exit', async () => {
    const model = new ScriptedModel();
    const { input, shown, noticed, ended } = start(model, true);
    input.write('first\nsecond \\\nline\n/system Be brief.\nthird\n');
    await shown.until(/answer 3\n/);
    const path = join(folder, 'saved.jsonl');
    input.write(`/save ${path}\n/reset\nfourth\n/sytem\n/system\n`);
    await noticed.until(/Did you mean \/system\?[\s\S]*system prompt: Be brief\./);
    input.write('/exit\n');
    expect(await ended).toBe(0);
    expect(shown.text).toBe('answer 1\nanswer 2\nanswer 3\nanswer 4\n');
    expect(model.asked[1]!.messages.map(({ content }) => content)).toEqual(['first', 'answer 1', 'second \nline']);
    expect(model.asked[3]!.messages.map(({ content }) => content)).toEqual(['Be brief.', 'fourth']);
    const { messages } = JSON.parse(readFileSync(path, 'utf8')) as { messages: Message[] };
    expect(messages).toHaveLength(7);
    expect(noticed.text).toContain('now holds 1 conversation');
  });

  it('marks answers, and saves the marks with the conversation', async () => {
    const { input, shown, noticed, ended } = start(new ScriptedModel(), true);
    const path = join(folder, 'marked.jsonl');
    input.write('/good\nfirst\n/better\n/better answer 1\n/good\n/save ');
    input.write(`${path}\nsecond\n/better two \\\nlines\n/save\n/exit\n`);
    await shown.until(/answer 2\n/);
    await noticed.until(/conversation[\s\S]*now holds 1 conversation/);
    await ended;
    for (const notice of ['(no answer to mark yet)', 'Say what would', 'that is what was answered', '(marked good;'])
      expect(noticed.text).toContain(notice);
    expect(noticed.text).toContain('(marked bad, with a better answer; /save writes it down)');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({
      feedback: [
        { message: 1, mark: 'good' },
        { message: 3, mark: 'bad', better: 'two \nlines' },
      ],
    });
  });

  it('saves who generated a conversation where that is to be disclosed', async () => {
    const { input, shown, noticed, ended } = start(new ScriptedModel(), true, { disclosed: 'nomoat mini' });
    input.write('first\n');
    await shown.until(/answer 1\n/);
    const path = join(folder, 'disclosed.jsonl');
    input.write(`/save ${path}\n`);
    await noticed.until(/now holds 1 conversation/);
    input.write('/exit\n');
    await ended;
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ AIGC: { ContentProducer: 'nomoat mini' } });
  });

  it('stops an answer at Ctrl-C, keeps the part as history, and leaves at the second Ctrl-C of an empty line', async () => {
    const model = new ScriptedModel();
    model.next = untilStopped;
    const { input, shown, noticed, ended } = start(model, true);
    input.write('go\n');
    await shown.until(/par/);
    input.write('\x03');
    await noticed.until(/\(stopped\)/);
    model.next = null;
    input.write('more\n');
    await shown.until(/answer 2\n/);
    expect(model.asked[1]!.messages[1]).toEqual({ role: 'assistant', content: 'par', weight: 0 });
    input.write('\x03');
    await noticed.until(/again, or \/exit/);
    input.write('\x03');
    expect(await ended).toBe(0);
  });

  it('shows a fault of the model, takes the question back and goes on', async () => {
    const model = new ScriptedModel();
    model.next = async () => {
      throw new NomoatError({ part: 'the conversation', fault: 'is too long', remedy: 'Use /reset.' });
    };
    const { input, shown, noticed, ended } = start(model, true);
    input.write('go\n');
    await noticed.until(/is too long\. Use \/reset/);
    model.next = null;
    input.write('again\n');
    await shown.until(/answer 2/);
    expect(model.asked[1]!.messages).toEqual([{ role: 'user', content: 'again' }]);
    input.end();
    expect(await ended).toBe(0);
  });

  it('takes a pasted text of several lines as one message, at Enter, and edits a pasted line on', async () => {
    const model = new ScriptedModel();
    const { input, shown, noticed, ended } = start(model, true);
    input.write('\u001b[200~/exit\n\tfirst \\\r\nlast\u001b[201~');
    await noticed.until(/last/);
    expect(model.asked).toEqual([]);
    input.write(' one\n');
    await shown.until(/answer 1\n/);
    input.write('what is \u001b[200~a line\u001b[201~?\n');
    await shown.until(/answer 2\n/);
    input.write('/exit\n');
    expect(await ended).toBe(0);
    const asked = model.asked.map(({ messages }) => messages.at(-1)!.content);
    expect(asked).toEqual(['/exit\n\tfirst \\\nlast one', 'what is a line?']);
    expect(noticed.text.startsWith('\u001b[?2004h')).toBe(true);
    expect(noticed.text.endsWith('\u001b[?2004l\n')).toBe(true);
  });

  it('says what it leaves out of a paste, and drops one at Ctrl-C', async () => {
    const model = new ScriptedModel();
    const { input, noticed, ended } = start(model, true);
    input.write('\u001b[200~a\u001b[31mb\u001b[201~\n');
    await noticed.until(/\(1 control character of the paste left out\)/);
    input.write(Buffer.from('\u001b[200~caf\xe9\u001b[201~', 'latin1'));
    await noticed.until(/\(left out\) the paste: is not valid UTF-8 \(line 1\)/);
    input.write(Buffer.from('caf\xe9\n', 'latin1'));
    await noticed.until(/the line: holds U\+FFFD/);
    input.write(`\u001b[200~${'x'.repeat(1 << 21)}\u001b[201~`);
    await noticed.until(/the paste: is longer than 1048576 bytes/);
    input.write('\u001b[200~one\ntwo\u001b[201~');
    input.write('\u0003');
    await noticed.until(/again, or \/exit/);
    input.write('three\n/exit\n');
    expect(await ended).toBe(0);
    expect(model.asked.map(({ messages }) => messages.at(-1)!.content)).toEqual(['a[31mb', 'three']);
  });

  it('writes no codes where its notices are no terminal', async () => {
    const input = Object.assign(new PassThrough(), { isTTY: true });
    const [output, notices] = [new PassThrough(), new PassThrough()];
    const [shown, noticed] = [collect(output), collect(notices)];
    const ended = runTerminalChat({ model: new ScriptedModel(), input, output, notices });
    input.write('hi\n');
    await shown.until(/answer 1\n/);
    input.write('/exit\n');
    expect(await ended).toBe(0);
    expect(noticed.text).toBe('Type a message, or /help.\n> > \n');
  });
});
