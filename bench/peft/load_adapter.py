"""Loads an adapter that nomoat exported with the real PEFT, warnings as errors, and prints the mean loss over given rows.
Usage: load_adapter.py BASE.gguf ADAPTER_FOLDER ROWS.jsonl COUNT"""
import json
import os
import sys
import tempfile
import warnings

base, adapter, rows_path, count = sys.argv[1:5]
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

# By itself: transformers takes an adapter_config.json beside it for an order to load that adapter's base from the hub.
with tempfile.TemporaryDirectory() as alone:
    os.symlink(os.path.abspath(base), os.path.join(alone, "model.gguf"))
    model = AutoModelForCausalLM.from_pretrained(alone, gguf_file="model.gguf", dtype=torch.float32)
with warnings.catch_warnings():
    warnings.simplefilter("error", UserWarning)  # transformers deprecates parts of itself with FutureWarning
    model = PeftModel.from_pretrained(model, adapter)
rows = [row for row in map(json.loads, open(rows_path)) if row["type"] == "row"][: int(count)]
total, supervised = 0.0, 0
with torch.no_grad():
    for row in rows:
        ids = torch.tensor([row["tokens"]])
        logp = torch.log_softmax(model(input_ids=ids).logits[0], -1)
        for t in range(1, len(row["tokens"])):
            if row["supervised"][t]:
                total -= logp[t - 1, row["tokens"][t]].item()
                supervised += 1
print(json.dumps({"loss": total / supervised, "supervisedTokens": supervised}))
