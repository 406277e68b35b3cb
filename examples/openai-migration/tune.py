"""A fine-tuning script as teams have it for OpenAI: nothing in it knows nomoat.

The client takes its address from OPENAI_BASE_URL and its key from OPENAI_API_KEY; README.md beside it says how a server
is started that maps the name of the base model.
    pip install openai && python tune.py
"""
import time
from pathlib import Path

from openai import OpenAI

BASE_MODEL = "gpt-4o-mini-2024-07-18"
FOLDER = Path(__file__).parent
client = OpenAI()


def upload(name: str) -> str:
    with open(FOLDER / name, "rb") as file:
        return client.files.create(file=file, purpose="fine-tune").id


def follow(job_id: str):
    """Prints the job's events until it has ended."""
    seen: set[str] = set()
    while True:
        job = client.fine_tuning.jobs.retrieve(job_id)
        events = client.fine_tuning.jobs.list_events(job_id, limit=100).data
        for event in reversed(events):
            if event.id not in seen:
                seen.add(event.id)
                print(f"  {event.level}: {event.message}", flush=True)
        if job.status in ("succeeded", "failed", "cancelled"):
            return job
        time.sleep(1)


training, validation = upload("train.jsonl"), upload("valid.jsonl")
print(f"uploaded {training} and {validation}")

created = client.fine_tuning.jobs.create(
    model=BASE_MODEL,
    training_file=training,
    validation_file=validation,
    suffix="intents",
    seed=42,
    hyperparameters={"n_epochs": 3},
)
print(f"created {created.id}")

job = follow(created.id)
if job.status != "succeeded":
    raise SystemExit(f"{job.id} {job.status}: {job.error and job.error.message}")
print(f"{job.fine_tuned_model} after {job.trained_tokens} tokens")

checkpoints = client.fine_tuning.jobs.checkpoints.list(job.id).data
best = min(checkpoints, key=lambda each: each.metrics.valid_loss)
for each in checkpoints:
    print(f"step {each.step_number}: valid_loss {each.metrics.valid_loss:.4f}")
print(f"best: {best.fine_tuned_model_checkpoint}")

results = client.files.content(job.result_files[0]).text
print(f"results: {results.splitlines()[0]}")

answer = client.chat.completions.create(
    model=best.fine_tuned_model_checkpoint,
    temperature=0,
    max_tokens=16,
    messages=[
        {"role": "system", "content": "You name the intent of a request, and nothing else."},
        {"role": "user", "content": "Will it rain in Lisbon tomorrow?"},
    ],
)
print(f"answer: {answer.choices[0].message.content}")
