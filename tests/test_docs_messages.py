"""The messages that docs/troubleshooting.md explains: every reason and every message of the store, and no other."""

import ast
import re
from functools import cache

from conftest import ROOT

PACKAGE = ROOT / "headroom_cli"
TROUBLES = (ROOT / "docs/troubleshooting.md").read_text()


# Where reasons stand: (file, names that hold one, functions that return one, functions that are given one)
PLACES = (
    ("drafting.py", ("kept",), (), ()),
    ("replay.py", ("kept",), (), ("next",)),
    ("literals.py", ("kept",), (), ()),
    ("stages.py", ("kept",), (), ()),
    ("model.py", ("RANGED",), ("spares",), ()),
    ("images/stage.py", ("why", "kept", "_POINTED"), ("_kept",), ()),
    ("formats/_turns.py", ("kept",), (), ("_add",)),
    ("formats/_calls.py", ("kept",), (), ()),
    ("library/result.py", (), ("reason",), ()),
    ("shaping/talk.py", ("STOPPED", "HELD_OUT"), (), ()),
    ("serve/messages.py", ("why",), ("asked",), ()),
    ("serve/passing.py", ("why",), (), ()),
    ("serve/websocket.py", ("why",), (), ()),
    ("serve/engines.py", ("reason",), (), ("EngineError",)),
)
WORDS = re.compile(r"[A-Za-z-]+(?:['. ()<=-]+[A-Za-z-]+)*")
# Strings at those places that are no reasons: roles of turns, names of compressors, states of jobs that nobody sees.
NO_REASONS = frozenset(
    (
        "user",
        "tool",
        "system",
        "developer",
        "assistant",
        "image",
        "k",
        "y",
        "stopped",
        "compression",
        "output",
        "fit",
        "its place",
    )
)


def reasons():
    """Return every reason that a block or a request can stay as it is for, with {} for what stands in between."""
    found = set()
    for name, holders, functions, calls in PLACES:
        tree = ast.parse((PACKAGE / name).read_text())
        before = len(found)
        for node in ast.walk(tree):
            values = []
            if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                parts = [part for target in targets for part in ast.walk(target)]
                if any(getattr(part, "id", getattr(part, "attr", "")) in holders for part in parts):
                    values = [node.value]
            elif isinstance(node, ast.FunctionDef) and node.name in functions:
                values = [step.value for step in ast.walk(node) if isinstance(step, ast.Return) and step.value]
            elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in calls:
                values = node.args
            for value in values:
                found |= texts(value)
        assert len(found) > before, f"no reason in {name} any more"
    return sorted(found - NO_REASONS)


def texts(value):
    """Return the strings that an expression may be; what compares and what names is left out."""
    skipped = set()
    for node in ast.walk(value):
        if isinstance(node, (ast.Compare, ast.Subscript)):
            skipped |= {id(part) for part in ast.walk(node)} - {id(value)}
        if isinstance(node, ast.IfExp):
            skipped |= {id(part) for part in ast.walk(node.test)}
    found = set()
    for node in ast.walk(value):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in ast.walk(node)}
            found.add("".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
            found.add(node.value)
    return found


def explained():
    """Return what stands in the first column of the tables of messages."""
    cells = re.findall(r"^\| ([^|]*`[^|]*) \|", TROUBLES, re.MULTILINE)
    return [span for cell in cells for span in re.findall(r"`([^`]+)`", cell)]


def pattern_of(message):
    """Return what an explained message looks like, with anything where it has dots."""
    return ".*".join(re.escape(part.strip()) for part in message.split("..."))


def test_every_reason_is_explained():
    told = {span.replace("...", "{}") for span in explained()}
    assert [reason for reason in reasons() if reason.removeprefix("the worker ") not in told | {"{}"}] == []


@cache
def strings():
    """Return every string in the program, with {} for what is put into it."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.JoinedStr, ast.Constant)):
                found |= texts(node)
    return found


def test_every_explained_message_is_one_of_the_program():
    for message in explained():
        first = max(message.split("..."), key=len).strip()
        assert any(first in text and re.search(pattern_of(message), text) for text in strings()), message


# An error of a program that uses this one as a library.
FOR_PROGRAMS = "a store named by a URL is opened with store.named(); as a path it would be made here"


def test_every_message_of_the_store_is_explained():
    told = [pattern_of(message) for message in explained() if len(message.replace("...", "").split()) > 1]
    names = re.compile(r"(?:Store\w*|Corrupt|NotFound|Config|Away|Confused)Error")
    said = {
        text
        for path in (PACKAGE / "store").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and names.fullmatch(getattr(node.func, "id", "")) and node.args
        for text in texts(node.args[0])
    }
    assert len(said) > 50
    assert [text for text in said - {FOR_PROGRAMS} if not any(re.search(one, text) for one in told)] == []
