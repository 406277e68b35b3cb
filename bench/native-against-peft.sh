#!/usr/bin/env bash
# Whole LoRA steps of rank 16 by our own kernels, by onnxruntime and by PEFT in bfloat16, in turns: SmolLM2, 4 x 256 random tokens, and TinyLlama's shape, 2 x 512.
# PEFT has random weights of the same shapes, which cost the same and are really bfloat16.
# Usage: bench/native-against-peft.sh PYTHON SMOLLM2.gguf OUT [ROUNDS]   (about five minutes on 2 quiet cores). OUT receives the made model, 1.2 GB.
set -euo pipefail
python=$1 base=$2 out=$3 rounds=${4:-5}
here=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$out"
node "$here/bench/native-step.mjs" "$base" --peft "$python" --shape smollm2-135m --random 4x256 --rounds "$rounds"
[ -e "$out/tinyllama.gguf" ] || node "$here/bench/synthetic-model.mjs" tinyllama-1.1b "$out/tinyllama.gguf" --tokenizer "$here/models/nomoat-mini/nomoat-mini.gguf"
node "$here/bench/native-step.mjs" "$out/tinyllama.gguf" --peft "$python" --shape tinyllama-1.1b --random 2x512 --rounds "$rounds"
