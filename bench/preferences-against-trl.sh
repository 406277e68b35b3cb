#!/usr/bin/env bash
# Tokens a second of DPO's steps by nomoat and by TRL in bfloat16, in turns, on the rows and settings of a run that bench/preferences.mjs made; peak memory of each. Both have the reference's
# likelihoods before they are timed. TRL's micro-batch has the size of SIZES that is quickest in a first round of two steps each.
# Usage: bench/preferences-against-trl.sh PYTHON BASE.gguf OUT [ROUNDS] [STEPS]   (SIZES='1 2 4'; ENGINE=onnxruntime for that one; OUT: the folder of bench/preferences.mjs; PYTHON has torch, transformers, peft, trl, datasets, gguf)
set -euo pipefail
python=$1 base=$2 out=$3 rounds=${4:-3} steps=${5:-4}
here=$(cd "$(dirname "$0")/.." && pwd)
rows=$out/train-rows.jsonl
node "$here/dist/cli/main.js" preview "$out/train.jsonl" --model "$base" --rows 1000000 --json > "$rows"
few=$(mktemp -d)
trap 'rm -rf "$few"' EXIT
# Pairs of micro-batches, steps.
trl() {
  "$python" "$here/bench/trl_preferences.py" "$base" "$rows" "$rows" "$out/dpo-run/run.json" --no-before --test 4 --micro-batch "$1" --steps "$2" 2> "$few/trl.log" | tail -1 | tee "$few/trl.json" || { tail -5 "$few/trl.log"; exit 1; }
}
nomoat() {
  node "$here/dist/cli/main.js" tune "$out/train.jsonl" --validation 0.01 --validate-every 1000000 --engine "${ENGINE:-auto}" --model "$base" --recipe "$out/dpo-run/recipe.yaml" --max-steps "$steps" --run "$few/run-$1" --verdict-share 0 --safety-share 0 --sample-share 0 --yes --json > "$few/events-$1.jsonl"
  # The first step warms up, as it does in TRL's figure.
  node -e '
const events = require("node:fs").readFileSync(process.argv[1], "utf8").trim().split("\n").map((line) => JSON.parse(line));
const steps = events.filter(({ type }) => type === "step-end").slice(1);
const seconds = steps.reduce((sum, { tokens, tokensPerSecond }) => sum + tokens / tokensPerSecond, 0);
const end = events.findLast(({ type }) => type === "run-end");
console.log(JSON.stringify({ engine: "nomoat", steps: steps.length + 1, tokensPerSecond: steps.reduce((sum, { tokens }) => sum + tokens, 0) / seconds, peakMemoryBytes: end.peakMemoryBytes }));
' "$few/events-$1.jsonl"
}
quickest=0 size=4
for each in ${SIZES:-1 2 4}; do
  trl "$each" 2
  rate=$(node -p 'Math.round(1000 * JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8")).tokensPerSecond)' "$few/trl.json")
  if [ "$rate" -gt "$quickest" ]; then quickest=$rate size=$each; fi
done
echo "TRL by micro-batches of $size"
for round in $(seq "$rounds"); do
  nomoat "$round"
  trl "$size" "$steps"
done
