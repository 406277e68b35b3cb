/** Removes the NOMOAT_HOME that vitest.config.ts made for this run of the tests. */
import { rmSync } from 'node:fs';
import type { TestProject } from 'vitest/node';

export default function setup(project: TestProject): () => void {
  const home = project.config.env['NOMOAT_HOME'];
  return () => {
    if (home) rmSync(home, { recursive: true, force: true });
  };
}
