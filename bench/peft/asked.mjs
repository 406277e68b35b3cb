/** PEFT's steps one at a time, taken in turns with ours in one run (bench/peft/train.py --asked). */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** More than anybody asks for. */
const manySteps = 1000;

/** A loaded model in a process of its own: `step()` gives the seconds of one, `close()` ends it and gives what it says of itself. Further arguments are train.py's. */
export function openPeft(python, args) {
  const script = join(import.meta.dirname, 'train.py');
  const fixed = ['--asked', '--steps', String(manySteps), '--schedule-steps', String(manySteps)];
  const child = spawn(python, [script, ...fixed, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { done, value } = await lines.next();
    if (done) throw new Error('peft/train.py ended');
    return JSON.parse(value);
  };
  return {
    async step() {
      child.stdin.write('\n');
      return (await next()).seconds;
    },
    close() {
      child.stdin.end();
      return next();
    },
  };
}
