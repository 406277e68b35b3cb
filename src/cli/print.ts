/** Results on stdout. */
import { harmless } from '../words/harmless.ts';

/** What is read by people cannot steer their terminal: names of files, runs and models are others' texts. */
export const print = (text: string): void =>
  void process.stdout.write(`${process.stdout.isTTY ? harmless(text) : text}\n`);
