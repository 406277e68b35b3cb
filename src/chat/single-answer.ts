/**
 * One question, one answer, for pipes and scripts. Promises: the answer, and nothing else, goes to `output`.
 */
import { NomoatError } from '../errors.ts';
import { decodeText } from '../formats/decode-text.ts';
import type { Generated } from './chat-model.ts';
import { ChatSession } from './session.ts';
import { shownText } from './shown-text.ts';
import type { TerminalChatOptions } from './terminal-options.ts';

/** A piped prompt beyond this cannot fit any model's context; better refused than read without end. */
const maxPipedBytes = 16 << 20;

/** All of a piped input as text. Throws NomoatError where it is none. */
export async function readPiped(input: NodeJS.ReadableStream): Promise<string> {
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
  return decodeText('standard input', Buffer.concat(chunks)).replace(/\r?\n$/, '');
}

/** Throws NomoatError where there is nothing to answer. */
export function assertPrompt(prompt: string): void {
  if (prompt.trim() === '') {
    throw new NomoatError({ part: 'the prompt', fault: 'is empty', remedy: 'Give --prompt TEXT or pipe a text in.' });
  }
}

/** Returns the exit code: 0, or 130 where it was interrupted. */
export async function answerOnce(options: TerminalChatOptions, prompt: string): Promise<number> {
  assertPrompt(prompt);
  const { model, output, sampling, signal } = options;
  const session = new ChatSession(options.system ?? null);
  session.ask(prompt);
  const generated = await model.generate(session.messages, {
    ...sampling,
    ...(signal ? { signal } : {}),
    ...(options.json ? {} : { onText: (piece) => void output.write(shownText(piece, output)) }),
  });
  output.write(options.json ? `${JSON.stringify({ type: 'answer', ...generated })}\n` : '\n');
  if (generated.stopReason === 'length') options.notices.write(lengthNotice(generated, 'give a larger --context-size'));
  return generated.stopReason === 'aborted' ? 130 : 0;
}

/** What is said of an answer that was cut. */
export function lengthNotice({ tokens }: Generated, whenFull = '/reset'): string {
  return `(cut after ${tokens} tokens: raise --max-tokens, or ${whenFull} when the context is full)\n`;
}
