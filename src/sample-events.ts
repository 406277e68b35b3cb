/** What the model answers to a few prompts, for the eye. Types alone. */

/** A held-out prompt and what the model answers to it while it is trained, as it is at a validation. */
export interface TrainingSampleEvent {
  readonly type: 'training-sample';
  /** Number of optimizer steps taken before it was asked. */
  readonly step: number;
  /** Its last message, or the text that was given to continue. */
  readonly prompt: string;
  /** The data's answer. */
  readonly expected: string;
  /** At temperature 0; " ..." at its end where it was cut. */
  readonly answer: string;
}

/** A held-out prompt and what the model answers to it, before training and after. */
export interface SampleEvent {
  readonly type: 'sample';
  /** Its last message, or the text that was given to continue. */
  readonly prompt: string;
  /** The data's answer. */
  readonly expected: string;
  /** The answer of the base. */
  readonly before: string;
  /** The answer with what was trained. */
  readonly after: string;
}

/** Either of them. */
export type SamplesEvent = SampleEvent | TrainingSampleEvent;
