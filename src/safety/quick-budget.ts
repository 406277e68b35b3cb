/** How long a run's safety check may take. Pure. */

/** A short run is checked too: a share of two minutes asks SmolLM2 nothing. */
const leastSeconds = 20;
/** Of a long run, more would say little more: a quick check takes SmolLM2 less. */
const mostSeconds = 25;

/** Seconds, of a run that took so many before its check. */
export const quickBudget = (seconds: number, share: number): number =>
  share === 0 ? 0 : Math.min(mostSeconds, Math.max(leastSeconds, (seconds * share) / (1 - share)));
