/** Student's t distribution. Pure. */

/** Coefficients of Lanczos' approximation of the gamma function (g = 7), relative error below 1e-14. */
const lanczos = [0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7]; // biome-ignore format: a table

/** ln of the gamma function, for x from 0.5. */
function logGamma(x: number): number {
  const shifted = x - 1;
  const t = shifted + lanczos.length - 1.5;
  const series = lanczos.reduce((sum, c, i) => (i === 0 ? c : sum + c / (shifted + i)), 0);
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(series);
}

/** Terms of the continued fraction until it stands still; some hundred are enough for a million degrees of freedom. */
const mostTerms = 10_000;
const still = 1e-15;
/** What stands for a denominator of 0 (Lentz's method). */
const tiny = 1e-300;

/** The regularised incomplete beta function I_x(a, b), by its continued fraction (Numerical Recipes 6.4). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  // The fraction converges quickly on this side alone.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(1 - x)) / a;
  const orTiny = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / orTiny(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < mostTerms; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let last = 1;
    for (const term of [even, odd]) {
      d = 1 / orTiny(1 + term * d);
      c = orTiny(1 + term / c);
      last = c * d;
      fraction *= last;
    }
    if (Math.abs(last - 1) < still) break;
  }
  return front * fraction;
}

/** P(|T| >= |t|) of so many degrees of freedom, which need not be whole. */
export function studentTail(t: number, freedom: number): number {
  if (!Number.isFinite(t)) return 0;
  return incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5);
}

/** Halvings until a quantile is known to the last bits. */
const halvings = 200;
/** No quantile that is asked for is larger: half a degree of freedom has 95% within ten thousand. */
const largest = 1e8;

/** t with P(|T| <= t) = share. */
export function studentQuantile(share: number, freedom: number): number {
  let [low, high] = [0, largest];
  for (let i = 0; i < halvings && high - low > Number.EPSILON * high; i++) {
    const middle = (low + high) / 2;
    if (studentTail(middle, freedom) > 1 - share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
