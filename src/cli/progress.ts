/** Events of a run for people: a bar on a terminal, plain lines in a log. Knows nothing of processes. */
import type { ExportParityEvent, RunEvent } from '../events.ts';
import type { PreferenceFigures } from '../losses/preference-tally.ts';
import type { Proposal } from '../plan/proposal.ts';
import { fixed } from '../run/figures.ts';
import { placeOf } from '../text/example.ts';
import { type Out, StatusLine } from './status-line.ts';
import { eventInCommandWords, inCommandWords } from './words.ts';

export const duration = (seconds: number): string =>
  seconds < 90
    ? `${Math.round(seconds)} s`
    : seconds < 5400
      ? `${Math.round(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(1)} h`;

/** Refused rows that are named; `nomoat preview` names more. */
const shownRefusals = 3;
/** What is said of where activations are kept. */
const heldAs = {
  keep: '',
  float16: '; activations kept as float16 to save memory',
  recompute: '; activations recomputed to save memory',
} as const;

/** How a run ended, in the words of its last line. */
const endWords: Readonly<Record<Extract<RunEvent, { type: 'run-end' }>['state'], string>> = {
  done: 'Done',
  'stopped-early': 'Done',
  interrupted: 'Interrupted',
  failed: 'Failed',
  diverged: 'Diverged: no result,',
  'proof-failed': 'Trained, but its proof failed,',
};

/** What a proof found, and how it is judged. */
function parityText({ bound, meanDifference, passed, tokens, worstDifference }: ExportParityEvent): string {
  const found =
    meanDifference === null
      ? "llama.cpp's numbers are not finite"
      : `llama.cpp differs by ${fixed(meanDifference, 5)} nats on average, ${fixed(worstDifference, 4)} at worst`;
  const judged =
    passed === null
      ? 'quantized: shown, not judged'
      : `${bound === null ? '' : `bound ${bound}: `}${passed ? 'passed' : 'FAILED'}`;
  return `${found}, over ${tokens} tokens (${judged})`;
}

/** Rewards and accuracy beside a loss. */
function preferenceText({ accuracy, chosenLogProbability, margin }: PreferenceFigures): string {
  const parts = [
    ...(accuracy === null ? [] : [`${fixed(100 * accuracy, 1)}% right`]),
    ...(margin === null ? [] : [`margin ${fixed(margin, 3)}`]),
    ...(chosenLogProbability === null ? [] : [`chosen ${fixed(chosenLogProbability, 3)} nats per token`]),
  ];
  return `  ${parts.join(', ')}`;
}

/** Further lines of a text under its first one. */
const indented = (text: string): string => text.replaceAll('\n', `\n${' '.repeat(12)}`);
/** Of a text in a line among others: the log has all of it. */
const shortText = 60;
function inShort(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  const characters = [...line];
  return characters.length <= shortText ? line : `${characters.slice(0, shortText).join('')} ...`;
}
const hundredths = (score: number): string => fixed(100 * score, 1);
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;
const count = (value: number): string => value.toLocaleString('en');

export class Progress {
  private readonly status: StatusLine;
  private steps = 1;
  private proposed = false;
  private validation: number | null = null;
  private secondsPerStep = 0;

  constructor(out: Out) {
    this.status = new StatusLine(out);
  }

  private line(text: string): void {
    this.status.line(text);
  }

  private readonly handlers: { readonly [T in RunEvent['type']]: (event: Extract<RunEvent, { type: T }>) => void } = {
    'run-start': (e) => {
      if (e.resumedFromStep !== undefined) this.line(`Resuming after step ${e.resumedFromStep}.`);
      this.line(`Model    ${e.model} (${e.architecture}, ${count(e.parameters)} parameters)`);
      this.line(
        `Training ${count(e.trainableParameters)} parameters (${((100 * e.trainableParameters) / e.parameters).toFixed(2)}%) in ${e.run}`,
      );
    },
    'data-ready': (e) => {
      this.steps = e.steps;
      this.line(
        `Data     ${e.format}: ${count(e.rows)} rows, ${count(e.tokens)} tokens, ${count(e.supervisedTokens)} supervised (${((100 * e.supervisedTokens) / e.tokens).toFixed(1)}%); ${e.truncatedRows} truncated, ${e.splitRows} split, ${e.refusedRows} refused, ${e.duplicateRows} duplicates`,
      );
      for (const [reason, rows] of Object.entries(e.refusals)) this.line(`         ${rows} refused: ${reason}`);
      for (const { reason, source } of e.refused.slice(0, shownRefusals))
        this.line(`           ${placeOf(source)} ${reason}`);
      if (e.validationRows > 0)
        this.line(
          `Held out ${count(e.validationRows)} rows, ${count(e.validationSupervisedTokens)} supervised tokens${e.leakedRows > 0 ? `; ${e.leakedRows} training rows also stand here` : ''}`,
        );
      else this.line('Held out nothing: give --validation to see whether it learns more than the data by heart.');
      this.line(`Steps    ${e.steps} (${e.stepsPerEpoch} an epoch)`);
    },
    plan: (e) => {
      // Said when it was asked whether to begin.
      if (this.proposed) return;
      this.line(
        `Plan     ${duration(e.seconds)} at ${fixed(e.tokensPerSecond, 0)} tokens/s, first step after ${duration(e.firstStepSeconds)}, up to ${gigabytes(e.peakMemoryBytes)} of memory and ${gigabytes(e.diskBytes)} of disk${e.measured ? '' : ' (estimated: no block was measured)'}${heldAs[e.activations]}${e.streamed ? ', blocks read from the disk' : ''}`,
      );
    },
    estimate: (e) =>
      this.line(
        `Estimate ${duration(e.seconds)} of training at ${fixed(e.tokensPerSecond, 0)} tokens/s, up to ${gigabytes(e.peakMemoryBytes)} of memory; then the proof and the samples`,
      ),
    precision: (e) =>
      this.line(
        `Base     ${e.precision === 'int8' ? 'int8' : 'float32'}: ${e.reason}${e.divergence === null ? '' : `; int8 diverges by ${fixed(e.divergence, 4)} nats (bound ${e.bound})`}${e.levels !== null && e.levels < 127 ? '; 7-bit weights, because int8 sums saturate on this processor' : ''}`,
      ),
    'step-end': (e) => {
      const seconds = e.tokens / e.tokensPerSecond;
      this.secondsPerStep = this.secondsPerStep === 0 ? seconds : 0.8 * this.secondsPerStep + 0.2 * seconds;
      const left = duration((this.steps - e.step - 1) * this.secondsPerStep);
      const text = `step ${e.step + 1}/${this.steps}  loss ${fixed(e.loss, 4)}${e.preference ? preferenceText(e.preference) : ''}${this.validation === null ? '' : `  validation ${fixed(this.validation, 4)}`}  ${fixed(e.tokensPerSecond, 0)} tokens/s  ${left} left`;
      this.status.progress(e.step + 1, this.steps, text);
    },
    validation: (e) => {
      this.validation = e.loss;
      const bits = e.bitsPerByte === undefined ? '' : `, ${fixed(e.bitsPerByte, 4)} bits per byte`;
      const unit = e.preference ? preferenceText(e.preference) : ` nats per token${bits}`;
      this.line(`Validation after ${e.step} steps: ${fixed(e.loss, 4)}${unit} (${count(e.tokens)} tokens)`);
    },
    'checkpoint-saved': (e) => {
      if (!this.status.drawsBar) this.line(`Checkpoint after ${e.step} steps${e.best ? ' (best so far)' : ''}`);
    },
    'export-parity': (e) => this.line(`Parity   ${e.base}: ${parityText(e)}`),
    notice: (e) => this.line(e.message),
    'training-sample': (e) =>
      this.line(`  ${inShort(e.prompt)} -> ${inShort(e.answer)} (expected ${inShort(e.expected)})`),
    sample: (e) =>
      this.line(
        `\n  asked     ${indented(e.prompt)}\n  expected  ${indented(e.expected)}\n  before    ${indented(e.before)}\n  after     ${indented(e.after)}`,
      ),
    verdict: (e) => {
      const all = e.examples < e.heldOut ? ` of ${count(e.heldOut)}, drawn at random` : '';
      this.line(`\nVerdict  on ${count(e.examples)} held-out examples${all}, ${e.metric}, in ${duration(e.seconds)}:`);
      for (const {
        interval: [low, high],
        name,
        score,
      } of e.scores)
        this.line(
          `  ${hundredths(score).padStart(5)}  ${`(${hundredths(low)} to ${hundredths(high)})`.padEnd(15)} ${name}`,
        );
      for (const sentence of e.sentences) this.line(`  ${sentence}`);
    },
    'answer-drift': (e) =>
      this.line(
        `Answers  of ${fixed(e.tokensAfter, 0)} tokens, ${fixed(e.tokensBefore, 0)} before (to ${e.prompts} held-out prompts; ${e.cutAfter} cut, ${e.cutBefore} before); KL to the base ${fixed(e.divergence, 3)} nats per token`,
      ),
    safety: (e) => {
      this.line(`\nSafety   likelihoods of refusals and first words beside the base, in ${duration(e.seconds)}:`);
      for (const sentence of e.sentences) this.line(`  ${sentence}`);
    },
    'run-end': (e) => {
      this.line('');
      if (e.state === 'stopped-early')
        this.line(`Stopped early after ${e.steps} of ${this.steps} steps: validation got no better.`);
      if (e.validationBefore !== null && e.validationAfter !== null)
        this.line(
          `Validation loss ${fixed(e.validationBefore, 4)} before, ${fixed(e.validationAfter, 4)} after${e.bestStep !== null && e.bestStep !== e.steps && e.state !== 'diverged' ? ` step ${e.bestStep}, the best: the result is of that step` : ''}`,
        );
      this.line(
        `${endWords[e.state]} after ${duration(e.seconds)}${e.secondsBefore > 0 ? ` (and ${duration(e.secondsBefore)} before it was resumed)` : ''}, ${gigabytes(e.peakMemoryBytes)} at the peak${e.adapter ? `; adapter in ${e.adapter}` : ''}${e.model ? `; model in ${e.model}` : ''}`,
      );
    },
    error: () => this.line(''),
  };

  /** What a run will be, before somebody is asked whether it shall begin. */
  propose({ chosen, model, money, notes, plan, refusedRows, ...data }: Proposal): void {
    const refused = refusedRows > 0 ? `, ${count(refusedRows)} refused` : '';
    this.line(`Model    ${model} (${count(data.parameters)} parameters)`);
    this.line(
      `Data     ${count(data.rows)} rows${refused}, ${count(data.tokens)} tokens, ${count(data.supervisedTokens)} supervised; ${count(data.steps)} steps`,
    );
    for (const text of [...(chosen === null ? [] : [chosen]), ...notes]) this.line(`         ${inCommandWords(text)}`);
    this.show(plan);
    this.line(
      `Money    ${money.energyCost.toFixed(3)} of electricity (${money.watts} W at ${money.perKilowattHour} a kWh), or ${money.rentedCost.toFixed(3)} where the machine is rented at ${money.perHour} an hour`,
    );
    this.proposed = true;
  }

  show(event: RunEvent): void {
    (this.handlers[event.type] as (e: RunEvent) => void)(eventInCommandWords(event));
  }
}
