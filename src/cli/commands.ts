/** The commands beside `tune`: parse, call, print. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Preview } from '../library/preview.ts';
import type { RunRecord } from '../run/run-folder.ts';
import { chatOptions, commandSettings, exportOptions, modelsOptions, previewOptions, pullOptions, samplingFault } from '../settings/command-settings.ts'; // biome-ignore format: one line
import { toggle } from '../settings/fields.ts';
import { defaultModel, flagOf } from '../settings/options.ts';
import { harmless } from '../tokens/preview.ts';
import { shellQuote } from '../words/shell-quote.ts';
import { commandName } from './command-name.ts';
import { addFlags, flagsOf } from './flags.ts';

/** What is read by people cannot steer their terminal: names of files, runs and models are others' texts. */
const print = (text: string): void => void process.stdout.write(`${process.stdout.isTTY ? harmless(text) : text}\n`);

const answerShown = { json: toggle(false, 'with --prompt: the answer as one JSON object') };

export function chatCommand(): Command {
  const command = new Command('chat')
    .description(commandSettings.chat.summary)
    .argument('[MODEL|RUN]', 'a name that `nomoat models` lists, a file, or the folder of a run', defaultModel);
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
      for (const note of chat.notes) process.stderr.write(`${harmless(note)}\n`);
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
      });
    } finally {
      await chat.close();
    }
  });
}

const rowsShown = { json: toggle(false, 'one JSON object a row, then the counts') };

export function previewCommand(): Command {
  const command = new Command('preview').description(commandSettings.preview.summary).argument('<DATA...>');
  return addFlags(command, { ...previewOptions, ...rowsShown }).action(async (data: string[]) => {
    const { json, ...asked } = flagsOf(command, { ...previewOptions, ...rowsShown });
    const { preview } = await import('../library/preview.ts');
    const { renderPreviewed } = await import('../tokens/preview.ts');
    const { showsColour } = await import('../chat/terminal-abilities.ts');
    const onProgress = (message: string): void => void process.stderr.write(`${message}\n`);
    const shown = await preview({ ...asked, data, onProgress });
    if (json) {
      printRows(shown);
      return;
    }
    const { counts, fault, files, format, notes, remedy, rows } = shown;
    print(`format: ${format} (${[...new Set(files.map(({ why }) => why))].join(', ')})`);
    for (const note of notes) print(harmless(note));
    process.stdout.write(`${renderPreviewed(rows, counts, showsColour(process.stdout))}\n`);
    if (fault) print(`A run refuses these rows: ${fault}.`);
    if (remedy) print(harmless(remedy));
  });
}

/** The rows and their counts for programs. */
function printRows({ counts, fault, format, notes, remedy, rows }: Preview): void {
  for (const { source, supervised, tokens } of rows) print(JSON.stringify({ type: 'row', source, tokens, supervised }));
  print(JSON.stringify({ type: 'counts', format, notes, fault, remedy, ...counts }));
}

export function exportCommand(): Command {
  const command = new Command('export').description(commandSettings.export.summary).argument('<RUN>');
  return addFlags(command, exportOptions).action(async (run: string) => {
    const { exportRun, needlessFaults } = await import('../library/export-run.ts');
    const asFlag = (fault: string): string =>
      fault.replace(/^\w+/, (name) => `--${flagOf(name)}`).replace(' with to: ', ' with --to ');
    const { type, ...asked } = flagsOf(command, exportOptions, {
      together: (values) => needlessFaults(values).map(asFlag),
    });
    const { files, notes } = await exportRun(run, { ...asked, ...(type === null ? {} : { type }) });
    for (const note of notes) process.stderr.write(`${harmless(note)}\n`);
    for (const path of files) print(path);
  });
}

export function pullCommand(): Command {
  const command = new Command('pull').description(commandSettings.pull.summary).argument('<NAME>');
  return addFlags(command, pullOptions).action(async (name: string) => {
    const { source } = flagsOf(command, pullOptions);
    const { pullModel } = await import('../library/models.ts');
    let shown = 0;
    const { path, licence } = await pullModel(name, {
      ...(source ? { source } : {}),
      onProgress: ({ message, receivedBytes, totalBytes }) => {
        if (message) process.stderr.write(`${message}\n`);
        else if (Date.now() - shown > 2000) {
          shown = Date.now();
          process.stderr.write(
            `${(receivedBytes / 1e6).toFixed(0)}${totalBytes ? ` of ${(totalBytes / 1e6).toFixed(0)}` : ''} MB\n`,
          );
        }
      },
    });
    process.stderr.write(`Licence: ${licence}\n`);
    print(path);
  });
}

const cacheShown = { json: toggle(false, 'one JSON object') };
const runsShown = { json: toggle(false, 'one JSON object a run') };

export function modelsCommand(): Command {
  const command = new Command('models').description(commandSettings.models.summary);
  return addFlags(command, { ...modelsOptions, ...cacheShown }).action(async () => {
    const { cache, json, prune } = flagsOf(command, { ...modelsOptions, ...cacheShown });
    if (cache || prune) {
      const { showCache } = await import('./cache.ts');
      print(await showCache({ prune, json }));
      return;
    }
    const { listModels } = await import('../library/models.ts');
    const size = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`.padStart(8);
    const { catalogue, local } = await listModels();
    if (json) {
      const toPull = catalogue.map(({ bytes, licence, name }) => ({ name, bytes, licence }));
      print(JSON.stringify({ type: 'models', local, toPull }));
      return;
    }
    const widest = Math.max(0, ...[...local, ...catalogue].map(({ name }) => name.length));
    print(local.length > 0 ? 'On this machine:' : 'On this machine: none');
    for (const { bytes, name, path } of local) print(`  ${name.padEnd(widest)} ${size(bytes)}  ${path}`);
    print('To pull (sizes are approximate):');
    for (const { bytes, licence, name } of catalogue)
      print(`  ${name.padEnd(widest)} ${size(bytes)}  licence ${licence}`);
  });
}

/** What a list says of a run. */
const summaryOf = ({ created, settings, validationAfter, validationBefore, verdict }: RunRecord) => ({
  created,
  model: settings.model,
  method: settings.method,
  validationBefore,
  validationAfter,
  ...(verdict === undefined ? {} : { verdict }),
});

export function runsCommand(): Command {
  const command = new Command('runs').description('the runs in ./runs');
  return addFlags(command, runsShown).action(async () => {
    const { listRuns } = await import('../library/runs.ts');
    const runs = listRuns();
    if (flagsOf(command, runsShown).json) {
      for (const { record, ...run } of runs)
        print(JSON.stringify({ type: 'run', ...run, ...(record ? summaryOf(record) : {}) }));
      return;
    }
    if (runs.length === 0) print(`No runs in ${resolve('runs')}.`);
    const loss = (value: number | null): string => (value === null ? '-' : value.toFixed(4));
    for (const { fault, path, state, record } of runs) {
      if (!record) print(`${'unreadable'.padEnd(13)} ${path}: ${fault}`);
      else
        print(
          `${state.padEnd(13)} ${record.settings.model.padEnd(24)} validation ${loss(record.validationBefore)} -> ${loss(record.validationAfter)}  ${path}`,
        );
    }
    const open = runs.find(({ state }) => state === 'interrupted' || state === 'failed');
    if (open) print(`\nGo on with one that is not done: ${commandName()} tune --resume ${shellQuote(open.path)}`);
  });
}

const reportShown = { json: toggle(false, 'as one JSON object') };

export function doctorCommand(): Command {
  const command = new Command('doctor').description('what this machine has, and what is wrong');
  return addFlags(command, reportShown).action(async () => {
    const { json } = flagsOf(command, reportShown);
    const { doctor } = await import('../library/doctor.ts');
    const { renderDoctor } = await import('../machine/doctor.ts');
    const report = await doctor();
    print(json ? JSON.stringify(report) : renderDoctor(report));
  });
}
