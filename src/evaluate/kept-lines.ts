/**
 * What a model was found to answer, on the disk, so that another comparison computes only what is new. Promises: each is kept as it comes, and
 * what a kill left half written is passed over; the file is its owner's alone.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { writeFailure } from '../formats/atomic-write.ts';

const keyed = z.object({ key: z.string() });
const privateFile = 0o600;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export class KeptLines<Value extends object> {
  private readonly path: string;
  private readonly known = new Map<string, Value>();
  private started = false;

  constructor(path: string, shape: z.ZodType<Value>) {
    this.path = path;
    if (!existsSync(path)) return;
    for (const text of readFileSync(path, 'utf8').split('\n')) {
      const line: unknown = parsed(text);
      const [of, value] = [keyed.safeParse(line).data, shape.safeParse(line).data];
      if (of && value) this.known.set(of.key, value);
    }
  }

  /** `asked` is all that it depends on, beside what the file's name says. */
  find(asked: unknown): Value | null {
    return this.known.get(keyOf(asked)) ?? null;
  }

  keep(asked: unknown, value: Value): void {
    const key = keyOf(asked);
    this.known.set(key, value);
    try {
      mkdirSync(dirname(this.path), { recursive: true });
      // A line that a kill left half written ends here.
      const head = this.started ? '' : '\n';
      appendFileSync(this.path, `${head}${JSON.stringify({ key, ...value })}\n`, { mode: privateFile });
      this.started = true;
    } catch (error) {
      throw writeFailure(this.path, error);
    }
  }
}

const keyOf = (asked: unknown): string => createHash('sha256').update(JSON.stringify(asked)).digest('hex');
