"""Real PEFT on adapters that nomoat wrote, beside llama.cpp's numbers: called by bench/peft-round-trip.mjs with its cases.json."""
import json
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

bound = 1e-4
torch.set_num_threads(1)


def log_probabilities(model, tokens):
    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0, :-1].double()
    return torch.log_softmax(logits, -1).gather(1, torch.tensor(tokens[1:])[:, None])[:, 0]


worst = 0.0
for case in json.loads(Path(sys.argv[1]).read_text()):
    with tempfile.TemporaryDirectory() as alone:
        shutil.copy(Path(case["base"]) / "base.gguf", alone)
        base = AutoModelForCausalLM.from_pretrained(alone, gguf_file="base.gguf", dtype=torch.float32, attn_implementation="eager")
    model = PeftModel.from_pretrained(base, case["folder"]).eval()
    apart = (log_probabilities(model, case["tokens"]) - torch.tensor(case["adapted"], dtype=torch.float64)).abs().max().item()
    # The adapter does something, or equality would say nothing.
    does = max(abs(a - b) for a, b in zip(case["adapted"], case["plain"]))
    assert does > 0.01, (case["family"], does)
    print(f"{case['family']}, rank {case['rank']}: PEFT and llama.cpp {apart:.1e} nats apart at worst; the adapter moves {does:.2f}")
    worst = max(worst, apart)
sys.exit(0 if worst < bound else 1)
