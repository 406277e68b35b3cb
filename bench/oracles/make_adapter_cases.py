"""Adapters as PEFT and mlx-lm write them, and what these make of the base with them: the oracle of reading and merging.

python bench/oracles/make_adapter_cases.py test/fixtures/reference test/fixtures/adapters
(torch, transformers, peft, gguf, safetensors, and 'mlx[cpu]' and mlx-lm from PyPI)

Each case is a folder with the adapter's own files, and log-probabilities.json: of the tokens 1, 2, ... of the rows of
case.json, by the program that wrote it. `saved` says how: by the program, or by PEFT and then laid out as the program
documents it (its config's fields, names and types).
"""
import json
import shutil
import sys
import tempfile
from pathlib import Path

import mlx.core as mx
import mlx_lm.tuner.utils as mlx_tuner
import numpy
import torch
from mlx.utils import tree_flatten
from mlx_lm.utils import load_model, save_config
from gguf import GGUFWriter
from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

reference, out = Path(sys.argv[1]), Path(sys.argv[2])
torch.set_num_threads(1)


def base_of(name):
    with tempfile.TemporaryDirectory() as alone:  # beside adapter_config.json, transformers would look for the adapter's base on the hub
        shutil.copy(reference / name / "base.gguf", alone)
        return AutoModelForCausalLM.from_pretrained(alone, gguf_file="base.gguf", dtype=torch.float32, attn_implementation="eager")


def rows_of(name):
    case = json.loads((reference / name / "case.json").read_text())
    return [row[:length] for row, length in zip(case["tokens"], case["lengths"])]


def chosen(logits, row):
    logp = torch.log_softmax(logits.double(), dim=-1)
    return [float(logp[t, token]) for t, token in enumerate(row[1:])]


def write(folder, name, saved, logp):
    text = json.dumps({"model": name, "saved": saved, "logProbabilities": logp}, indent=1)
    (folder / "log-probabilities.json").write_text(text + "\n")
    print(folder.name, saved, sum(map(sum, logp)))


def peft_case(case, name, config, saved, change=lambda config, tensors: None, dtype=None):
    torch.manual_seed(len(case))
    model = get_peft_model(base_of(name), LoraConfig(task_type="CAUSAL_LM", **config))
    for key, value in model.named_parameters():
        if "lora_B" in key:
            torch.nn.init.normal_(value, std=0.3)
        if "lora_magnitude" in key:
            value.data *= 1 + 0.2 * torch.rand_like(value)
    if dtype:
        for key, value in model.named_parameters():
            if "lora_" in key:
                value.data = value.data.to(dtype).float()
    model.eval()
    with torch.no_grad():
        logp = [chosen(model(input_ids=torch.tensor([row])).logits[0], row) for row in rows_of(name)]
    folder = out / case
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    tensors = load_file(folder / "adapter_model.safetensors")
    settings = json.loads((folder / "adapter_config.json").read_text())
    settings["base_model_name_or_path"] = f"reference-{name}"
    if dtype:
        tensors = {key: value.to(dtype) for key, value in tensors.items()}
    change(settings, tensors)
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    (folder / "adapter_config.json").write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n")
    write(folder, name, saved, logp)


def unsloth(config, _):
    # What FastLanguageModel.get_peft_model leaves: a pattern for all language layers, and a key of its own in auto_mapping.
    config["auto_mapping"] = {"base_model_class": "LlamaForCausalLM", "parent_library": "transformers.models.llama.modeling_llama", "unsloth_fixed": True}
    config["target_modules"] = r"(?:.*?(?:language|text).*?(?:self_attn|attention|attn|mlp|feed_forward|ffn|dense).*?(?:k_proj|v_proj|q_proj|o_proj|gate_proj|up_proj|down_proj).*?)|(?:\bmodel\.layers\.[\d]{1,}\.(?:self_attn|attention|attn|mlp|feed_forward|ffn|dense)\.(?:(?:k_proj|v_proj|q_proj|o_proj|gate_proj|up_proj|down_proj)))"
    config["base_model_name_or_path"] = "unsloth/reference-llama-bnb-4bit"


def axolotl(config, _):
    config["peft_version"] = "0.17.1"
    config["lora_bias"] = False
    config["exclude_modules"] = None


def llama_factory(config, _):
    # What it was trained with, by an older PEFT: fields that there were then.
    for key in ["alora_invocation_tokens", "arrow_config", "corda_config", "ensure_weight_tying", "eva_config", "exclude_modules", "lora_bias", "peft_version", "qalora_group_size", "target_parameters", "trainable_token_indices", "use_qalora"]:
        config.pop(key, None)


def gguf_case(case, name, saved, metadata, dtype):
    # Rows of q and k of a llama stand in GGUF as convert_hf_to_gguf.py permutes them.
    source = out / "unsloth" if name == "llama" else out / "llama-factory"
    tensors = load_file(source / "adapter_model.safetensors")
    config = json.loads((source / "adapter_config.json").read_text())
    folder = out / case
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    writer = GGUFWriter(folder / "adapter.gguf", name)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(config["lora_alpha"]))
    for add, key, value in metadata:
        getattr(writer, add)(key, value)
    heads = {"q_proj": base_of(name).config.num_attention_heads, "k_proj": base_of(name).config.num_key_value_heads}
    named = {"q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output", "gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down"}
    rounded = {}
    for key, value in tensors.items():
        parts = key.split(".")
        layer, module, half = parts[4], parts[6], parts[7][-1].lower()
        array = value.float().numpy()
        if name == "llama" and half == "b" and module in heads:
            array = array.reshape(heads[module], 2, -1, array.shape[1]).swapaxes(1, 2).reshape(array.shape)
        array = array.astype(dtype)
        writer.add_tensor(f"blk.{layer}.{named[module]}.weight.lora_{half}", array)
        rounded[key] = value.half().float() if dtype == numpy.float16 else value.float()
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    # The same numbers under PEFT.
    torch.manual_seed(0)
    keep = {key: config[key] for key in ["r", "lora_alpha", "use_rslora"]}
    model = get_peft_model(base_of(name), LoraConfig(task_type="CAUSAL_LM", target_modules=everything, **keep))
    set_peft_model_state_dict(model, rounded)
    model.eval()
    with torch.no_grad():
        logp = [chosen(model(input_ids=torch.tensor([row])).logits[0], row) for row in rows_of(name)]
    write(folder, name, saved, logp)


def mlx_case(case, name, parameters, layers, dora=False):
    folder = out / case
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as alone:
        base = base_of(name)
        settings = base.config.to_dict()
        settings.pop("quantization_config", None)
        (Path(alone) / "config.json").write_text(json.dumps(settings, default=str))
        save_file({key: value.clone().contiguous() for key, value in base.state_dict().items()}, Path(alone) / "model.safetensors")
        model, _ = load_model(Path(alone))
    model.freeze()
    mx.random.seed(3)
    mlx_tuner.linear_to_lora_layers(model, layers, parameters, use_dora=dora)
    drawn = [(key, mx.random.normal(value.shape) * 0.2) for key, value in tree_flatten(model.parameters()) if key.endswith("lora_b")]
    drawn += [(key, value * (1 + 0.2 * mx.random.uniform(shape=value.shape))) for key, value in tree_flatten(model.parameters()) if key.endswith(".m")]
    model.load_weights(drawn, strict=False)
    model.eval()
    weights = dict(tree_flatten(model.parameters() if dora else model.trainable_parameters()))
    weights = {key: value for key, value in weights.items() if key.endswith(("lora_a", "lora_b", ".m"))}
    mx.save_safetensors(str(folder / "adapters.safetensors"), weights)
    save_config({"fine_tune_type": "dora" if dora else "lora", "lora_parameters": parameters, "num_layers": layers, "model": f"reference-{name}", "iters": 100, "seed": 0}, folder / "adapter_config.json")
    logp = []
    for row in rows_of(name):
        logits = torch.tensor(model(mx.array([row]))[0].tolist())
        logp.append(chosen(logits, row))
    write(folder, name, "by mlx-lm", logp)


peft_case("peft-patterns", "llama", {"r": 4, "lora_alpha": 8, "use_rslora": True, "target_modules": r".*\.(q|v|down)_proj", "rank_pattern": {"v_proj": 2, r"layers\.1\.mlp\.down_proj": 1}, "alpha_pattern": {"q_proj": 3}}, "by PEFT")
peft_case("peft-layers", "qwen3", {"r": 2, "lora_alpha": 4, "target_modules": ["q_proj", "up_proj"], "layers_to_transform": [0, 2]}, "by PEFT")
peft_case("peft-dora", "llama", {"r": 2, "lora_alpha": 4, "use_dora": True, "target_modules": ["q_proj", "v_proj", "down_proj"]}, "by PEFT")
everything = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
peft_case("unsloth", "llama", {"r": 2, "lora_alpha": 2, "target_modules": everything}, "by PEFT, laid out as Unsloth does", unsloth)
peft_case("axolotl", "llama", {"r": 2, "lora_alpha": 16, "lora_dropout": 0.05, "target_modules": everything}, "by PEFT, laid out as Axolotl does", axolotl, torch.bfloat16)
peft_case("llama-factory", "qwen3", {"r": 1, "lora_alpha": 2, "target_modules": everything}, "by PEFT, laid out as LLaMA-Factory does", llama_factory, torch.float16)
mlx_case("mlx-lm", "llama", {"rank": 2, "dropout": 0.0, "scale": 2.5, "keys": ["self_attn.q_proj", "self_attn.v_proj", "mlp.down_proj"]}, 2)
mlx_case("mlx-dora", "llama", {"rank": 2, "dropout": 0.0, "scale": 2.0, "keys": ["self_attn.q_proj", "mlp.up_proj"]}, 3, dora=True)
gguf_case("llama-cpp", "llama", "laid out as convert_lora_to_gguf.py of llama.cpp does, by gguf-py", [("add_string", "general.name", "reference"), ("add_uint32", "general.file_type", 1)], numpy.float16)
gguf_case("qvac", "qwen3", "laid out as QVAC's llama-finetune-lora does, by gguf-py", [("add_string", "general.name", "LoRA Adapter"), ("add_uint32", "adapter.lora.rank", 1)], numpy.float32)
