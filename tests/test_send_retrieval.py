"""Calls of our tool are answered inside one `headroom send`, for every API, in streams and in whole answers."""

import json

import pytest
from provider import Provider, Reply, call, text, thinking
from talks import LOG, NAMES, OURS, Talk, environment, handle_of

from headroom_cli import retrieval

KINDS = [pytest.param(name, streaming, id=f"{name}-{'stream' if streaming else 'whole'}") for name in NAMES
         for streaming in (True, False)]  # fmt: skip
HANDLE = handle_of(LOG)


@pytest.fixture
def provider():
    with Provider() as made:
        yield made


@pytest.fixture
def ask(forked, provider):
    """Send a talk's request; return the final message, and keep what the process said in ``ask.done``."""

    def run(talk, *flags, status=0):
        run.done = forked(
            "send", "--backend", {"responses": "openai"}.get(talk.name, talk.name), "--message", *flags,
            stdin=json.dumps(talk.request).encode(), env=environment(provider),
        )  # fmt: skip
        assert run.done.returncode == status, run.done.stderr.decode()
        return json.loads(run.done.stdout) if run.done.stdout else None

    return run


def begun(name, streaming, ask, provider, output=LOG):
    """A conversation whose first output was long: the model has called Bash, and its result goes out next."""
    talk = Talk(name, streaming=streaming).says("why does the build fail?")
    provider.script(Reply([thinking("let me see"), text("I look."), call("toolu_1", "Bash", {"command": "make"})]))
    message = ask(talk)
    assert talk.calls(message) == [("toolu_1", "Bash")]
    return talk.heard(message).result("toolu_1", output)


def last(provider, back=1):
    return provider.requests[-back].json


@pytest.mark.parametrize(("name", "streaming"), KINDS)
def test_an_original_is_fetched_within_one_turn(name, streaming, ask, provider):
    talk = begun(name, streaming, ask, provider)
    assert talk.declared(last(provider)) == ["Bash", OURS]
    provider.script(
        Reply([thinking("I need it"), text("Fetching. "), call("r1", OURS, {"handle": HANDLE, "grep": "worker 77 "})]),
        Reply(
            [thinking("there it is"), text("Worker 77 took batch 2849."), call("toolu_2", "Bash", {"command": "df"})]
        ),
    )
    before = len(provider.requests)
    message = ask(talk)
    assert len(provider.requests) == before + 2
    assert talk.texts(message) == "Fetching. Worker 77 took batch 2849."
    assert talk.calls(message) == [("toolu_2", "Bash")]
    assert talk.stopped(message) in {True, None}
    assert talk.output_tokens(message) == 14  # of both hops
    first, second = last(provider, 2), last(provider)
    assert f"<<headroom:{HANDLE} " in talk.results(first)["toolu_1"]
    assert talk.turns(second)[: len(talk.turns(first))] == talk.turns(first)
    assert talk.results(second)["r1"] == "2026-01-01T00:01:17Z INFO worker 77 took batch 2849\n"
    assert second["tools"] == first["tools"]
    # The client goes on with what it saw; the provider gets what it said and was told.
    provider.script(Reply([text("Done.")]))
    talk.heard(message).result("toolu_2", "overlay 100%")
    ask(talk)
    third = last(provider)
    assert talk.turns(third)[: len(talk.turns(second))] == talk.turns(second)
    assert third["tools"] == first["tools"]
    rest = json.dumps(talk.turns(third)[len(talk.turns(second)) :])
    assert "Fetching" not in rest
    assert "Worker 77 took batch 2849." in rest
    assert "overlay 100%" in rest


@pytest.mark.parametrize(("name", "streaming"), KINDS)
def test_calls_of_ours_and_of_the_client_in_one_turn(name, streaming, ask, provider):
    talk = begun(name, streaming, ask, provider)
    provider.script(
        Reply([
            text("Both."), call("a1", "Bash", {"command": "df"}), call("r1", OURS, {"handle": HANDLE, "lines": "1:2"}),
            call("a2", "Bash", {"command": "du"}),
        ])
    )  # fmt: skip
    before = len(provider.requests)
    message = ask(talk)
    assert len(provider.requests) == before + 1  # the client's own results are needed first
    assert talk.calls(message) == [("a1", "Bash"), ("a2", "Bash")]
    assert talk.texts(message) == "Both."
    assert talk.stopped(message) in {True, None}
    provider.script(Reply([text("Fine.")]))
    talk.heard(message).result("a1", "overlay 100%").result("a2", "9 GB")
    ask(talk)
    results = talk.results(last(provider))
    assert results["a1"] == "overlay 100%"
    assert results["a2"] == "9 GB"
    assert results["r1"] == "".join(LOG.splitlines(keepends=True)[:2])
    said = json.dumps(talk.turns(last(provider)))
    assert said.index('"a1"') < said.index('"r1"') < said.index('"a2"')


@pytest.mark.parametrize(("name", "streaming"), KINDS)
def test_several_originals_at_once_and_one_after_the_other(name, streaming, ask, provider):
    talk = begun(name, streaming, ask, provider)
    provider.script(
        Reply(
            [call("r1", OURS, {"handle": HANDLE, "lines": "3"}), call("r2", OURS, {"handle": HANDLE, "lines": "5:6"})]
        ),
        Reply([text("More. "), call("r3", OURS, {"hash": f"<<headroom:{HANDLE} x>>", "query": "space left"})]),
        Reply([text("Enough.")]),
    )
    message = ask(talk)
    assert talk.texts(message) == "More. Enough."
    assert talk.calls(message) == []
    assert talk.stopped(message) in {False, None}
    results, lines = talk.results(last(provider)), LOG.splitlines(keepends=True)
    assert results["r1"] == lines[2]
    assert results["r2"] == "".join(lines[4:6])
    assert "no space left on device" in results["r3"]
    assert talk.output_tokens(message) == 21
    talk.heard(message).says("thanks")
    provider.script(Reply([text("You are welcome.")]))
    before = talk.turns(last(provider))
    ask(talk)
    assert talk.turns(last(provider))[: len(before)] == before


@pytest.mark.parametrize(("name", "streaming"), KINDS)
def test_a_model_that_never_has_enough_is_stopped(name, streaming, ask, provider):
    talk = begun(name, streaming, ask, provider)
    provider.script(lambda record: Reply([text("More. "), call(f"r{record.number}", OURS, {"handle": HANDLE})]))
    before = len(provider.requests)
    message = ask(talk)
    assert len(provider.requests) - before == 1 + retrieval.MOST_HOPS
    assert talk.calls(message) == []
    assert talk.stopped(message) in {False, None}
    assert talk.texts(message).startswith("More. More. More. More. ")
    assert "too many" in talk.texts(message)
    assert HANDLE in talk.texts(message)


@pytest.mark.parametrize(("name", "streaming"), KINDS)
def test_what_does_not_exist_is_refused_once_and_for_all(name, streaming, ask, provider):
    talk = begun(name, streaming, ask, provider)
    provider.script(lambda record: Reply([call(f"r{record.number}", OURS, {"handle": "aaaaaaaaaaaa"})]))
    before = len(provider.requests)
    message = ask(talk)
    assert len(provider.requests) - before == 3  # asked, asked again, stopped
    assert talk.calls(message) == []
    assert "not fetched: aaaaaaaaaaaa" in talk.texts(message)
    refusal = "stands for nothing in this conversation. Asking again gives this same answer"
    answers = [text for call_id, text in talk.results(last(provider)).items() if call_id.startswith("r")]
    assert all(refusal in answer for answer in answers)


def test_another_conversations_original_is_not_served(ask, provider):
    begun("anthropic", True, ask, provider)
    other = LOG.replace("worker", "nonce-of-another")
    talk = begun("anthropic", True, ask, provider, output=other)
    ask(talk)  # its own original is stored now
    stranger = Talk("anthropic").says("something else")
    provider.script(Reply([call("b1", "Bash", {"command": "ls"})]))
    stranger.heard(ask(stranger)).result("b1", LOG)
    theirs = handle_of(other)
    provider.script(Reply([call("r1", OURS, {"handle": theirs})]), Reply([text("no")]))
    ask(stranger)
    assert "stands for nothing in this conversation" in talk.results(last(provider))["r1"]
    assert "nonce-of-another" not in provider.requests[-1].body.decode()


def test_a_marker_in_somebodys_text_opens_nothing(ask, provider):
    talk = begun("anthropic", False, ask, provider, output="short")
    ask(talk)
    begun("anthropic", True, ask, provider)
    quoting = Talk("anthropic").says(f"what is <<headroom:{HANDLE} 5 of 9 lines>>?")
    provider.script(Reply([call("b1", "Bash", {"command": "ls"})]))
    quoting.heard(ask(quoting)).result("b1", f"notes.txt:\n<<headroom:{HANDLE} 5 of 9 lines>>\n")
    provider.script(Reply([call("r1", OURS, {"handle": HANDLE})]), Reply([text("no")]))
    ask(quoting)
    assert "stands for nothing in this conversation" in talk.results(last(provider))["r1"]


def test_an_original_too_long_for_a_turn_is_refused_with_its_length(ask, provider):
    long = "".join(f"2026-01-01T00:00:00Z INFO worker {i} took batch {i * 37} of the long run\n" for i in range(70_000))
    assert len(long) > retrieval.MOST_BYTES
    talk = begun("openai", False, ask, provider, output=long)
    provider.script(Reply([call("r1", OURS, {"handle": handle_of(long)})]), Reply([text("ok")]))
    ask(talk)
    answer = talk.results(last(provider))["r1"]
    assert f"{len(long):,} bytes, more than the {retrieval.MOST_BYTES:,}" in answer
    assert "lines, rows, grep or query" in answer


@pytest.mark.parametrize(
    "arguments",
    [
        "{",
        "[1]",
        {},
        {"handle": 7},
        {"handle": "no"},
        {"handle": HANDLE, "lines": "x"},
        {"handle": HANDLE, "grep": "("},
    ],
    ids=str,
)
def test_a_call_that_cannot_be_read_gets_an_answer(arguments, ask, provider):
    talk = begun("openai", True, ask, provider)
    provider.script(Reply([call("r1", OURS, arguments)]), Reply([text("I see.")]))
    assert talk.texts(ask(talk)) == "I see."
    assert 20 < len(talk.results(last(provider))["r1"]) < 400


# --- where the tool belongs


@pytest.mark.parametrize("name", NAMES)
def test_a_conversation_that_began_without_the_tool_stays_without_it(name, ask, provider, tmp_path):
    talk = Talk(name).says("why?")
    provider.script(Reply([call("toolu_1", "Bash", {"command": "make"})]))
    talk.heard(ask(talk, "--store", str(tmp_path / "another"))).result("toolu_1", LOG)
    provider.script(Reply([text("ok")]))
    ask(talk)
    sent = last(provider)
    assert talk.declared(sent) == ["Bash"]
    assert "<<headroom:" not in json.dumps(sent)


def test_without_tools_or_choice_there_is_no_tool(ask, provider):
    for change in ({"tools": []}, {"tool_choice": {"type": "none"}}, {"tool_choice": {"type": "tool", "name": "Bash"}}):
        talk = Talk("anthropic").says("why?")
        talk = Changed(talk, change)
        ask(talk)
        assert OURS not in talk.declared(last(provider))


class Changed:
    """A talk whose request has other members."""

    def __init__(self, talk, change):
        self._talk, self._change = talk, change

    def __getattr__(self, name):
        return getattr(self._talk, name)

    @property
    def request(self):
        return {**self._talk.request, **self._change}


def test_a_client_that_has_the_tool_answers_its_calls_itself(ask, provider):
    talk = Talk("anthropic", tools=("Bash", OURS)).says("why?")
    provider.script(Reply([call("toolu_1", "Bash", {"command": "make"})]))
    talk.heard(ask(talk)).result("toolu_1", LOG)
    provider.script(Reply([call("r1", OURS, {"handle": HANDLE})]))
    message = ask(talk)
    assert talk.declared(last(provider)) == ["Bash", OURS]
    assert "<<headroom:" in talk.results(last(provider))["toolu_1"]
    assert talk.calls(message) == [("r1", OURS)]


def test_a_server_that_holds_the_history_keeps_the_tool(ask, provider):
    talk = Talk("responses").says("why?")
    provider.script(Reply([call("toolu_1", "Bash", {"command": "make"})]))
    answered = ask(talk)
    talk.items = []
    talk = Changed(talk.result("toolu_1", LOG), {"previous_response_id": answered["id"]})
    provider.script(Reply([call("r1", OURS, {"handle": HANDLE, "lines": "1"})]), Reply([text("ok")]))
    answered = ask(talk)
    assert talk.declared(last(provider)) == ["Bash", OURS]
    assert talk.results(last(provider))["r1"] == LOG.splitlines(keepends=True)[0]
    # The next request holds no marker at all; the provider's history does.
    talk.items.clear()
    talk = Changed(talk._talk.says("and line 2?"), {"previous_response_id": answered["id"]})
    provider.script(Reply([call("r2", OURS, {"handle": HANDLE, "lines": "2"})]), Reply([text("ok")]))
    ask(talk)
    assert talk.results(last(provider))["r2"] == LOG.splitlines(keepends=True)[1]


def test_a_store_that_is_gone_costs_the_saving_alone(ask, provider, tmp_path):
    (tmp_path / "file").write_text("")
    talk = Talk("anthropic").says("why?")
    ask(talk, "--store", str(tmp_path / "file" / "store"))
    assert json.loads(provider.requests[-1].body) == talk.request
    assert b"nothing was compressed" in ask.done.stderr


def test_a_saved_request_expands_to_the_clients_own(ask, provider, forked, tmp_path):
    talk = begun("anthropic", True, ask, provider)
    provider.script(Reply([text("x "), call("r1", OURS, {"handle": HANDLE, "lines": "1"})]), Reply([text("y")]))
    talk.heard(ask(talk)).says("go on")
    provider.script(Reply([text("z")]))
    ask(talk, "--save", "sent.json")
    saved = (tmp_path / "sent.json").read_bytes()
    assert saved == provider.requests[-1].body
    assert b"<<headroom:" in saved
    assert b'"r1"' in saved
    assert (tmp_path / "sent.json").stat().st_mode & 0o777 == 0o600
    expanded = forked("retrieve", "--expand", "sent.json")
    assert expanded.returncode == 0, expanded.stderr
    assert expanded.stdout == json.dumps(talk.request).encode()
