/** Days of UTC, in which the tokens of keys are counted. Pure. */

const secondsPerDay = 86_400;

/** Days since 1970, of UTC. */
export const dayOf = (seconds: number): number => Math.floor(seconds / secondsPerDay);
/** Until the next day of UTC. */
export const secondsToNextDay = (seconds: number): number => secondsPerDay - (Math.floor(seconds) % secondsPerDay);
