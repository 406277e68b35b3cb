"""Renders the template corpus and the snippets with Python's jinja2, set up as transformers sets it up, and freezes what it says.

    CONVERSATIONS=FILE npx vitest run test/templates/corpus.test.ts
    python bench/oracles/render_templates.py FILE [OUT]

Writes into OUT, or test/fixtures/templates where none is given: expected.json (of each rendering the beginning of its SHA-256; '!' and the beginning of the message's
where the template raised; '?' where Python raised) and snippets-expected.json (of each snippet its text or the error). Prints how much it wrote. Needs jinja2 3.1.6.
"""

import datetime
import hashlib
import json
import pathlib
import re
import sys

import jinja2
import jinja2.ext
import jinja2.sandbox
import jinja2.utils

FOLDER = pathlib.Path(__file__).parent.parent.parent / "test" / "fixtures" / "templates"
NOW = datetime.datetime(2024, 7, 26, 15, 4, 5)
DIGITS = 8


class Raised(jinja2.exceptions.TemplateError):
    pass


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


class TemplateNamespace(jinja2.utils.Namespace):
    """transformers' own, which takes no names with an underscore at their beginning."""

    def __init__(*args, **kwargs):
        self, args = args[0], args[1:]
        attrs = dict(*args, **kwargs)
        for name in attrs:
            TemplateNamespace._check_name(name)
        jinja2.utils.Namespace.__init__(self, attrs)

    def __setitem__(self, name, value):
        TemplateNamespace._check_name(name)
        jinja2.utils.Namespace.__setitem__(self, name, value)

    @staticmethod
    def _check_name(name):
        if isinstance(name, str) and name.startswith("_"):
            raise jinja2.exceptions.SecurityError(f"no underscore at the beginning of {name!r}")


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def raise_exception(message):
    raise Raised(message)


def environment():
    env = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    env.filters["tojson"] = tojson
    env.globals["namespace"] = TemplateNamespace
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = NOW.strftime
    return env


def digest(text):
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]


def rendered(template, variables):
    try:
        return digest(template.render(**variables))
    except Raised as error:
        return "!" + digest(str(error.message))
    except Exception:
        return "?"


def templates(env, conversations):
    expected = {}
    for path in sorted(FOLDER.glob("*.jinja")):
        template = env.from_string(path.read_bytes().decode())
        expected[path.stem] = " ".join(rendered(template, json.loads(text)) for text in conversations)
    return expected


def snippet(env, source, variables):
    try:
        # Addresses differ from run to run.
        return {"text": re.sub("0x[0-9a-f]{6,}", "0x…", env.from_string(source).render(**variables))}
    except Raised as error:
        return {"raised": str(error.message)}
    except Exception as error:
        return {"error": type(error).__name__, "message": str(error)}


def main():
    env = environment()
    snippets = json.loads((FOLDER / "snippets.json").read_text())
    results = [snippet(env, source, json.loads(json.dumps(snippets["variables"]))) for source in snippets["snippets"]]
    write("snippets-expected.json", results)
    if len(sys.argv) > 1:
        expected = templates(env, json.loads(pathlib.Path(sys.argv[1]).read_text()))
        write("expected.json", expected)
        print(f"{len(results)} snippets, {len(expected)} templates")


def write(name, value):
    text = json.dumps(value, ensure_ascii=False, indent=0) if isinstance(value, list) else json.dumps(value, indent=1)
    out = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else FOLDER
    (out / name).write_text(text + "\n")


main()
