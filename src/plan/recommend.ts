/** What a run may take of the machine, what it lacks, and which of several ways to run to take. Pure. */

/** What a run may take of the machine. */
export interface Room {
  /** Null where the system does not tell. */
  readonly memoryBytes: number | null;
  /** Free where the run's folder will be; null where the system does not tell. */
  readonly diskBytes: number | null;
}

export interface Needs {
  /** Memory that the system cannot take back. */
  readonly neededMemoryBytes: number;
  readonly diskBytes: number;
}

/** Plans of memory are wrong by up to this share: a run is refused only where it would not fit even so. */
const memoryTolerance = 0.15;

/** What a run lacks: nothing (null), memory or disk. */
export function lacks(needs: Needs, room: Room): 'memory' | 'disk' | null {
  if (room.memoryBytes !== null && needs.neededMemoryBytes * (1 - memoryTolerance) > room.memoryBytes) return 'memory';
  return room.diskBytes !== null && needs.diskBytes > room.diskBytes ? 'disk' : null;
}

/** A run over night; a longer one wants a good reason. */
const longSeconds = 10 * 3600;

export interface Candidate extends Needs {
  readonly name: string;
  readonly seconds: number;
}

/**
 * The setting to take: the one that was asked for where it fits and ends over night; else the first of the others that does; else
 * the first that fits at all. Null where none fits.
 */
export function recommend(candidates: readonly Candidate[], room: Room): string | null {
  const fitting = candidates.filter((candidate) => lacks(candidate, room) === null);
  return (fitting.find(({ seconds }) => seconds <= longSeconds) ?? fitting[0])?.name ?? null;
}
