/**
 * The names nearest to a misspelt one, for error messages.
 * Promises: at most `limit` names, best first, none that shares too little with what was typed.
 * Does not know what the names stand for.
 */

/** An edit costs one; more than this share of the longer name's letters is no longer a misspelling. */
const maxDistanceShare = 0.5;

/** Levenshtein distance of two strings, in edits. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const substituted = previous[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(substituted, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[to.length]!;
}

/** `candidates` like `name`, best first; a candidate that begins with what was typed counts as one edit away. */
export function nearestNames(name: string, candidates: Iterable<string>, limit = 3): string[] {
  const wanted = name.toLowerCase();
  const scored: { candidate: string; distance: number }[] = [];
  for (const candidate of new Set(candidates)) {
    const lower = candidate.toLowerCase();
    const isPrefix = wanted.length > 1 && (lower.startsWith(wanted) || wanted.startsWith(lower));
    const distance = isPrefix ? 1 : editDistance(wanted, lower);
    if (distance <= Math.max(wanted.length, lower.length) * maxDistanceShare) scored.push({ candidate, distance });
  }
  scored.sort((left, right) => left.distance - right.distance || left.candidate.localeCompare(right.candidate));
  return scored.slice(0, limit).map(({ candidate }) => candidate);
}
