#!/usr/bin/env bash
# Seconds per 128 tokens of QVAC's llama.cpp fork (@qvac/llm-llamacpp 0.38.2 under bare-runtime) fine-tuning LoRA r 8 on the CPU, context 128, batch 1.
# Usage: bench/qvac/run.sh FOLDER MODEL.gguf STEPS    (MODEL: node bench/synthetic-model.mjs qwen3-0.6b MODEL.gguf)
# FOLDER lies outside the repo; both packages (620 MB) are installed there on first use. Prints one JSON line.
# On a processor with AMX the package's own choice of backend stops at once (ggml-backend.cpp: GGML_ASSERT(*cur_backend_id != -1)): it repacks Q8_0
# weights for AMX and has no backward pass for them. The AMX variant is then removed from FOLDER, and the next best (AVX512) runs.
set -euo pipefail
folder=$1 model=$(realpath "$2") steps=$3
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$folder"
cd "$folder"
if [ ! -d node_modules/@qvac/llm-llamacpp ]; then
  npm init -y > /dev/null
  npm install --no-audit --no-fund @qvac/llm-llamacpp@0.38.2 bare-runtime > /dev/null
fi
grep -q amx_int8 /proc/cpuinfo 2> /dev/null && rm -f node_modules/@qvac/llm-llamacpp/prebuilds/linux-x64/*/libqvac-ggml-cpu-sapphirerapids.so
cp "$here/finetune.js" .
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Words enough for at least two more than STEPS windows (at the last one the engine's schedule reaches rate 0, which it asserts against)
# of 128 tokens: the engine slides by half a window (804 tokens gave 10 steps), and a word is 1.15 tokens of
# nomoat-mini's vocabulary, which synthetic-model.mjs puts into the file.
python3 - "$steps" > "$work/text.txt" <<'PY'
import random, sys
random.seed(0)
words = "the a cat dog house runs sees little big tree man woman went to and with happy day sun moon water played found friend".split()
print(" ".join(random.choice(words) for _ in range(270 + 70 * int(sys.argv[1]))))
PY
# The binary itself: the package's `bare` command is a Node wrapper, whose end does not end the engine and whose memory is not the engine's.
bare=$(node -p "require('bare-runtime')()")
chmod +x "$bare" # some mirrors of npm drop the mode
python3 - "$work" "$model" "$steps" "$bare" <<'PY'
import json, os, resource, statistics, subprocess, sys
work, model, steps, bare = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
process = subprocess.Popen([bare, "finetune.js", model, work + "/text.txt", work + "/out"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
ends, losses = [], []
for line in process.stdout:
    if line.startswith("{") and '"is_train":true' in line:
        event = json.loads(line)
        ends.append(event["elapsed_ms"] / 1000)
        losses.append(event["loss"])
        if len(ends) == steps:
            process.kill()
            break
process.wait()
if len(ends) < steps:
    raise SystemExit(f"QVAC ended with {process.returncode} after {len(ends)} of {steps} steps; run `bare finetune.js` in the folder to see why")
times = [b - a for a, b in zip([0.0] + ends, ends)]
median = statistics.median(times)
print(json.dumps({"engine": "qvac", "model": os.path.basename(model), "secondsPer128Tokens": median, "tokensPerSecond": 128 / median,
                  "stepSeconds": [round(t, 2) for t in times], "losses": losses, "peakMemoryBytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024}))
PY
