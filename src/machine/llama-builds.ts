/**
 * llama.cpp's builds as npm packages, by machine: which one computes on the CPU, which ones on graphics cards, and how they are installed
 * beside this package. Knows nothing of what is installed.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const isAppleProcessor = (platform: string, arch: string): boolean => platform === 'darwin' && arch === 'arm64';

/**
 * What node-llama-cpp is asked for to get a build that computes on the CPU. For Apple's processors it has none without Metal; with none of
 * a model's layers on the GPU that one computes on the CPU as well.
 */
export const cpuBuild = (
  platform: NodeJS.Platform = process.platform,
  arch: string = process.arch,
): { readonly gpu: false | 'metal' } => ({ gpu: isAppleProcessor(platform, arch) ? 'metal' : false });

function machineName(platform: string, arch: string): string {
  const os = ({ darwin: 'mac', win32: 'win' } as Readonly<Record<string, string>>)[platform] ?? platform;
  return `@node-llama-cpp/${os}-${arch === 'arm' ? 'armv7l' : arch}`;
}

/** The package with llama.cpp's CPU build for a machine. */
export const cpuPackage = (platform: string = process.platform, arch: string = process.arch): string =>
  `${machineName(platform, arch)}${isAppleProcessor(platform, arch) ? '-metal' : ''}`;

/** A build for graphics cards: the packages that it takes together. */
export interface GpuBuild {
  readonly name: string;
  readonly packages: readonly string[];
}

/** The builds for graphics cards that a machine can have; Apple's processors have theirs already. */
export function gpuBuilds(platform: string = process.platform, arch: string = process.arch): readonly GpuBuild[] {
  if (arch !== 'x64' || platform === 'darwin') return [];
  const machine = machineName(platform, arch);
  return [
    { name: 'Vulkan', packages: [`${machine}-vulkan`] },
    { name: 'CUDA', packages: [`${machine}-cuda`, `${machine}-cuda-ext`] },
  ];
}

/** Two folders up from src/machine and from dist/machine alike. */
const ownFolder = fileURLToPath(new URL('../..', import.meta.url));

/** The npm command that puts packages where this one finds them: beside it in its project, or beside it among the global ones. */
export function installCommand(packages: readonly string[], folder: string = ownFolder): string {
  const modules = dirname(folder);
  const isGlobal = basename(modules) === 'node_modules' && !existsSync(join(dirname(modules), 'package.json'));
  return ['npm install', ...(isGlobal ? ['-g'] : []), ...packages].join(' ');
}
