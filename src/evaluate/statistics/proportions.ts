/** Shares of right answers, alone and of two on the same examples. Pure. */
import { normalQuantile } from './normal.ts';

/** Of all intervals here. */
export const confidence = 0.95;

/** Its ends, the lower one first. */
export type Interval = readonly [low: number, high: number];

/** Wilson's interval of a share: https://doi.org/10.1080/01621459.1927.10502953. Holds for few examples too, where mean and standard error do not. */
export function wilsonInterval(right: number, total: number): Interval {
  if (total === 0) return [0, 1];
  const z = normalQuantile((1 + confidence) / 2);
  const share = right / total;
  const centre = share + (z * z) / (2 * total);
  const half = z * Math.sqrt((share * (1 - share)) / total + (z * z) / (4 * total * total));
  const scale = 1 + (z * z) / total;
  return [Math.max(0, (centre - half) / scale), Math.min(1, (centre + half) / scale)];
}

/** P(X <= k) of n fair coins, exact to rounding for thousands of them: the terms are summed from their logarithms. */
function fairCoins(k: number, n: number): number {
  let logTerm = -n * Math.LN2;
  let sum = Math.exp(logTerm);
  for (let i = 1; i <= k; i++) {
    logTerm += Math.log((n - i + 1) / i);
    sum += Math.exp(logTerm);
  }
  return Math.min(1, sum);
}

/**
 * McNemar's exact test, two-sided: the probability, if neither is better, that examples which only one of them got right are divided as unevenly
 * or more. `onlyFirst` and `onlySecond` are their counts; those that both or neither got right say nothing.
 */
export function mcnemarExact(onlyFirst: number, onlySecond: number): number {
  const n = onlyFirst + onlySecond;
  return n === 0 ? 1 : Math.min(1, 2 * fairCoins(Math.min(onlyFirst, onlySecond), n));
}

/** Of halvings until a bound of an interval is known to the last bit. */
const halvings = 60;

/**
 * Tango's interval of the difference of two shares on the same examples, 95%: https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B.
 * Wilson's for pairs: it holds where few examples divide the two, and where none does, when a bootstrap has nothing to draw from.
 */
export function pairedInterval(onlyFirst: number, onlySecond: number, total: number): Interval {
  if (total === 0) return [-1, 1];
  const z = normalQuantile((1 + confidence) / 2);
  const seen = (onlyFirst - onlySecond) / total;
  /** The score statistic, were this the difference. */
  const statistic = (difference: number): number => {
    const b = (2 * total - onlyFirst + onlySecond) * difference - onlyFirst - onlySecond;
    const c = -onlySecond * difference * (1 - difference);
    const likeliest = (Math.sqrt(b * b - 8 * total * c) - b) / (4 * total);
    const distance = onlyFirst - onlySecond - total * difference;
    return distance === 0 ? 0 : distance / Math.sqrt(total * (2 * likeliest + difference * (1 - difference)));
  };
  const bound = (from: number, to: number, wanted: number): number => {
    let [low, high] = [from, to];
    for (let i = 0; i < halvings; i++) {
      const middle = (low + high) / 2;
      if (statistic(middle) > wanted) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  };
  return [seen === -1 ? -1 : bound(-1, seen, z), seen === 1 ? 1 : bound(seen, 1, -z)];
}

/** log(n!), by the sum: the counts here are thousands at most. */
function logFactorial(n: number): number {
  let sum = 0;
  for (let i = 2; i <= n; i++) sum += Math.log(i);
  return sum;
}
const logChoose = (n: number, k: number): number => logFactorial(n) - logFactorial(k) - logFactorial(n - k);

/** Probability that at least one of `k` answers is right, of `samples` of which `right` were: https://arxiv.org/abs/2107.03374 (pass@k). Unbiased. */
export function passAtK(samples: number, right: number, k: number): number {
  if (samples - right < k) return 1;
  return 1 - Math.exp(logChoose(samples - right, k) - logChoose(samples, k));
}

/** Probability that all of `k` answers are right, of `samples` of which `right` were: https://arxiv.org/abs/2406.12045 (pass^k). Unbiased. */
export function passAllK(samples: number, right: number, k: number): number {
  return right < k ? 0 : Math.exp(logChoose(right, k) - logChoose(samples, k));
}
