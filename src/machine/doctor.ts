/**
 * `nomoat doctor`: what this machine has, and what is wrong with it, each fault with its remedy.
 * Promises: never fails because a part is missing or broken (that is what it reports); changes nothing, asks no network.
 * Does not know the terminal beyond plain lines of text.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { openLlama } from '../runtime/node-llama-cpp/load.ts';
import { type Adapter, findAdapter } from '../runtime/onnxruntime-node/webgpu-adapter.ts';
import { installedVersion, ownVersion } from '../store/installed-version.ts';
import { type LocalModel, scanLocalModels } from '../store/local-scan.ts';
import { hubCacheFolder, nomoatModelsFolder, type Surroundings, surroundings } from '../store/model-folders.ts';
import { sizeText } from '../words/size-text.ts';
import { cpuBuild, cpuPackage, gpuBuilds, installCommand } from './llama-builds.ts';
import { diskFreeBytes, type MachineFacts, machineFacts } from './machine.ts';

/** A folder that nomoat writes to. */
export interface DoctorFolder {
  /** What lies there, e.g. `runs`. */
  readonly purpose: string;
  readonly path: string;
  /** On its disk; null where the system does not tell. */
  readonly freeBytes: number | null;
  /** Whether it can be written or, where it is not there, the nearest folder above it. */
  readonly writable: boolean;
}

/** Whether an engine does what it is there for. */
export interface DoctorEngine {
  readonly works: boolean;
  /** What it said of itself, or why it does not work. */
  readonly detail: string;
  readonly seconds: number;
}

/** Something that is wrong, and what helps. */
export interface Finding {
  /** `error`: tuning or chatting cannot work. `warning`: it works, but slower or not for long. */
  readonly severity: 'error' | 'warning';
  readonly fault: string;
  readonly remedy: string;
}

/** What this machine has, and what is wrong with it. */
export interface DoctorReport {
  readonly machine: MachineFacts;
  readonly folders: readonly DoctorFolder[];
  /** Version by package name; null where it is not installed. */
  readonly versions: Readonly<Record<string, string | null>>;
  /** onnxruntime's execution providers, `bundled` when the package itself brings them. */
  readonly providers: readonly { readonly name: string; readonly bundled: boolean }[];
  /** Whether `device: 'webgpu'` has something to run on. */
  readonly webgpu: Adapter;
  /** Training. */
  readonly onnxruntime: DoctorEngine;
  /** Our own kernels, instead of onnxruntime where `engine` asks for them. */
  readonly kernels: DoctorEngine;
  /** Tokenising and chat. */
  readonly llamaCpp: DoctorEngine;
  /** llama.cpp's builds for graphics cards; nomoat itself chats on the CPU. `command` installs one, null where it is there. */
  readonly gpuBuilds: readonly { readonly name: string; readonly command: string | null }[];
  readonly models: readonly LocalModel[];
  readonly findings: readonly Finding[];
}

export interface DoctorOptions {
  readonly around?: Surroundings;
  /** Where runs would be written; by default the working directory. */
  readonly runsFolder?: string;
  /** Stand-ins for the parts, for tests. */
  readonly parts?: Partial<DoctorParts>;
}

/** What the doctor asks; each may throw. */
export interface DoctorParts {
  readonly machine: () => MachineFacts;
  readonly nodeVersion: string;
  readonly packageVersion: (name: string) => string | null;
  readonly providers: () => Promise<{ name: string; bundled: boolean }[]>;
  /** The instruction set of our own kernels, and why it is no better one; throws with the reason where there are none. */
  readonly loadKernels: () => Promise<string>;
  readonly findAdapter: () => Adapter;
  readonly startLlamaCpp: () => Promise<string>;
}

const packages = ['onnxruntime-node', 'node-llama-cpp', '@huggingface/hub'] as const;

const oldestNode = [20, 12] as const;
/** A 135M model trains in about one gigabyte; the next sizes need several. */
const minMemoryBytes = 2e9;
/** A small model, its run with some checkpoints, and a merged export. */
const minDiskBytes = 3e9;
/** More than half of the cores taken by others: llama.cpp's threads wait for each other, and speed falls many times over. */
const busyShare = 0.5;

const realParts: DoctorParts = {
  machine: machineFacts,
  nodeVersion: process.versions.node,
  packageVersion: installedVersion,
  providers: async () => {
    await import('../runtime/onnxruntime-node/no-telemetry.ts');
    const { listSupportedBackends } = await import('onnxruntime-node');
    return listSupportedBackends().map(({ name, bundled }) => ({ name, bundled }));
  },
  loadKernels: async () => {
    const { loadKernels } = await import('../runtime/native/load.ts');
    const loaded = loadKernels();
    if (!loaded.kernels) throw new Error(loaded.reason);
    return loaded.passedOver === null ? loaded.instructionSet : `${loaded.instructionSet} (${loaded.passedOver})`;
  },
  findAdapter,
  startLlamaCpp: async () => {
    const llama = await openLlama((levels) => ({
      ...cpuBuild(),
      build: 'never',
      progressLogs: false,
      logLevel: levels.error,
    }));
    const detail = `llama.cpp ${llama.llamaCppRelease.release}, ${llama.buildType}`;
    await llama.dispose();
    return detail;
  },
};

/** Examines the machine. Never rejects. */
export async function doctor(options: DoctorOptions = {}): Promise<DoctorReport> {
  const around = options.around ?? surroundings();
  const parts = { ...realParts, ...options.parts };
  const machine = parts.machine();
  const versions: Record<string, string | null> = { nomoat: ownVersion(), node: parts.nodeVersion };
  for (const name of packages) versions[name] = parts.packageVersion(name);
  let providers: DoctorReport['providers'] = [];
  const onnxruntime = await tryEngine(async () => {
    providers = await parts.providers();
    return `providers ${providers.map(({ name }) => name).join(', ')}`;
  });
  const kernels = await tryEngine(parts.loadKernels);
  const webgpu: Adapter = onnxruntime.works
    ? parts.findAdapter()
    : { found: false, reason: 'onnxruntime does not load' };
  const llamaCpp = await tryEngine(parts.startLlamaCpp);
  const builds = gpuBuilds(machine.platform, machine.architecture).map(({ name, packages }) => {
    const isThere = packages.every((each) => parts.packageVersion(each) !== null);
    const wanted = packages.map((each) => withVersion(each, versions['node-llama-cpp']));
    return { name, command: isThere ? null : installCommand(wanted) };
  });
  const folders = [
    folderFacts('runs', options.runsFolder ?? process.cwd()),
    folderFacts('Hugging Face cache', hubCacheFolder(around)),
    folderFacts('nomoat cache', nomoatModelsFolder(around)),
  ];
  const scan = scanLocalModels(around);
  const { models } = scan;
  const engines = { webgpu, onnxruntime, kernels, llamaCpp };
  const facts = { machine, folders, versions, providers, ...engines, gpuBuilds: builds, models };
  const findings = checks.flatMap((check) => check(facts) ?? []);
  for (const { path, fault } of scan.problems) {
    findings.push({ severity: 'warning', fault: `${path}: ${fault}`, remedy: 'Mend or delete it; it is left out.' });
  }
  return { ...facts, findings };
}

async function tryEngine(start: () => Promise<string>): Promise<DoctorEngine> {
  const begun = performance.now();
  const seconds = (): number => (performance.now() - begun) / 1000;
  try {
    const detail = await start();
    return { works: true, detail, seconds: seconds() };
  } catch (error) {
    const detail = (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
    return { works: false, detail, seconds: seconds() };
  }
}

function folderFacts(purpose: string, path: string): DoctorFolder {
  let existing = path;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  let writable = true;
  try {
    accessSync(existing, constants.W_OK);
  } catch {
    writable = false;
  }
  return { purpose, path, freeBytes: diskFreeBytes(path), writable };
}

type Facts = Omit<DoctorReport, 'findings'>;

/** One a fault; a check that finds nothing wrong returns null. */
const checks: readonly ((facts: Facts) => Finding | Finding[] | null)[] = [
  ({ versions }) => {
    const [major = 0, minor = 0] = (versions.node ?? '').split('.').map(Number);
    const isOld = major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]);
    if (!isOld) return null;
    return finding('error', `Node ${versions.node} is too old`, `Install Node ${oldestNode.join('.')} or later.`);
  },
  ({ onnxruntime, machine }) => {
    if (onnxruntime.works) return null;
    const isIntelMac = machine.platform === 'darwin' && machine.architecture === 'x64';
    const remedy = isIntelMac
      ? 'onnxruntime-node has no build for Intel Macs: train on another machine; chat works here.'
      : 'Install nomoat again, and on Windows the Visual C++ runtime.';
    return finding('error', `onnxruntime does not load (${onnxruntime.detail})`, remedy);
  },
  ({ llamaCpp, versions }) => {
    if (llamaCpp.works) return null;
    const wanted = withVersion(cpuPackage(), versions['node-llama-cpp']);
    const remedy = `Install its binary for this machine: ${installCommand([wanted])}`;
    return finding('error', `llama.cpp does not load (${llamaCpp.detail})`, remedy);
  },
  ({ machine }) => {
    const isPlainX64 = machine.architecture === 'x64' && machine.instructionSets.length > 0;
    if (!isPlainX64 || machine.instructionSets.includes('avx2')) return null;
    return finding('warning', 'the processor has no AVX2', 'It works, several times slower; a newer machine helps.');
  },
  ({ machine }) => {
    if (machine.memoryAvailableBytes >= minMemoryBytes) return null;
    const fault = `only ${gigabytes(machine.memoryAvailableBytes)} of memory are free`;
    return finding('warning', fault, 'Close other programs, or use a smaller model and `microBatchSize: 1`.');
  },
  ({ machine }) => {
    if (machine.processorLimit === null || machine.processorLimit >= 1) return null;
    const fault = `this container may use only ${machine.processorLimit} of a processor`;
    return finding('warning', fault, 'Give it at least one whole processor.');
  },
  ({ machine }) => {
    if (machine.load <= machine.physicalCores * busyShare) return null;
    const fault = `other programs keep ${machine.load.toFixed(1)} of ${machine.physicalCores} cores busy`;
    return finding('warning', fault, 'Wait for them, or leave them cores with `threads`.');
  },
  ({ folders }) =>
    folders.flatMap(({ purpose, path, freeBytes, writable }) => {
      const found: Finding[] = [];
      if (!writable) found.push(finding('warning', `${path} (${purpose}) cannot be written`, writeRemedies[purpose]!));
      if (freeBytes !== null && freeBytes < minDiskBytes) {
        const fault = `only ${gigabytes(freeBytes)} are free for ${path} (${purpose})`;
        found.push(finding('warning', fault, 'Make room, or use another disk.'));
      }
      return found;
    }),
  ({ models }) =>
    models.length > 0
      ? null
      : finding('warning', 'no model is on this machine', "Fetch one: `pullModel('smollm2-135m')`"),
];

const writeRemedies: Readonly<Record<string, string>> = {
  runs: 'Work in a folder of yours, or give `run`.',
  'Hugging Face cache': 'Set HF_HOME to a folder of yours.',
  'nomoat cache': 'Set NOMOAT_HOME to a folder of yours.',
};

/** llama.cpp's builds are released with node-llama-cpp, under its version. */
const withVersion = (name: string, version: string | null | undefined): string =>
  typeof version === 'string' ? `${name}@${version}` : name;

function finding(severity: Finding['severity'], fault: string, remedy: string): Finding {
  return { severity, fault, remedy };
}

export const gigabytes = (bytes: number): string => (bytes < 1e9 ? sizeText(bytes) : `${(bytes / 1e9).toFixed(1)} GB`);
