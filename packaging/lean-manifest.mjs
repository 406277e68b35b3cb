/**
 * The package.json that is published, made of the repository's own: node-llama-cpp and onnxruntime-node come inside the package, without
 * what a CPU does not need, and what they need at run time are dependencies of nomoat. Pure. docs/install-size.md says why, with figures.
 */

/** Come inside the package. They are pinned to one version each: what is packed is what the tests ran against. */
export const bundled = ['node-llama-cpp', 'onnxruntime-node'];

/**
 * llama.cpp's CPU builds, those of node-llama-cpp's own optional dependencies for machines that onnxruntime-node trains on, and Intel Macs,
 * which chat only. npm takes the ones that declare themselves fit for the machine.
 */
export const cpuBuilds = ['linux-x64', 'linux-arm64', 'mac-arm64-metal', 'mac-x64', 'win-x64', 'win-arm64'];

/**
 * What the bundled packages need for work that nomoat never asks for, and do not load otherwise: onnxruntime-node's install script fetches
 * CUDA files, node-llama-cpp compiles llama.cpp and has a command line.
 */
const neverLoaded = {
  'onnxruntime-node': ['adm-zip', 'global-agent'],
  'node-llama-cpp': ['cmake-js', 'ignore', 'node-addon-api', 'validate-npm-package-name', 'yargs'],
};

/**
 * Files of the bundled packages that are left out: llama.cpp's source, 35 MB for those who compile, which nomoat never does; and a second copy of
 * onnxruntime for macOS, 45 MB, which was a link before npm packed it: its binding loads `libonnxruntime.1.dylib`, as its load commands say.
 */
export const leftOut = {
  'node-llama-cpp': ['llama/gitRelease.bundle'],
  'onnxruntime-node': ['bin/napi-v6/darwin/arm64/libonnxruntime.1.30.0.dylib'],
};

/** What a clone needs and a user does not. */
const ofTheClone = ['private', 'scripts', 'devDependencies'];

/** A bundled package's own manifest: nothing to run, nothing to install. Its dependencies are nomoat's. */
export function bundledManifest(manifest) {
  const { scripts, dependencies, optionalDependencies, devDependencies, ...kept } = manifest;
  return kept;
}

/** Of a bundled package, by name: what it needs at run time. */
function dependenciesOf({ name, dependencies }) {
  return Object.entries(dependencies ?? {}).filter(([wanted]) => !neverLoaded[name].includes(wanted));
}

/** `manifests` are those of the installed packages in `bundled`. Throws where versions are not the pinned ones, or where two ranges differ. */
export function leanManifest(own, manifests) {
  const kept = Object.fromEntries(Object.entries(own).filter(([field]) => !ofTheClone.includes(field)));
  const dependencies = { ...own.dependencies };
  for (const manifest of manifests) {
    const { name, version } = manifest;
    if (dependencies[name] !== version) throw new Error(`${name} ${version} is installed, not ${dependencies[name]}`);
    for (const [wanted, range] of dependenciesOf(manifest)) dependencies[wanted] ??= range;
  }
  const { version, optionalDependencies } = manifests.find(({ name }) => name === 'node-llama-cpp');
  const builds = cpuBuilds.map((build) => `@node-llama-cpp/${build}`);
  for (const build of builds)
    if (optionalDependencies[build] !== version) throw new Error(`node-llama-cpp ${version} knows no ${build}`);
  return {
    ...kept,
    dependencies: Object.fromEntries(Object.entries(dependencies).sort(([a], [b]) => (a < b ? -1 : 1))),
    optionalDependencies: Object.fromEntries(builds.map((build) => [build, version])),
    bundleDependencies: bundled,
  };
}
