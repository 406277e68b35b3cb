/**
 * One run from settings to report, inside the training process: data, model, training, adapter, parity proof, samples.
 * Promises: every stage can be killed and resumed; the order is such that nothing is said to be done before it is durable.
 */
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { renderCard } from '../adapter/card.ts';
import { writeGgufLora } from '../adapter/gguf-lora.ts';
import { measureParity, parityBase, parityBoundOn } from '../adapter/parity.ts';
import { writePeft } from '../adapter/peft.ts';
import { readAdapter } from '../adapter/read-adapter.ts';
import { shuffled } from '../batches/order.ts';
import { packRows } from '../batches/pack.ts';
import { openChatModel } from '../chat/engine.ts';
import { NomoatError } from '../errors.ts';
import { replaceFolderAtomic, writeFileAtomic } from '../files/atomic-write.ts';
import { openGguf } from '../files/gguf/read.ts';
import type { GgufFile } from '../files/gguf/types.ts';
import { nomoatModelsFolder, surroundings } from '../files/model-folders.ts';
import type { LoraAdapter } from '../lora/adapter.ts';
import { initLora } from '../lora/init.ts';
import { parameterCount, projectionDimensions, readModelConfig } from '../models/config.ts';
import { chatTemplateOf } from '../text/chat-template.ts';
import type { Example, Message } from '../text/example.ts';
import { openTokenizer } from '../tokens/llama-cpp.ts';
import { assertTrainable, buildRows, leakedRows, type RowsReport } from '../tokens/rows.ts';
import type { TokenRow } from '../tokens/token-row.ts';
import { loadLatest, loadParameters, saveCheckpoint, type TrainerState } from '../train/checkpoint.ts';
import { createLoraStep } from '../train/model-step.ts';
import { initAdamW } from '../train/optimizer.ts';
import type { TrainStep } from '../train/step.ts';
import { microBatchTokens, trainLoop } from '../train/trainer.ts';
import { type Dataset, readExamples } from './dataset-files.ts';
import type { RunEndEvent, RunEvent } from './events.ts';
import { machineFacts, physicalCores, treeMemoryBytes } from './machine.ts';
import { renderReport } from './report.ts';
import { createRunFolder, RunFolder, type RunRecord } from './run-folder.ts';
import type { RunSettings } from './run-settings.ts';
import { version } from './version.ts';

/** Held-out rows of the parity proof: enough for a mean, few enough to take seconds. */
const parityRows = 20;
const sampleCount = 3;
/** A sample shows what the model does; a model that does not stop need not be shown for long. */
const sampleTokens = 80;

interface Prepared {
  readonly dataset: Dataset;
  readonly train: readonly TokenRow[];
  readonly validation: readonly TokenRow[];
  /** Conversations to show samples of: held out where there are any. */
  readonly sampled: readonly Example[];
  readonly report: RowsReport;
  readonly leaked: number;
  readonly validationReport: RowsReport | null;
}

/** Examples for training and validation: a file, a folder's own, or a seeded fraction of the training examples. */
function divide(
  settings: RunSettings,
  dataset: Dataset,
): { train: readonly Example[]; validation: readonly Example[] } {
  const { validation } = settings;
  if (typeof validation === 'string')
    return { train: dataset.train, validation: readExamples([validation], settings).train };
  if (validation === null || dataset.validation) return { train: dataset.train, validation: dataset.validation ?? [] };
  const count = Math.round(dataset.train.length * validation);
  if (count < 1 || count >= dataset.train.length) {
    throw new NomoatError({
      part: '--validation',
      fault: `${validation} of ${dataset.train.length} examples leaves ${count} for validation`,
      remedy: 'Give another fraction, or a file.',
    });
  }
  const held = new Set(shuffled(dataset.train.length, settings.seed).slice(0, count));
  return {
    train: dataset.train.filter((_, i) => !held.has(i)),
    validation: dataset.train.filter((_, i) => held.has(i)),
  };
}

async function prepare(settings: RunSettings, model: GgufFile): Promise<Prepared> {
  const dataset = readExamples(settings.data, settings);
  const { train, validation } = divide(settings, dataset);
  const tokenizer = await openTokenizer(settings.modelPath);
  try {
    const template = () => chatTemplateOf(model);
    const { contextLength } = readModelConfig(model);
    const options = {
      ...settings,
      template,
      tokenizer,
      sequenceLength: Math.min(settings.sequenceLength, contextLength),
    };
    const rows = buildRows(train, options);
    for (const { source, reason } of dataset.refusals) {
      rows.report.refusedRows++;
      rows.report.refusals[reason] = (rows.report.refusals[reason] ?? 0) + 1;
      rows.report.refused.push({ source, reason });
    }
    assertTrainable(rows.rows, rows.report, tokenizer);
    const held = validation.length > 0 ? buildRows(validation, options) : null;
    if (held && held.rows.length === 0) {
      throw new NomoatError({
        part: 'the validation data',
        fault: 'no row has a supervised token',
        remedy: 'Look at it with `nomoat preview`, or leave --validation out.',
      });
    }
    return {
      dataset,
      train: rows.rows,
      validation: held?.rows ?? [],
      sampled: validation.length > 0 ? validation : train,
      report: rows.report,
      leaked: held ? leakedRows(rows.rows, held.rows) : 0,
      validationReport: held?.report ?? null,
    };
  } finally {
    await tokenizer.close();
  }
}

function dataReady(prepared: Prepared, steps: number, stepsPerEpoch: number): RunEvent {
  const { report, validationReport } = prepared;
  return {
    type: 'data-ready',
    format: prepared.dataset.format,
    rows: report.rows,
    tokens: report.tokens,
    supervisedTokens: report.supervisedTokens,
    truncatedRows: report.truncatedRows,
    refusedRows: report.refusedRows,
    splitRows: report.splitRows,
    refusals: report.refusals,
    duplicateRows: report.duplicateRows,
    leakedRows: prepared.leaked,
    validationRows: validationReport?.rows ?? 0,
    validationTokens: validationReport?.tokens ?? 0,
    validationSupervisedTokens: validationReport?.supervisedTokens ?? 0,
    stepsPerEpoch,
    steps,
  };
}

function startingAdapter(settings: RunSettings, model: GgufFile): LoraAdapter {
  const { alpha, dropout, rslora } = settings;
  if (settings.initialAdapter) {
    return { ...readAdapter(settings.initialAdapter, model, { alpha, rslora, baseModel: settings.model }), dropout };
  }
  const config = readModelConfig(model);
  return initLora({
    ...settings,
    baseModel: settings.model,
    layers: config.layers,
    dimensions: (projection) => projectionDimensions(config, projection),
  });
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** The system prompt that every conversation begins with, or null. */
function commonSystemPrompt(examples: readonly Example[]): string | null {
  const prompts = new Set(
    examples.map((e) => (e.kind === 'chat' && e.messages[0]?.role === 'system' ? e.messages[0].content : null)),
  );
  return prompts.size === 1 ? [...prompts][0]! : null;
}

async function newRecord(settings: RunSettings, prepared: Prepared): Promise<RunRecord> {
  const { cpuName, ...machine } = machineFacts() as unknown as Record<string, unknown>;
  return {
    nomoat: version,
    state: 'running',
    created: new Date().toISOString(),
    modelDigest: await digestOf(settings.modelPath),
    dataDigests: Object.fromEntries(
      prepared.dataset.files.map(({ path }) => [
        basename(path),
        createHash('sha256').update(readFileSync(path)).digest('hex'),
      ]),
    ),
    machine: { cpuName, ...machine },
    systemPrompt: commonSystemPrompt(prepared.dataset.train),
    validationBefore: null,
    validationAfter: null,
    settings,
  };
}

export interface RunOptions {
  readonly settings: RunSettings;
  readonly resume: boolean;
  readonly emit: (event: RunEvent) => void;
  readonly signal: AbortSignal;
}

/** Runs or resumes. Every event is in events.jsonl before it is emitted. Throws NomoatError; the folder then stays resumable. */
export async function runTraining({ settings, resume, emit, signal }: RunOptions): Promise<RunEndEvent> {
  const started = performance.now();
  const model = openGguf(settings.modelPath);
  readModelConfig(model);
  const prepared = await prepare(settings, model);
  const folder = resume ? new RunFolder(settings.run) : createRunFolder(settings, await newRecord(settings, prepared));
  if (resume) folder.lock();
  const tell = (event: RunEvent): void => {
    folder.append(event);
    emit(event);
  };
  try {
    const run = new Run(settings, folder, model, prepared, tell, signal, started);
    return await run.go();
  } catch (error) {
    const record = folder.read();
    folder.write({ ...record, state: 'failed' });
    throw error;
  } finally {
    folder.unlock();
    model.close();
  }
}

class Run {
  private readonly settings: RunSettings;
  private readonly folder: RunFolder;
  private readonly model: GgufFile;
  private readonly prepared: Prepared;
  private readonly tell: (event: RunEvent) => void;
  private readonly signal: AbortSignal;
  private readonly started: number;
  private readonly threads: number;

  constructor(
    settings: RunSettings,
    folder: RunFolder,
    model: GgufFile,
    prepared: Prepared,
    tell: (event: RunEvent) => void,
    signal: AbortSignal,
    started: number,
  ) {
    this.settings = settings;
    this.folder = folder;
    this.model = model;
    this.prepared = prepared;
    this.tell = tell;
    this.signal = signal;
    this.started = started;
    this.threads = settings.threads ?? physicalCores();
  }

  async go(): Promise<RunEndEvent> {
    const { folder, prepared, settings } = this;
    const adapter = startingAdapter(settings, this.model);
    const step = await createLoraStep({ model: this.model, adapter, threads: this.threads });
    const optimizer = initAdamW(step.parameters);
    const saved = loadLatest(folder.checkpoints, step.parameters, optimizer);
    const state: TrainerState = saved ?? {
      step: 0,
      validationBefore: null,
      bestLoss: null,
      bestStep: null,
      withoutImprovement: 0,
      seconds: 0,
    };
    folder.openLog(saved?.eventBytes ?? 0);
    folder.write({ ...folder.read(), state: 'running' });
    const stepsPerEpoch = Math.ceil(prepared.train.length / settings.batchSize);
    const planned = Math.ceil(stepsPerEpoch * settings.epochs);
    const steps = settings.maxSteps === null ? planned : Math.min(planned, settings.maxSteps);
    this.tell({
      type: 'run-start',
      run: folder.path,
      model: settings.model,
      architecture: this.model.string('general.architecture')!,
      parameters: parameterCount(this.model),
      trainableParameters: step.parameters.reduce((total, { value }) => total + value.length, 0),
      settings: { ...settings },
      ...(saved ? { resumedFromStep: saved.step } : {}),
    });
    this.tell(dataReady(prepared, steps, stepsPerEpoch));
    const save = (): RunEvent => {
      // The event that says so counts as part of the state, or a resumed log would miss it.
      const path = join(folder.checkpoints, String(state.step).padStart(6, '0'));
      const event: RunEvent = { type: 'checkpoint-saved', step: state.step, path, best: state.bestStep === state.step };
      const eventBytes = folder.eventBytes + Buffer.byteLength(`${JSON.stringify(event)}\n`);
      saveCheckpoint(folder.checkpoints, step.parameters, optimizer, { ...state, eventBytes });
      return event;
    };
    const loop = trainLoop({
      step,
      optimizer,
      train: prepared.train,
      validation: prepared.validation,
      steps,
      settings,
      state,
      save,
      signal: this.signal,
    });
    let next = await loop.next();
    while (!next.done) {
      this.tell(next.value);
      next = await loop.next();
    }
    if (next.value === 'interrupted') {
      await step.close();
      return this.end('interrupted', null, state);
    }
    if (state.bestStep !== null) loadParameters(folder.checkpoints, state.bestStep, step.parameters);
    await this.finish(adapter, step, state);
    return this.end(next.value, folder.adapter, state);
  }

  /** Adapter, parity proof, samples. */
  private async finish(adapter: LoraAdapter, step: TrainStep, state: TrainerState): Promise<void> {
    const { folder, prepared } = this;
    replaceFolderAtomic(folder.adapter, (temporary) => {
      writePeft(temporary, adapter);
      writeGgufLora(join(temporary, 'adapter.gguf'), adapter, this.model);
      writeFileAtomic(join(temporary, 'README.md'), this.card(adapter, state));
    });
    const rows = (prepared.validation.length > 0 ? prepared.validation : prepared.train).slice(0, parityRows);
    const ours: Float32Array[] = [];
    for (const row of rows) {
      const [batch] = packRows([row], {
        packing: true,
        microBatchSize: null,
        maxTokens: microBatchTokens,
        padToken: 0,
      });
      ours.push(await step.logProbabilities(batch!));
    }
    await step.close();
    await this.proveParity(rows, ours);
    await this.showSamples();
  }

  private async proveParity(rows: readonly TokenRow[], ours: readonly Float32Array[]): Promise<void> {
    const cache = join(dirname(nomoatModelsFolder(surroundings())), 'parity');
    mkdirSync(cache, { recursive: true });
    const base = parityBase(this.model, cache);
    const adapterPath = join(this.folder.adapter, 'adapter.gguf');
    const bases = base === this.model.path ? [base] : [base, this.model.path];
    for (const modelPath of bases) {
      const parity = await measureParity({
        modelPath,
        adapterPath,
        rows,
        ours,
        threads: this.threads,
        signal: this.signal,
      });
      // On a quantised file llama.cpp's own arithmetic differs; that figure is shown, not judged.
      const opened = openGguf(modelPath);
      const bound = parityBoundOn(opened);
      opened.close();
      const passed = bound === null ? null : parity.meanDifference <= bound;
      this.tell({
        type: 'export-parity',
        base: basename(modelPath),
        ...parity,
        bound,
        passed,
      });
      if (passed === false) {
        this.tell({
          type: 'notice',
          code: 'parity-failed',
          message: `llama.cpp's log-probabilities differ from the trainer's by ${parity.meanDifference.toFixed(4)} on average, above the bound of ${bound}: do not trust the exported adapter before this is explained.`,
        });
      }
    }
  }

  private async showSamples(): Promise<void> {
    const questions = this.prepared.sampled.flatMap((example) => {
      const question = questionOf(example);
      return question ? [question] : [];
    });
    const chosen = questions.slice(0, sampleCount);
    if (chosen.length === 0) return;
    const answers = async (adapterPath: string | null): Promise<string[]> => {
      const chat = await openChatModel({
        modelPath: this.settings.modelPath,
        adapterPath,
        threads: this.threads,
        signal: this.signal,
      });
      const texts: string[] = [];
      for (const { messages } of chosen)
        texts.push(
          (await chat.generate(messages, { temperature: 0, maxTokens: sampleTokens, seed: 0, signal: this.signal }))
            .text,
        );
      await chat.close();
      return texts;
    };
    const before = await answers(null);
    const after = await answers(join(this.folder.adapter, 'adapter.gguf'));
    chosen.forEach(({ expected, messages }, i) => {
      this.tell({
        type: 'sample',
        prompt: messages.at(-1)?.content ?? '',
        expected,
        before: before[i]!,
        after: after[i]!,
      });
    });
  }

  private card(adapter: LoraAdapter, state: TrainerState): string {
    const { settings } = this;
    const { pairs: _, ...described } = adapter;
    return renderCard({
      adapter: described,
      architecture: this.model.string('general.architecture')!,
      data: settings.data.map((path) => basename(path)),
      settings: {
        'learning rate': settings.learningRate,
        schedule: settings.schedule,
        epochs: settings.epochs,
        'batch size': settings.batchSize,
        steps: state.step,
        seed: settings.seed,
      },
      ...(state.bestLoss === null || state.validationBefore === null
        ? {}
        : {
            figures: [
              {
                name: 'validation loss (nats per supervised token)',
                before: state.validationBefore,
                after: state.bestLoss,
              },
            ],
          }),
      files: { ggufLora: 'adapter.gguf' },
      version,
    });
  }

  private end(how: 'done' | 'stopped-early' | 'interrupted', adapter: string | null, state: TrainerState): RunEndEvent {
    const { folder } = this;
    const event: RunEndEvent = {
      type: 'run-end',
      state: how,
      adapter,
      seconds: (performance.now() - this.started) / 1000,
      // This process at its peak, and the one that shows its progress.
      peakMemoryBytes:
        process.resourceUsage().maxRSS * 1024 +
        Math.max(0, treeMemoryBytes(process.ppid) - treeMemoryBytes(process.pid)),
      validationBefore: state.validationBefore,
      validationAfter: state.bestLoss,
    };
    this.tell(event);
    const record = {
      ...folder.read(),
      state: how,
      validationBefore: state.validationBefore,
      validationAfter: state.bestLoss,
    };
    if (how !== 'interrupted') {
      const events = folder.events();
      writeFileAtomic(folder.file('report.json'), `${JSON.stringify({ run: record, events }, null, 1)}\n`);
      writeFileAtomic(folder.file('report.html'), renderReport(record, events));
    }
    folder.write(record);
    return event;
  }
}

/** What the model is asked, and the answer that the data has; null for plain text. */
function questionOf(example: Example): { messages: readonly Message[]; expected: string } | null {
  if (example.kind === 'text') return null;
  if (example.kind === 'completion')
    return { messages: [{ role: 'user', content: example.prompt }], expected: example.completion };
  const last = example.messages.findLastIndex(({ role }) => role === 'assistant');
  return last < 1
    ? null
    : { messages: example.messages.slice(0, last), expected: example.messages[last]!.content ?? '' };
}

/** Where runs go when none is named: runs/<data>-<model>-<n>. */
export function defaultRunName(data: string, model: string): string {
  const stem = (path: string): string => basename(path, extname(path)).replace(/[^\w.-]+/g, '-');
  return `${stem(data)}-${stem(model)}`;
}
