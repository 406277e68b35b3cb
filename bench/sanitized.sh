#!/usr/bin/env bash
# Our own kernels built by the system's g++ under AddressSanitizer and UBSan, or under ThreadSanitizer, and taken through blocks of random sizes (bench/kernel-shapes.mjs):
# any report ends it with an error. zig brings UBSan's library alone, so this is another compiler than the one of native/build.mjs. Linux x64, g++ 12 or later, a built dist.
# The set avx-vnni is compiled with the instruction as AVX-512 spells it, since no processor with AVX-VNNI is here, and stands in the place of avx512-vnni.
# Usage: bench/sanitized.sh OUT [address|thread [STEPS [SETS]]]   (1,000 steps of a set take a quarter of an hour and more; OUT receives the binaries)
set -euo pipefail
out=$1 kind=${2:-address} steps=${3:-1000} sets=${4:-avx512-vnni avx2}
here=$(cd "$(dirname "$0")/.." && pwd)
declare -A flags=([avx512-vnni]="-march=x86-64-v4 -mavx512vnni" [avx2]="-march=x86-64-v3" [avx-vnni]="-march=x86-64-v3 -mavx512vl -mavx512vnni -DNOMOAT_VNNI_256")
declare -A checks=([address]="address,undefined" [thread]="thread")
declare -A libraries=([address]=libasan.so [thread]=libtsan.so)
# Node leaves memory to the end of the process, which is not asked about here.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 TSAN_OPTIONS=halt_on_error=1
for set in $sets; do
  folder=$out/$kind-$set
  place=$([ "$set" = avx-vnni ] && echo avx512-vnni || echo "$set")
  mkdir -p "$folder/prebuilt/linux-x64"
  # shellcheck disable=SC2086
  g++ ${flags[$set]} -shared -fPIC -std=c++20 -O1 -g -ffp-contract=off -pthread -Wno-unknown-pragmas -fsanitize="${checks[$kind]}" -fno-sanitize-recover=all \
    -isystem "$here/node_modules/node-api-headers/include" "$here"/native/src/*.cpp -o "$folder/prebuilt/linux-x64/$place.node"
  node -e '
const { readFileSync, writeFileSync } = require("node:fs");
const [, folder, name] = process.argv;
const digest = require("node:crypto").createHash("sha256").update(readFileSync(`${folder}/${name}.node`)).digest("hex");
writeFileSync(`${folder}/manifest.json`, JSON.stringify({ sources: "", files: { [name]: digest } }));
' "$folder/prebuilt" "linux-x64/$place"
  LD_PRELOAD=$(g++ -print-file-name="${libraries[$kind]}") node "$here/bench/kernel-shapes.mjs" --native "$folder" --sets "$place" --steps "$steps" --threads 4 --repetitions 0
done
