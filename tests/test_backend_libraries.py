"""LiteLLM and any-llm, called for real against a provider of our own, in the environment of the other clients.

All cases of a library run in one process there, because importing it takes seconds. Each has a model of its own name,
by which the provider knows what to answer and the test how often it was asked.
"""

import fcntl
import json
import os
import socket
import time

import pytest
from clients import clients_python, run_client
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from provider import Fault, Provider, Reply, call, text

LIBRARIES = ("litellm", "anyllm")
PROVIDERS = ("openai", "anthropic")
MESSAGES = [{"role": "user", "content": "hi"}]
TOOLS = [{"type": "function", "function": {"name": "read", "parameters": {"type": "object", "properties": {}}}}]
LIMITS = {
    "max_tokens": None, "max_completion_tokens": 50, "reasoning_effort": None, "tools": TOOLS, "tool_choice": "auto",
    "parallel_tool_calls": False, "stop": ["end"],
}  # fmt: skip
KEYS = {"OPENAI_API_KEY": "sk-test-openai-0123456789", "ANTHROPIC_API_KEY": "sk-ant-test-0123456789"}

# Runs cases in turn; prints what each gave: chunks, and the error with its status, code and body.
RUNNER = """
import io, json, os, sys
os.environ.pop("LITELLM_LOCAL_MODEL_COST_MAP", None)
from headroom_cli.backends import Outgoing, Target, load
from headroom_cli.errors import HeadroomError
results, printed = {}, io.StringIO()
stdout, sys.stdout = sys.stdout, printed
for case in json.loads(sys.argv[1]):
    backend, provider = load(case["backend"])
    body = json.dumps({"model": "another", "stream": not case["stream"], **case["body"]}).encode()
    outgoing = Outgoing("openai", case["model"], body, stream=case["stream"])
    target = Target(base=case["base"], provider=provider, timeout=case["timeout"], headers=(("x-mine", "yes"),))
    kept = {name: os.environ.pop(name) for name in case["unset"]}
    got, error = [], None
    chunks = backend.library(outgoing, target)
    try:
        for chunk in chunks:
            got.append(chunk)
            if len(got) == case["most"]:
                chunks.close()
    except HeadroomError as caught:
        error = [type(caught).__name__, str(caught), getattr(caught, "code", 0), getattr(caught, "body", b"").decode()]
    os.environ.update(kept)
    results[case["name"]] = {"chunks": got, "error": error}
sys.stdout = stdout
map_ = os.environ.get("LITELLM_LOCAL_MODEL_COST_MAP", "")
print(json.dumps({"results": results, "printed": printed.getvalue(), "map": map_}))
"""


def closed_port():
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


ERRORS = {
    401: "KeyMissingError", 403: "KeyMissingError", 429: "BusyError", 503: "BusyError", 529: "BusyError",
    400: "AnsweredError", 404: "AnsweredError", 500: "AnsweredError", 502: "AnsweredError",
}  # fmt: skip
CALLS = [call("id_a", "read", {"path": "a"}), call("id_b", "read", {"path": "b"})]
REPLIES = {
    "text": Reply([text("Hello \u00e9\u4e16")], pieces=3),
    "calls": Reply([text("Look."), *CALLS], pieces=4),
    "reset": Reply([text("x")], fault=Fault("reset", at="head")),
    "stall": Reply([text("x")], fault=Fault("stall", at="head")),
    "still": Reply([text("Hello, it is me")], pieces=3, fault=Fault("stall", events=4)),
    "broken": Reply([text("Hello, it is me")], pieces=3, fault=Fault("close", events=4)),
    "open": Reply([text("Hello, it is me")], pieces=3, fault=Fault("open")),
    "inside": Reply([text("Hello, it is me")], pieces=3, fault=Fault("error", events=4)),
    "endless": Reply([text("on and ", times=100_000)], delay=0.01),
    **{f"error{status}": Reply(status=status, error=("some_error", "so it is")) for status in ERRORS},
}


def cases(library, address):
    """Yield the cases of a library: what the runner wants to know of each."""

    def case(what, name, *, stream=False, body=None, base=None, timeout=30, most=0, unset=(), model=None):
        return {
            "name": f"{what}-{name}-{'stream' if stream else 'whole'}",
            "backend": f"{library}-{name}",
            "model": model or f"{what}-{name}-{'stream' if stream else 'whole'}",
            "base": base or address + ("/v1" if name == "openai" else ""),
            "body": {"messages": MESSAGES, "max_tokens": 99, **(body or {})},
            "stream": stream,
            "timeout": timeout,
            "most": most,
            "unset": list(unset),
        }

    for name in PROVIDERS:
        yield case("endless", name, stream=True, most=6)
        yield case("after", name)  # answered when the one before has gone
        for stream in (False, True):
            yield case("text", name, stream=stream, body={"stream_options": {"include_usage": True}} if stream else {})
            yield case("calls", name, stream=stream, body={"tools": TOOLS})
            yield case("reset", name, stream=stream)
            yield case("stall", name, stream=stream, timeout=0.5)
            yield case("nobody", name, stream=stream, base=f"http://127.0.0.1:{closed_port()}/v1")
            for status in ERRORS:
                yield case(f"error{status}", name, stream=stream)
        for fault in ("still", "broken", "open", "inside"):
            yield case(fault, name, stream=True, timeout=0.5 if fault == "still" else 30)
        yield case("keyless", name, unset=[f"{name.upper()}_API_KEY"])
        yield case("unknown", name, body={"top_k": 5, "fancy": {"a": [1, None]}})
        yield case("settings", name, body={"api_base": "http://127.0.0.1:9/", "api_key": "sk-x", "fallbacks": ["b"]})
        yield case("several", name, body={"n": 3})
        yield case("limits", name, body=LIMITS)
        yield case("odd", name, body={"messages": [{"role": "nobody", "content": {"a": 1}}]})
    yield {
        **case("named", "openai"),
        "backend": library,
        "model": "openai/named" if library == "litellm" else "openai:named",
    }
    yield {**case("nameless", "openai"), "backend": library, "model": "whose-is-it"}
    yield {**case("stranger", "openai"), "backend": f"{library}-nobody"}


def reply(provider, record):
    """Return the answer to a case's model; that of "after" tells whether the client of "endless" has gone."""
    what, _, name = record.json["model"].partition("-")
    if what != "after":
        return REPLIES.get(what, REPLIES["text"])
    endless = f"endless-{name.removesuffix('whole')}stream"
    numbers = [seen.number for seen in provider.requests if seen.json["model"] == endless]
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if any(gone.number in numbers and gone.phase != "after" for gone in provider.gone):
            return Reply([text("it has gone")])
        time.sleep(0.01)
    return Reply([text(f"it is still there: {numbers}, {provider.gone}")])


def ask(library):
    """Run all cases of a library; return what they gave and what the provider saw, as JSON values."""
    with Provider(lambda record: reply(provider, record), check=False) as provider:
        found = run_client(RUNNER, json.dumps(list(cases(library, provider.url))), seconds=150, **KEYS)
        seen = [
            {"model": record.json["model"], "shape": record.shape, "headers": record.headers, "body": record.json}
            for record in provider.requests
        ]
    return {**found, "requests": seen}


class Run:
    """What all cases of one library gave, and what the provider saw."""

    def __init__(self, library, found):
        self.library = library
        self.results = found["results"]
        self.printed = found["printed"]
        self.map = found["map"]
        self.requests = found["requests"]

    def asked(self, name):
        return [request for request in self.requests if request["model"] == name]

    def only(self, name):
        """Return the one request with this model: its shape, its headers by their names in small letters, its body."""
        (request,) = self.asked(name)
        return request["shape"], {key.lower(): value for key, value in request["headers"]}, request["body"]

    def error(self, name):
        error = self.results[name]["error"]
        assert error, f"{name} gave {self.results[name]['chunks']}"
        return error

    def answer(self, name):
        """Return the one answer, put together where it came in pieces, as the official SDK reads them."""
        found = self.results[name]
        assert found["error"] is None, found["error"]
        if not name.endswith("stream"):
            (whole,) = found["chunks"]
            choice = ChatCompletion.model_validate(whole).choices[0]
            calls = [(one.id, one.function.name, one.function.arguments) for one in choice.message.tool_calls or ()]
            return choice.message.content or "", calls, choice.finish_reason
        words, parts, reasons = "", {}, []
        for chunk in found["chunks"]:
            for choice in ChatCompletionChunk.model_validate(chunk).choices:
                words += choice.delta.content or ""
                reasons += [choice.finish_reason] if choice.finish_reason else []
                for one in choice.delta.tool_calls or ():
                    part = parts.setdefault(one.index, ["", "", ""])
                    for at, piece in enumerate((one.id, one.function.name, one.function.arguments)):
                        part[at] += piece or ""
        assert len(reasons) == 1
        assert len({chunk["id"] for chunk in found["chunks"]}) == 1
        return words, [tuple(part) for _, part in sorted(parts.items())], reasons[0]


@pytest.fixture(scope="module", params=LIBRARIES)
def run(request, tmp_path_factory):
    clients_python()  # skips where there is no such environment
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # all workers take what the first of them found
        place = place.parent
    path = place / f"backend-{request.param}.json"
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            path.write_text(json.dumps(ask(request.param)))
    return Run(request.param, json.loads(path.read_text()))


BOTH = pytest.mark.parametrize("stream", ["whole", "stream"])
EACH = pytest.mark.parametrize("name", PROVIDERS)


@EACH
@BOTH
def test_text_comes_as_it_was_said(run, name, stream):
    assert run.answer(f"text-{name}-{stream}") == ("Hello \u00e9\u4e16", [], "stop")
    shape, headers, body = run.only(f"text-{name}-{stream}")
    assert shape == ("chat" if name == "openai" else "anthropic")
    assert bool(body.get("stream")) == (stream == "stream")
    assert headers["x-mine"] == "yes"
    if stream == "stream":
        assert len(run.results[f"text-{name}-stream"]["chunks"]) >= 3


@EACH
@BOTH
def test_usage_comes_too(run, name, stream):
    chunks = run.results[f"text-{name}-{stream}"]["chunks"]
    (usage,) = [chunk["usage"] for chunk in chunks if chunk.get("usage")]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (12, 7)


@EACH
@BOTH
def test_calls_side_by_side_stay_apart(run, name, stream):
    words, calls, reason = run.answer(f"calls-{name}-{stream}")
    assert (words, reason) == ("Look.", "tool_calls")
    assert [(identifier, tool, json.loads(arguments)) for identifier, tool, arguments in calls] == [
        ("id_a", "read", {"path": "a"}),
        ("id_b", "read", {"path": "b"}),
    ]


@EACH
@BOTH
@pytest.mark.parametrize("status", ERRORS)
def test_an_error_is_ours_with_the_providers_words_and_only_one_request_was_made(run, name, stream, status):
    kind, sentence, code, body = run.error(f"error{status}-{name}-{stream}")
    assert (kind, code) == (ERRORS[status], status)
    assert json.loads(body)["error"]["message"] == "so it is"
    assert "Traceback" not in sentence
    assert len(run.asked(f"error{status}-{name}-{stream}")) == 1


@EACH
@BOTH
@pytest.mark.parametrize("fault", ["reset", "stall"])
def test_a_connection_that_fails_is_not_tried_again(run, name, stream, fault):
    kind, _, code, body = run.error(f"{fault}-{name}-{stream}")
    assert (kind, code, body) == ("UnreachableError", 0, "")
    assert len(run.asked(f"{fault}-{name}-{stream}")) == 1


@EACH
@BOTH
def test_nobody_there_is_told_from_an_answer(run, name, stream):
    kind, _, code, _ = run.error(f"nobody-{name}-{stream}")
    assert (kind, code) == ("UnreachableError", 0)


@EACH
@pytest.mark.parametrize("fault", ["still", "broken", "open"])
def test_a_stream_that_breaks_off_does_not_end_well(run, name, fault):
    found = run.results[f"{fault}-{name}-stream"]
    assert found["chunks"], "it had begun"
    assert run.error(f"{fault}-{name}-stream")[0] == "UnreachableError"
    assert not any(choice["finish_reason"] for chunk in found["chunks"] for choice in chunk["choices"])
    assert len(run.asked(f"{fault}-{name}-stream")) == 1


@EACH
def test_an_error_inside_a_stream_is_one(run, name):
    kind, sentence, code, _ = run.error(f"inside-{name}-stream")
    assert (kind, code) == ("AnsweredError", 200)
    assert "broke its answer off" in sentence
    assert len(run.asked(f"inside-{name}-stream")) == 1


@EACH
def test_closing_closes_the_providers_connection(run, name):
    assert len(run.results[f"endless-{name}-stream"]["chunks"]) == 6
    assert run.answer(f"after-{name}-whole")[0] == "it has gone"


@EACH
def test_a_missing_key_is_found_before_anything_is_sent(run, name):
    assert run.error(f"keyless-{name}-whole")[0] == "KeyMissingError"
    assert run.asked(f"keyless-{name}-whole") == []


@EACH
def test_members_that_a_library_has_no_name_for_arrive(run, name):
    assert run.answer(f"unknown-{name}-whole")[0]
    _, _, body = run.only(f"unknown-{name}-whole")
    assert (body["top_k"], body["fancy"]) == (5, {"a": [1, None]})


@EACH
def test_a_request_does_not_decide_where_it_goes(run, name):
    if run.results[f"settings-{name}-whole"]["error"]:
        kind, sentence, _, _ = run.error(f"settings-{name}-whole")
        assert kind == "CannotCarryError"
        assert "api_base, api_key, fallbacks" in sentence
        assert run.asked(f"settings-{name}-whole") == []
    else:
        _, headers, body = run.only(f"settings-{name}-whole")
        assert body["api_base"] == "http://127.0.0.1:9/"
        assert (headers.get("authorization") or headers["x-api-key"]).endswith(KEYS[f"{name.upper()}_API_KEY"])


def test_limits_and_switches_mean_the_same_on_the_other_side(run):
    _, _, body = run.only("limits-openai-whole")
    assert [body.get(name) for name in ("max_tokens", "max_completion_tokens")].count(50) == 1
    assert (body["parallel_tool_calls"], body["tool_choice"], body["stop"]) == (False, "auto", ["end"])
    assert not body.get("reasoning_effort")
    _, _, body = run.only("limits-anthropic-whole")
    assert (body["max_tokens"], body["stop_sequences"]) == (50, ["end"])
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert "thinking" not in body


def test_what_an_api_has_no_place_for_is_refused_by_name(run):
    assert run.answer("several-openai-whole")[0]
    assert run.only("several-openai-whole")[2]["n"] == 3
    kind, sentence, _, _ = run.error("several-anthropic-whole")
    assert kind == "CannotCarryError"
    assert "'n'" in sentence
    assert run.asked("several-anthropic-whole") == []


@EACH
def test_an_odd_message_is_passed_on_or_a_plain_error(run, name):
    error = run.results[f"odd-{name}-whole"]["error"]
    assert len(run.asked(f"odd-{name}-whole")) == (error is None)
    assert error is None or error[0] == "CannotCarryError"


def test_a_model_may_name_its_provider(run):
    assert run.answer("named-openai-whole")[0]
    assert len(run.asked("named")) == 1
    assert run.error("nameless-openai-whole")[0] == "ConfigError"
    assert run.error("stranger-openai-whole")[0] == "ConfigError"


def test_a_library_prints_nothing_and_shows_no_key(run):
    assert run.printed == ""
    said = json.dumps([found["error"] for found in run.results.values()])
    for value in KEYS.values():
        assert value not in said


def test_litellm_reads_its_prices_from_its_own_disk(run):
    assert run.map == ("True" if run.library == "litellm" else "")
