/** Eight-bit numbers and their products. */
import type { Emission, Emitters } from './emission.ts';

/** Quantized numbers are 128 - 127 .. 128 + 127, or 0 .. 255 where they have no sign. */
const levelsOf = (signed: boolean): number => (signed ? 127 : 255);
const zeroPointOf = (signed: boolean): number => (signed ? 128 : 0);
/** Added to the scale of a row, so that a row of zeros divides by something. */
const minScale = 1e-30;

interface Int8Operands {
  readonly x: string;
  readonly scale: string;
  readonly weight: string;
  readonly weightScale: string;
}

/**
 * The node's value: uint8 times int8, as the other combinations have no fast kernel. The kernel takes a scale a row as well, but multiplies
 * by it in one thread: an op of its own is shared out among all.
 */
function int8Product(at: Emission, { scale, weight, weightScale, x }: Int8Operands, signed: boolean): void {
  const inputs = [x, weight, at.float(1), weightScale, at.byte(zeroPointOf(signed))];
  at.result('Mul', [at.emit('MatMulIntegerToFloat', inputs), scale]);
}

export const quantized = {
  hadamard: (at, [x], { block }) => {
    const blocks = at.emit('Reshape', [x, at.int64(-1, block)]);
    const transformed = at.emit('MatMul', [blocks, at.graph.writer.hadamard(block)]);
    at.result('Reshape', [transformed, at.int64(-1, at.columns)]);
  },
  'row-scale': (at, [x], { signed }) => {
    const size = signed ? at.emit('Abs', [x]) : x;
    const top = at.emit('ReduceMax', [size, at.int64(-1)], { keepdims: { int: 1 } });
    at.result('Add', [at.emit('Mul', [top, at.float(1 / levelsOf(signed))]), at.float(minScale)]);
  },
  quantize: (at, [x, scale]) => {
    // One scale a row is QuantizeLinear's per-axis form: a single kernel instead of divide, round, add and cast.
    const flat = at.emit('Reshape', [scale, at.int64(-1)]);
    const zeros = at.emit('Expand', [at.byte(zeroPointOf(true)), at.emit('Shape', [flat])]);
    at.result('QuantizeLinear', [x, flat, zeros], { axis: { int: 0 } });
  },
  dither: (at, [x, scale, thresholds]) => {
    const steps = at.emit('Add', [at.emit('Div', [x, scale]), thresholds]);
    at.result('QuantizeLinear', [steps, at.float(1), at.byte(zeroPointOf(false))]);
  },
  'int8-matmul': (at, [x, scale, weight, weightScale], { signed }) =>
    int8Product(at, { x, scale, weight, weightScale }, signed),
  'int8-matmul-transposed': (at, [x, scale, weight]) => {
    const transposed = at.emit('Transpose', [weight], { perm: { ints: [1, 0] } });
    int8Product(at, { x, scale, weight: transposed, weightScale: at.float(1) }, true);
  },
} satisfies Partial<Emitters>;
