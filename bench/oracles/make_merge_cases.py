"""What PEFT's add_weighted_adapter makes of two adapters: the oracle of `nomoat merge`.

python bench/oracles/make_merge_cases.py test/fixtures/reference test/fixtures/merge     (torch, transformers, peft, gguf and safetensors from PyPI)

Writes the two adapters (first, second; second adapts fewer modules in its own rank for what takes other ranks) and, in
merged.safetensors, the merged update B A of layer 1 under METHOD.MODULE; weights 0.7 and 0.4, density 0.6.
"""
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

reference, out = Path(sys.argv[1]), Path(sys.argv[2])
torch.set_num_threads(1)


def base():
    with tempfile.TemporaryDirectory() as alone:  # beside adapter_config.json, transformers would look for the adapter's base on the hub
        shutil.copy(reference / "llama" / "base.gguf", alone)
        return AutoModelForCausalLM.from_pretrained(alone, gguf_file="base.gguf", dtype=torch.float32, attn_implementation="eager")


def write(name, seed, config):
    torch.manual_seed(seed)
    model = get_peft_model(base(), LoraConfig(task_type="CAUSAL_LM", **config))
    for key, value in model.named_parameters():
        if "lora_B" in key:
            torch.nn.init.normal_(value, std=0.3)
    shutil.rmtree(out / name, ignore_errors=True)
    model.save_pretrained(out / name)
    (out / name / "README.md").unlink(missing_ok=True)


write("first", 1, {"r": 3, "lora_alpha": 6, "target_modules": ["q_proj", "k_proj"]})
write("second", 2, {"r": 3, "lora_alpha": 4, "target_modules": ["q_proj", "k_proj"]})
model = PeftModel.from_pretrained(base(), out / "first", adapter_name="first")
model.load_adapter(out / "second", adapter_name="second")
merged = {}
for name, options in {
    "cat": {"combination_type": "cat"},
    "svd": {"combination_type": "svd"},
    "svd-2": {"combination_type": "svd", "svd_rank": 2},
    "peft-linear": {"combination_type": "linear"},
    "peft-ties": {"combination_type": "ties", "density": 0.6},
    "peft-magnitude-prune": {"combination_type": "magnitude_prune", "density": 0.6},
    # All of the product's rank, so that it is what was merged element by element.
    "ties": {"combination_type": "ties_svd", "density": 0.6, "svd_rank": 32},
    "magnitude-prune": {"combination_type": "magnitude_prune_svd", "density": 0.6, "svd_rank": 32},
}.items():
    model.add_weighted_adapter(["first", "second"], [0.7, 0.4], name.replace("-", "_"), **options)
    for module in ["q_proj", "k_proj"]:
        layer = getattr(model.base_model.model.model.layers[1].self_attn, module)
        merged[f"{name}.{module}"] = layer.get_delta_weight(name.replace("-", "_")).contiguous()
save_file(merged, out / "merged.safetensors")
print(len(merged), "updates", float(sum(value.norm() for value in merged.values())))
