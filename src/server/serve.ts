/** The server as the library has it. What it is made of is loaded when one is started. */
import { serverLimits } from './limits.ts';
import type { RunningServer, ServeOptions } from './serve-options.ts';

export type { RunningServer, ServeOptions } from './serve-options.ts';

/**
 * Starts a server that the clients of OpenAI's API talk to: chat, completions and models of this machine. Resolves once it listens;
 * rejects with NomoatError where it may not or cannot. docs/openai-compatibility.md says what it answers.
 */
export async function serve(options: ServeOptions = {}): Promise<RunningServer> {
  const { startServer } = await import('./start-server.ts');
  return startServer(options, serverLimits);
}
