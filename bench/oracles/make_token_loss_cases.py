"""DFT's loss over 20 AdamW steps by TRL's own SFTTrainer, and NEFTune's noise by transformers' own hook: the oracle of src/losses/token-losses.ts and src/train/neftune.ts.

python bench/oracles/make_token_loss_cases.py test/fixtures/reference test/fixtures/preferences     (torch, transformers, peft, trl, gguf from PyPI)

Policy and rows: the tiny llama with its adapter lora.start, and the chosen answers of cases.json (make_preference_cases.py), all in each batch.
Writes token-losses.json: losses and gradient norms before clipping, and of the noise on T x D zeros its largest value and standard deviation.
"""
import json
import shutil
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace as Space

import torch
import trl
from peft import PeftModel
from transformers import AutoModelForCausalLM
from transformers.integrations.neftune import neftune_post_forward_hook
from trl.trainer.sft_trainer import SFTTrainer

torch.manual_seed(0)
torch.set_num_threads(1)
source, out = Path(sys.argv[1]) / "llama", Path(sys.argv[2])
pairs = json.loads((out / "cases.json").read_text())["pairs"]


def open_model():
    with tempfile.TemporaryDirectory() as alone:
        shutil.copy(source / "base.gguf", alone)
        base = AutoModelForCausalLM.from_pretrained(alone, gguf_file="base.gguf", dtype=torch.float32, attn_implementation="eager")
    with tempfile.TemporaryDirectory() as adapter:
        shutil.copy(source / "adapter_config.json", adapter)
        shutil.copy(source / "lora.start.safetensors", Path(adapter) / "adapter_model.safetensors")
        return PeftModel.from_pretrained(base, adapter, is_trainable=True).train()


longest = max(len(p["prompt"]) + len(p["chosen"]) for p in pairs)
ids, attention = (torch.zeros(len(pairs), longest, dtype=torch.long) for _ in range(2))
labels = torch.full((len(pairs), longest), -100)
for i, pair in enumerate(pairs):
    n = len(pair["prompt"]) + len(pair["chosen"])
    ids[i, :n] = torch.tensor(pair["prompt"] + pair["chosen"])
    attention[i, :n] = 1
    labels[i, len(pair["prompt"]):n] = torch.tensor(pair["chosen"])


class Fused:
    """The model as TRL's patched ones answer: log-probabilities of the labels, 0 where there is none."""

    def __init__(self, model):
        self.model, self.training = model, True

    def __call__(self, input_ids, attention_mask, labels, **_):
        logits = self.model(input_ids=input_ids, attention_mask=attention_mask).logits[:, :-1]
        labels = labels[:, 1:]
        logp = logits.log_softmax(-1).gather(2, labels.clamp(min=0).unsqueeze(2)).squeeze(2)
        nothing = torch.zeros_like(logp)
        mask = labels != -100
        return Space(log_probs=torch.where(mask, logp, nothing), label_mask=mask, entropy=nothing, is_top1=nothing.bool(), loss=None)


same = lambda x: x
accelerator = Space(device="cpu", num_processes=1, parallelism_config=None, gather=same, gather_for_metrics=same, unwrap_model=same)
args = Space(loss_type="dft", average_tokens_across_devices=False, use_liger_kernel=False)


class Stub(Space):
    def __getattr__(self, name):
        return None if name.startswith("compute") or name.endswith("smoother") else False


own = Stub(args=args, model=Space(training=True), accelerator=accelerator, aux_loss_enabled=False, _metrics=defaultdict(lambda: defaultdict(list)), _total_train_tokens=0, _tp_size=1, get_tp_size=lambda: 1)
model = open_model()
learning_rate = 1e-3
trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=learning_rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
losses, norms = [], []
for _ in range(20):
    optimizer.zero_grad()
    loss = SFTTrainer.compute_loss(own, Fused(model), {"input_ids": ids, "attention_mask": attention, "labels": labels})
    loss.backward()
    norms.append(torch.nn.utils.clip_grad_norm_(trained, 1.0).item())
    optimizer.step()
    losses.append(loss.item())

noise = []
for tokens, width, alpha in [(30, 64, 5.0), (200, 192, 10.0)]:
    seen = neftune_post_forward_hook(Space(training=True, neftune_noise_alpha=alpha), None, torch.zeros(64, tokens, width))
    noise.append({"tokens": tokens, "width": width, "alpha": alpha, "largest": seen.abs().max().item(), "deviation": seen.std().item()})
(out / "token-losses.json").write_text(json.dumps({"made": f"trl {trl.__version__}, torch {torch.__version__}", "learningRate": learning_rate, "losses": losses, "gradientNorms": norms, "noise": noise}, indent=1) + "\n")
