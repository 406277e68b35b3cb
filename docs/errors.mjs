/** Writes docs/errors.md from the table of the built library (npm run docs:errors). */
import { writeFileSync } from 'node:fs';
import { renderErrorCodes } from '../dist/error-codes.js';

writeFileSync(new URL('errors.md', import.meta.url), renderErrorCodes());
