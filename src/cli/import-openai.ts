/** `nomoat import-openai`: what files of OpenAI's fine-tuning and evals are here. */
import type { Command } from 'commander';
import { exitStatus } from '../error-codes.ts';
import type { Imported, ImportedTune } from '../migrate/imported.ts';
import { importOptions } from '../settings/command-settings.ts';
import { toggle } from '../settings/fields.ts';
import { harmless } from '../words/harmless.ts';
import { shellQuote } from '../words/shell-quote.ts';
import { bare } from './bare-command.ts';
import { commandName } from './command-name.ts';
import { addFlags, flagsOf } from './flags.ts';
import { print } from './print.ts';
import { flagsFor, inCommandWords } from './words.ts';

const shown = { json: toggle(false, 'one JSON object for each thing that is found') };

const tuneCommand = ({ data, ...settings }: ImportedTune): string =>
  `${commandName()} tune ${shellQuote(data)} ${flagsFor({ ...settings })}`;

/** Texts of files are others': they steer no terminal, and their words are left as they are. */
function render({ differences, faultCount, faults, path, summary, tune }: Imported): void {
  print(harmless(`${path} ${summary}`));
  for (const fault of faults) print(harmless(`  fault: ${fault}`));
  if (faultCount > faults.length) print(`  and ${faultCount - faults.length} faults more`);
  if (tune) print(harmless(`  here: ${tuneCommand(tune)}`));
  for (const difference of differences) print(harmless(`  ${inCommandWords(difference)}`));
}

export function command(): Command {
  const command = bare('import-openai').argument('<FILE|FOLDER...>');
  return addFlags(command, { ...importOptions, ...shown }).action(async (paths: string[]) => {
    const { json, model } = flagsOf(command, { ...importOptions, ...shown });
    const { importOpenAI } = await import('../library/import-openai.ts');
    const found = await importOpenAI(paths, model === null ? {} : { model });
    for (const each of found) {
      if (json)
        print(
          JSON.stringify({
            type: 'imported',
            ...each,
            differences: each.differences.map(inCommandWords),
            command: each.tune && tuneCommand(each.tune),
          }),
        );
      else render(each);
    }
    if (found.length === 0) print('No file of JSONL, JSON, CSV or YAML is there.');
    if (found.some(({ faultCount }) => faultCount > 0)) process.exitCode = exitStatus.input;
  });
}
