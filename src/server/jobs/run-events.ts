/**
 * What a run says, as events and checkpoints of its job. Promises: a run that is read again from its beginning, after a kill, tells nothing
 * twice; texts are those of OpenAI's where it has some.
 */
import type {
  CheckpointSavedEvent,
  DataReadyEvent,
  EstimateEvent,
  NoticeEvent,
  RunEvent,
  RunStartEvent,
  StepEndEvent,
  ValidationEvent,
} from '../../events.ts';
import type { TrainingSampleEvent } from '../../sample-events.ts';
import type { VerdictEvent } from '../../verdict-event.ts';
import { nowInSeconds } from '../state/ids.ts';
import type { Hyperparameters, JobStore, NewEvent } from '../state/job-store.ts';
import { preferenceData } from './result-file.ts';

/** Refused rows that are named one by one. */
const namedRows = 5;

/** Notices of a run that something went otherwise than it should. */
const warnings: ReadonlySet<string> = new Set([
  'checkpoint',
  'diverged',
  'no-samples',
  'no-verdict',
  'parity-failed',
  'smaller-micro-batch',
  'damaged-log',
]);

const round = (value: number): string => value.toFixed(4);

/** How many pairs are the right way round, behind a loss of preferences. */
const rightOf = ({ preference }: StepEndEvent | ValidationEvent): string =>
  typeof preference?.accuracy === 'number' ? `, accuracy=${round(preference.accuracy)}` : '';

/** Follows one run. */
export class RunTeller {
  private readonly jobs: JobStore;
  private readonly job: string;
  private steps = 0;
  private perEpoch = 0;
  /** Of the last step and the last validation. */
  private trained: StepEndEvent | null = null;
  private validated: ValidationEvent | null = null;

  constructor(jobs: JobStore, job: string) {
    this.jobs = jobs;
    this.job = job;
  }

  /** Takes note of an event of the run, also of one that was heard before. */
  hear(event: RunEvent): void {
    if (event.type === 'run-start') this.started(event);
    else if (event.type === 'data-ready') this.ready(event);
    else if (event.type === 'estimate') this.estimate(event);
    else if (event.type === 'step-end') this.step(event);
    else if (event.type === 'validation') this.validation(event);
    else if (event.type === 'training-sample') this.sample(event);
    else if (event.type === 'checkpoint-saved') this.checkpoint(event);
    else if (event.type === 'verdict') this.verdict(event);
    else if (event.type === 'notice') this.notice(event);
  }

  private tell(event: NewEvent): void {
    this.jobs.tell(this.job, event);
  }

  private started({ model, settings }: RunStartEvent): void {
    const { batchSize, beta, epochs, learningRate } = settings;
    const job = this.jobs.find(this.job);
    if (!job || typeof epochs !== 'number' || typeof batchSize !== 'number') return;
    const multiplier = job.asked.hyperparameters.learning_rate_multiplier;
    const known: Hyperparameters = {
      n_epochs: epochs,
      batch_size: batchSize,
      learning_rate_multiplier: multiplier === 'auto' ? 1 : multiplier,
      ...(typeof beta === 'number' ? { beta } : {}),
    };
    const message = `Training ${model}: ${epochs} epochs, batches of ${batchSize}, learning rate ${String(learningRate)}.`;
    this.jobs.change(this.job, { learned: { hyperparameters: known } }, [{ key: 'settings', message }]);
  }

  private ready(event: DataReadyEvent): void {
    this.steps = event.steps;
    this.perEpoch = event.stepsPerEpoch;
    const { refused, refusedRows, rows, truncatedRows, validationRows } = event;
    const held = validationRows > 0 ? `, ${validationRows} to validate with` : '';
    this.tell({ key: 'data', message: `${rows} examples to train on${held}; ${event.steps} steps.` });
    if (truncatedRows > 0)
      this.tell({
        key: 'truncated',
        level: 'warn',
        message: `${truncatedRows} examples are longer than the model takes, and are cut.`,
      });
    if (refusedRows === 0) return;
    const named = refused.slice(0, namedRows).map(({ reason, source }) => `line ${source.line}: ${reason}`);
    this.tell({
      key: 'refused',
      level: 'warn',
      message: `${refusedRows} examples cannot be learnt from and are left out (${named.join('; ')}).`,
    });
  }

  private estimate({ seconds }: EstimateEvent): void {
    this.jobs.change(this.job, { learned: { estimated_finish: nowInSeconds() + Math.ceil(seconds) } });
  }

  private verdict({ examples, heldOut, sentences }: VerdictEvent): void {
    this.tell({ key: 'verdict', message: `On ${examples} of ${heldOut} held-out examples: ${sentences.join(' ')}` });
  }

  private step(event: StepEndEvent): void {
    this.trained = event;
    const step = event.step + 1;
    this.tell({
      key: `step ${step}`,
      type: 'metrics',
      message: `Step ${step}/${this.steps}: training loss=${round(event.loss)}${rightOf(event)}`,
      data: { step, total_steps: this.steps, train_loss: event.loss, ...preferenceData('train', event) },
    });
  }

  private validation(event: ValidationEvent): void {
    this.validated = event;
    this.tell({
      key: `validation ${event.step}`,
      type: 'metrics',
      message: `Step ${event.step}/${this.steps}: validation loss=${round(event.loss)}${rightOf(event)}`,
      data: {
        step: event.step,
        total_steps: this.steps,
        valid_loss: event.loss,
        full_valid_loss: event.loss,
        ...preferenceData('valid', event),
      },
    });
  }

  private sample({ answer, expected, prompt, step }: TrainingSampleEvent): void {
    const message = `Step ${step}/${this.steps}: asked ${JSON.stringify(prompt)}, answered ${JSON.stringify(answer)}, expected ${JSON.stringify(expected)}`;
    this.tell({ key: `sample ${step} ${prompt}`, message });
  }

  /** Those that a run keeps: others are there for a kill only. */
  private checkpoint({ step }: CheckpointSavedEvent): void {
    if (step === 0 || (step !== this.steps && step % this.perEpoch !== 0)) return;
    const validation = this.validated?.step === step ? this.validated.loss : null;
    this.jobs.addCheckpoint(this.job, step, {
      step,
      ...(this.trained?.step === step - 1 ? { train_loss: this.trained.loss } : {}),
      ...(validation === null ? {} : { valid_loss: validation, full_valid_loss: validation }),
    });
    this.tell({ key: `checkpoint ${step}`, message: `Checkpoint created at step ${step}` });
  }

  private notice({ code, message }: NoticeEvent): void {
    this.tell({ key: `notice ${code} ${message}`, level: warnings.has(code) ? 'warn' : 'info', message });
  }
}
