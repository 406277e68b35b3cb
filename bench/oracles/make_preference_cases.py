"""Preference losses, their gradients and 20 AdamW steps from TRL's own loss code: the oracle of src/losses and src/train/preferences.

python bench/oracles/make_preference_cases.py test/fixtures/reference test/fixtures/preferences     (torch, transformers, peft, trl, gguf from PyPI)

Policy: the tiny llama with its adapter lora.start; reference: the same without an adapter. DPO and KTO are the trainers' _compute_loss, ORPO and
SimPO the loss functions of their trainers; ORPO's likelihood is that of the chosen answer, as in its paper (TRL's counts the prompt too).
Writes cases.json (rows, options, losses and gradient norms before clipping) and gradients.safetensors (step 0, two tensors a case).
"""
import json
import shutil
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace as Space

import peft
import torch
import trl
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM
from trl.experimental.cpo import CPOTrainer
from trl.experimental.orpo import ORPOTrainer
from trl.trainer.dpo_trainer import DPOTrainer
from trl.trainer.kto_trainer import KTOTrainer

torch.manual_seed(0)
torch.set_num_threads(1)
source, out = Path(sys.argv[1]) / "llama", Path(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)


def open_model():
    with tempfile.TemporaryDirectory() as alone:
        shutil.copy(source / "base.gguf", alone)
        base = AutoModelForCausalLM.from_pretrained(alone, gguf_file="base.gguf", dtype=torch.float32, attn_implementation="eager")
    with tempfile.TemporaryDirectory() as adapter:
        shutil.copy(source / "adapter_config.json", adapter)
        shutil.copy(source / "lora.start.safetensors", Path(adapter) / "adapter_model.safetensors")
        model = PeftModel.from_pretrained(base, adapter, is_trainable=True)
    return model.train()


generator = torch.Generator().manual_seed(7)
vocabulary = open_model().config.vocab_size
draw = lambda count: torch.randint(5, vocabulary, (count,), generator=generator).tolist()
# The first pair's prompt is too short to be shared; answers of all pairs differ in length.
pairs = [{"prompt": draw(p), "chosen": draw(c), "rejected": draw(r), "label": i % 3 != 1} for i, (p, c, r) in enumerate([(6, 4, 9), (14, 12, 3), (25, 7, 7), (11, 2, 16)])]


def padded(rows):
    longest = max(len(p) + len(a) for p, a in rows)
    ids, attention, completion = (torch.zeros(len(rows), longest, dtype=torch.long) for _ in range(3))
    for i, (prompt, answer) in enumerate(rows):
        n = len(prompt) + len(answer)
        ids[i, :n] = torch.tensor(prompt + answer)
        attention[i, :n] = 1
        completion[i, len(prompt):n] = 1
    return {"input_ids": ids, "attention_mask": attention, "completion_mask": completion}


class Fused:
    """The model as TRL's patched ones answer: log-probabilities of the labels, 0 where there is none."""

    def __init__(self, model):
        self.model, self.training = model, True

    def __call__(self, input_ids, attention_mask, labels, **_):
        logits = self.model(input_ids=input_ids, attention_mask=attention_mask).logits[:, :-1]
        labels = labels[:, 1:]
        logp = logits.log_softmax(-1).gather(2, labels.clamp(min=0).unsqueeze(2)).squeeze(2)
        nothing = torch.zeros_like(logp)
        return Space(log_probs=torch.where(labels == -100, nothing, logp), entropy=nothing, mean_logits=nothing, is_top1=nothing.bool())


def sums(model, inputs):
    labels = inputs["input_ids"].masked_fill(inputs["completion_mask"] == 0, -100)
    return Fused(model)(inputs["input_ids"], inputs["attention_mask"], labels).log_probs.sum(1), inputs["completion_mask"].sum(1)


same = lambda x: x
accelerator = Space(device="cpu", gather=same, gather_for_metrics=same, unwrap_model=same)


def trainer(**more):
    return Space(model=Space(training=True), accelerator=accelerator, aux_loss_enabled=False, _metrics=defaultdict(lambda: defaultdict(list)), _total_train_tokens=0, _tp_size=1, precompute_ref_logps=True, ld_alpha=None, use_weighting=False, f_divergence_type="reverse_kl", **more)


both = padded([(p["prompt"], p["chosen"]) for p in pairs] + [(p["prompt"], p["rejected"]) for p in pairs])
# Each prompt with the answer of the row before it.
single = [(p["prompt"], p["chosen"]) for p in pairs]
mismatched = padded([(p["prompt"], pairs[i - 1]["chosen"]) for i, p in enumerate(pairs)])


def loss_function(model, case):
    method, beta = case["method"], case["beta"]
    with torch.no_grad(), model.disable_adapter():
        reference = sums(model, both)[0]
        reference_single = sums(model, padded(single))[0]
        reference_mismatched = sums(model, mismatched)[0]
    if method == "dpo":
        types = {"sigmoid-norm": "sigmoid_norm"}
        share = case.get("sftShare", 0)
        kinds, weights = [types.get(case["lossType"], case["lossType"])], [1.0]
        if share:
            kinds, weights = [*kinds, "sft"], [*weights, share]
        own = trainer(beta=beta, loss_types=kinds, loss_weights=weights, label_smoothing=case.get("labelSmoothing", 0.0), args=None)
        chosen, rejected = reference.chunk(2)
        return lambda: DPOTrainer._compute_loss(own, Fused(model), {**both, "ref_chosen_logps": chosen, "ref_rejected_logps": rejected}, False)
    if method == "kto":
        own = trainer(beta=beta, loss_type="kto", calculate_KL=True, desirable_weight=case["desirableWeight"], undesirable_weight=case["undesirableWeight"])
        labels = torch.tensor([p["label"] for p in pairs])

        def kl(*_):
            with torch.no_grad():
                return sums(model, mismatched)[0]

        own._compute_kl_logps = kl
        inputs = {**padded(single), "label": labels, "ref_logps": reference_single, "ref_KL_logps": reference_mismatched}
        return lambda: KTOTrainer._compute_loss(own, Fused(model), inputs, False)

    def of_means():
        logps, counts = sums(model, both)
        (won, lost), (n, _) = (logps / counts).chunk(2), counts.chunk(2)
        if method == "orpo":
            own = Space(beta=beta, accelerator=accelerator)
            own.accelerator = accelerator
            ratio = ORPOTrainer.odds_ratio_loss(own, won, lost)[0]
            return -logps.chunk(2)[0].sum() / n.sum() - ratio.mean()
        own = Space(alpha=0.0, beta=beta, loss_type="simpo", simpo_gamma=case["gamma"], label_smoothing=0.0, accelerator=accelerator)
        return CPOTrainer.cpo_loss(own, won, lost)[0].mean()

    return of_means


cases = [
    {"name": "dpo", "method": "dpo", "lossType": "sigmoid", "beta": 0.1},
    {"name": "dpo, length-normalised", "method": "dpo", "lossType": "sigmoid-norm", "beta": 2.0},
    {"name": "ipo", "method": "dpo", "lossType": "ipo", "beta": 0.5},
    {"name": "robust dpo", "method": "dpo", "lossType": "robust", "beta": 0.2, "labelSmoothing": 0.1},
    {"name": "dpo with a share of sft", "method": "dpo", "lossType": "sigmoid", "beta": 0.1, "sftShare": 0.3},
    {"name": "orpo", "method": "orpo", "beta": 0.1},
    {"name": "simpo", "method": "simpo", "beta": 2.0, "gamma": 1.0},
    {"name": "kto", "method": "kto", "beta": 0.1, "desirableWeight": 1.0, "undesirableWeight": 1.5},
]
kept, gradients = ["layers.0.self_attn.q_proj.lora_A", "layers.1.mlp.down_proj.lora_B"], {}
rate = 1e-3
for i, case in enumerate(cases):
    model = open_model()
    trained = {n.replace(".default", ""): p for n, p in model.named_parameters() if p.requires_grad}
    optimizer = torch.optim.AdamW(trained.values(), lr=rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
    loss_of = loss_function(model, case)
    case["losses"], case["gradientNorms"] = [], []
    for step in range(20):
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        if step == 0:
            for name in kept:
                full = next(n for n in trained if name in n)
                gradients[f"{i}.{full}"] = trained[full].grad.clone().contiguous()
        case["gradientNorms"].append(float(torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)))
        optimizer.step()
        case["losses"].append(float(loss))
    print(case["name"], case["losses"][0], case["losses"][-1], case["gradientNorms"][0])
versions = {"torch": torch.__version__, "trl": trl.__version__, "peft": peft.__version__}
(out / "cases.json").write_text(json.dumps({"versions": versions, "learningRate": rate, "pairs": pairs, "cases": cases}, indent=1) + "\n")
save_file(gradients, out / "gradients.safetensors")
