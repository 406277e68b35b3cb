/** Two adapters on one base, weight by weight: how alike their updates are, and the spaces that they work in. Pure. */
import { dot, frobeniusNorm, multiplyTransposed } from '../linear-algebra/matrix.ts';
import { directions, svdOf, type UpdateFactors } from './update.ts';

/** How alike two updates of one weight are. */
export interface UpdateComparison {
  /** Cosine of the two updates as vectors of all their elements, -1 to 1; null where one of them is zero. */
  readonly cosine: number | null;
  /** Squared Frobenius norms of both and their product, for the cosine over several weights. */
  readonly products: { readonly first: number; readonly second: number; readonly both: number };
  /** Share of the smaller space of outputs that lies in the other's, 0 to 1 (arXiv 2106.09685, equation 4); null where one is zero. */
  readonly outputs: number | null;
  /** The same of the inputs that are read. */
  readonly inputs: number | null;
  /** What random spaces of these dimensions would share, of outputs and inputs. */
  readonly chance: { readonly outputs: number; readonly inputs: number };
}

/** The sum over all elements of one update times the other's, tr((B1 A1)' B2 A2), without forming either: the elements of B1' B2 times those of A1 A2'. */
export const innerProduct = (first: UpdateFactors, second: UpdateFactors): number =>
  dot(multiplyTransposed(first.b, second.b).data, multiplyTransposed(first.aTransposed, second.aTransposed).data);

export function compareUpdates(first: UpdateFactors, second: UpdateFactors): UpdateComparison {
  const products = {
    first: innerProduct(first, first),
    second: innerProduct(second, second),
    both: innerProduct(first, second),
  };
  const [own, other] = [directions(svdOf(first)), directions(svdOf(second))];
  const [fewer, more] = [own.s.length, other.s.length].sort((a, b) => a - b) as [number, number];
  const shared = (side: 'u' | 'v'): number | null =>
    fewer === 0 ? null : frobeniusNorm(multiplyTransposed(own[side], other[side])) ** 2 / fewer;
  return {
    cosine: cosineOf(products),
    products,
    outputs: shared('u'),
    inputs: shared('v'),
    chance: { outputs: more / first.b.rows, inputs: more / first.aTransposed.rows },
  };
}

/** Null where one of them is zero. */
export const cosineOf = ({ both, first, second }: UpdateComparison['products']): number | null =>
  first > 0 && second > 0 ? both / Math.sqrt(first * second) : null;
