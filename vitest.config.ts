import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    setupFiles: process.env.NOMOAT_TEST_NODE === undefined ? [] : ['test/expect-node.ts'],
    // Two cores: more workers only make the engines' threads fight.
    maxWorkers: 2,
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // What is kept for the next time is not the user's, and not an earlier test run's. test/clean-home.ts removes it.
    env: { NOMOAT_HOME: mkdtempSync(join(tmpdir(), 'nomoat-test-home-')) },
    globalSetup: ['test/clean-home.ts'],
  },
});
