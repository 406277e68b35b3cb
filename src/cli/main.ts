#!/usr/bin/env node
/**
 * The command line. Exit codes: 0 done, 1 failed, 2 wrong usage or input, 3 the run ended but its result is not to be trusted (it diverged, or
 * its proof failed), 130 interrupted with a checkpoint written, 141 when the reader of its output has left.
 */
import { Command, CommanderError } from 'commander';
import { exitStatus } from '../error-codes.ts';
import { NomoatError } from '../errors.ts';
import { errorEvent } from '../events.ts';
import { version } from '../run/version.ts';
import { harmless } from '../words/harmless.ts';
import { commandsFor } from './command-table.ts';
import { lostOutputCode, watchOutput } from './output.ts';
import { wasReported } from './reported-errors.ts';

/** With --json the error is an event on stdout as well, as a run's own are, for programs that read that. */
async function report(error: unknown): Promise<void> {
  if (!process.argv.includes('--json') || wasReported(error)) return;
  const known =
    error instanceof NomoatError
      ? error
      : error instanceof CommanderError
        ? new NomoatError({ part: 'the command line', fault: error.message, remedy: 'See --help.' })
        : new NomoatError({ part: 'nomoat', fault: String(error), remedy: 'Please report it.', kind: 'failed' });
  const { eventInCommandWords } = await import('./words.ts');
  process.stdout.write(`${JSON.stringify(eventInCommandWords(errorEvent(known)))}\n`);
}

const program = new Command('nomoat')
  .description('Fine-tune a language model on this machine, then chat with it.')
  .version(version)
  .option('--debug', 'show stack traces')
  // What stands behind a command or a subcommand is its own, also where the one above has a flag of that name.
  .enablePositionalOptions()
  .addHelpText(
    'after',
    '\nExit codes: 0 done, 1 failed, 2 wrong usage or input, 3 the run ended but its result is not to be trusted\n(it diverged, or its proof failed), 130 interrupted with a checkpoint written.',
  );
for (const command of await commandsFor(process.argv.slice(2))) {
  for (const each of [command, ...command.commands]) each.exitOverride().option('--debug', 'show stack traces');
  program.addCommand(command);
}
program.exitOverride();

watchOutput();
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
    if (process.exitCode !== 0) await report(error);
  } else {
    const known = error instanceof NomoatError;
    // With the settings, whose names it knows: the help does not wait for them.
    const { errorText } = await import('./words.ts');
    await report(error);
    process.stderr.write(`${harmless(known ? errorText(error) : `nomoat itself failed: ${String(error)}`)}\n`);
    if (process.argv.includes('--debug') && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exitCode = known ? exitStatus[error.kind] : 1;
  }
}
process.exitCode = lostOutputCode() ?? process.exitCode;
