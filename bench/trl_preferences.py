"""DPO by TRL's own trainer on a run's rows and settings: accuracy on the held-out pairs before and after, tokens/s, peak memory.

PYTHON bench/trl_preferences.py BASE.gguf TRAIN-ROWS.jsonl TEST-ROWS.jsonl RUN/run.json [--steps N] [--test N] [--dtype bfloat16] [--threads N] [--micro-batch N] [--no-before]     (torch, transformers, peft, trl, datasets, gguf from PyPI)

Rows are what `nomoat preview DATA --rows N --json` prints, so that both train on the same tokens; the base is dequantized. Rank, alpha, rate, batch,
warm-up, beta and seed are those of run.json; the reference's log-probabilities are computed before, and not timed.
"""
import argparse
import json
import resource
import shutil
import tempfile
import time
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, TrainerCallback
from trl import DPOConfig, DPOTrainer
from trl import __version__ as trl_version

parser = argparse.ArgumentParser()
parser.add_argument("base")
parser.add_argument("train")
parser.add_argument("test")
parser.add_argument("run")
parser.add_argument("--steps", type=int, default=-1)
parser.add_argument("--test", dest="held_out", type=int, default=200)
parser.add_argument("--dtype", default="bfloat16")
parser.add_argument("--threads", type=int, default=0)
parser.add_argument("--micro-batch", type=int, default=4)
# An adapter that has learnt nothing leaves every pair a tie: asking that takes as long as the evaluation after.
parser.add_argument("--no-before", dest="before", action="store_false")
args = parser.parse_args()
if args.threads:
    torch.set_num_threads(args.threads)
settings = json.loads(Path(args.run).read_text())["settings"]


def pairs(path, count=None):
    made = []
    said = [json.loads(line) for line in Path(path).read_text().splitlines()]
    for row in [each for each in said if each["type"] == "row"][:count]:
        prompt = row["supervised"].index(1)
        made.append({"prompt_ids": row["tokens"][:prompt], "chosen_ids": row["tokens"][prompt:], "rejected_ids": row["rejected"]["tokens"][prompt:]})
    return made


class Tokenized(DPOTrainer):
    def _prepare_dataset(self, dataset, *_):
        return dataset


class Clock(TrainerCallback):
    """Seconds of the steps alone, the first one left out: it warms up."""

    began, steps = None, 0

    def on_step_end(self, *_, **__):
        self.ended = time.perf_counter()
        self.steps += 1
        if self.began is None:
            self.began = self.ended


train, test = pairs(args.train), pairs(args.test, args.held_out)
batch = settings["batchSize"]
used = train if args.steps < 0 else train[: args.steps * batch]
with tempfile.TemporaryDirectory() as alone, tempfile.TemporaryDirectory() as out:
    shutil.copy(args.base, Path(alone) / "base.gguf")
    model = AutoModelForCausalLM.from_pretrained(alone, gguf_file="base.gguf", dtype=getattr(torch, args.dtype), quantization_config=GgufConfig(dequantize=True))
    # It is dequantized; transformers still calls it what its file was, and refuses to train it.
    model.is_quantized, model.hf_quantizer, model.quantization_method = False, None, None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    tokenizer = AutoTokenizer.from_pretrained(alone, gguf_file="base.gguf")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    config = DPOConfig(
        output_dir=out, use_cpu=True, report_to=[], save_strategy="no", disable_tqdm=True, logging_steps=1, bf16=False, gradient_checkpointing=False,
        num_train_epochs=1, per_device_train_batch_size=args.micro_batch, per_device_eval_batch_size=args.micro_batch, gradient_accumulation_steps=batch // args.micro_batch,
        learning_rate=settings["learningRate"], lr_scheduler_type=settings["schedule"], warmup_steps=settings["warmupSteps"], weight_decay=settings["weightDecay"], max_grad_norm=settings["maxGradientNorm"],
        beta=settings["beta"], seed=settings["seed"], max_length=settings["sequenceLength"], precompute_ref_log_probs=True, dataset_num_proc=None,
    )
    lora = LoraConfig(r=settings["rank"], lora_alpha=settings["alpha"], target_modules=settings["targetModules"], lora_dropout=0.0, task_type="CAUSAL_LM")
    clock = Clock()
    trainer = Tokenized(model=model, args=config, train_dataset=Dataset.from_list(used), eval_dataset=Dataset.from_list(test), processing_class=tokenizer, peft_config=lora, callbacks=[clock])
    before = trainer.evaluate() if args.before else None
    trainer.train()
    after = trainer.evaluate()
tokens = sum(2 * len(p["prompt_ids"]) + len(p["chosen_ids"]) + len(p["rejected_ids"]) for p in used)
timed = tokens * max(1, clock.steps - 1) / clock.steps
kept = lambda found: found and {"accuracy": found["eval_rewards/accuracies"], "margin": found["eval_rewards/margins"], "loss": found["eval_loss"]}
print(json.dumps({
    "trl": trl_version, "dtype": args.dtype, "steps": clock.steps, "pairs": len(used), "heldOut": len(test), "before": kept(before), "after": kept(after),
    "tokensPerSecond": timed / (clock.ended - clock.began) if clock.steps > 1 else None,
    "peakMemoryBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
}))
