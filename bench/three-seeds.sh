#!/usr/bin/env bash
# Held-out loss after the reference epoch in float32 and int8, by onnxruntime and by our own kernels, beside PEFT float32's, for seeds 1 to 3: each seed has an initial
# adapter and an order of the rows, which PEFT draws and all train with. Seeds differ by a tenth, so runs are only comparable within one, and means over all of them.
# Usage: [MAX_STEPS=N] bench/three-seeds.sh PYTHON BASE.gguf REFERENCE_FOLDER OUT [SEEDS [WHAT]]   (half an hour on 2 cores; without PEFT's own loss a third of it)
# WHAT: some of "peft f32:onnxruntime int8:onnxruntime int8:native". OUT receives the runs; what is finished there is not run again. Prints a JSON line a run, and then the means.
# MAX_STEPS shortens all runs, to see that everything works: no figure.
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
[ -z "${MAX_STEPS:-}" ] || steps=$(( MAX_STEPS < steps ? MAX_STEPS : steps ))
# Without PEFT's own loss its first step is enough, before which it draws.
[[ $what == *peft* ]] && taken=$steps held=(--validation "$out/test-rows.jsonl") || { taken=1 && held=(); }
for seed in $seeds; do
  start=$out/start-$seed
  drawn=$out/peft-$seed-$taken.json
  if [ ! -e "$drawn" ]; then
    "$python" "$here/bench/peft/train.py" --model "$base" --rows "$out/train-rows.jsonl" --form flat --head supervised --shuffle --seed "$seed" --steps "$taken" --schedule-steps "$steps" \
      "${held[@]}" --save-start "$start" 2> "$out/peft.err" > "$drawn.part"
    mv "$drawn.part" "$drawn"
  fi
  python3 - "$out" "$seed" "$reference" "$what" "$drawn" <<'PY'
import json, sys
out, seed, reference, what, drawn = sys.argv[1:6]
if "peft" in what:
    line = json.dumps({"engine": "peft", "seed": seed, "precision": "float32", "heldOutLoss": json.load(open(drawn))["heldOutLoss"]})
    print(line, flush=True)
    open(f"{out}/line-{seed}-peft.json", "w").write(line)
rows = [line for line in open(f"{reference}/train.jsonl").read().split("\n") if line]
with open(f"{out}/train-{seed}.jsonl", "w") as file:
    file.writelines(rows[i] + "\n" for i in json.load(open(f"{out}/start-{seed}/rows.json")))
PY
  for each in ${what/peft/}; do
    precision=${each%:*} engine=${each#*:}
    name=$seed-$precision-$engine
    if [ ! -e "$out/line-$name.json" ]; then
      rm -rf "$out/run-$name"
      node "$here/dist/cli/main.js" tune "$out/train-$seed.jsonl" --validation "$reference/test.jsonl" --model "$base" --recipe "$here/recipes/reference.yaml" --precision "$precision" --engine "$engine" \
        --max-steps "$steps" --initial-adapter "$start" --validate-every "$steps" --safety-share 0 --verdict-share 0 --run "$out/run-$name" --json --yes > "$out/events-$name.jsonl"
      node -e '
const [out, name, precision, engine] = process.argv.slice(1);
const fs = require("node:fs");
const events = fs.readFileSync(`${out}/events-${name}.jsonl`, "utf8").trim().split("\n").map((line) => JSON.parse(line));
const end = events.find(({ type }) => type === "run-end");
const by = JSON.parse(fs.readFileSync(`${out}/run-${name}/run.json`, "utf8")).engine;
const line = { engine, by, seed: name.split("-")[0], precision, heldOutLoss: end.validationAfter, tokensPerSecond: end.tokensPerSecond, peakMemoryBytes: end.peakMemoryBytes };
fs.writeFileSync(`${out}/line-${name}.json`, JSON.stringify(line));
' "$out" "$name" "$precision" "$engine"
    fi
    cat "$out/line-$name.json" && echo
  done
done
# Means of what was run of every seed, and how far each is above float32's by onnxruntime.
node -e '
const [out, seeds, what] = process.argv.slice(1);
const read = (name) => JSON.parse(require("node:fs").readFileSync(`${out}/line-${name}.json`, "utf8")).heldOutLoss;
const means = Object.fromEntries(what.trim().split(/\s+/).map((each) => {
  const losses = seeds.trim().split(/\s+/).map((seed) => read(each === "peft" ? `${seed}-peft` : `${seed}-${each.replace(":", "-")}`));
  return [each, losses.reduce((a, b) => a + b) / losses.length];
}));
const exact = means["f32:onnxruntime"];
const above = exact ? Object.fromEntries(Object.entries(means).map(([each, mean]) => [each, `${((mean / exact - 1) * 100).toFixed(2)}%`])) : {};
console.log(JSON.stringify({ means, aboveFloat32: above }));
' "$out" "$seeds" "$what"
