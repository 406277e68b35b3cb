/** Takes the mark off binaries that had never run: `node native/tried.mjs PLATFORM-ARCH/NAME...` for what the release workflow has just tried. Changes native/prebuilt/manifest.json. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const path = join(import.meta.dirname, 'prebuilt/manifest.json');
const { neverRun = [], ...manifest } = JSON.parse(readFileSync(path, 'utf8'));
const tried = process.argv.slice(2);
const unknown = tried.filter((name) => !neverRun.includes(name));
if (tried.length === 0 || unknown.length > 0) throw new Error(`tried: wants names among ${neverRun.join(', ')}, not ${unknown.join(', ') || 'none'}`);
const left = neverRun.filter((name) => !tried.includes(name));
writeFileSync(path, `${JSON.stringify(left.length > 0 ? { ...manifest, neverRun: left } : manifest, null, 2)}\n`);
console.log(`tried: ${tried.join(', ')}; never run: ${left.join(', ') || 'none'}`);
