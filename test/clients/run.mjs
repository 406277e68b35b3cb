/** Runs the tests of clients that have to be fetched from npm and PyPI: `npm run test:clients`. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const vitest = join(import.meta.dirname, '../../node_modules/vitest/vitest.mjs');
const args = ['run', 'test/clients', 'test/server/ai-sdk.test.ts', '--reporter=verbose', '--disable-console-intercept'];
const { status } = spawnSync(process.execPath, [vitest, ...args], { stdio: 'inherit', env: { ...process.env, NOMOAT_CLIENTS: '1' } });
process.exit(status ?? 1);
