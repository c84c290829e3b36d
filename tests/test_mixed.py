"""mixed: outputs that are several, and what a harness put around them."""

import json

import pytest

from headroom_cli import engine, mixed
from headroom_cli.model import EXACT, FAITHFUL, LOSSY, Draft, Hint, Policy, Want
from headroom_cli.routing import route, segments, wrappers
from headroom_cli.store import Store
from headroom_cli.tokens import count

LOG = "".join(f"2026-01-01T00:00:{i:02d}Z INFO worker {i} ready\n" for i in range(60))
RECORDS = json.dumps([{"id": i, "name": f"worker {i}", "state": "ready"} for i in range(60)], indent=1) + "\n"


def shortened(text, standing=None):
    draft = mixed.unwrapped(text, wrappers.read(text), standing or {}, Want(count), lambda _text, _want: None)
    return text if draft is None else draft.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<returncode>0</returncode>\n<output>\nabc\n</output>", "abc\n"),
        ("<returncode>0</returncode>\n<output>\n</output>", "[no output]\n"),
        ("<returncode>2</returncode>\n<output>\nabc\n</output>", "[exit 2]\nabc\n"),
        ("<returncode>-9</returncode>\n<output>\n</output>", "[exit -9]\n[no output]\n"),
        ("Exit code: 0\nWall time: 0.1 seconds\nOutput:\nabc\n", "Wall time: 0.1 seconds\nabc\n"),
        ("Chunk ID: 1f\nWall time: 2 seconds\nProcess exited with code 1\nOutput:\nabc",
         "Chunk ID: 1f\nWall time: 2 seconds\nProcess exited with code 1\nabc"),
        ("Observation:\nabc\n", "abc\n"),
        ("abc\n[Command finished with exit code 127]", "abc\n[exit 127]"),
        ("abc\n[The command completed with exit code 0.]\n[Current working directory: /srv]\n",
         "abc\n[Current working directory: /srv]\n"),
        ("abc\n(Open file: /a.py)\n(Current directory: /srv)\nbash-$",
         "abc\n(Open file: /a.py)\n(Current directory: /srv)"),
        ("[File: /a.py (9 lines total)]\n1:x\n(3 more lines below)\nbash-$",
         "[File: /a.py (9 lines total)]\n1:x\n(3 more lines below)"),
    ],
)  # fmt: skip
def test_a_wrapper_is_said_in_short(text, said):
    assert shortened(text) == said


@pytest.mark.parametrize(
    "text",
    [
        "Exit code 1\nTraceback (most recent call last):\n",  # short as it is
        "run.sh: done\nexit code: 0\n",  # what a command was asked to print
        "<returncode>0</returncode>\n<output>\nabc\n",  # a tag that is not closed
        "<result>\n<a/>\n</result>",  # as likely somebody's XML
        "<stdout>\nabc\n</stdout>\n<stderr>\ndef\n</stderr>",
        "<output>\nabc\n</output>\n<output>\ndef\n</output>",
        "",
        "\n",
    ],
)
def test_what_says_something_stays(text):
    said = shortened(text)
    assert [word for word in text.split() if "returncode" not in word] == said.split()


def test_only_what_has_changed_is_said_again():
    text = "abc\n(Open file: /a.py)\n(Current directory: /srv)\nbash-$"
    assert shortened(text, {"directory": "/srv"}) == "abc\n(Open file: /a.py)"
    assert shortened(text, {"directory": "/home", "open file": "/a.py"}) == "abc\n(Current directory: /srv)"
    assert shortened(text, wrappers.read(text).facts()) == "abc\n"


WINDOW = (
    "[File: /a.py ({} lines total)]\n({} more lines above)\n{}({} more lines below)\n{}\n(Open file: /a.py)\n"
    "(Current directory: /srv)\nbash-$"
)
ADVICE = (
    "File updated. Please review the changes and make sure they are correct (correct indentation, no duplicate lines, "
    "etc). Edit the file again if necessary.\n"
)


def test_what_follows_from_the_numbers_of_a_view_is_not_said():
    first = WINDOW.format(90, 2, "3:a\n4:b\n", 86, "")
    assert shortened(first) == "[File: /a.py (90 lines total)]\n3:a\n4:b\n(Current directory: /srv)"
    facts = wrappers.read(first).facts()
    assert facts == {"view": "/a.py (90 lines total)", "open file": "/a.py", "directory": "/srv"}
    assert shortened(WINDOW.format(90, 6, "7:a\n", 83, ""), facts) == "7:a\n"
    grown = WINDOW.format(91, 6, "7:a\n8:b\n", 83, ADVICE)
    assert shortened(grown, facts) == "[91 lines total]\n7:a\n8:b\n" + ADVICE.rstrip()
    assert shortened(grown, wrappers.read(grown).facts()) == "7:a\n8:b\nFile updated."
    other = WINDOW.format(90, 6, "7:a\n", 83, "").replace("/a.py", "/b.py")
    assert shortened(other, facts) == "[File: /b.py (90 lines total)]\n7:a\n"


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("[File: /a.py (9 lines total)]\n(2 more lines above)\n4:a\n(5 more lines below)", "(2 more lines above)"),
        ("[File: /a.py (9 lines total)]\n3:a\n(5 more lines below)", "(5 more lines below)"),
        ("[File: /a.py (9 lines total)]\n(2 more lines above)\n    a\n(6 more lines below)", "(2 more lines above)"),
        ("[File: /a.py (9 lines total)]\n1:a\n(8 more lines below)\n(Open file: /b.py)", "(Open file: /b.py)"),
        ("(2 more lines above)\n3:a\n(6 more lines below)", "(6 more lines below)"),
    ],
)
def test_what_does_not_follow_from_the_numbers_stays(text, stays):
    assert stays in shortened(text)


@pytest.mark.parametrize(
    ("advice", "kept"),
    [
        (ADVICE, "File updated."),
        (ADVICE.replace("correct (", "correct\n(").replace("\n", "\r\n"), "File updated."),
        ("Review the changes and make sure they are as expected (no duplicate lines, etc).\n", ""),
    ],
)
def test_advice_is_given_once(advice, kept):
    text = f"The file /a.py was edited.\n1:a\n{advice}(Open file: /a.py)\nbash-$"
    assert shortened(text).split() == text.split()[:-1]
    said = shortened(text, wrappers.read(text).facts())
    assert said.rstrip() == f"The file /a.py was edited.\n1:a\n{kept}".rstrip()


def test_a_harness_that_cut_the_middle_is_believed():
    text = (
        "<returncode>0</returncode>\n<warning>\nThe output was too long.\n</warning><output_head>\nabc\n"
        "</output_head>\n<elided_chars>\n4,812 characters elided\n</elided_chars>\n<output_tail>\nxyz\n</output_tail>"
    )
    assert shortened(text) == ("<warning>\nThe output was too long.\n</warning>\nabc\n[4,812 characters elided]\nxyz\n")
    assert shortened(text, wrappers.read(text).facts()) == "abc\n[4,812 characters elided]\nxyz\n"


def conversation(*outputs):
    turns = [{"role": "user", "content": "fix the build"}]
    for output in outputs:
        turns += [
            {"role": "assistant", "content": "I run it.\n\n```bash\nmake\n```"},
            {"role": "user", "content": output},
        ]
    return json.dumps(turns).encode()


def test_a_conversation_with_short_wrappers_comes_back(tmp_path):
    wrapped = "<returncode>{}</returncode>\n<output>\n{}</output>"
    data = conversation(wrapped.format(0, ""), wrapped.format(2, "make: *** no rule\n"), wrapped.format(0, LOG))
    store = Store(f"{tmp_path}/store")
    result = engine.crush(data, Policy(), store)
    texts = [turn["content"] for turn in json.loads(result.data)]
    assert texts[2] == "[no output]\n"
    assert texts[4] == "[exit 2]\nmake: *** no rule\n"
    assert "returncode" not in texts[6]
    assert engine.expand(result.data, store) == (data, [])


def test_a_rendering_depends_on_what_stood_before_only(tmp_path):
    tail = "\n(Open file: /a.py)\n(Current directory: {})\nbash-$"
    outputs = [f"output {i}" + tail.format("/srv" if i < 3 else "/home") for i in range(6)]
    whole = json.loads(engine.crush(conversation(*outputs), Policy(), Store(f"{tmp_path}/a")).data)
    for k in range(1, 6):
        part = json.loads(engine.crush(conversation(*outputs[:k]), Policy(), Store(f"{tmp_path}/{k}")).data)
        assert part == whole[: len(part)]
    said = [turn["content"] for turn in whole[2::2]]
    assert said[0] == "output 0\n(Open file: /a.py)\n(Current directory: /srv)"
    assert said[1] == "output 1\n"
    assert said[3] == "output 3\n(Current directory: /home)"


def test_named_outputs_are_segments():
    text = f"==> app.log <==\n{LOG}\n==> data.json <==\n{RECORDS}"
    assert route(text, Hint(command="tail -n 100 app.log data.json")).kind == "mixed"
    found = [(part.kind, part.why) for part in segments(text, Hint())]
    assert found == [("prose", "prompt"), ("log", "text"), ("prose", "prompt"), ("json", "text")]
    echoed = text.replace("==> app.log <==", "=== app.log ===").replace("==> data.json <==", "=== data.json ===")
    command = 'for f in app.log data.json; do echo "=== $f ==="; cat $f; done'
    assert route(echoed, Hint(command=command)).kind == "mixed"
    assert [part.kind for part in segments(echoed, Hint(command=command))] == ["prose", "log", "prose", "json"]


def test_each_segment_goes_to_its_own_specialist():
    asked = []

    def part(text, _hint):
        asked.append(text)
        return Draft("short\n", LOSSY, "60 lines") if text == LOG else None

    session = f"$ cat app.log\n{LOG}$ cat data.json\n{RECORDS}"
    draft = mixed.compress(session, Want(count, part=part))
    assert asked == [LOG, RECORDS]
    assert (draft.text, draft.degree, draft.missing) == (
        f"$ cat app.log\nshort\n$ cat data.json\n{RECORDS}", LOSSY, "60 lines",
    )  # fmt: skip


def test_the_weakest_degree_is_that_of_the_whole():
    session = f"$ cat app.log\n{LOG}$ cat data.json\n{RECORDS}"
    degrees = iter([EXACT, FAITHFUL])
    draft = mixed.compress(session, Want(count, part=lambda _text, _hint: Draft("short\n", next(degrees))))
    assert draft.degree == FAITHFUL
    assert mixed.compress(session, Want(count)) is None


def test_many_notes_become_one():
    session = "".join(f"$ cat {i}.log\n{LOG}" for i in range(30))
    draft = mixed.compress(session, Want(count, part=lambda _text, _hint: Draft("short\n", LOSSY, "59 of 60 lines")))
    assert draft.missing == "parts of 30 outputs"


LIST = "".join(f"src/part_{i // 12}/module_{i}.py\n" for i in range(60))


def test_a_kind_named_against_the_text_shows_the_way_back(tmp_path):
    """What is re-grouped in a false belief loses no word, but may lose the sense."""
    store = Store(f"{tmp_path}/store")
    for kind in ("table", "search", "listing", "code"):
        for text in (LOG, LIST, RECORDS, f"{LOG}{LIST}"):
            result = engine.crush(text.encode(), Policy(as_kind=kind), store)
            report = result.blocks[0]
            if report.degree == FAITHFUL:
                assert route(text, Hint()).kind == kind
            assert engine.expand(result.data, store) == (text.encode(), [])


def test_lossless_is_what_it_says_also_where_a_kind_is_named(tmp_path):
    store = Store(f"{tmp_path}/store")
    result = engine.crush(LIST.encode(), Policy(as_kind="listing", lossless=True), store)
    assert result.blocks[0].degree == FAITHFUL
    assert len(result.data) < len(LIST)
