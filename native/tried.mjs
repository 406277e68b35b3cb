/** Takes the mark off the binaries that had never run: what the release workflow has just tried. Changes native/prebuilt/manifest.json. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const path = join(import.meta.dirname, 'prebuilt/manifest.json');
const { neverRun = [], ...manifest } = JSON.parse(readFileSync(path, 'utf8'));
writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);
console.log(`tried: ${neverRun.join(', ') || 'nothing was marked'}`);
