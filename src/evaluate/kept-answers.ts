/**
 * Answers of one model on the disk, so that another comparison computes only what is new. Promises: each is kept as it comes, and what a kill
 * left half written is passed over; the file is its owner's alone.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { writeFailure } from '../formats/atomic-write.ts';
import type { AnswerStore, TestAnswer } from './ask.ts';
import type { TestQuestion } from './test-set.ts';

const line = z.object({ key: z.string(), text: z.string(), ended: z.boolean() });
const privateFile = 0o600;

function parsed(text: string): z.output<typeof line> | null {
  try {
    return line.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

export class KeptAnswers implements AnswerStore {
  private readonly path: string;
  private readonly sampling: string;
  private readonly known = new Map<string, TestAnswer>();
  private started = false;

  /** `sampling` says all that an answer depends on beside model and question. */
  constructor(path: string, sampling: string) {
    this.path = path;
    this.sampling = sampling;
    if (!existsSync(path)) return;
    for (const text of readFileSync(path, 'utf8').split('\n')) {
      const found = parsed(text);
      if (found) this.known.set(found.key, { text: found.text, ended: found.ended });
    }
  }

  find(question: TestQuestion): TestAnswer | null {
    return this.known.get(this.keyOf(question)) ?? null;
  }

  keep(question: TestQuestion, answer: TestAnswer): void {
    const key = this.keyOf(question);
    this.known.set(key, answer);
    try {
      mkdirSync(dirname(this.path), { recursive: true });
      // A line that a kill left half written ends here.
      const head = this.started ? '' : '\n';
      appendFileSync(this.path, `${head}${JSON.stringify({ key, ...answer })}\n`, { mode: privateFile });
      this.started = true;
    } catch (error) {
      throw writeFailure(this.path, error);
    }
  }

  private keyOf({ ask }: TestQuestion): string {
    return createHash('sha256')
      .update(JSON.stringify([this.sampling, ask]))
      .digest('hex');
  }
}
