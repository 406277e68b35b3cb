/**
 * What can be looked into beside a model's answers. Who looks (a command, the end of a run) hands in what it found; checks.ts says what of it
 * speaks against trust. Types alone.
 */

import type { NearlyTrained } from './contamination.ts';
import type { Sensitivity } from './rewordings.ts';
import type { Forgetting } from './trust/forgetting.ts';
import type { Memorisation } from './trust/memorisation.ts';

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
  /** What of general knowledge the first model lost. */
  readonly forgetting?: Forgetting;
  /** What of its training data it knows by heart. */
  readonly memorisation?: Memorisation;
}
