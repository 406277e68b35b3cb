/**
 * One small int8 block and a head on the kernels, forward and backward, against stored numbers: whether they compute here what they computed where
 * they were held against the graphs. Takes about a millisecond.
 */
import type { BlockShape, Kernels, PackedMatrix, StageName } from './kernels.ts';

const rows = 10;
const shape: BlockShape = {
  modelWidth: 64,
  queryWidth: 64,
  keyWidth: 32,
  feedForward: 96,
  headDim: 32,
  rank: 4,
  vocabulary: 64,
  epsilon: 1e-5,
  threads: 1,
  dropout: 0,
  biases: 0,
  headNorms: 0,
  targets: 0b1111111,
};

/** Of each result, the sum of its values by weights that differ from place to place, as `weighted` makes it. */
const stored: Readonly<Record<string, number>> = {
  y: -52.6968,
  logp: -142.45,
  'd.x': 7.36359,
  'd.q_proj.lora_B': -5.05947,
  'd.lora_A.pre': -1.98434,
  'd.k_proj.lora_B': -2.2123,
  'd.v_proj.lora_B': -3.82962,
  'd.o_proj.lora_B': -3.43731,
  'd.lora_A.o': 4.81318,
  'd.gate_proj.lora_B': -3.23505,
  'd.lora_A.mlp': 1.84073,
  'd.up_proj.lora_B': -1.81677,
  'd.down_proj.lora_B': 1.29815,
  'd.lora_A.down': 3.58348,
};

/** How far a sum may be off, of the sum of the magnitudes: rounding to the other side of a half is a tenth of that, a wrong instruction many times. */
const tolerance = 0.01;

/** Numbers in -1 .. 1 that float32 holds exactly. */
const made = (length: number, salt: number, size = 1): Float32Array =>
  Float32Array.from({ length }, (_, i) => size * (((i * 37 + (i >> 6) * 11 + salt * 101) % 64) / 32 - 1));

const weighted = (values: Float32Array): number => values.reduce((sum, value, i) => sum + value * (1 + (i % 7)), 0);

type Arrays = Record<string, Float32Array | Int32Array | PackedMatrix>;

/** A packed matrix of made values as `NAME.packed`. It lies in `NAME.values` and `NAME.transposed`, so they have to last as long. */
function matrix(
  kernels: Kernels,
  name: string,
  [inFeatures, outFeatures]: readonly [number, number],
  salt: number,
): Arrays {
  const values = Int8Array.from(made(inFeatures * outFeatures, salt, 100));
  const at = (i: number): number => (i % inFeatures) * outFeatures + Math.floor(i / inFeatures);
  const transposed = Int8Array.from(values, (_, i) => values[at(i)]!);
  const scale = made(outFeatures, salt + 1, 0.0005).map((value) => value + 0.001);
  const other = name === 'output' ? transposed : null;
  const packed = kernels.packInt8(values, inFeatures, outFeatures, scale, other);
  return { [`${name}.values`]: values, [`${name}.transposed`]: transposed, [`${name}.packed`]: packed };
}

/** The projections with their adapters, and room for the gradients of these. */
function projections(kernels: Kernels): Arrays {
  const { feedForward: wide, keyWidth: narrow, modelWidth: width, rank } = shape;
  const arrays: Arrays = {};
  // biome-ignore format: a table
  const sizes: [name: string, inFeatures: number, outFeatures: number, group: string][] = [
    ['q_proj', width, width, 'pre'], ['k_proj', width, narrow, 'pre'], ['v_proj', width, narrow, 'pre'], ['o_proj', width, width, 'o'],
    ['gate_proj', width, wide, 'mlp'], ['up_proj', width, wide, 'mlp'], ['down_proj', wide, width, 'down'],
  ];
  sizes.forEach(([name, inFeatures, outFeatures, group], i) => {
    Object.assign(arrays, matrix(kernels, name, [inFeatures, outFeatures], i));
    arrays[`${name}.lora_B`] = made(outFeatures * rank, i, 0.1);
    arrays[`d.${name}.lora_B`] = new Float32Array(outFeatures * rank);
    const members = sizes.filter((other) => other[3] === group).length;
    arrays[`lora_A.${group}`] = made(members * rank * inFeatures, i + 20, 0.1);
    arrays[`d.lora_A.${group}`] = new Float32Array(members * rank * inFeatures);
  });
  return arrays;
}

/** What the stages read beside them, and room for what they write. */
function activations(): Arrays {
  const { feedForward: wide, keyWidth: narrow, modelWidth: width, vocabulary } = shape;
  const arrays: Arrays = {};
  ['x', 'cos', 'sin'].forEach((name, i) => {
    arrays[name] = made(rows * (name === 'x' ? width : shape.headDim / 2), i + 30);
  });
  for (const name of ['attn_norm', 'ffn_norm', 'output_norm'])
    arrays[name] = made(width, 40, 0.25).map((value) => value + 1);
  // biome-ignore format: a table
  const written = {
    q: width, k: narrow, v: narrow, o: width, lse: 2, y: width, 'saved.mid': width, 'saved.gate': wide, 'saved.up': wide,
    logp: 1, 'd.o': width, 'd.q': width, 'd.k': narrow, 'd.v': narrow,
  };
  for (const [name, columns] of Object.entries(written)) arrays[name] = new Float32Array(rows * columns);
  arrays.ranges = Int32Array.from([0, 0, 6, 0, 0, 0, 1, 6, 10, 6, 0, 0]);
  arrays.target = Int32Array.from({ length: rows }, (_, i) => (i * 7) % vocabulary);
  arrays['d.logp'] = new Float32Array(rows).fill(-1);
  arrays.thresholds = made(vocabulary, 50, 0.5);
  return arrays;
}

/** The results by name. */
function selfTestResults(kernels: Kernels): Map<string, Float32Array> {
  const { modelWidth: width, vocabulary } = shape;
  const output = matrix(kernels, 'output', [width, vocabulary], 9);
  const arrays: Arrays = { ...projections(kernels), ...output, ...activations() };
  const run = (stage: StageName, others: Record<string, Float32Array> = {}): void =>
    kernels.run(stage, !stage.startsWith('attention'), shape, rows, { ...arrays, ...others });
  const hidden = (): Float32Array => new Float32Array(rows * width);
  const [end, middle, start] = [hidden(), hidden(), hidden()];
  const y = arrays.y as Float32Array;
  run('before.forward');
  run('attention.forward');
  run('after.forward');
  run('head', { x: y, 'd.x': end });
  run('after.backward', { 'd.y': end, 'd.x': middle });
  run('attention.backward');
  run('before.backward', { 'd.through': middle, 'd.x': start });
  const gradients = Object.entries(arrays).filter(([name]) => name.startsWith('d.') && name.includes('lora'));
  return new Map<string, Float32Array>([
    ['y', y],
    ['logp', arrays.logp as Float32Array],
    ['d.x', start],
    ...gradients.map(([name, values]) => [name, values as Float32Array] as const),
  ]);
}

/** Which results are not those of the stored numbers; none where all is well. */
export function failures(kernels: Kernels): string[] {
  const results = selfTestResults(kernels);
  return Object.entries(stored).flatMap(([name, sum]) => {
    const values = results.get(name)!;
    const size = values.reduce((total, value, i) => total + Math.abs(value) * (1 + (i % 7)), 0);
    return Math.abs(weighted(values) - sum) <= tolerance * size ? [] : [name];
  });
}
