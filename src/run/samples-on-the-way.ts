/**
 * What the model answers while it learns: held-out questions, asked at validations of the adapter as it is then. Promises: all of it together
 * takes no more than a share of the run's time (`sampleShare`) and at most one opening of the model beyond it; training computes what it computes
 * without; nothing here fails a run.
 */
import { rmSync } from 'node:fs';
import type { ValidationEvent } from '../events.ts';
import { openChatModel } from '../llama/chat-engine.ts';
import { defaultContextSize } from '../llama/context-size.ts';
import { readModelConfig } from '../models/config.ts';
import type { TrainingSampleEvent } from '../sample-events.ts';
import type { Running } from './load-run.ts';
import { answersTo, sampleTokens } from './samples.ts';

/** Of a tiny model, opening and asking take this long; a shorter time is not begun with. */
const leastSeconds = 0.15;
/** How quickly a base is taken to be opened until it was: a good disk's rate; what took longer is waited for next time. */
const openedBytesPerSecond = 2e9;
/** Tokens of markup beside those of a row, and room to spare. */
const spareTokens = 64;

/** Asks at the validations of one run. */
export class SamplesOnTheWay {
  private readonly running: Running;
  private readonly share: number;
  private readonly adapter: string;
  /** Seconds, of this process: of all times together, and of the last. */
  private spent = 0;
  private last: number;

  constructor(running: Running) {
    const { folder, model, prepared } = running.opened;
    this.running = running;
    // Runs from before there were some get none.
    this.share = prepared.settings.sampleShare ?? 0;
    this.last = leastSeconds + model.byteLength / openedBytesPerSecond;
    this.adapter = folder.file('adapter-on-the-way.gguf');
    // A run that was killed meanwhile left it there.
    rmSync(this.adapter, { force: true });
  }

  /** Seconds that may go into it now, so that what it took and the run's time have that share. */
  private get allowed(): number {
    const { seconds, secondsBefore } = this.running.meter.measured;
    return (this.share * (seconds + secondsBefore) - this.spent) / (1 - this.share);
  }

  /** Answers of the model as it is now, one event each; none where there is no time for them, or those at the run's end come at once. */
  async at({ step }: ValidationEvent): Promise<void> {
    const { journal, method, opened, signal, steps } = this.running;
    const { streamed } = opened.decision;
    // Where a base does not fit into memory, a second opening of it would push out what trains.
    if (this.share === 0 || method.onTheWay === null || streamed || step === 0 || step >= steps) return;
    const { allowed } = this;
    if (allowed < this.last || signal.aborted) return;
    const began = performance.now();
    const over = AbortSignal.timeout(Math.ceil(allowed * 1000));
    try {
      await this.ask(step, AbortSignal.any([signal, over]));
    } catch (error) {
      // The time was over, or the run is stopped: what was answered stands.
      if (!over.aborted && !signal.aborted) {
        const reason = error instanceof Error ? error.message : String(error);
        journal.notice('no-samples', `No samples while training: ${reason}`);
        this.spent = Number.POSITIVE_INFINITY;
      }
    } finally {
      rmSync(this.adapter, { force: true });
    }
    this.last = (performance.now() - began) / 1000;
    this.spent += this.last;
  }

  private async ask(step: number, signal: AbortSignal): Promise<void> {
    const { journal, method, opened, threads } = this.running;
    const { model, prepared } = opened;
    const longest = prepared.validation.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
    const contextSize = Math.min(
      longest + sampleTokens + spareTokens,
      readModelConfig(model).contextLength,
      defaultContextSize,
    );
    await using chat = await openChatModel({ ...method.onTheWay!(this.adapter), contextSize, threads, signal });
    for await (const { answer, expected, prompt } of answersTo(chat, prepared.questions, signal)) {
      const event: TrainingSampleEvent = { type: 'training-sample', step, prompt, expected, answer };
      journal.emit(event);
    }
  }
}
