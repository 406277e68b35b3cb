/** `nomoat chat`: opens the model, here or at a server, then the terminal chat. */
import { basename } from 'node:path';
import type { Command } from 'commander';
import type { ChatModel, Model } from '../chat/chat-model.ts';
import { NomoatError } from '../errors.ts';
import { chatOptions, samplingFault } from '../settings/command-settings.ts';
import { toggle } from '../settings/fields.ts';
import { defaultModel } from '../settings/options.ts';
import { harmless } from '../words/harmless.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf, givenFlags } from './flags.ts';
import { errorText, inCommandWords } from './words.ts';

/** What only a model that is opened here has. */
const { adapter, chatTemplate, contextSize, repeatPenalty, threads } = chatOptions;
const ofModel = { adapter, chatTemplate, contextSize, repeatPenalty, threads };

interface Opened {
  readonly model: Pick<ChatModel, 'generate'>;
  readonly notes: readonly string[];
  readonly systemPrompt: string | null;
  close(): Promise<void>;
}

/** The model of that name at a server. Throws NomoatError where something is given that servers choose. */
async function connect(url: string, model: string, given: readonly string[]): Promise<Opened> {
  const [first] = given;
  if (first !== undefined)
    throw new NomoatError({
      code: 'invalid-settings',
      part: `\`${first}\``,
      fault: 'is for models that are opened here',
      remedy: 'Leave it out beside `server`: the server has its own.',
    });
  const { connectServer } = await import('../library/server-client.ts');
  const client = connectServer({ url, apiKey: process.env.NOMOAT_API_KEY ?? null });
  return { model: client.model(model), notes: [], systemPrompt: null, close: async () => {} };
}

/** A model of this machine. */
async function open(options: Parameters<typeof import('../library.ts').openModel>[0]): Promise<Opened> {
  const { openModel } = await import('../library.ts');
  const model: Model = await openModel(options);
  return { model, notes: model.notes, systemPrompt: model.systemPrompt, close: () => model.close() };
}

const answerShown = { json: toggle(false, 'with --prompt: the answer as one JSON object') };

export function command(): Command {
  const command = bare('chat').argument(
    '[MODEL|RUN]',
    'a name that `nomoat models` lists, a file, or the folder of a run',
    defaultModel,
  );
  return addFlags(command, { ...chatOptions, ...answerShown }).action(async (model: string) => {
    const values = flagsOf(command, { ...chatOptions, ...answerShown }, { lead: samplingFault });
    const { adapter, chatTemplate, contextSize, disclose, json, server, threads, ...rest } = values;
    const { prompt: givenPrompt, system: givenSystem, ...sampling } = rest;
    const { runTerminalChat } = await import('../chat/terminal.ts');
    const { assertPrompt, readPiped } = await import('../chat/single-answer.ts');
    const { assertDecoded } = await import('../formats/decode-text.ts');
    const { physicalCores } = await import('../machine/machine.ts');
    assertDecoded('--prompt', givenPrompt ?? '');
    assertDecoded('--system', givenSystem ?? '');
    const prompt = givenPrompt ?? (process.stdin.isTTY ? null : await readPiped(process.stdin));
    if (prompt !== null) assertPrompt(prompt);
    const opened =
      server === null
        ? await open({
            model,
            adapter,
            chatTemplate,
            threads: threads ?? physicalCores(),
            ...(contextSize === null ? {} : { contextSize }),
          })
        : await connect(server, model, Object.keys(givenFlags(command, ofModel)));
    try {
      for (const note of opened.notes) process.stderr.write(`${harmless(inCommandWords(note))}\n`);
      const system = givenSystem ?? opened.systemPrompt;
      if (givenSystem === null && opened.systemPrompt)
        process.stderr.write(`(system prompt of the training data: ${harmless(opened.systemPrompt)})\n`);
      process.exitCode = await runTerminalChat({
        model: opened.model,
        system,
        sampling,
        prompt,
        input: process.stdin,
        output: process.stdout,
        notices: process.stderr,
        json,
        disclosed: disclose ? `nomoat ${basename(model)}` : null,
        errorText,
      });
    } finally {
      await opened.close();
    }
  });
}
