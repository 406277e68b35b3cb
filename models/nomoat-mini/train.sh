#!/bin/sh
# Trains nomoat-mini anew, from the repo's root after `npm run build`: sh models/nomoat-mini/train.sh OUT [THREADS]
# Everything is seeded; OUT gets the data, both runs and nomoat-mini.gguf, and in OUT/runs what belongs beside the card: log, reports, samples.
# About a quarter of an hour on 2 cores.
set -eu
out=$1
threads=${2:-2}
nomoat="node dist/cli/main.js"
mkdir -p "$out/runs"
node models/nomoat-mini/make-data.mjs "$out"
$nomoat pretrain "$out/pretrain.txt" --validation "$out/pretrain-valid.txt" --size micro --sequence-length 256 --batch-size 8 --epochs 100 \
  --max-steps 2400 --learning-rate 2e-3 --warmup-steps 60 --validate-every 300 --threads "$threads" --run "$out/pretrain" 2>> "$out/runs/train.log"
$nomoat tune "$out/chat-train.jsonl" --validation "$out/chat-valid.jsonl" --model "$out/pretrain" --method full --sequence-length 256 --epochs 2 \
  --batch-size 24 --learning-rate 1e-3 --schedule cosine --warmup-steps 20 --weight-decay 0.1 --output-type Q8_0 --threads "$threads" --run "$out/chat" --yes 2>> "$out/runs/train.log"
cp "$out"/chat/model/*.gguf "$out/nomoat-mini.gguf"
cp "$out/pretrain/report.html" "$out/runs/pretrain.report.html"
cp "$out/chat/report.html" "$out/runs/chat.report.html"
node models/nomoat-mini/samples.mjs "$out/nomoat-mini.gguf" "$out/chat-valid.jsonl" > "$out/runs/samples.txt"
# The paths of this machine are no one's business.
for file in "$out"/runs/*; do sed -i "s#$out#OUT#g" "$file"; done
