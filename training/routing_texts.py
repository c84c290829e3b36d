# ruff: noqa: E501 - tables of names
"""The labelled texts of the corpus, as agents see them: what the routing classifier learns from."""

import json
import re
from pathlib import Path

from headroom_cli.routing.wrappers import unwrap

HERE = Path(__file__).parent
TOOLS = HERE.parent / "tests" / "routing_texts.txt"
# Weak labels of outputs in traces -> kinds
WEAK = {"code": "code", "config": "code", "search": "search", "listing": "listing", "test-log": "test-log", "log": "log",
        "traceback": "log", "diff": "diff", "json-object": "json", "json-array": "json", "html": "html", "prose": "prose",
        "markdown": "prose"}  # fmt: skip
FOLDERS = {"json": "json", "search": "search", "diff": "diff", "code": "code", "prose": "prose", "html": "html"}
# Outputs of commands are tables, but for these
REPORTS = {"git-log-stat": "listing", "ls-usrbin": "listing", "du": "listing", "terraform-help": "prose", "yaml": "code",
           "cef": "log", "syslog": "log", "zipinfo": "listing", "git-log-full": "table", "npm-ls-eventsource-p": "listing"}  # fmt: skip
_FORMS = ("whole", "head", "tail", "middle", "few", "few", "few", "numbered", "cut", "tags")


class Row:
    """A text with its kind, where it comes from, and the command that printed it."""

    def __init__(self, kind, group, text, command, weight):
        """Keep all five."""
        self.kind, self.group, self.text, self.command, self.weight = kind, group, text, command, weight


def manifest(corpus):
    with open(corpus / "MANIFEST.jsonl", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def texts(corpus):
    """Yield a Row for every labelled text of the corpus and of the tests' own list of tools."""
    for entry in manifest(corpus):
        kind, path = entry["kind"], corpus / entry["path"]
        if kind == "toolout":
            with open(path, encoding="utf-8") as stream:
                for item in map(json.loads, stream):
                    label = WEAK.get((item["label"] or "").partition(":")[0])
                    if label:
                        yield Row(label, item["group"], item["text"], item["command"] or "", 0.5)
            continue
        label = FOLDERS.get(kind, "")
        if kind in ("logs", "logs_aux"):
            label = "test-log" if entry["label"] == "test-log" else "log"
        elif kind == "cmdout":
            name = entry["path"].rpartition("/")[2]
            label = next((REPORTS[key] for key in REPORTS if f"-{key}" in name or entry["sub"] == key), "table")
        elif kind == "search" and ("listing" in entry["sub"] or "-l/-c" in entry["sub"]):
            label = "listing"
        elif entry["label"] == "csv":
            label = "table"
        if not label or not path.suffix or path.suffix == ".gz":
            continue
        with open(path, encoding="utf-8", errors="replace") as stream:
            group = entry["group"].partition("/fix")[0]
            yield Row(label, group, stream.read(), entry.get("command") or "", 1.0)
    shown = TOOLS.read_text(encoding="utf-8").replace("\u21e5", "\t").replace("\u241b", "\x1b")
    for part in shown.split("#### ")[1:]:
        head, _, text = part.partition("\n")
        kinds, name, *command = head.split(" | ", 2)
        if kinds.split()[0] != "mixed":
            yield Row(kinds.split()[0], f"tool {name}", text, command[0] if command else "", 1.0)


def quoted(lines, part):
    """Return whether most of a part of a document is what its writer quotes: fenced, indented, or markup."""
    inside, fenced = set(), False
    for line in lines:
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif fenced:
            inside.add(line)
    full = [line for line in part if line.strip()]
    marked = sum(
        1 for line in full if line in inside or line.startswith(("    ", "\t", "<", "|")) or line.lstrip()[:1] == "<"
    )
    return 2 * marked > len(full)


def forms(row, rng, count):
    """Yield ``count`` ways to see a text; parts of values are no JSON and are left out."""
    start, end = unwrap(row.text)
    text = row.text[start:end]
    lines = text.split("\n")
    for form in rng.sample(_FORMS, min(count, len(_FORMS))):
        if form != "head" and row.kind == "json" and form not in ("whole", "tags", "cut"):
            continue
        if form == "numbered" and row.kind not in ("code", "prose", "log"):
            continue
        size = {"few": rng.randint(4, 20), "numbered": rng.randint(10, 80), "head": rng.choice((5, 10, 20, 50, 100))}.get(
            form, rng.choice((20, 40, 80)))  # fmt: skip
        at = rng.randrange(max(1, len(lines) - size))
        if form == "head":
            part = lines[:size]
        elif form == "tail":
            part = lines[-size:]
        elif form in ("middle", "few", "numbered"):
            part = lines[at : at + size]
        else:
            part = lines
        made = "\n".join(part)
        if row.kind == "prose" and form in ("few", "middle", "tail") and quoted(lines, part):
            continue
        if form == "numbered":
            mark = rng.choice(("\t", "\u2192", ": "))
            made = "\n".join(f"{number:{rng.choice((4, 6))}d}{mark}{line}" for number, line in enumerate(part, at + 1))
        elif form == "cut" and len(made) > 3000:
            made = f"{made[:1200]}\n... [{len(made) - 2400} characters cut] ...\n{made[-1200:]}"
        if row.kind == "diff" and not re.search(r"^(?:@@|diff )", made, re.MULTILINE):
            continue
        if row.kind == "html" and made.count("<") < made.count("\n"):
            continue
        if len(made.strip()) >= 20:
            yield made
