/** `nomoat preview`: the rows that a run would learn. */
import type { Command } from 'commander';
import type { Preview } from '../library/preview.ts';
import { previewOptions } from '../settings/command-settings.ts';
import { toggle } from '../settings/fields.ts';
import { harmless } from '../words/harmless.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { print } from './print.ts';
import { inCommandWords } from './words.ts';

const rowsShown = { json: toggle(false, 'one JSON object a row, then the counts') };

export function command(): Command {
  const command = bare('preview').argument('<DATA...>');
  return addFlags(command, { ...previewOptions, ...rowsShown }).action(async (data: string[]) => {
    const { json, ...requested } = flagsOf(command, { ...previewOptions, ...rowsShown });
    const { preview } = await import('../library/preview.ts');
    const { renderPreviewed } = await import('../tokens/preview.ts');
    const { showsColour } = await import('../chat/terminal-abilities.ts');
    const onProgress = (message: string): void => void process.stderr.write(`${inCommandWords(message)}\n`);
    const shown = await preview({ ...requested, data, onProgress });
    if (json) {
      printRows(shown);
      return;
    }
    const { counts, fault, files, format, notes, remedy, rows } = shown;
    print(`format: ${format} (${[...new Set(files.map(({ why }) => why))].join(', ')})`);
    for (const note of notes) print(harmless(inCommandWords(note)));
    process.stdout.write(`${renderPreviewed(rows, counts, showsColour(process.stdout))}\n`);
    if (fault) print(`A run refuses these rows: ${fault}.`);
    if (remedy) print(harmless(inCommandWords(remedy)));
  });
}

/** The rows and their counts for programs. */
function printRows({ counts, fault, format, left, notes, remedy, rows }: Preview): void {
  for (const { pieces: _, rejected, source, ...row } of rows) {
    const other = rejected && { tokens: rejected.tokens, supervised: rejected.supervised };
    print(JSON.stringify({ type: 'row', source, ...row, ...(other ? { rejected: other } : {}) }));
  }
  const said = { notes: notes.map(inCommandWords), fault, remedy: remedy === null ? null : inCommandWords(remedy) };
  print(JSON.stringify({ type: 'counts', format, left, ...said, ...counts }));
}
