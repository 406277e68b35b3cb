/**
 * Loads the binary of our own kernels (native/), or says why not. A binary of other sources, or for another processor, is never run.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Kernels } from './kernels.ts';
import { failures } from './self-test.ts';
import { fileDigest, type NativeManifest, sourceDigest } from './sources.ts';

/** Kernels, or in words for people why there are none. */
export type Loaded =
  | { readonly kernels: Kernels; readonly instructionSet: string }
  | { readonly kernels: null; readonly reason: string };

/** What the binary is compiled for. */
const instructionSet = 'avx512-vnni';

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

/** Beside src and dist alike, in a clone and in the package. */
const ownFolder = join(import.meta.dirname, '../../../native');

const none = (reason: string): Loaded => ({ kernels: null, reason });

/** Why the binary at `file` may not be run here; null where it may. */
function refusal(folder: string, platform: string, file: string): string | null {
  const allowed = process.env.NOMOAT_ISA;
  if (allowed !== undefined && allowed !== instructionSet)
    return `NOMOAT_ISA is ${allowed}, and kernels are built for ${instructionSet} alone`;
  const flags =
    readFileSync('/proc/cpuinfo', 'utf8')
      .match(/^flags\s*:(.*)$/m)?.[1]
      ?.split(' ') ?? [];
  const lacking = wanted.filter((flag) => !flags.includes(flag));
  if (lacking.length > 0) return `this processor lacks ${lacking.join(', ')}`;
  const manifest = JSON.parse(readFileSync(join(folder, 'prebuilt/manifest.json'), 'utf8')) as NativeManifest;
  const sources = sourceDigest(folder);
  if (sources && sources !== manifest.sources) return 'the binary is built from other sources: npm run native:build';
  if (fileDigest(file) !== manifest.files[platform])
    return 'the binary is not the one of native/prebuilt/manifest.json';
  return null;
}

/** The kernels of a folder like native/. Whatever is wrong there is a reason, never an error: onnxruntime can do it all. */
export function kernelsIn(folder: string): Loaded {
  const platform = `${process.platform}-${process.arch}`;
  const file = join(folder, 'prebuilt', platform, 'nomoat.node');
  if (!existsSync(file)) return none(`no kernels are built for ${platform}`);
  try {
    const refused = refusal(folder, platform, file);
    if (refused !== null) return none(refused);
    const kernels = createRequire(import.meta.url)(file) as Kernels;
    const wrong = failures(kernels);
    return wrong.length > 0
      ? none(`the kernels' self-test fails on this processor (${wrong.join(', ')})`)
      : { kernels, instructionSet };
  } catch (error) {
    return none(
      `the binary cannot be loaded: ${(error instanceof Error ? error.message : String(error)).split('\n')[0]}`,
    );
  }
}

let loaded: Loaded | null = null;

/** The kernels of this machine; looked for once a process. */
export function loadKernels(): Loaded {
  loaded ??= kernelsIn(ownFolder);
  return loaded;
}
