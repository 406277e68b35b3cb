/** `nomoat serve`: starts the server, says what it hears on stderr, and ends it at Ctrl-C. */
import type { Command } from 'commander';
import type { ServerLog } from '../server/log.ts';
import { serveOptions } from '../settings/command-settings.ts';
import { toggle } from '../settings/fields.ts';
import { harmless } from '../words/harmless.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { print } from './print.ts';
import { toldToEnd } from './told-to-end.ts';
import { inCommandWords } from './words.ts';

const logShown = { quiet: toggle(false, 'no line a request on stderr') };

/** Each entry as a line. */
const lineOf: { readonly [Type in ServerLog['type']]: (entry: Extract<ServerLog, { type: Type }>) => string | null } = {
  request: ({ completionTokens, id, key, method, milliseconds, model, promptTokens, route, status }) => {
    const tokens = completionTokens === null ? '' : ` ${promptTokens}+${completionTokens} tokens`;
    return `${new Date().toISOString()} ${id} ${method} ${route} ${status} ${milliseconds} ms${key === null ? '' : ` key ${key}`}${model === null ? '' : ` ${model}`}${tokens}`;
  },
  'model-opened': ({ model, notes }) =>
    notes.length > 0 ? notes.map((note) => `${model}: ${inCommandWords(note)}`).join('\n') : null,
  failure: ({ id, message }) => `${id} failed: ${message}`,
};

function render(entry: ServerLog, quiet: boolean): string | null {
  if (entry.type === 'request') return quiet ? null : lineOf.request(entry);
  return entry.type === 'failure' ? lineOf.failure(entry) : lineOf['model-opened'](entry);
}

export function command(): Command {
  const command = bare('serve');
  return addFlags(command, { ...serveOptions, ...logShown }).action(async () => {
    const { quiet, ...options } = flagsOf(command, { ...serveOptions, ...logShown });
    const { serve } = await import('../server/serve.ts');
    const { NOMOAT_API_KEY: apiKey = null } = process.env;
    const told = toldToEnd();
    const server = await serve({
      ...options,
      apiKey,
      onLog: (entry) => {
        const line = render(entry, quiet);
        if (line !== null) process.stderr.write(`${harmless(line)}\n`);
      },
    });
    print(`Serving ${server.models.length} models at ${server.url}/v1 (Ctrl-C ends it)`);
    await told;
    await server.close();
  });
}
