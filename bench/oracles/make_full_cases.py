"""Gradients of every weight, and 10 AdamW steps, from PyTorch: the oracle of full-parameter training.

python bench/oracles/make_full_cases.py test/fixtures/reference     (torch, transformers, gguf and safetensors from PyPI)

Reads base.gguf and case.json of each model, writes full.gradients.safetensors (float32, summed loss / supervised tokens)
and full.json (losses of the steps, gradient norms before clipping, norm of each tensor afterwards).
AdamW as nanoGPT sets it: lr 1e-3, betas 0.9 and 0.95, eps 1e-8, weight decay 0.1 on matrices only, gradients clipped to norm 1.
"""
import json
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

torch.manual_seed(0)
torch.set_num_threads(1)
for name in ["llama", "qwen2", "qwen3"]:
    folder = Path(sys.argv[1]) / name
    case = json.loads((folder / "case.json").read_text())
    with tempfile.TemporaryDirectory() as alone:  # beside adapter_config.json, transformers would look for the adapter's base on the hub
        shutil.copy(folder / "base.gguf", alone)
        model = AutoModelForCausalLM.from_pretrained(alone, gguf_file="base.gguf", dtype=torch.float32, attn_implementation="eager")
    model.train()
    tokens, labels = torch.tensor(case["tokens"]), torch.tensor(case["labels"])
    mask = torch.zeros_like(tokens)
    for row, length in enumerate(case["lengths"]):
        mask[row, :length] = 1

    def loss_of():
        logits = model(input_ids=tokens, attention_mask=mask).logits[:, :-1]
        total = torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1), ignore_index=-100, reduction="sum")
        return total / case["supervised_tokens"]

    parameters = dict(model.named_parameters())
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in parameters.values() if p.dim() > 1], "weight_decay": 0.1},
            {"params": [p for p in parameters.values() if p.dim() == 1], "weight_decay": 0.0},
        ],
        lr=1e-3, betas=(0.9, 0.95), eps=1e-8,
    )
    losses, norms = [], []
    for step in range(10):
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        if step == 0:
            save_file({n: p.grad.clone().contiguous() for n, p in parameters.items()}, folder / "full.gradients.safetensors")
        norms.append(float(torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0)))
        optimizer.step()
        losses.append(float(loss))
    after = {n: float(p.detach().norm()) for n, p in parameters.items()}
    (folder / "full.json").write_text(json.dumps({"losses": losses, "gradient_norms_before_clipping": norms, "norms_after": after, "torch": torch.__version__}, indent=1) + "\n")
    print(name, len(parameters), "tensors, losses", losses[0], "to", losses[-1], "case", case["loss"])
