"""Runs tasks of lm-evaluation-harness, as they are, on local rows with transformers. Usage: run_task.py MODEL OUT.json NAME=ROWS.jsonl...
OUT.json receives, by task: each document's log-probabilities and scores, and the means."""
import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
import lm_eval
import lm_eval.tasks
from lm_eval.api.task import ConfigurableTask
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks._yaml_loader import load_yaml

folder, out, *named = sys.argv[1:]
root = os.path.dirname(lm_eval.tasks.__file__)
places = {"arc_easy": ("arc/arc_easy.yaml", "test"), "hellaswag": ("hellaswag/hellaswag.yaml", "validation"), "piqa": ("piqa/piqa.yaml", "validation")}
tasks = []
for name, rows in (each.split("=", 1) for each in named):
    path, part = places[name]
    config = load_yaml(os.path.join(root, path), resolve_func=True)
    config.update(dataset_path="json", dataset_name=None, dataset_kwargs={"data_files": {part: os.path.abspath(rows)}, "cache_dir": os.path.abspath(out) + ".cache"}, num_fewshot=0)
    config["training_split"] = None
    if part == "test":
        config["validation_split"] = None
    tasks.append(ConfigurableTask(config=config))
model = HFLM(pretrained=folder, dtype="float32", device="cpu", batch_size=16)
found = lm_eval.simple_evaluate(model=model, tasks=tasks, log_samples=True, bootstrap_iters=0)
result = {
    name: {
        "scores": {key.split(",")[0]: value for key, value in found["results"][name].items() if key.startswith("acc") and "stderr" not in key},
        "samples": [{"logs": [float(each[0]) for each in sample["filtered_resps"]], **{key: sample[key] for key in ("acc", "acc_norm")}} for sample in sorted(samples, key=lambda each: each["doc_id"])],
    }
    for name, samples in found["samples"].items()
}
with open(out, "w") as file:
    json.dump(result, file)
