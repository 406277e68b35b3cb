"""PEFT on the reference run: the same base, data, initial adapter, batches and optimizer as `nomoat tune` (docs/log.md says how to run both).
Usage: train_reference.py BASE.gguf ROWS.jsonl LORA.safetensors STEPS THREADS
ROWS.jsonl comes from `nomoat preview DATA --model BASE.gguf --rows 1600 --json`: both sides train on the same tokens.
Prints one JSON object: real tokens per second without the first step, losses, peak resident bytes of this process."""
import json
import os
import resource
import sys
import time

base, rows_path, lora, steps, threads = sys.argv[1:6]
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

torch.set_num_threads(int(threads))
model = AutoModelForCausalLM.from_pretrained(os.path.dirname(base), gguf_file=os.path.basename(base), dtype=torch.float32)
targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
model = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules=targets, task_type="CAUSAL_LM"))
start = {name.replace(".weight", ".default.weight"): value for name, value in load_file(lora).items()}
missing = [name for name in start if name not in dict(model.named_parameters())]
assert not missing, missing[:3]
model.load_state_dict(start, strict=False)
rows = [row for row in map(json.loads, open(rows_path)) if row["type"] == "row"]
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3, weight_decay=0.0)
losses, tokens, seconds = [], 0, 0.0
for step in range(int(steps)):
    begin = time.perf_counter()
    batch = rows[16 * step : 16 * step + 16]
    longest = max(len(row["tokens"]) for row in batch)
    ids = torch.zeros(16, longest, dtype=torch.long)
    mask = torch.zeros(16, longest, dtype=torch.long)
    labels = torch.full((16, longest), -100)
    for i, row in enumerate(batch):
        n = len(row["tokens"])
        ids[i, :n] = torch.tensor(row["tokens"])
        mask[i, :n] = 1
        labels[i, :n] = torch.where(torch.tensor(row["supervised"]) == 1, ids[i, :n], -100)
    rate = 1e-3 * (step / 5 if step < 5 else (100 - step) / 95)
    for group in optimizer.param_groups:
        group["lr"] = rate
    loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    losses.append(loss.item())
    if step > 0:
        tokens += int(mask.sum())
        seconds += time.perf_counter() - begin
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"tokensPerSecond": tokens / seconds, "losses": losses, "peakMemoryBytes": peak, "torch": torch.__version__}))
