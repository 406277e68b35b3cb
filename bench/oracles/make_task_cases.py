"""What lm-evaluation-harness asks and scores of small made-up data of the standard tasks. Usage: make_task_cases.py FOLDER
(pip install lm_eval; no network.) FOLDER/NAME/*.jsonl receive the data, in the layout of the hub's rows, and FOLDER/cases.json the prompts and
continuations of every request, and the scores of made-up log-probabilities or answers, of each task with and without examples in its prompts."""
import json
import os
import random
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks import TaskManager
from lm_eval.tasks._yaml_loader import load_yaml
import lm_eval.tasks

folder = sys.argv[1]
root = os.path.dirname(lm_eval.tasks.__file__)
rng = random.Random(5)
words = "red green Blue small quick robot river lamp under 12 stone's why? naïve 猫 (old) letter, tea".split()


def text(count):
    return " ".join(rng.choice(words) for _ in range(count))


def arc(labels):
    return {"id": text(1), "question": text(6) + "?", "choices": {"text": [text(rng.randint(1, 3)) for _ in labels], "label": list(labels)}, "answerKey": rng.choice(labels)}


def rows(name, count):
    made = []
    for i in range(count):
        if name.startswith("arc"):
            made.append(arc("ABCDE"[: rng.randint(3, 5)] if i % 2 else "1234"))
        elif name == "hellaswag":
            made.append({"ind": i, "activity_label": "Making [step] Tea", "ctx_a": f" {text(5)}. [title] {text(3)}", "ctx_b": f"THE {text(1)} É", "ctx": "", "endings": [f"{text(4)} [substeps] [title]  {text(2)}. " for _ in range(4)], "label": str(i % 4)})
        elif name == "piqa":
            made.append({"goal": f"  {text(4)}", "sol1": text(5), "sol2": text(3), "label": i % 2})
        elif name == "winogrande":
            made.append({"sentence": f"{text(4)} because _ was {text(2)} .  ", "option1": "Ann", "option2": "the cup", "answer": "12"[i % 2]})
        elif name == "gsm8k":
            made.append({"question": f"{text(8)}?", "answer": f"{text(3)} <<2*3=6>>6.\nso {text(2)}\n#### {['1,234', '6', '-7', '3.50'][i % 4]}"})
        elif name == "mmlu":
            made.append({"question": f" {text(5)} \n", "subject": "abstract_algebra", "choices": [text(2) for _ in range(4)], "answer": i % 4})
        elif name == "truthfulqa":
            right, wrong = [text(3) for _ in range(2)], [text(3) for _ in range(3)]
            made.append({"question": f"{text(5)}?", "mc1_targets": {"choices": [right[0]] + wrong, "labels": [1, 0, 0, 0]}, "mc2_targets": {"choices": right + wrong, "labels": [1, 1, 0, 0, 0]}})
    return made


# Task, its configurations, the parts that are written, and the examples in prompts that are tried.
tasks = {
    "arc_easy": (["arc/arc_easy.yaml"], {"train": 40, "test": 6}, [0, 3]),
    "arc_challenge": (["arc/arc_challenge.yaml"], {"train": 12, "test": 4}, [0, 2]),
    "hellaswag": (["hellaswag/hellaswag.yaml"], {"train": 12, "validation": 5}, [0, 2]),
    "piqa": (["piqa/piqa.yaml"], {"train": 12, "validation": 5}, [0, 2]),
    "winogrande": (["winogrande/default.yaml"], {"train": 12, "validation": 5}, [0, 2]),
    "gsm8k": (["gsm8k/gsm8k.yaml"], {"train": 40, "test": 4}, [0, 5]),
    "mmlu": (["mmlu/default/mmlu_abstract_algebra.yaml"], {"dev": 5, "test": 4}, [0, 5]),
    "truthfulqa": (["truthfulqa/truthfulqa_mc1.yaml", "truthfulqa/truthfulqa_mc2.yaml"], {"validation": 4}, [0]),
}


def answers(target):
    number = target.split("#### ")[1]
    return [f" {target}", f" it is ${number} .", f" The answer is {number}.", " 2 + 2 = 5", " nothing", f"#### {number}.\n\n", f" #### {number.replace(',', '')} dogs and 3", " $$"]


def asked(config, files, shots):
    config = {**config, "dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": files, "cache_dir": os.path.join("/tmp", "task-cases")}, "num_fewshot": shots}
    task = ConfigurableTask(config=config)
    task.set_fewshot_seed(1234)
    task.build_all_requests(rank=0, world_size=1)
    return task


def requests(task):
    found = {}
    for each in task.instances:
        found.setdefault(each.doc_id, []).append([each.args[0], each.args[1] if isinstance(each.args[1], str) else None])
    return [found[key] for key in sorted(found)]


def scored(task, options):
    docs = list(task.eval_docs)
    made = []
    for i, doc in enumerate(docs):
        if task.OUTPUT_TYPE == "multiple_choice":
            logs = [-rng.random() * 20 for _ in options[i]]
            made.append({"doc": i, "logs": logs, "scores": {k: float(v) for k, v in task.process_results(doc, [(log, False) for log in logs]).items()}})
            continue
        for answer in answers(doc["answer"]):
            scores = {}
            for each in task._filters:
                filtered = list(each.filters[0]().apply([[answer]], [doc]))[0]
                scores[each.name] = float(task.process_results(doc, [filtered[0]])["exact_match"])
            made.append({"doc": i, "answer": answer, "scores": scores})
    return made


cases = {}
for name, (configs, parts, shots) in tasks.items():
    os.makedirs(os.path.join(folder, name), exist_ok=True)
    files = {}
    for part, count in parts.items():
        files[part] = os.path.join(folder, name, f"{part}.jsonl")
        with open(files[part], "w") as out:
            for row in rows(name, count):
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
    cases[name] = []
    for path in configs:
        config = load_yaml(os.path.join(root, path), resolve_func=True)
        config.pop("include", None)
        for count in shots:
            task = asked(config, files, count)
            options = requests(task)
            cases[name].append({"task": config["task"], "shots": count, "requests": options, "results": scored(task, options) if count == shots[0] else []})
with open(os.path.join(folder, "cases.json"), "w") as out:
    json.dump(cases, out, ensure_ascii=False)
print({name: len(each) for name, each in cases.items()})
