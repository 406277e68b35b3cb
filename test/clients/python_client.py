"""What the package openai of PyPI does with a server: as node-client.mjs, the same checks under the same names."""
import io
import json
import sys

import openai

url, keys = sys.argv[1], json.loads(sys.argv[2])


def client_of(key):
    return openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)


client = client_of(keys["admin"])
look = {"name": "look", "parameters": {"type": "object", "properties": {"at": {"type": "string"}}}}
tools = [{"type": "function", "function": look}]


def chat(content, **more):
    return {"model": "tools", "temperature": 0, "messages": [{"role": "user", "content": content}], "tools": tools, **more}


def same(found, expected):
    if found != expected:
        raise AssertionError(f"{found!r} is not {expected!r}")


def refused(kind, code, param, call):
    try:
        call()
    except kind as error:
        same([error.code, error.param], [code, param])
        return
    raise AssertionError("was answered")


def models():
    names = [model.id for model in client.models.list()]
    assert "nomoat-mini" in names, names
    same(client.models.retrieve("nomoat-mini").object, "model")


def whole():
    answer = client.chat.completions.create(**chat("hello"))
    same([answer.choices[0].message.content, answer.choices[0].finish_reason], ["Hi.", "stop"])
    same(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)


def streamed():
    chunks = client.chat.completions.create(**chat("hello"), stream=True)
    same("".join(chunk.choices[0].delta.content or "" for chunk in chunks), "Hi.")


def cancelled():
    body = {"model": "nomoat-mini", "messages": [{"role": "user", "content": "x"}], "temperature": 2}
    with client.chat.completions.create(**body, stream=True) as chunks:
        next(iter(chunks))
    same(client.chat.completions.create(**chat("hello")).choices[0].message.content, "Hi.")


def thoughts():
    message = client.chat.completions.create(**chat("think")).choices[0].message
    same([message.reasoning_content, message.content], ["A cat is here.", "Yes."])


def completions():
    body = {"model": "nomoat-mini", "prompt": "Once upon", "max_tokens": 4, "temperature": 0}
    text = client.completions.create(**body).choices[0].text
    same("".join(chunk.choices[0].text for chunk in client.completions.create(**body, stream=True)), text)


def calls():
    choice = client.chat.completions.create(**chat("look up")).choices[0]
    call = choice.message.tool_calls[0]
    same([choice.finish_reason, json.loads(call.function.arguments)], ["tool_calls", {"at": "the sky"}])
    result = {"role": "tool", "tool_call_id": call.id, "content": "blue"}
    messages = [*chat("look up")["messages"], choice.message, result]
    assert client.chat.completions.create(**chat("", messages=messages)).choices[0].message.content


def gathered():
    with client.chat.completions.stream(**chat("look up")) as stream:
        message = stream.get_final_completion().choices[0].message
    same(json.loads(message.tool_calls[0].function.arguments), {"at": "the sky"})


def responses():
    functions = [{"type": "function", **look, "strict": False}]
    body = {"model": "tools", "input": "hello", "temperature": 0, "tools": functions}
    same(client.responses.create(**body).output_text, "Hi.")
    with client.responses.stream(**body) as stream:
        stream.until_done()
        same(stream.get_final_response().output_text, "Hi.")


def files():
    file = client.files.create(file=("rows.jsonl", io.BytesIO(b'{"a":1}\n')), purpose="fine-tune")
    same([each.id for each in client.files.list()], [file.id])
    same(client.files.content(file.id).text, '{"a":1}\n')
    same(client.files.delete(file.id).deleted, True)


def job():
    create = client.fine_tuning.jobs.create
    refused(openai.BadRequestError, "invalid_training_file", "training_file", lambda: create(model="nomoat-mini", training_file="file-none"))


def too_many():
    client_of(keys["once"]).models.list()
    refused(openai.RateLimitError, "rate_limit_exceeded", None, client_of(keys["once"]).models.list)


create = client.chat.completions.create
checks = {
    "models: list, retrieve": models,
    "chat: whole": whole,
    "chat: streamed": streamed,
    "chat: cancelled half-way, and the next is answered": cancelled,
    "chat: thoughts apart": thoughts,
    "completions: whole and streamed": completions,
    "tools: a call and its result": calls,
    "tools: streamed, gathered by the helper": gathered,
    "responses: whole and streamed": responses,
    "files: create, list, content, delete": files,
    "fine-tuning: a job of a file that is not there": job,
    "error 400": lambda: refused(openai.BadRequestError, "invalid_value", "temperature", lambda: create(**chat("x", temperature=9))),
    "error 401": lambda: refused(openai.AuthenticationError, "invalid_api_key", None, client_of("wrong").models.list),
    "error 403": lambda: refused(openai.PermissionDeniedError, "insufficient_permissions", None, client_of(keys["chat"]).files.list),
    "error 404": lambda: refused(openai.NotFoundError, "model_not_found", "model", lambda: create(**chat("x", model="none"))),
    "error 422": lambda: refused(openai.UnprocessableEntityError, "unusable_model", "messages", lambda: create(model="broken", messages=[{"role": "user", "content": "x"}])),
    "error 429": too_many,
}

for name, check in checks.items():
    try:
        check()
        fault = None
    except Exception as error:  # noqa: BLE001
        fault = f"{type(error).__name__}: {error}"
    print(json.dumps({"name": name, "fault": fault}), flush=True)
