/**
 * Loads the binary of our own kernels (native/), or says why not. A binary of other sources, or for another processor, is never run.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Kernels } from './kernels.ts';
import { processorFlags, wantsProbe } from './processor.ts';
import { failures } from './self-test.ts';
import { fileDigest, type NativeManifest, sourceDigest } from './sources.ts';

/** Kernels, and why not those for a better set of instructions where there is one, in words for people; or why there are none. */
export type Loaded =
  | { readonly kernels: Kernels; readonly instructionSet: string; readonly passedOver: string | null }
  | { readonly kernels: null; readonly reason: string };

const avx2 = ['avx2', 'bmi1', 'bmi2', 'fma', 'f16c', 'movbe', 'abm'];
/** By processor from best to least, with what their binaries may use (native/build.mjs), as Linux names it. Results are the same bits in all of them. */
const instructionSets: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  x64: {
    'avx512-vnni': [...avx2, 'avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl', 'avx512_vnni'],
    'avx-vnni': [...avx2, 'avx_vnni'],
    avx2,
  },
  arm64: { 'neon-dotprod': ['asimd', 'asimddp'] },
};
const setsHere = instructionSets[process.arch] ?? {};
const platform = `${process.platform}-${process.arch}`;

/** Beside src and dist alike, in a clone and in the package. */
const ownFolder = join(import.meta.dirname, '../../../native');

const none = (reason: string): Loaded => ({ kernels: null, reason });

interface Wanted {
  /** Like native/. */
  readonly folder: string;
  /** Whether a binary that nobody has seen run is taken, too. */
  readonly untried: boolean;
}

/** Why the binary called `name` may not be run; null where it may. */
function refusal({ folder, untried }: Wanted, name: string, file: string): string | null {
  const manifest = JSON.parse(readFileSync(join(folder, 'prebuilt/manifest.json'), 'utf8')) as NativeManifest;
  const sources = sourceDigest(folder);
  if (sources && sources !== manifest.sources) return 'the binary is built from other sources: npm run native:build';
  if (fileDigest(file) !== manifest.files[name]) return 'the binary is not the one of native/prebuilt/manifest.json';
  if (!untried && manifest.neverRun?.includes(name))
    return "the binary has never run on such a machine: `engine: 'native'` takes it all the same";
  return null;
}

/** The binary called `name`, once it is known to be one that may be run. Throws where it does not load. */
function checked(wanted: Wanted, name: string): { readonly file: string } | { readonly reason: string } {
  const file = join(wanted.folder, 'prebuilt', `${name}.node`);
  if (!existsSync(file)) return { reason: `no kernels are built for ${name}` };
  const refused = refusal(wanted, name, file);
  return refused === null ? { file } : { reason: refused };
}

/** What of `set` the processor lacks, in words; null where it has all. */
function lacking(set: string, wanted: Wanted): string | null {
  const probe = wantsProbe ? checked(wanted, `${platform}/processor`) : { file: '' };
  if ('reason' in probe) return probe.reason;
  const flags = processorFlags(probe.file);
  const missing = setsHere[set]!.filter((flag) => !flags.includes(flag));
  return missing.length > 0 ? `this processor lacks ${missing.join(', ')}` : null;
}

/** The kernels for one set of instructions. */
function kernelsFor(set: string, wanted: Wanted): Loaded {
  try {
    const lack = lacking(set, wanted);
    if (lack !== null) return none(lack);
    const binary = checked(wanted, `${platform}/${set}`);
    if ('reason' in binary) return none(binary.reason);
    const kernels = createRequire(import.meta.url)(binary.file) as Kernels;
    const wrong = failures(kernels);
    return wrong.length > 0
      ? none(`the kernels' self-test fails on this processor (${wrong.join(', ')})`)
      : { kernels, instructionSet: set, passedOver: null };
  } catch (error) {
    return none(
      `the binary cannot be loaded: ${(error instanceof Error ? error.message : String(error)).split('\n')[0]}`,
    );
  }
}

/**
 * The kernels of a folder like native/, for the best set of instructions that this processor has, or for `wanted` alone. Whatever is wrong there is a
 * reason, never an error: onnxruntime can do it all.
 */
export function kernelsIn(folder: string, wanted = process.env.NOMOAT_ISA, untried = false): Loaded {
  if (!existsSync(join(folder, 'prebuilt', platform))) return none(`no kernels are built for ${platform}`);
  const known = Object.keys(setsHere);
  if (wanted !== undefined && !known.includes(wanted))
    return none(`NOMOAT_ISA is ${wanted}, and kernels are built for ${known.join(', ')} alone`);
  const reasons: string[] = [];
  for (const set of wanted === undefined ? known : [wanted]) {
    const found = kernelsFor(set, { folder, untried });
    if (!found.kernels) {
      reasons.push(`${set}: ${found.reason}`);
      continue;
    }
    const named = wanted === undefined ? reasons.join('; ') : 'NOMOAT_ISA names it';
    return { ...found, passedOver: wanted === known[0] ? null : named || null };
  }
  return none([...new Set(reasons)].join('; '));
}

const loaded = new Map<boolean, Loaded>();

/** The kernels of this machine, looked for once a process; `untried`: also those that nobody has seen run. */
export function loadKernels({ untried = false } = {}): Loaded {
  const found = loaded.get(untried) ?? kernelsIn(ownFolder, process.env.NOMOAT_ISA, untried);
  loaded.set(untried, found);
  return found;
}
