/**
 * float32 to GGUF's tensor types, as ggml's reference quantizers: F32, F16, BF16, Q8_0, Q4_0, Q5_0, Q4_K and Q6_K. Pure.
 */
import { NomoatError } from '../../errors.ts';
import { ggmlLayouts } from './dequantize.ts';
import { toFloat16 } from './float16.ts';
import { quantizeQ4_0, quantizeQ4_K, quantizeQ5_0, quantizeQ6_K } from './quantize-blocks.ts';
import type { GgmlType } from './types.ts';

const word = new Float32Array(1);
const bits = new Uint32Array(word.buffer);

type Quantizer = (values: Float32Array, out: Uint8Array) => void;

const quantizers: Partial<Record<GgmlType, Quantizer>> = {
  Q4_0: quantizeQ4_0,
  Q5_0: quantizeQ5_0,
  Q4_K: quantizeQ4_K,
  Q6_K: quantizeQ6_K,
  F32: (values, out) => out.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  F16: (values, out) => {
    const halves = new Uint16Array(out.buffer);
    for (let i = 0; i < values.length; i++) halves[i] = toFloat16(values[i]!);
  },
  BF16: (values, out) => {
    const halves = new Uint16Array(out.buffer);
    for (let i = 0; i < values.length; i++) {
      word[0] = values[i]!;
      const all = bits[0]!;
      halves[i] = Number.isNaN(values[i]!) ? (all >>> 16) | 64 : (all + 0x7fff + ((all >>> 16) & 1)) >>> 16;
    }
  },
  Q8_0: (values, out) => {
    for (let block = 0, at = 0; block < values.length; block += 32, at += 34) {
      let top = 0;
      for (let i = 0; i < 32; i++) top = Math.max(top, Math.abs(values[block + i]!));
      const scale = Math.fround(top / 127);
      const half = toFloat16(scale);
      out[at] = half & 255;
      out[at + 1] = half >> 8;
      const inverse = scale ? Math.fround(1 / scale) : 0;
      for (let i = 0; i < 32; i++) {
        // C's roundf: halves away from zero.
        const x = Math.fround(values[block + i]! * inverse);
        out[at + 2 + i] = x < 0 ? -Math.round(-x) : Math.round(x);
      }
    }
  },
};

/** The bytes of `values` as `type`. Throws NomoatError for types that nomoat only reads. */
export function quantize(type: GgmlType, values: Float32Array): Uint8Array {
  const quantizer = quantizers[type];
  if (!quantizer) {
    throw new NomoatError({
      part: `type ${type}`,
      fault: 'nomoat reads it but does not write it',
      remedy: `Choose one of ${Object.keys(quantizers).join(', ')}.`,
    });
  }
  const { blockSize, blockBytes } = ggmlLayouts[type];
  if (values.length % blockSize !== 0) throw new RangeError(`${values.length} values are no whole ${type} blocks`);
  const out = new Uint8Array((values.length / blockSize) * blockBytes);
  quantizer(values, out);
  return out;
}
