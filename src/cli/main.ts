#!/usr/bin/env node
/**
 * The command line. Exit codes: 0 done, 1 failed, 2 wrong usage or input, 130 interrupted with a checkpoint written.
 */
import { Command, CommanderError } from 'commander';
import { NomoatError } from '../errors.ts';
import { version } from '../jobs/version.ts';
import {
  chatCommand,
  doctorCommand,
  exportCommand,
  modelsCommand,
  previewCommand,
  pullCommand,
  runsCommand,
} from './commands.ts';
import { planCommand } from './plan.ts';
import { quickstartCommand } from './quickstart.ts';
import { pretrainCommand, tuneCommand, wasTold } from './tune.ts';

const exitCodes = { input: 2, failed: 1, interrupted: 130 } as const;

/** The event that a run's own errors are, for programs that read stdout. */
const errorEvent = (error: unknown): object =>
  error instanceof NomoatError
    ? { type: 'error', ...error.toJSON() }
    : { type: 'error', kind: 'failed', part: 'nomoat', fault: String(error), remedy: 'Please report it.' };

const program = new Command('nomoat')
  .description('Fine-tune a language model on this machine, then chat with it.')
  .version(version)
  .option('--debug', 'show stack traces');
for (const command of [
  quickstartCommand(),
  tuneCommand(),
  planCommand(),
  pretrainCommand(),
  chatCommand(),
  previewCommand(),
  exportCommand(),
  pullCommand(),
  modelsCommand(),
  runsCommand(),
  doctorCommand(),
]) {
  command.exitOverride().option('--debug', 'show stack traces');
  program.addCommand(command);
}
program.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    const known = error instanceof NomoatError;
    if (process.argv.includes('--json') && !wasTold(error))
      process.stdout.write(`${JSON.stringify(errorEvent(error))}\n`);
    process.stderr.write(`${known ? error.message : `nomoat itself failed: ${String(error)}`}\n`);
    if (process.argv.includes('--debug') && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exitCode = known ? exitCodes[error.kind] : 1;
  }
}
