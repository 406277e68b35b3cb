"""PEFT (LoRA r --rank, alpha 16, all seven projections) on the work of our benchmarks. One JSON object on stdout; `--help` has the options.
The model is a GGUF (--model) or random weights of a named shape (--shape); the work is rows of `nomoat preview DATA --model BASE.gguf --rows N --json`
(--rows; both sides train on the same tokens) or random tokens, all supervised (--random 4x256). tokensPerSecond counts real tokens, padding excluded.
The optimizer is that of the reference run: AdamW, clip 1.0, linear schedule with 5 warm-up steps over --schedule-steps.
stepCpuShare, below about 0.9, says that other work took the processor: such a step's speed is no figure.
PyPI's torch for Linux is the CUDA build: rssAfterImportBytes says how much of the peak its libraries are."""
import argparse
import ctypes
import json
import os
import re
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter

# Published configurations: HuggingFaceTB/SmolLM2-135M, Qwen/Qwen3-0.6B, meta-llama/Llama-2-7b, TinyLlama/TinyLlama-1.1B. The same as in bench/synthetic-model.mjs,
# which does not need the first: there is the model. PEFT needs it, since transformers leaves some quantized GGUF types packed, and casts in every product then.
SHAPES = {
    "smollm2-135m": dict(model_type="llama", num_hidden_layers=30, hidden_size=576, num_attention_heads=9, num_key_value_heads=3, head_dim=64,
                         intermediate_size=1536, vocab_size=49152, tie_word_embeddings=True, rms_norm_eps=1e-5),
    "qwen3-0.6b": dict(model_type="qwen3", num_hidden_layers=28, hidden_size=1024, num_attention_heads=16, num_key_value_heads=8, head_dim=128,
                       intermediate_size=3072, vocab_size=151936, tie_word_embeddings=True, rms_norm_eps=1e-6),
    "llama-7b": dict(model_type="llama", num_hidden_layers=32, hidden_size=4096, num_attention_heads=32, num_key_value_heads=32, head_dim=128,
                     intermediate_size=11008, vocab_size=32000, tie_word_embeddings=False, rms_norm_eps=1e-5),
    "tinyllama-1.1b": dict(model_type="llama", num_hidden_layers=22, hidden_size=2048, num_attention_heads=32, num_key_value_heads=4, head_dim=64,
                           intermediate_size=5632, vocab_size=32000, tie_word_embeddings=False, rms_norm_eps=1e-5),
}
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

parser = argparse.ArgumentParser()
base = parser.add_mutually_exclusive_group(required=True)
base.add_argument("--model", help="BASE.gguf")
base.add_argument("--shape", choices=SHAPES, help="random weights of this shape")
work = parser.add_mutually_exclusive_group(required=True)
work.add_argument("--rows", help="rows of `nomoat preview --json`")
work.add_argument("--random", help="BATCHxLENGTH random tokens a step, every one supervised")
parser.add_argument("--form", default="padded", choices=["padded", "sorted", "flat"],
                    help="padded: one batch; sorted: micro-batches of rows of like length; flat: end to end in one row, attention within each")
parser.add_argument("--head", default="all", choices=["all", "supervised"], help="rows whose logits are computed; supervised: with --form flat only")
parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
parser.add_argument("--adapter-dtype", default="float32", choices=["float32", "base"], help="float32 is PEFT's own default, whatever the base is")
parser.add_argument("--lora", help="initial adapter, .safetensors; without it PEFT's initialisation from --seed")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--shuffle", action="store_true", help="rows in an order drawn from --seed")
parser.add_argument("--save-start", help="folder that receives the initial adapter and, as rows.json, the order of the rows: for the same run by others")
parser.add_argument("--layers", type=int, help="with --shape: another depth")
parser.add_argument("--batch", type=int, default=16, help="rows a step")
parser.add_argument("--micro", type=int, default=4, help="rows of a micro-batch, with --form sorted")
parser.add_argument("--rank", type=int, default=8)
parser.add_argument("--steps", type=int, required=True)
parser.add_argument("--asked", action="store_true", help="each step waits for a line on stdin, and prints its seconds: another program takes turns with it")
parser.add_argument("--schedule-steps", type=int, default=100)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"], help="cuda: the model and its steps on the first graphics card that torch sees")
parser.add_argument("--validation", help="held-out rows: their mean loss after the last step")
options = parser.parse_args()
if options.head == "supervised" and options.form != "flat":
    parser.error("--head supervised needs --form flat: transformers takes one list of positions for all rows of a batch")

import torch
import transformers
from peft import LoraConfig, __version__ as peft_version, get_peft_model
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, GgufConfig

torch.set_num_threads(options.threads)
torch.manual_seed(options.seed)
if options.device == "cuda" and not torch.cuda.is_available():
    raise SystemExit("torch sees no graphics card")
DTYPE = getattr(torch, options.dtype)


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def load_model():
    if options.model:
        # By itself: transformers takes an adapter_config.json beside it for an order to load that adapter's base from the hub.
        with tempfile.TemporaryDirectory() as alone:
            os.symlink(os.path.abspath(options.model), os.path.join(alone, "model.gguf"))
            # transformers 5 may keep the blocks packed, and unpack them in every step: no figure of PEFT's on plain weights.
            model = AutoModelForCausalLM.from_pretrained(alone, gguf_file="model.gguf", dtype=DTYPE, quantization_config=GgufConfig(dequantize=True))
        plain = all(type(module) is not torch.nn.Linear or module.weight.dtype == DTYPE for module in model.modules())
        linear = sum(type(module) is torch.nn.Linear for module in model.modules())
        if not plain or linear < 7 * model.config.num_hidden_layers:
            raise SystemExit("transformers did not unpack the GGUF: its layers are no plain ones")
        return model
    shape = dict(SHAPES[options.shape])
    if options.layers:
        shape["num_hidden_layers"] = options.layers
    return AutoModelForCausalLM.from_config(AutoConfig.for_model(**shape), dtype=DTYPE)


def read_rows(path):
    rows = [row for row in map(json.loads, open(path)) if row["type"] == "row"]
    return [(row["tokens"], row["supervised"]) for row in rows]


def padded_batch(rows):
    """Rows side by side, the shorter ones padded on the right."""
    longest = max(len(tokens) for tokens, _ in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.long)
    labels = torch.full((len(rows), longest), -100)
    for i, (tokens, supervised) in enumerate(rows):
        n = len(tokens)
        ids[i, :n] = torch.tensor(tokens)
        mask[i, :n] = 1
        labels[i, :n] = torch.where(torch.tensor(supervised) == 1, ids[i, :n], -100)
    if bool(mask.all()):
        mask = None  # lets transformers take its causal kernel, which needs no mask
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def flat_batch(rows):
    """Rows end to end in one, positions from 0 in each, and a mask that keeps attention within each."""
    lengths = torch.tensor([len(tokens) for tokens, _ in rows])
    owner = torch.repeat_interleave(torch.arange(len(rows)), lengths)  # [N]
    total = int(lengths.sum())
    mask = (owner[:, None] == owner[None, :]) & torch.ones(total, total, dtype=torch.bool).tril()
    ids = torch.tensor([t for tokens, _ in rows for t in tokens])
    supervised = torch.tensor([s if t else 0 for _, flags in rows for t, s in enumerate(flags)])  # a row's first token has no predecessor
    return {
        "input_ids": ids[None],
        "position_ids": torch.cat([torch.arange(n) for n in lengths.tolist()])[None],
        "attention_mask": mask[None, None],
        "labels": torch.where(supervised == 1, ids, -100)[None],
    }


def on_device(batch):
    return {key: value if value is None else value.to(options.device) for key, value in batch.items()}


def micro_batches(rows):
    if options.form == "flat":
        return [on_device(flat_batch(rows))]
    if options.form == "padded":
        return [on_device(padded_batch(rows))]
    ordered = sorted(rows, key=lambda row: len(row[0]))
    return [on_device(padded_batch(ordered[i : i + options.micro])) for i in range(0, len(ordered), options.micro)]


def loss_sum(model, batch):
    """Sum of the losses of the supervised tokens: transformers' own loss, or the head on supervised rows only."""
    labels = batch["labels"]
    count = int((labels[:, 1:] != -100).sum())
    if options.head == "all":
        return model(**batch, use_cache=False, num_items_in_batch=1).loss, count
    targets = (labels[0] != -100).nonzero()[:, 0]
    inputs = {key: value for key, value in batch.items() if key != "labels"}
    logits = model(**inputs, use_cache=False, logits_to_keep=targets - 1).logits[0].float()
    return torch.nn.functional.cross_entropy(logits, labels[0, targets], reduction="sum"), count


def step_rows(step, rows, vocabulary, generator):
    if rows is None:
        count, length = map(int, options.random.split("x"))
        return [(tokens.tolist(), [1] * length) for tokens in torch.randint(vocabulary, (count, length), generator=generator)]
    chosen = rows[options.batch * step : options.batch * (step + 1)]
    if not chosen:
        raise SystemExit(f"{options.rows} has no rows for step {step}")
    return chosen


class KernelNames:
    """Counts the oneDNN kernels that run inside, by its verbose lines on the C library's stdout: proof of the instruction set used."""

    def __enter__(self):
        self.file = tempfile.TemporaryFile("w+")
        sys.stdout.flush()
        self.saved = os.dup(1)
        os.dup2(self.file.fileno(), 1)
        torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON).__enter__()
        return self

    def __exit__(self, *_):
        torch._C._verbose.mkldnn_set_verbose(torch.backends.mkldnn.VERBOSE_OFF)
        ctypes.CDLL(None).fflush(None)
        os.dup2(self.saved, 1)
        os.close(self.saved)
        self.file.seek(0)
        lines = [line.split(",") for line in self.file if ",exec," in line]
        fields = (next((f for f in line if re.match(r"(brg|jit|gemm|ref|x64)", f)), "other") for line in lines)
        self.counts = dict(Counter(fields).most_common(5))


after_import = peak_bytes()
model = load_model()
rows = read_rows(options.rows) if options.rows else None
order = list(range(len(rows or [])))
if options.shuffle:
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(options.seed)).tolist()
    rows = [rows[i] for i in order]
model = get_peft_model(model, LoraConfig(r=options.rank, lora_alpha=16, target_modules=TARGETS, task_type="CAUSAL_LM"),
                       autocast_adapter_dtype=options.adapter_dtype == "float32")
if options.lora:
    start = {name.replace(".weight", ".default.weight"): value for name, value in load_file(options.lora).items()}
    missing = [name for name in start if name not in dict(model.named_parameters())]
    assert not missing, missing[:3]
    model.load_state_dict(start, strict=False)
if options.save_start:
    model.save_pretrained(options.save_start)
    with open(os.path.join(options.save_start, "rows.json"), "w") as file:
        json.dump(order, file)
model.to(options.device)
model.train()
trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimizer = torch.optim.AdamW(trainable, lr=1e-3, weight_decay=0.0)
after_load = peak_bytes()
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the peak from here on is the training's (proc(5))


def train_step(step, batch_rows):
    rate = 1e-3 * (step / 5 if step < 5 else (options.schedule_steps - step) / (options.schedule_steps - 5))
    for group in optimizer.param_groups:
        group["lr"] = rate
    batches = micro_batches(batch_rows)
    supervised = sum(int((batch["labels"][:, 1:] != -100).sum()) for batch in batches)
    total = 0.0
    for batch in batches:
        loss = loss_sum(model, batch)[0] / supervised
        loss.backward()
        total += loss.item()
    torch.nn.utils.clip_grad_norm_(trainable, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    if options.device == "cuda":
        torch.cuda.synchronize()
    return total


generator = torch.Generator().manual_seed(options.seed)
losses, tokens, seconds, shares, kernels = [], [], [], [], {}
for step in range(options.steps):
    batch_rows = step_rows(step, rows, model.config.vocab_size, generator)
    if options.asked and not sys.stdin.readline():
        break
    begin, begin_cpu = time.perf_counter(), time.process_time()
    if step == 0:  # not timed below: it also warms up
        with KernelNames() as names:
            losses.append(train_step(step, batch_rows))
        kernels = names.counts
    else:
        losses.append(train_step(step, batch_rows))
    seconds.append(time.perf_counter() - begin)
    shares.append(round((time.process_time() - begin_cpu) / seconds[-1] / options.threads, 2))
    tokens.append(sum(len(row) for row, _ in batch_rows))
    if options.asked:
        print(json.dumps({"seconds": seconds[-1]}), flush=True)
after_training = peak_bytes()

held_out = None
if options.validation:
    model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        validation = read_rows(options.validation)
        for i in range(0, len(validation), options.batch):
            for batch in micro_batches(validation[i : i + options.batch]):
                loss, supervised = loss_sum(model, batch)
                total, count = total + loss.item(), count + supervised
    held_out = total / count

rates = [t / s for t, s in zip(tokens, seconds)]
timed = rates[1:]
print(json.dumps({
    "engine": "peft", "work": options.shape or os.path.basename(options.model), "rows": options.random or os.path.basename(options.rows),
    "device": torch.cuda.get_device_name() if options.device == "cuda" else "cpu", "deviceMemoryBytes": torch.cuda.max_memory_allocated() if options.device == "cuda" else None, "form": options.form, "head": options.head, "dtype": options.dtype, "adapterDtype": options.adapter_dtype, "threads": options.threads,
    "onednnMaxIsa": os.environ.get("ONEDNN_MAX_CPU_ISA"), "onednnKernels": kernels,
    "tokensPerSecond": sum(tokens[1:]) / sum(seconds[1:]) if timed else None, "medianStepTokensPerSecond": statistics.median(timed) if timed else None,
    "stepTokensPerSecond": [round(rate, 1) for rate in rates], "stepCpuShare": shares, "losses": losses, "heldOutLoss": held_out,
    "peakMemoryBytes": max(after_load, after_training), "peakTrainingBytes": after_training, "peakLoadingBytes": after_load,
    "rssAfterImportBytes": after_import, "torch": torch.__version__, "transformers": transformers.__version__, "peft": peft_version,
}))
