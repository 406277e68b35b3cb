/**
 * What can be looked into beside a model's answers. Who looks (a command, the end of a run) hands in what it found; checks.ts says what of it
 * speaks against trust. Types alone.
 */

import type { NearlyTrained } from './contamination.ts';
import type { Sensitivity } from './rewordings.ts';

/** Each is absent where nobody looked. */
export interface Findings {
  /** How often this test data was looked at, this time counted. */
  readonly looks?: number;
  /** Test examples whose prompt the first model was trained on. */
  readonly trainedOn?: number;
  /** Of the other test examples, those whose prompt is nearly one that the first model was trained on. */
  readonly nearlyTrainedOn?: readonly NearlyTrained[];
  /** How scores move with the wording of the questions. */
  readonly sensitivity?: Sensitivity;
}
