/**
 * A copy of onnxruntime's library that takes this processor for one without AVX-512, so that our own kernels can be measured beside it as on one: no setting
 * of onnxruntime and no variable holds it to AVX2. Each place where the library asks which registers the system saves (xgetbv) is told: those of AVX. Linux x64.
 * node bench/onnxruntime-avx2.mjs OUT, then LD_PRELOAD=OUT/libonnxruntime.so.1 NOMOAT_ISA=avx2 node bench/native-step.mjs MODEL: its first line has "levels":63 where the copy is
 * what computes, since the products of AVX2 saturate.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const [out] = process.argv.slice(2);
const library = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')), 'bin/napi-v6/linux/x64/libonnxruntime.so.1');
/** xor ecx, ecx; xgetbv: as compilers write it. */
const asks = Buffer.from([0x31, 0xc9, 0x0f, 0x01, 0xd0]);
/** The same length: xor ecx, ecx; push 7; pop rax. */
const told = Buffer.from([0x31, 0xc9, 0x6a, 0x07, 0x58]);
const bytes = readFileSync(library);
let places = 0;
for (let at = bytes.indexOf(asks); at >= 0; at = bytes.indexOf(asks, at)) {
  told.copy(bytes, at);
  places++;
}
if (places === 0) throw new Error(`onnxruntime-avx2: ${library} asks nowhere as it is expected to`);
mkdirSync(out, { recursive: true });
writeFileSync(join(out, 'libonnxruntime.so.1'), bytes);
console.log(`${places} places`);
