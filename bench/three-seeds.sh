#!/usr/bin/env bash
# Held-out loss after the reference epoch in float32 and int8, by onnxruntime and by our own kernels, beside PEFT float32's, for seeds 1 to 3: each seed has an initial
# adapter and an order of the rows, which PEFT draws and all train with. Seeds differ by a tenth, so runs are only comparable within one.
# Usage: bench/three-seeds.sh PYTHON BASE.gguf REFERENCE_FOLDER OUT [SEEDS [WHAT]]   (half an hour on 2 cores). WHAT: some of "peft f32:onnxruntime int8:onnxruntime int8:native". Prints a JSON line a run; OUT receives the runs.
set -euo pipefail
python=$1 base=$2 reference=$3 out=$4 seeds=${5:-1 2 3} what=${6:-peft f32:onnxruntime int8:onnxruntime int8:native}
here=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$out"
# What PEFT says is only of interest where it fails.
trap 'code=$?; [ $code -eq 0 ] || cat "$out/peft.err" >&2 2> /dev/null; exit $code' EXIT
for part in train test; do
  node "$here/dist/cli/main.js" preview "$reference/$part.jsonl" --model "$base" --rows 1000000 --json > "$out/$part-rows.jsonl"
done
# One pass in batches of 16: 100 steps of the reference's 1,600 rows.
steps=$(( ($(grep -c '"type":"row"' "$out/train-rows.jsonl") + 15) / 16 ))
# Without PEFT's own loss its first step is enough, before which it draws.
[[ $what == *peft* ]] && taken=$steps || taken=1
for seed in $seeds; do
  start=$out/start-$seed
  [ -e "$out/peft-$seed.json" ] || "$python" "$here/bench/peft/train.py" --model "$base" --rows "$out/train-rows.jsonl" --form flat --head supervised --shuffle --seed "$seed" --steps "$taken" --schedule-steps "$steps" \
    --validation "$out/test-rows.jsonl" --save-start "$start" 2> "$out/peft.err" > "$out/peft-$seed.json"
  python3 - "$out" "$seed" "$reference" "$what" <<'PY'
import json, sys
out, seed, reference, what = sys.argv[1:5]
if "peft" in what: print(json.dumps({"engine": "peft", "seed": seed, "precision": "float32", "heldOutLoss": json.load(open(f"{out}/peft-{seed}.json"))["heldOutLoss"]}), flush=True)
rows = [line for line in open(f"{reference}/train.jsonl").read().split("\n") if line]
with open(f"{out}/train-{seed}.jsonl", "w") as file:
    file.writelines(rows[i] + "\n" for i in json.load(open(f"{out}/start-{seed}/rows.json")))
PY
  for each in ${what/peft/}; do
    precision=${each%:*} engine=${each#*:}
    node "$here/dist/cli/main.js" tune "$out/train-$seed.jsonl" --validation "$reference/test.jsonl" --model "$base" --recipe "$here/recipes/reference.yaml" --precision "$precision" --engine "$engine" \
      --initial-adapter "$start" --validate-every 100 --run "$out/run-$seed-$precision-$engine" --json > "$out/events-$seed-$precision-$engine.jsonl"
    node -e '
const [file, seed, precision, engine] = process.argv.slice(1);
const end = require("fs").readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line)).find(({ type }) => type === "run-end");
console.log(JSON.stringify({ engine, seed, precision, heldOutLoss: end.validationAfter, tokensPerSecond: end.tokensPerSecond, peakMemoryBytes: end.peakMemoryBytes }));
' "$out/events-$seed-$precision-$engine.jsonl" "$seed" "$precision" "$engine"
  done
done
