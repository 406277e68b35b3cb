/** What a process measures of its own steps. Pure but for the clock. */
import type { RunEvent } from '../events.ts';
import type { Measured } from './end-run.ts';

export class StepMeter {
  private readonly started: number;
  private readonly secondsBefore: number;
  private tokens = 0;
  private seconds = 0;
  private firstStepSeconds: number | null = null;

  /** `started`: when the run was asked for, by performance.now(); `secondsBefore`: training and validation before this process resumed it. */
  constructor(started: number, secondsBefore: number) {
    this.started = started;
    this.secondsBefore = secondsBefore;
  }

  private get elapsed(): number {
    return (performance.now() - this.started) / 1000;
  }

  see(event: RunEvent): void {
    if (event.type !== 'step-end') return;
    if (event.step === 0) this.firstStepSeconds = this.elapsed;
    this.tokens += event.tokens;
    this.seconds += event.tokens / event.tokensPerSecond;
  }

  get measured(): Measured {
    return {
      seconds: this.elapsed,
      secondsBefore: this.secondsBefore,
      tokensPerSecond: this.seconds > 0 ? this.tokens / this.seconds : null,
      firstStepSeconds: this.firstStepSeconds,
    };
  }
}
