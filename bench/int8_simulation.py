"""What rounding to int8 does to a model with a trained adapter, by how inputs are prepared and gradients rounded: simulated in float32 with PyTorch.
Usage: int8_simulation.py BASE.gguf ADAPTER_FOLDER ROWS.jsonl    (python with torch, transformers, gguf, safetensors)
ROWS.jsonl: `nomoat preview DATA --model BASE.gguf --rows 200 --json`: rows 1-6 fit the smoothing, rows 13-24 are measured; the head stays float32.
Weights: int8 per output row; activations and gradients: int8 per token. Prints for each preparation the mean KL divergence of next-token distributions
(nats) and the relative difference of the adapter's gradient from float32's, with gradients of the frozen products exact, and in one int8 term."""
import json
import math
import os
import sys
import tempfile

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

base, adapter_path, rows_path = sys.argv[1:4]
torch.set_num_threads(2)
# By itself: transformers takes an adapter_config.json beside it for an order to load that adapter's base from the hub.
with tempfile.TemporaryDirectory() as alone:
    os.symlink(os.path.abspath(base), os.path.join(alone, "model.gguf"))
    model = AutoModelForCausalLM.from_pretrained(alone, gguf_file="model.gguf", dtype=torch.float32, attn_implementation="sdpa")
adapter = load_file(os.path.join(adapter_path, "adapter_model.safetensors"))
settings = json.load(open(os.path.join(adapter_path, "adapter_config.json")))
rows = [row for row in map(json.loads, open(rows_path)) if row["type"] == "row"]
fitted, measured = rows[:6], rows[12:24]
SMOOTHED = [["q_proj", "k_proj", "v_proj"], ["gate_proj", "up_proj"], ["down_proj"]]
mode = {"exact": True, "one_term": False, "two_term_activations": False, "collect": True}


def rotation(width, block):
    """[width, width]: a random orthogonal matrix for block 0, else Walsh-Hadamard blocks."""
    if block == 0:
        return torch.linalg.qr(torch.randn(width, width, generator=torch.Generator().manual_seed(0)))[0]
    h = torch.ones(1, 1)
    while h.shape[0] < block:
        h = torch.cat([torch.cat([h, h], 1), torch.cat([h, -h], 1)])
    return torch.block_diag(*[h / math.sqrt(block)] * (width // block))


def rounded(x):
    step = x.abs().amax(-1, keepdim=True) / 127 + 1e-30
    return torch.round(x / step) * step


class Product(torch.autograd.Function):
    """x W^T as int8 computes it; backward in int8 too, or exact for the rounded weights."""

    @staticmethod
    def forward(ctx, x, layer):
        ctx.layer = layer
        if mode["exact"]:
            return x @ layer.weight.t()
        x = x / layer.divisor @ layer.rotation
        coarse = rounded(x)
        return (coarse + rounded(x - coarse) if mode["two_term_activations"] else coarse) @ layer.quantized.t()

    @staticmethod
    def backward(ctx, g):
        layer = ctx.layer
        if mode["exact"]:
            return g @ layer.weight, None
        if mode["one_term"]:
            g = rounded(g * layer.step) / layer.step
        return g @ layer.quantized @ layer.rotation.t() / layer.divisor, None


class Adapted(torch.nn.Module):
    def __init__(self, name, weight):
        super().__init__()
        self.name, self.weight = name.split(".")[-1], weight
        key = f"base_model.model.{name}"
        self.a, self.b = (torch.nn.Parameter(adapter[f"{key}.lora_{m}.weight"].float()) for m in "AB")
        self.scale = settings["lora_alpha"] / settings["r"]
        self.tops = torch.zeros(weight.shape[1])

    def prepare(self, block, divisor):
        width = self.weight.shape[1]
        self.divisor = torch.ones(width) if divisor is None else divisor
        self.rotation = torch.eye(width) if block is None else rotation(width, block)
        prepared = self.weight * self.divisor @ self.rotation
        self.step = prepared.abs().amax(1) / 127
        self.quantized = rounded(prepared)

    def forward(self, x):
        if mode["collect"]:
            self.tops = torch.maximum(self.tops, x.detach().reshape(-1, x.shape[-1]).abs().amax(0))
        return Product.apply(x, self) + (x @ self.a.t()) @ self.b.t() * self.scale


for parameter in model.parameters():
    parameter.requires_grad_(False)
layers = []
for name, module in list(model.named_modules()):
    if isinstance(module, torch.nn.Linear) and not name.endswith("lm_head"):
        parent, _, child = name.rpartition(".")
        layers.append(Adapted(name, module.weight.detach()))
        setattr(model.get_submodule(parent), child, layers[-1])


def measure(some):
    model.zero_grad()
    count = sum(sum(row["supervised"]) for row in some)
    logs = []
    for row in some:
        ids = torch.tensor([row["tokens"]])
        logp = torch.log_softmax(model(input_ids=ids).logits[0], -1)
        loss = -logp[:-1].gather(1, ids[0, 1:, None])[:, 0][torch.tensor(row["supervised"][1:]) == 1].sum() / count
        loss.backward()
        logs.append(logp.detach())
    return torch.cat(logs), torch.cat([p.grad.flatten() for layer in layers for p in (layer.a, layer.b)])


measure(fitted)
mode["collect"] = False
logp, gradient = measure(measured)
mode["exact"] = False


def report(name, blocks, smoothed=()):
    """blocks: projection -> block of its input's rotation; smoothed: projections whose inputs are smoothed (exponent 0.6)."""
    uneven = {layer.name for layer in layers if layer.weight.shape[1] % (blocks.get(layer.name) or 1)}
    if uneven:
        print(json.dumps({"inputs": name, "skipped": f"the inputs of {', '.join(sorted(uneven))} are no whole number of blocks"}), flush=True)
        return
    for at in range(0, len(layers), 7):
        by_name = {layer.name: layer for layer in layers[at : at + 7]}
        for group in [[n] for n in by_name if not any(n in g for g in SMOOTHED)] + SMOOTHED:
            divisor = None
            if group[0] in smoothed:
                weights = torch.stack([by_name[n].weight.abs().amax(0) for n in group]).amax(0)
                divisor = (by_name[group[0]].tops ** 0.6 / weights**0.4).clamp(min=1e-5)
            for n in group:
                by_name[n].prepare(blocks.get(n), divisor)
    result = {"inputs": name}
    for label, settings in {"exact": {}, "oneTerm": {"one_term": True}, "twoTermActivations": {"one_term": True, "two_term_activations": True}}.items():
        mode.update({"one_term": False, "two_term_activations": False, **settings})
        ours, theirs = measure(measured)
        result[label] = {
            "divergence": round(float((logp.exp() * (logp - ours)).sum(-1).mean()), 5),
            "gradientDifference": round(float((theirs - gradient).norm() / gradient.norm()), 4),
        }
    print(json.dumps(result), flush=True)


NORMED = ["q_proj", "k_proj", "v_proj", "gate_proj", "up_proj"]
ALL = [*NORMED, "o_proj", "down_proj"]
report("plain", {})
report("smoothed", {}, ["q_proj", "gate_proj", "down_proj"])
report("norms' outputs rotated whole, down_proj's smoothed", dict.fromkeys(NORMED, 0), ["down_proj"])
report("blocks of 32", dict.fromkeys(ALL, 32))
report("blocks of 64", dict.fromkeys(ALL, 64))
report("blocks of 64, not o_proj's", dict.fromkeys([*NORMED, "down_proj"], 64))
report("blocks of 64, down_proj's of 512", {**dict.fromkeys(ALL, 64), "down_proj": 512})
