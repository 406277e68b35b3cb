/** The commands beside `tune`: parse, call, print. */
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { chatOptions, commandSettings, exportOptions, modelsOptions, previewOptions, pullOptions, rowsOptions, samplingFault } from '../config/command-settings.ts'; // biome-ignore format: one line
import { toggle } from '../config/fields.ts';
import { type Given, resolveOptions } from '../config/load.ts';
import { defaultModel } from '../config/options.ts';
import { NomoatError } from '../errors.ts';
import type { Dataset } from '../jobs/dataset-files.ts';
import type { RunRecord } from '../jobs/run-folder.ts';
import { shellQuote } from '../shell-quote.ts';
import { harmless } from '../tokens/preview.ts';
import type { RowsReport } from '../tokens/rows.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { commandName } from './command-name.ts';
import { addFlags, flagsOf, givenFlags } from './flags.ts';

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
    const { resolveChat } = await import('../library.ts');
    const { openChatModel } = await import('../chat/engine.ts');
    const { runTerminalChat } = await import('../chat/terminal.ts');
    const { assertPrompt, readPiped } = await import('../chat/single-answer.ts');
    const { assertDecoded } = await import('../files/decode-text.ts');
    const { physicalCores } = await import('../jobs/machine.ts');
    assertDecoded('--prompt', givenPrompt ?? '');
    assertDecoded('--system', givenSystem ?? '');
    const prompt = givenPrompt ?? (process.stdin.isTTY ? null : await readPiped(process.stdin));
    if (prompt !== null) assertPrompt(prompt);
    const { doubts, systemPrompt, ...resolved } = await resolveChat({ model, adapter, chatTemplate });
    for (const doubt of doubts) process.stderr.write(`${harmless(doubt)}\n`);
    const system = givenSystem ?? systemPrompt;
    if (givenSystem === null && systemPrompt)
      process.stderr.write(`(system prompt of the training data: ${harmless(systemPrompt)})\n`);
    const chat = await openChatModel({
      ...resolved,
      threads: threads ?? physicalCores(),
      contextSize: contextSize ?? undefined,
    });
    try {
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
    const { json, rows: wanted } = flagsOf(command, { ...previewOptions, ...rowsShown });
    const options = resolveOptions(givenFlags(command, rowsOptions));
    const { resolveModel } = await import('../files/local-models.ts');
    const { openGguf } = await import('../files/gguf/read.ts');
    const { openTokenizer } = await import('../tokens/llama-cpp.ts');
    const { readExamples } = await import('../jobs/dataset-files.ts');
    const { buildSets } = await import('../jobs/row-sets.ts');
    const { resolveChatTemplate } = await import('../config/chat-template.ts');
    const { withChatTemplate } = await import('../text/chat-template.ts');
    const { modelNotes } = await import('../models/model-notes.ts');
    const { renderPreview } = await import('../tokens/preview.ts');
    const { countRefusal, endless, neverStops } = await import('../tokens/rows.ts');
    const { showsColour } = await import('../chat/terminal-abilities.ts');
    const { path } = await resolveModel(options.model);
    const dataset = await readExamples(data, options);
    const model = withChatTemplate(openGguf(path), resolveChatTemplate(options.chatTemplate));
    try {
      const tokenizer = await openTokenizer(path);
      try {
        // As a run does.
        const progress = (message: string): void => void process.stderr.write(`${message}\n`);
        const sets = await buildSets({
          train: dataset.train,
          validation: [],
          settings: options,
          model,
          tokenizer,
          progress,
        });
        const { rows, report } = sets.train;
        const remedy = sets.remedy();
        const fault = neverStops(rows, tokenizer) ? endless : null;
        for (const refusal of dataset.refusals) countRefusal(report, refusal);
        // As a run says before it begins.
        const notes = [...dataset.notes, ...modelNotes(model)];
        if (json) printRows(rows.slice(0, wanted), { format: dataset.format, notes }, { fault, remedy, ...report });
        else {
          print(`format: ${dataset.format} (${[...new Set(dataset.files.map(({ why }) => why))].join(', ')})`);
          for (const note of notes) print(harmless(note));
          const color = showsColour(process.stdout);
          process.stdout.write(`${renderPreview(rows, report, tokenizer, { rows: wanted, color })}\n`);
          if (fault) print(`A run refuses these rows: ${fault}.`);
          if (remedy) print(harmless(remedy));
        }
      } finally {
        await tokenizer.close();
      }
    } finally {
      model.close();
    }
  });
}

/** The rows and their counts for programs. */
function printRows(
  rows: readonly TokenRow[],
  { format, notes }: Pick<Dataset, 'format' | 'notes'>,
  report: RowsReport & { readonly fault: string | null; readonly remedy: string | null },
): void {
  for (const { source, supervised, tokens } of rows)
    print(JSON.stringify({ type: 'row', source, tokens: [...tokens], supervised: [...supervised] }));
  print(JSON.stringify({ type: 'counts', format, notes, ...report }));
}

function assertExportable(run: string, adapter: string, record: RunRecord): void {
  if (record.settings.method !== 'lora') {
    throw new NomoatError({
      part: run,
      fault: 'trained every weight: it has no adapter',
      remedy: `Its result is a whole model, which others load as it is: ${run}/model/model.gguf`,
    });
  }
  if (existsSync(adapter)) return;
  throw new NomoatError({
    part: run,
    fault: `is a run without a result yet (${record.state})`,
    remedy: `Finish it first: nomoat tune --resume ${shellQuote(run)}`,
  });
}

/** What does nothing in this format. */
const exportFaults = ({ ollamaAdapter, to, type }: Given): string[] => [
  ...(ollamaAdapter && to !== 'ollama' ? [`--ollama-adapter: does nothing with --to ${to}`] : []),
  ...(type !== undefined && (ollamaAdapter || (to !== 'ollama' && to !== 'merged-gguf'))
    ? ['--type: nothing is merged, so there is no type to choose']
    : []),
];

export function exportCommand(): Command {
  const command = new Command('export').description(commandSettings.export.summary).argument('<RUN>');
  return addFlags(command, exportOptions).action(async (run: string) => {
    const { to: format, out, type, ollamaAdapter } = flagsOf(command, exportOptions, { together: exportFaults });
    const { exportAdapter } = await import('../adapter/export.ts');
    const { RunFolder } = await import('../jobs/run-folder.ts');
    const { openGguf } = await import('../files/gguf/read.ts');
    const { readPeft } = await import('../adapter/peft.ts');
    const { readAdapterBase } = await import('../adapter/adapter-base.ts');
    const folder = new RunFolder(run);
    const record = folder.read();
    const { doubtOf } = await import('../jobs/run-result.ts');
    const doubt = doubtOf(run, record);
    // PEFT computes as the trainer does.
    if (doubt !== null && format !== 'peft') process.stderr.write(`${doubt}\n`);
    assertExportable(run, folder.adapter, record);
    const { assertSameBase } = await import('../jobs/base-model.ts');
    const { withChatTemplate } = await import('../text/chat-template.ts');
    await assertSameBase(run, record);
    const { chatTemplate = null } = record.settings;
    const model = withChatTemplate(openGguf(record.settings.modelPath), chatTemplate);
    try {
      const written = await exportAdapter({
        format,
        adapter: readPeft(folder.adapter),
        model,
        out,
        mergedType: type ?? 'F16',
        ollamaAdapter,
        systemPrompt: record.systemPrompt,
        chatTemplate,
        base: readAdapterBase(folder.adapter),
      });
      for (const path of written) print(path);
    } finally {
      model.close();
    }
  });
}

export function pullCommand(): Command {
  const command = new Command('pull').description(commandSettings.pull.summary).argument('<NAME>');
  return addFlags(command, pullOptions).action(async (name: string) => {
    const { source } = flagsOf(command, pullOptions);
    const { pullModel } = await import('../files/hub.ts');
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

const cacheShown = { json: toggle(false, 'with --cache or --prune: one JSON object') };

export function modelsCommand(): Command {
  const command = new Command('models').description(commandSettings.models.summary);
  return addFlags(command, { ...modelsOptions, ...cacheShown }).action(async () => {
    const { cache, json, prune } = flagsOf(command, { ...modelsOptions, ...cacheShown });
    if (cache || prune) {
      const { showCache } = await import('./cache.ts');
      print(await showCache({ prune, json }));
      return;
    }
    const { findLocalModels } = await import('../files/local-models.ts');
    const { CATALOGUE } = await import('../files/catalogue.ts');
    const size = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`.padStart(8);
    const local = await findLocalModels();
    const widest = Math.max(0, ...[...local, ...CATALOGUE].map(({ name }) => name.length));
    print(local.length > 0 ? 'On this machine:' : 'On this machine: none');
    for (const { bytes, name, path } of local) print(`  ${name.padEnd(widest)} ${size(bytes)}  ${path}`);
    print('To pull (sizes are approximate):');
    for (const { bytes, licence, name } of CATALOGUE)
      print(`  ${name.padEnd(widest)} ${size(bytes)}  licence ${licence}`);
  });
}

export function runsCommand(): Command {
  return new Command('runs').description('the runs in ./runs').action(async () => {
    const { listRuns } = await import('../jobs/run-folder.ts');
    const runs = listRuns('runs');
    if (runs.length === 0) print('No runs here.');
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
    const { doctor, renderDoctor } = await import('../jobs/doctor.ts');
    const report = await doctor();
    print(json ? JSON.stringify(report) : renderDoctor(report));
  });
}
