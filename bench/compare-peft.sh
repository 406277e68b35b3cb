#!/usr/bin/env bash
# nomoat and PEFT one after the other on the first STEPS steps of the reference run, ROUNDS times each (default 2), in one run on one machine.
# Usage: [ROUNDS=N] [FLAGS='--no-share-prefix'] bench/compare-peft.sh PYTHON BASE.gguf REFERENCE_FOLDER STEPS [f32|int8] [options of bench/peft/train.py]
# PYTHON: of a virtual environment with torch, transformers, peft, gguf. Against bfloat16 in its quickest form:
#   bench/compare-peft.sh PYTHON BASE.gguf REFERENCE 6 int8 --dtype bfloat16 --adapter-dtype base --form flat
# FLAGS: further ones of `nomoat tune`. REFERENCE_FOLDER holds train.jsonl and lora.start.safetensors. Prints JSON lines; tokens per second count real tokens, first step left out.
set -euo pipefail
python=$1 base=$2 reference=$3 steps=$4 precision=${5:-f32}
shift $(( $# < 5 ? $# : 5 ))
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
# What PEFT says is only of interest where it fails: then it is all there is to go by.
trap 'code=$?; [ $code -eq 0 ] || cat "$work/peft.err" >&2 2> /dev/null; rm -rf "$work"; exit $code' EXIT
node "$here/dist/cli/main.js" preview "$reference/train.jsonl" --model "$base" --rows $((16 * steps)) --json > "$work/rows.jsonl"
for round in $(seq "${ROUNDS:-2}"); do
  date +%s.%N > "$work/start"
  node "$here/dist/cli/main.js" tune "$reference/train.jsonl" --epochs 1 --max-steps "$steps" --batch-size 16 --no-shuffle --learning-rate 1e-3 \
    --schedule linear --warmup-steps 5 --initial-adapter "$reference/lora.start.safetensors" --alpha 16 --precision "$precision" --threads 2 --checkpoint-every 1000 --verdict-share 0 --safety-share 0 --sample-share 0 ${FLAGS:-} \
    --model "$base" --run "$work/run$round" --json --yes |
    while read -r line; do echo "$(date +%s.%N) $line"; done > "$work/events"
  python3 - "$work" "$round" "$precision" <<'PY'
import json, sys
work, round_ = sys.argv[1:3]
start = float(open(work + '/start').read())
lines = [(float(l.split(' ', 1)[0]), json.loads(l.split(' ', 1)[1])) for l in open(work + '/events')]
steps = [(t, e) for t, e in lines if e['type'] == 'step-end']
rest = [e for _, e in steps[1:]]
end = [e for _, e in lines if e['type'] == 'run-end'][0]
print(json.dumps({'engine': 'nomoat', 'precision': sys.argv[3], 'round': round_, 'tokensPerSecond': sum(e['tokens'] for e in rest) / sum(e['tokens'] / e['tokensPerSecond'] for e in rest),
  'peakMemoryBytes': end['peakMemoryBytes'], 'secondsToFirstStep': steps[0][0] - start, 'lastLoss': steps[-1][1]['loss']}))
PY
  "$python" "$here/bench/peft/train.py" --model "$base" --rows "$work/rows.jsonl" --lora "$reference/lora.start.safetensors" --steps "$steps" "$@" 2> "$work/peft.err" |
    python3 -c "import json,sys; r=json.load(sys.stdin); print(json.dumps({'engine':'peft','round':'$round','tokensPerSecond':r['tokensPerSecond'],'peakMemoryBytes':r['peakMemoryBytes'],'lastLoss':r['losses'][-1],'torch':r['torch'],'dtype':r['dtype'],'form':r['form']}))"
done
