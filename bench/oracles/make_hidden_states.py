"""Hidden states between the blocks of the reference models, with the adapter of step 20 and without, as transformers computes them.

    python bench/oracles/make_hidden_states.py test/fixtures/reference

Needs torch, transformers, gguf and safetensors. Writes hidden.safetensors beside each model: `base.N` and `tuned.N` [8, 64], what enters
block N of row 0's first eight tokens (the last: what leaves the last block, before the norm), and the last token's logits.
"""
import json
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

TOKENS = 8
torch.set_num_threads(1)


def states(model, tokens):
    left = []
    hook = model.model.layers[-1].register_forward_hook(lambda _, __, out: left.append(out[0] if isinstance(out, tuple) else out))
    with torch.no_grad():
        out = model(tokens, output_hidden_states=True)
    hook.remove()
    # The last of hidden_states is behind the norm already.
    return [state[0] for state in [*out.hidden_states[:-1], left[0]]], out.logits[0, -1]


for folder in sorted(path.parent for path in Path(sys.argv[1]).glob("*/lora.after20.safetensors")):
    # Beside adapter_config.json transformers would look for the adapter's base instead.
    with tempfile.TemporaryDirectory() as alone:
        shutil.copy(folder / "base.gguf", alone)
        model = AutoModelForCausalLM.from_pretrained(alone, gguf_file="base.gguf", dtype=torch.float32).eval()
    tokens = torch.tensor([json.loads((folder / "case.json").read_text())["tokens"][0][:TOKENS]])
    tensors = {}
    config = json.loads((folder / "adapter_config.json").read_text())
    for name in ["base", "tuned"]:
        if name == "tuned":
            lora = load_file(folder / "lora.after20.safetensors")
            for key in [key for key in lora if "lora_A" in key]:
                module = model.get_submodule(key.removeprefix("base_model.model.").split(".lora_A")[0])
                module.weight.data += config["lora_alpha"] / config["r"] * lora[key.replace("lora_A", "lora_B")] @ lora[key]
        hidden, logits = states(model, tokens)
        tensors |= {f"{name}.{i}": state.contiguous() for i, state in enumerate(hidden)}
        tensors[f"{name}.logits"] = logits.contiguous()
    save_file(tensors, folder / "hidden.safetensors")
    print(f"{folder.name}: {len(hidden)} states of {TOKENS} tokens")
