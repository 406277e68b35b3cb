#!/usr/bin/env bash
# Our own kernels built by the system's g++ under AddressSanitizer and UBSan, or under ThreadSanitizer, and taken through blocks of random sizes (bench/kernel-shapes.mjs):
# any report ends it with an error. zig brings UBSan's library alone, so this is another compiler than the one of native/build.mjs. Linux x64, g++ 12 or later, a built dist.
# Usage: bench/sanitized.sh OUT [address|thread [STEPS [SETS]]]   (1,000 steps of a set take a quarter of an hour and more; OUT receives the binaries)
set -euo pipefail
out=$1 kind=${2:-address} steps=${3:-1000} sets=${4:-avx512-vnni avx2}
here=$(cd "$(dirname "$0")/.." && pwd)
declare -A flags=([avx512-vnni]="-march=x86-64-v4 -mavx512vnni" [avx2]="-march=x86-64-v3")
declare -A checks=([address]="address,undefined" [thread]="thread")
declare -A libraries=([address]=libasan.so [thread]=libtsan.so)
folder=$out/$kind
mkdir -p "$folder/prebuilt/linux-x64"
for set in $sets; do
  binary=$folder/prebuilt/linux-x64/$set.node
  # shellcheck disable=SC2086
  g++ ${flags[$set]} -shared -fPIC -std=c++20 -O1 -g -ffp-contract=off -pthread -Wno-unknown-pragmas -fsanitize="${checks[$kind]}" -fno-sanitize-recover=all \
    -isystem "$here/node_modules/node-api-headers/include" "$here"/native/src/*.cpp -o "$binary"
done
node -e '
const { readdirSync, readFileSync, writeFileSync } = require("node:fs");
const { createHash } = require("node:crypto");
const folder = process.argv[1] + "/prebuilt";
const digest = (name) => createHash("sha256").update(readFileSync(`${folder}/linux-x64/${name}`)).digest("hex");
const files = Object.fromEntries(readdirSync(`${folder}/linux-x64`).map((name) => [`linux-x64/${name.replace(".node", "")}`, digest(name)]));
writeFileSync(`${folder}/manifest.json`, JSON.stringify({ sources: "", files }));
' "$folder"
# Node leaves memory to the end of the process, which is not asked about here.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 TSAN_OPTIONS=halt_on_error=1
for set in $sets; do
  LD_PRELOAD=$(g++ -print-file-name="${libraries[$kind]}") node "$here/bench/kernel-shapes.mjs" --native "$folder" --sets "$set" --steps "$steps" --threads 4 --repetitions 0
done
