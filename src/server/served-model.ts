/** A model as requests know it. */

/** A model by the name that requests have for it. */
export interface ServedModel {
  readonly id: string;
  /** Other names for it. */
  readonly aliases: readonly string[];
  /** What `openModel` takes: a file, the folder of a run, one of its checkpoints, or a stack of them; where there is a `base`, an adapter for it, or a stack. */
  readonly path: string;
  /** The model that the adapter at `path` is for, where that does not say it itself as a run does; else null. */
  readonly base: string | null;
  /** Seconds since 1970. */
  readonly created: number;
  readonly ownedBy: string;
  /** The base that a run trained an adapter for; else null. */
  readonly parent: string | null;
}

/** As OpenAI's API and vLLM's list it. */
export const listed = ({ created, id, ownedBy, parent }: ServedModel) => ({
  id,
  object: 'model' as const,
  created,
  owned_by: ownedBy,
  parent,
  root: parent ?? id,
  shutdown_date: null,
});
