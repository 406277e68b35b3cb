/** The clang of Python's `ziglang`, in the one version that binaries are compared by. NOMOAT_PYTHON names a Python that has it. */
import { execFileSync } from 'node:child_process';
import { zigVersion } from '../dist/runtime/native/sources.js';

const python = process.env.NOMOAT_PYTHON ?? 'python3';

const run = (args, cwd) => execFileSync(python, ['-m', 'ziglang', ...args], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

/** Runs it in the folder `cwd`. Throws where it is another version, or not there. */
export function zig(args, cwd) {
  const version = run(['version']).trim();
  if (version !== zigVersion) throw new Error(`native: wants ziglang ${zigVersion}, found ${version}`);
  run(args, cwd);
}
