/** What each part of a run's page is given. */
import type { RunSummary } from '../api.ts';

export interface PartProps {
  readonly run: RunSummary | null;
  readonly name: string;
  /** Where the result is talked to. */
  readonly talk: string;
}
