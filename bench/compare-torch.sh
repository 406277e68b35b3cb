#!/usr/bin/env bash
# `nomoat pretrain` and PyTorch float32 side by side: the same model, rows (in another order) and settings. The text must be one document,
# without <|endoftext|>: then all rows but the last are whole, and both do the same work.
# bench/compare-torch.sh PYTHON TEXT SIZE VOCABULARY LENGTH BATCH STEPS LR WARMUP BETA2 [THREADS]      (after npm run build; PYTHON has torch, transformers, gguf)
# nanoGPT's CPU setting: PYTHON tinyshakespeare.txt nano 259 65 12 2000 1e-3 100 0.99
# ten million parameters: PYTHON TEXT mini 13900 256 8 20 1e-3 5 0.95
#   where TEXT is (zcat models/nomoat-mini/sources/tinystories.txt.gz; cat tinyshakespeare.txt) | sed 's/<|endoftext|>//g'
set -euo pipefail
python=$1 text=$2 size=$3 vocabulary=$4 length=$5 batch=$6 steps=$7 rate=$8 warmup=$9 beta2=${10} threads=${11:-2}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
node dist/cli/main.js pretrain "$text" --size "$size" --vocabulary "$vocabulary" --sequence-length "$length" --batch-size "$batch" --epochs 1000 --max-steps "$steps" --micro-batch-size "$batch" \
  --learning-rate "$rate" --warmup-steps "$warmup" --beta2 "$beta2" --validation 0.1 --validate-every "$steps" --checkpoint-every "$steps" --threads "$threads" --run "$work/run" --json > "$work/events.jsonl"
node bench/pretrain-rows.mjs "$work/run" "$work/train.bin" "$work/valid.bin" >&2
node -e '
const events = require("fs").readFileSync(process.argv[1], "utf8").trim().split("\n").map((line) => JSON.parse(line));
const steps = events.filter(({ type }) => type === "step-end").slice(1);
const seconds = steps.reduce((sum, { tokens, tokensPerSecond }) => sum + tokens / tokensPerSecond, 0);
const tokens = steps.reduce((sum, step) => sum + step.tokens, 0);
const end = events.find(({ type }) => type === "run-end");
const start = events.find(({ type }) => type === "run-start");
console.log("nomoat", JSON.stringify({ tokensPerSecond: tokens / seconds, seconds, trainingLoss: steps.at(-1).loss, validationLoss: end.validationAfter, parameters: start.parameters, peakMemoryBytes: end.peakMemoryBytes }));
' "$work/events.jsonl"
echo "torch  $("$python" bench/torch/pretrain_llama.py "$work/run/start.gguf" "$work/train.bin" "$work/valid.bin" "$length" "$batch" "$steps" "$rate" "$warmup" "$beta2" "$threads" 2>/dev/null | tail -1)"
