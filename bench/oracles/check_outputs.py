"""Whether those that nomoat writes for open what it writes: lm-evaluation-harness' samples and results, inspect's logs, the hub's card.

    python bench/oracles/check_outputs.py FOLDER

FOLDER has samples/ (`nomoat eval --save-samples`), logs/ (`--inspect-log`) and card/ (`nomoat card --out`), each where it is to be checked. Needs
lm_eval (which is also run, on a task of its own, to compare the fields), inspect-ai and huggingface_hub for what is there; what is missing is said.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

folder = pathlib.Path(sys.argv[1])


def real_run(place):
    """What the harness itself writes of two examples."""
    (place / "t.jsonl").write_text('{"prompt":"is 1 odd","expected":"odd"}\n{"prompt":"is 2 odd","expected":"even"}\n')
    (place / "t.yaml").write_text(f"""task: test
dataset_path: json
dataset_kwargs: {{data_files: {{test: {place}/t.jsonl}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{prompt}}}}"
doc_to_target: "{{{{expected}}}}"
generation_kwargs: {{until: ["\\n"]}}
metric_list: [{{metric: exact_match, aggregation: mean, higher_is_better: true}}]
metadata: {{version: 1}}
""")
    command = [sys.executable, "-m", "lm_eval", "--model", "dummy", "--tasks", "test", "--include_path", str(place), "--output_path", str(place / "out"), "--log_samples"]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    return next((place / "out").rglob("results_*.json")), next((place / "out").rglob("samples_*.jsonl"))


def check_harness():
    import lm_eval.utils

    ours = sorted((folder / "samples").rglob("results_*.json"))
    with tempfile.TemporaryDirectory() as place:
        results, samples = (path.read_text() for path in real_run(pathlib.Path(place)))
    theirs, their_sample = json.loads(results), json.loads(samples.splitlines()[0])
    for path in ours:
        found = json.loads(path.read_text())
        missing = sorted(set(theirs) - set(found))
        assert not missing, f"{path}: lacks {missing}"
        print(lm_eval.utils.make_table(found))
        (file,) = path.parent.glob("samples_*.jsonl")
        assert lm_eval.utils.get_file_task_name(file.name) == next(iter(found["results"])), file
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        for row in rows:
            absent = set(their_sample) - {"exact_match"} - set(row)
            assert not absent, f"{file}: lacks {absent}"
            for name in ("doc_id", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"):
                assert type(row[name]) is type(their_sample[name]), name
            assert row["doc_hash"] == lm_eval.utils.hash_string(json.dumps(row["doc"], indent=2, ensure_ascii=False))
            assert row["prompt_hash"] == lm_eval.utils.hash_string(row["arguments"]["gen_args_0"]["arg_0"])
            assert row["target_hash"] == lm_eval.utils.hash_string(row["target"])
            assert all(metric in row for metric in row["metrics"])
        for task, figures in found["results"].items():
            for name, value in figures.items():
                if name.endswith(",none") and "_stderr" not in name:
                    metric = name.split(",")[0]
                    values = [row[metric] for row in rows]
                    assert abs(value - sum(values) / len(values)) < 1e-12, name
                    from lm_eval.api.metrics import mean_stderr
                    assert abs(figures[f"{metric}_stderr,none"] - mean_stderr(values)) < 1e-12, name
            joined = "".join(row["doc_hash"] + row["prompt_hash"] + row["target_hash"] for row in rows)
            assert found["task_hashes"][task] == lm_eval.utils.hash_string(joined)
        print(f"lm_eval: {path.parent.name}: {len(rows)} samples as its own")


def check_inspect():
    from inspect_ai.log import list_eval_logs, read_eval_log

    for info in list_eval_logs(str(folder / "logs")):
        log = read_eval_log(info)
        assert log.status == "success" and log.samples, info
        assert len(log.samples) == log.results.total_samples == log.eval.dataset.samples
        for score in log.results.scores:
            values = [sample.scores[score.name].as_float() if not isinstance(sample.scores[score.name].value, str) else float(sample.scores[score.name].value == "C") for sample in log.samples]
            mean = score.metrics.get("accuracy") or score.metrics["mean"]
            assert abs(mean.value - sum(values) / len(values)) < 1e-12, score.name
        sample = log.samples[0]
        assert sample.output.completion == sample.messages[-1].text
        print(f"inspect: {log.eval.model}: {len(log.samples)} samples, {', '.join(score.name for score in log.results.scores)}")


def check_card():
    import yaml
    from huggingface_hub import ModelCard
    from huggingface_hub import _eval_results

    card = ModelCard.load(folder / "card" / "README.md")
    results = card.data.eval_results or []
    print(f"card: {card.data.base_model}, {len(results)} results", [(each.metric_type, each.metric_value) for each in results])
    for path in sorted((folder / "card").glob(".eval_results/*.yaml")):
        entries = _eval_results.parse_eval_result_entries(yaml.safe_load(path.read_text()))
        print(f"card: {path.name}:", [(each.dataset_id, each.task_id, each.value) for each in entries])


for name, check in (("samples", check_harness), ("logs", check_inspect), ("card", check_card)):
    if not (folder / name).exists():
        print(f"{name}: not there")
        continue
    try:
        check()
    except ModuleNotFoundError as missing:
        print(f"{name}: not checked, {missing}")
