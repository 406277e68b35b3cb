#!/usr/bin/env bash
# Training on a graphics card, as one command for a machine that is lent for some minutes: what was found, right or wrong, and how fast, in one JSON file that is written anew
# after each part (bench/webgpu.mjs says which). Ended after five minutes with what there is by then.
# Usage: bench/webgpu.sh SMOLLM2.gguf OUT.json [PYTHON]   (on Linux the Vulkan loader, libvulkan1; PYTHON with torch for CUDA, transformers, peft, gguf for the comparison)
set -euo pipefail
base=$1 out=$2 python=${3:-}
here=$(cd "$(dirname "$0")/.." && pwd)
[ -d "$here/node_modules" ] || npm install --prefix "$here" --no-progress
[ -d "$here/dist" ] || npm run build --prefix "$here"
timeout "${SECONDS_AT_MOST:-290}" node "$here/bench/webgpu.mjs" "$base" "$out" ${python:+--peft "$python"} || code=$?
[ "${code:-0}" -ne 124 ] || echo "webgpu: ended after its time; $out has what was measured by then"
exit "${code:-0}"
