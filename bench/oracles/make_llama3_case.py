"""A small model as Llama 3.x files are: a mixture of K-quants, rope factors, head width of its own, biases, a head of its own.

python bench/oracles/make_llama3_case.py test/fixtures/reference     (torch, transformers, peft, gguf and safetensors from PyPI)

Writes llama3/base.gguf, lora.start.safetensors, and for two kinds of rope scaling what PyTorch computes in float32 from the values that
the gguf package reads out of that file: llama3.gradients.safetensors, linear.gradients.safetensors, case.json.
The file is of the kind llama3; without its rope_freqs and with llama.rope.scaling.* it is of the kind linear.
"""
import json
import math
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
from make_quant_cases import add_tensor, dequantize, random_blocks
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

D, HEADS, KV, HEAD, FF, LAYERS, VOCABULARY, BASE = 256, 4, 2, 32, 256, 2, 320, 10000.0
ROPE = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 32}
LINEAR = 4.0
RANK, ALPHA = 4, 8
torch.manual_seed(0)
torch.set_num_threads(1)
random = np.random.default_rng(1)


def rope_factors() -> np.ndarray:
    """As llama.cpp's convert_hf_to_gguf.py makes them."""
    low, high = (ROPE["original_max_position_embeddings"] / ROPE[name] for name in ["low_freq_factor", "high_freq_factor"])
    factors = []
    for i in range(HEAD // 2):
        wave = 2 * math.pi * BASE ** (2 * i / HEAD)
        smooth = (ROPE["original_max_position_embeddings"] / wave - ROPE["low_freq_factor"]) / (ROPE["high_freq_factor"] - ROPE["low_freq_factor"])
        factors.append(1.0 if wave < high else ROPE["factor"] if wave > low else 1 / ((1 - smooth) / ROPE["factor"] + smooth))
    return np.array(factors, dtype=np.float32)


def unpermute(weights: np.ndarray, heads: int) -> np.ndarray:
    """Rows of GGUF's interleaved halves in transformers' order."""
    return weights.reshape(heads, HEAD // 2, 2, -1).swapaxes(1, 2).reshape(weights.shape)


# Scales that give matrices of roughly 0.05 per value: the random quants of a type reach that far.
REACH = {"Q4_K": 200, "Q5_K": 400, "Q6_K": 1200, "Q5_0": 9, "Q4_0": 5, "Q8_0": 73, "F16": 1, "BF16": 1, "F32": 1}
matrices = {"token_embd": ("Q8_0", VOCABULARY, D, None), "output": ("Q6_K", VOCABULARY, D, None)}
for layer, types in enumerate([["Q4_K", "Q5_K", "Q6_K", "Q5_0", "Q4_K", "Q5_K", "Q6_K"], ["Q4_K", "Q4_K", "F16", "Q4_0", "BF16", "Q4_K", "Q5_K"]]):
    shapes = [(HEADS * HEAD, D, HEADS), (KV * HEAD, D, KV), (KV * HEAD, D, None), (D, HEADS * HEAD, None), (FF, D, None), (FF, D, None), (D, FF, None)]
    for name, type_name, shape in zip(["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"], types, shapes):
        matrices[f"blk.{layer}.{name}"] = (type_name, *shape)

folder = Path(sys.argv[1]) / "llama3"
folder.mkdir(parents=True, exist_ok=True)
reader = gguf.GGUFReader(Path(sys.argv[1]) / "llama" / "base.gguf")
writer = gguf.GGUFWriter(folder / "base.gguf", "llama")
writer.add_name("llama3-like")
writer.add_block_count(LAYERS)
writer.add_context_length(256)
writer.add_embedding_length(D)
writer.add_feed_forward_length(FF)
writer.add_head_count(HEADS)
writer.add_head_count_kv(KV)
writer.add_key_length(HEAD)
writer.add_value_length(HEAD)
writer.add_rope_dimension_count(HEAD)
writer.add_rope_freq_base(BASE)
writer.add_layer_norm_rms_eps(1e-5)
writer.add_vocab_size(VOCABULARY)
writer.add_file_type(15)
for name, field in reader.fields.items():
    if name.startswith("tokenizer."):
        element = field.types[1] if len(field.types) > 1 else None
        writer.add_key_value(name, field.contents(), field.types[0], element)

names = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}
state: dict[str, np.ndarray] = {}
for name, (type_name, rows, width, heads) in matrices.items():
    data = random_blocks(type_name, rows, width, 0.1 / REACH[type_name])
    add_tensor(writer, f"{name}.weight", type_name, data)
    values = dequantize(type_name, data).astype(np.float32).reshape(rows, width)
    if name.startswith("blk."):
        _, layer, part = name.split(".")
        state[f"model.layers.{layer}.{names[part]}.weight"] = unpermute(values, heads) if heads else values
    else:
        state["model.embed_tokens.weight" if name == "token_embd" else "lm_head.weight"] = values
for layer in range(LAYERS):
    for part, heads in [("attn_q", HEADS), ("attn_k", KV), ("attn_v", KV)]:
        bias = random.normal(size=heads * HEAD).astype(np.float32) * 0.3
        writer.add_tensor(f"blk.{layer}.{part}.bias", bias)
        state[f"model.layers.{layer}.{names[part]}.bias"] = bias if part == "attn_v" else unpermute(bias, heads)
    for ours, theirs in [("attn_norm", "input_layernorm"), ("ffn_norm", "post_attention_layernorm")]:
        norm = (1 + random.normal(size=D) * 0.1).astype(np.float32)
        writer.add_tensor(f"blk.{layer}.{ours}.weight", norm)
        state[f"model.layers.{layer}.{theirs}.weight"] = norm
    state[f"model.layers.{layer}.self_attn.o_proj.bias"] = np.zeros(D, np.float32)
norm = (1 + random.normal(size=D) * 0.1).astype(np.float32)
writer.add_tensor("output_norm.weight", norm)
state["model.norm.weight"] = norm
writer.add_tensor("rope_freqs.weight", rope_factors())
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()

# Conversations long enough that the scaled frequencies turn visibly.
lengths = [60, 41]
tokens = torch.from_numpy(random.integers(3, VOCABULARY, (2, max(lengths))))
labels = torch.full_like(tokens, -100)
mask = torch.zeros_like(tokens)
for row, length in enumerate(lengths):
    labels[row, 20:length] = tokens[row, 20:length]
    mask[row, :length] = 1
supervised = int((labels != -100).sum())
start = None
losses = {}
for kind, scaling in [("llama3", {"rope_type": "llama3", **ROPE}), ("linear", {"rope_type": "linear", "factor": LINEAR})]:
    config = LlamaConfig(
        hidden_size=D, intermediate_size=FF, num_hidden_layers=LAYERS, num_attention_heads=HEADS, num_key_value_heads=KV, head_dim=HEAD,
        vocab_size=VOCABULARY, max_position_embeddings=256, rms_norm_eps=1e-5, attention_bias=True, tie_word_embeddings=False,
        rope_parameters={"rope_theta": BASE, **scaling}, attn_implementation="eager",
    )
    model = LlamaForCausalLM(config).float()
    model.load_state_dict({name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in state.items()})
    model = get_peft_model(model, LoraConfig(r=RANK, lora_alpha=ALPHA, lora_dropout=0.0, target_modules=[name.split(".")[1] for name in names.values()]))
    adapter = {name.replace(".default", ""): p for name, p in model.named_parameters() if "lora_" in name}
    if start is None:
        start = {name: (p.detach() if "lora_A" in name else torch.randn_like(p) * 0.05).clone() for name, p in adapter.items()}
        save_file(start, folder / "lora.start.safetensors")
    with torch.no_grad():
        for name, p in adapter.items():
            p.copy_(start[name])
    logits = model(input_ids=tokens, attention_mask=mask).logits[:, :-1]
    loss = torch.nn.functional.cross_entropy(logits.reshape(-1, VOCABULARY), labels[:, 1:].reshape(-1), ignore_index=-100, reduction="sum") / supervised
    loss.backward()
    losses[kind] = loss.item()
    save_file({name: p.grad.clone() for name, p in adapter.items()}, folder / f"{kind}.gradients.safetensors")
case = {"tokens": tokens.tolist(), "lengths": lengths, "labels": labels.tolist(), "supervised_tokens": supervised, "losses": losses, "linear_factor": LINEAR, "lora": {"r": RANK, "alpha": ALPHA}, "torch": torch.__version__}
(folder / "case.json").write_text(json.dumps(case) + "\n")
print(losses, supervised, "supervised tokens")
