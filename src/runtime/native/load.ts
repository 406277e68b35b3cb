/**
 * Loads the binary of our own kernels (native/), or says why not. A binary of other sources, or for another processor, is never run.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileDigest, type NativeManifest, sourceDigest } from './sources.ts';

/** A frozen matrix, arranged for the kernels. */
export type PackedMatrix = object;

/** Sizes and options of a block, by the names of native/src/shape.h; flags are 0 or 1, bit i of `targets` is projection i in `projections`' order. */
export type BlockShape = Readonly<
  Record<
    | 'modelWidth'
    | 'queryWidth'
    | 'keyWidth'
    | 'feedForward'
    | 'headDim'
    | 'rank'
    | 'vocabulary'
    | 'epsilon'
    | 'threads'
    | 'dropout'
    | 'biases'
    | 'headNorms'
    | 'targets',
    number
  >
>;

export type StageName =
  | 'before.forward'
  | 'before.backward'
  | 'attention.forward'
  | 'attention.backward'
  | 'after.forward'
  | 'after.backward'
  | 'head';

/** The addon's functions. They throw where an array is missing or has another length, before anything is computed. */
export interface Kernels {
  /**
   * Values [in, out] with the scale of each column, as `quantizeMatrix` makes them. They are arranged anew where they lie, so that nothing is held twice: the
   * arrays are the kernels' from now on, and last as long as the matrix is used. `transposed` [out, in] is the same matrix; without it the other direction is turned when it is wanted.
   */
  packInt8(
    values: Int8Array,
    inFeatures: number,
    outFeatures: number,
    scale: Float32Array,
    transposed: Int8Array | null,
  ): PackedMatrix;
  /** Values [out, in], which are copied, for both directions. */
  packExact(values: Float32Array, inFeatures: number, outFeatures: number): PackedMatrix;
  run(
    stage: StageName,
    int8: boolean,
    shape: BlockShape,
    rows: number,
    arrays: Record<string, Float32Array | Int32Array | PackedMatrix>,
  ): void;
}

/** Kernels, or in words for people why there are none. */
export type Loaded = { readonly kernels: Kernels } | { readonly kernels: null; readonly reason: string };

/** What -march=x86_64_v4+avx512vnni of native/build.mjs may use, as Linux names it. */
const wanted = [
  'avx2',
  'bmi2',
  'fma',
  'f16c',
  'avx512f',
  'avx512bw',
  'avx512cd',
  'avx512dq',
  'avx512vl',
  'avx512_vnni',
];

/** Beside src and dist alike. */
const folder = join(import.meta.dirname, '../../../native');

const none = (reason: string): Loaded => ({ kernels: null, reason });

function load(): Loaded {
  const platform = `${process.platform}-${process.arch}`;
  const file = join(folder, 'prebuilt', platform, 'nomoat.node');
  if (!existsSync(file)) return none(`no kernels are built for ${platform}`);
  const flags =
    readFileSync('/proc/cpuinfo', 'utf8')
      .match(/^flags\s*:(.*)$/m)?.[1]
      ?.split(' ') ?? [];
  const lacking = wanted.filter((flag) => !flags.includes(flag));
  if (lacking.length > 0) return none(`this processor lacks ${lacking.join(', ')}`);
  const manifest = JSON.parse(readFileSync(join(folder, 'prebuilt/manifest.json'), 'utf8')) as NativeManifest;
  const sources = sourceDigest(folder);
  if (sources && sources !== manifest.sources)
    return none('the binary is built from other sources: npm run native:build');
  if (fileDigest(file) !== manifest.files[platform])
    return none('the binary is not the one of native/prebuilt/manifest.json');
  try {
    return { kernels: createRequire(import.meta.url)(file) as Kernels };
  } catch (error) {
    return none(`the binary cannot be loaded: ${error instanceof Error ? error.message : error}`);
  }
}

let loaded: Loaded | null = null;

/** The kernels of this machine; looked for once a process. */
export function loadKernels(): Loaded {
  loaded ??= load();
  return loaded;
}
