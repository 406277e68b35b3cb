/** `nomoat chat`: opens the model, then the terminal chat. */
import type { Command } from 'commander';
import { chatOptions, samplingFault } from '../settings/command-settings.ts';
import { toggle } from '../settings/fields.ts';
import { defaultModel } from '../settings/options.ts';
import { harmless } from '../words/harmless.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { errorText, inCommandWords } from './words.ts';

const answerShown = { json: toggle(false, 'with --prompt: the answer as one JSON object') };

export function command(): Command {
  const command = bare('chat').argument(
    '[MODEL|RUN]',
    'a name that `nomoat models` lists, a file, or the folder of a run',
    defaultModel,
  );
  return addFlags(command, { ...chatOptions, ...answerShown }).action(async (model: string) => {
    const values = flagsOf(command, { ...chatOptions, ...answerShown }, { lead: samplingFault });
    const { adapter, chatTemplate, contextSize, json, threads, ...rest } = values;
    const { prompt: givenPrompt, system: givenSystem, ...sampling } = rest;
    const { openModel } = await import('../library.ts');
    const { runTerminalChat } = await import('../chat/terminal.ts');
    const { assertPrompt, readPiped } = await import('../chat/single-answer.ts');
    const { assertDecoded } = await import('../formats/decode-text.ts');
    const { physicalCores } = await import('../machine/machine.ts');
    assertDecoded('--prompt', givenPrompt ?? '');
    assertDecoded('--system', givenSystem ?? '');
    const prompt = givenPrompt ?? (process.stdin.isTTY ? null : await readPiped(process.stdin));
    if (prompt !== null) assertPrompt(prompt);
    const chat = await openModel({
      model,
      adapter,
      chatTemplate,
      threads: threads ?? physicalCores(),
      ...(contextSize === null ? {} : { contextSize }),
    });
    try {
      for (const note of chat.notes) process.stderr.write(`${harmless(inCommandWords(note))}\n`);
      const system = givenSystem ?? chat.systemPrompt;
      if (givenSystem === null && chat.systemPrompt)
        process.stderr.write(`(system prompt of the training data: ${harmless(chat.systemPrompt)})\n`);
      process.exitCode = await runTerminalChat({
        model: chat,
        system,
        sampling,
        prompt,
        input: process.stdin,
        output: process.stdout,
        notices: process.stderr,
        json,
        errorText,
      });
    } finally {
      await chat.close();
    }
  });
}
