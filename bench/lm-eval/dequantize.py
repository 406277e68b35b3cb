"""Writes a GGUF model as float32 for transformers, with its tokenizer. Usage: dequantize.py MODEL.gguf FOLDER"""
import os
import sys
import tempfile

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

source, folder = sys.argv[1:3]
with tempfile.TemporaryDirectory() as alone:
    os.symlink(os.path.abspath(source), os.path.join(alone, "model.gguf"))
    AutoTokenizer.from_pretrained(alone, gguf_file="model.gguf").save_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(alone, gguf_file="model.gguf", dtype=torch.float32)
    # The layers are plain ones; only what transformers notes of the file would stop it from saving them.
    weights = model.state_dict()
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    plain = AutoModelForCausalLM.from_config(model.config, dtype=torch.float32)
    plain.load_state_dict(weights)
    plain.save_pretrained(folder)
