"""PyTorch float32 on what `nomoat pretrain` does: the same Llama shape from random weights, the same rows, AdamW with the same settings.
Usage: pretrain_llama.py RUN/start.gguf TRAIN_ROWS.bin VALID_ROWS.bin LENGTH BATCH STEPS LR WARMUP BETA2 THREADS
ROWS.bin: int32 rows of LENGTH tokens (bench/pretrain-rows.mjs). The model is transformers' LlamaForCausalLM with its fused attention.
Prints one JSON object: tokens per second of training (without the first step), seconds of training, validation loss, peak resident bytes."""
import json
import math
import os
import resource
import shutil
import sys
import tempfile
import time

start, train_path, valid_path = sys.argv[1:4]
length, batch, steps = map(int, sys.argv[4:7])
lr, warmup, beta2, threads = float(sys.argv[7]), int(sys.argv[8]), float(sys.argv[9]), int(sys.argv[10])
import torch
from transformers import AutoModelForCausalLM

torch.set_num_threads(threads)
torch.manual_seed(0)
with tempfile.TemporaryDirectory() as alone:
    shutil.copy(start, os.path.join(alone, "start.gguf"))
    model = AutoModelForCausalLM.from_pretrained(alone, gguf_file="start.gguf", dtype=torch.float32, attn_implementation="sdpa")


def rows_of(path):
    return torch.frombuffer(bytearray(open(path, "rb").read()), dtype=torch.int32).long().view(-1, length)


train, valid = rows_of(train_path), rows_of(valid_path)
model.train()
parameters = list(model.parameters())
optimizer = torch.optim.AdamW(
    [{"params": [p for p in parameters if p.dim() > 1], "weight_decay": 0.1}, {"params": [p for p in parameters if p.dim() == 1], "weight_decay": 0.0}],
    lr=lr, betas=(0.9, beta2), eps=1e-8,
)


def loss_of(rows):
    logits = model(input_ids=rows[:, :-1], use_cache=False).logits
    return torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), rows[:, 1:].reshape(-1))


order = torch.cat([torch.randperm(len(train)) for _ in range(math.ceil(steps * batch / len(train)))])
seconds = 0.0
for step in range(steps):
    begin = time.perf_counter()
    rate = lr * (step + 1) / warmup if step < warmup else lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))
    for group in optimizer.param_groups:
        group["lr"] = rate
    loss = loss_of(train[order[step * batch : (step + 1) * batch]])
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    if step > 0:
        seconds += time.perf_counter() - begin
model.eval()
with torch.no_grad():
    parts = [(float(loss_of(part)), len(part)) for part in valid.split(64)]
print(json.dumps({
    "tokensPerSecond": (steps - 1) * batch * length / seconds, "seconds": seconds, "trainingLoss": float(loss),
    "validationLoss": sum(l * n for l, n in parts) / sum(n for _, n in parts) if parts else None,
    "parameters": sum(p.numel() for p in parameters), "peakMemoryBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "torch": torch.__version__,
}))
