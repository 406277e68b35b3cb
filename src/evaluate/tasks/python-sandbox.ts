/**
 * Programs of a model, run by the machine's own Python. Promises: a child process in a folder of its own that is removed, without the caller's
 * environment, with bounds on time, memory, processes and files, and without a network where `unshare` can take it away. It can read what the
 * user can read: it bounds accidents, and is no wall against malice.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NomoatError } from '../../errors.ts';

/** As messages say it. */
export const sandbox =
  'each by Python in a process and a folder of its own, for 3 seconds, with 1 GB of memory, no files above 1 MB, no environment and, on Linux with `unshare`, no network; it can read what you can read';

/** The harness' own limit. */
const milliseconds = 3000;
/** Of the child itself, in Python: it is loaded before the program, and takes effect for all that it starts. */
const bounds = `import resource, sys
for what, most in ((resource.RLIMIT_CPU, 4), (resource.RLIMIT_AS, 1 << 30), (resource.RLIMIT_FSIZE, 1 << 20), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, 32)):
    try:
        resource.setrlimit(what, (most, most))
    except (ValueError, OSError):
        pass
with open(sys.argv[1]) as file:
    program = compile(file.read(), "program.py", "exec")
exec(program, {"__name__": "program"})
print("passed " + sys.argv[2])
`;

interface Ended {
  readonly output: string;
  /** Whether the command itself is there. */
  readonly isThere: boolean;
}

function run(command: string, args: readonly string[], cwd: string): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    let output = '';
    // All that it started is of its group.
    const kill = (): void => {
      try {
        if (child.pid) process.kill(-child.pid, 'SIGKILL');
      } catch {
        child.kill('SIGKILL');
      }
    };
    const timer = setTimeout(kill, milliseconds);
    const end = (isThere: boolean): void => {
      clearTimeout(timer);
      kill();
      resolve({ output, isThere });
    };
    child.stdout.on('data', (bytes: Buffer) => {
      if (output.length < 1 << 16) output += bytes.toString();
    });
    child.once('error', () => end(false));
    child.once('close', () => end(true));
  });
}

/** How Python is started here, with no network where that can be had; null where there is none. Found once. */
let found: Promise<readonly string[] | null> | null = null;

async function findPython(folder: string): Promise<readonly string[] | null> {
  for (const python of ['python3', 'python'])
    for (const around of [['unshare', '-Urn'], []]) {
      const [command, ...args] = [...around, python, '-I', '-c', 'import resource; print("here")'];
      if ((await run(command!, args, folder)).output.trim() === 'here') return [...around, python];
    }
  return null;
}

/** Whether the program ends by itself without an error. Rejects with NomoatError where there is no Python. */
export async function runPython(program: string): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'nomoat-program-'));
  try {
    found ??= findPython(folder);
    const python = await found;
    if (python === null)
      throw new NomoatError({
        code: 'invalid-settings',
        part: 'humaneval',
        fault:
          'runs programs under bounds that Python sets on Linux and macOS, and neither python3 nor python does so here',
        remedy: 'Install Python there, or take another task.',
      });
    const secret = folder.slice(-6);
    writeFileSync(join(folder, 'bounds.py'), bounds);
    writeFileSync(join(folder, 'candidate.py'), program);
    const [command, ...args] = [...python, '-I', 'bounds.py', 'candidate.py', secret];
    const { output } = await run(command!, args, folder);
    return output.endsWith(`passed ${secret}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
