"""Dedup: what a reference names can be read further up, by nobody's help but the words; nothing else is lost."""

from __future__ import annotations

import json
import re
import string
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from growth import within
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import CORPUS, WHY_NO_CORPUS

from headroom_cli import compress, engine, formats, retrieve
from headroom_cli.dedup import REFERENCE, Seen, unpadded, views, words
from headroom_cli.drafting import Drafter
from headroom_cli.model import RANGED, Block, Hint, Policy, Report
from headroom_cli.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Line = tuple[int, str]  # its number in a view (0: none) and what it says

# --- a reader of our references that knows only what is written in the head of dedup/words.py

NUMBER = re.compile(r" *L?(\d{1,7})(\t|\u2192| [|\u2502] ?|[|\u2502]|:|-)")
PUNCTUATION = string.punctuation + " \t\r"
RANGE = r"\d+(?:-\d+)?"
SAME = re.compile(rf"\[({RANGE}) as above\]")
OTHER = re.compile(rf"\[(?:({RANGE}) )?= (?:(.+):)?({RANGE}) above\]")
WORDS = re.compile(rf"\[(?:({RANGE}) |(\d+) (?:lines|fields) )?as above: (.+)\]")


def head(text: str) -> str:
    return text.lstrip(PUNCTUATION)[:14].rstrip()


def tail(text: str) -> str:
    return text.rstrip(PUNCTUATION)[-12:].lstrip()


def numbers(said: str) -> range:
    first, _, last = said.partition("-")
    return range(int(first), int(last or first) + 1)


def members(row: str, least: int = 100) -> list[str]:
    """Cut a line that is JSON behind the commas between the members of the outermost value."""
    if not (row[:1] in ("{", "[", '"') and len(row) >= (20 if row[0] == '"' else least) and '":' in row):
        return [row]
    parts, depth, quoted, start = [], int(row[0] == '"'), False, 0
    at = 0
    while at < len(row):
        sign = row[at]
        if quoted:
            at += sign == "\\"
            quoted = sign != '"'
        elif sign == '"':
            quoted = True
        elif sign in "{[":
            depth += 1
        elif sign in "}]":
            depth -= 1
        elif sign == "," and depth == 1:
            end = at + 1 + (row[at + 1 : at + 2] == " ")
            parts.append(row[start:end].rstrip(" "))
            start = end
        at += 1
    return [part for part in (*parts, row[start:].rstrip(" ")) if part]


def lines_of(text: str) -> list[Line]:
    """Return the lines of a text with the numbers that a view put before them."""
    rows = text.split("\n")
    found = [NUMBER.match(row) for row in rows]
    values = [range(int(match[1]), int(match[1]) + 1) if match else range(1) for match in found]
    for i, row in enumerate(rows):  # what a reference stands for has numbers too
        if REFERENCE.fullmatch(row.rstrip("\r")) and (hidden := re.match(rf"\[({RANGE}) ", row)):
            values[i] = numbers(hidden[1]) if " lines " not in row and " fields " not in row else range(1)
    lines: list[Line] = []
    for i, (row, match) in enumerate(zip(rows, found, strict=True)):
        value = values[i][0]
        before = i > 0 and values[i - 1][-1] == value - 1
        after = i + 1 < len(rows) and values[i + 1][0] == value + 1
        if match and value and (before or after):
            lines.append((value, row[match.end() :]))
        else:
            lines += [(0, part) for part in members(row)]
    return lines


class Reader:
    """Somebody who reads what is sent, from the top, and looks up each reference."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int, str] | None] = []  # file, number, line; None where a text ends
        self.before = 0  # how many of them stood above the text that is being read

    def read(self, text: str, file: str = "") -> list[Line]:
        """Return the lines of a text, with those that it refers to in place."""
        out: list[Line] = []
        self.before = len(self.seen)
        for number, line in lines_of(text):
            if not number and REFERENCE.fullmatch(line.rstrip("\r")):
                out += self.resolved(line.rstrip("\r"), file)
                self.seen.append(None)
            else:
                out.append((number, line))
                self.seen.append((file, number, line))
        self.seen.append(None)
        return out

    def resolved(self, said: str, file: str) -> list[Line]:
        if found := SAME.fullmatch(said):
            return [(number, self.numbered(file, number)) for number in numbers(found[1])]
        if found := WORDS.fullmatch(said):
            own = list(numbers(found[1])) if found[1] else [0] * int(found[2] or 1)
            return list(zip(own, self.worded(found[3], len(own)), strict=True))
        found = OTHER.fullmatch(said)
        assert found, said
        there = [self.numbered(found[2] or file, number) for number in numbers(found[3])]
        return list(zip(list(numbers(found[1])) if found[1] else [0] * len(there), there, strict=True))

    def numbered(self, file: str, number: int) -> str:
        for entry in reversed(self.seen[: self.before]):
            if entry and entry[1] == number and file and Path(entry[0]).name == Path(file).name:
                return entry[2]
        raise AssertionError(f"no line {number} of {file!r} can be read")

    def worded(self, said: str, count: int) -> list[str]:
        first, dots, last = said.partition("\u2026")
        for at in range(len(self.seen) - 1, -1, -1):
            entry = self.seen[at]
            if entry is None or head(entry[2]) != first:
                continue
            lines = [entry[2] for entry in self.seen[at : at + count] if entry]
            together = len(lines) == count and None not in self.seen[at : at + count]
            if dots and not (together and tail(lines[-1]) == last):
                continue
            assert together
            return lines
        raise AssertionError(f"nothing reads {said!r}")


# --- conversations to read

FILE = """import json
import sys
from pathlib import Path


def load(path: Path) -> dict[str, int]:
    \"\"\"Read the settings of a project from a file beside it.\"\"\"
    with path.open() as stream:
        settings = json.load(stream)
    return {name: int(value) for name, value in settings.items()}


def store(path: Path, settings: dict[str, int]) -> None:
    \"\"\"Write the settings back, sorted by their names.\"\"\"
    with path.open("w") as stream:
        json.dump(dict(sorted(settings.items())), stream)


def main() -> int:
    settings = load(Path(sys.argv[1]))
    for name, value in settings.items():
        print(f"{name} is set to {value}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
"""
TRACEBACK = """Traceback (most recent call last):
  File "/repo/src/settings.py", line 27, in <module>
    raise SystemExit(main())
  File "/repo/src/settings.py", line 20, in main
    settings = load(Path(sys.argv[1]))
  File "/repo/src/settings.py", line 9, in load
    settings = json.load(stream)
json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)
"""


def block(
    text: str, command: str = "", *, tool: str = "bash", path: str = "", role: str = "tool", written: Iterable[str] = ()
) -> Block:
    return Block("", role, text, 0, 0, hint=Hint(command=command, tool=tool, path=path, written=tuple(written)))


def numbered(text: str, form: str = "{:6}\t{}", first: int = 1, last: int = 10**6) -> str:
    rows = text.split("\n")[:-1]
    return "".join(form.format(n, row) + "\n" for n, row in enumerate(rows, 1) if first <= n <= last)


def whole(lines: list[Line]) -> list[Line]:
    """Cut what stands together again because nothing of it was left out, as all else is cut."""
    return [(number, part) for number, line in lines for part in members(line, least=0)]


def sent(*blocks: Block) -> list[str]:
    """Return what is sent for each block, after reading all of it back."""
    seen, reader, shown = Seen(), Reader(), []
    for each in blocks:
        made = seen.shorten(each, each.text) if each.role == "tool" else None
        text = made[0] if made else each.text
        shown.append(text)
        for written in each.hint.written:
            reader.read(written)
        file = views.file_of(each.text, each.hint)
        assert whole(reader.read(text, file)) == whole(lines_of(each.text))
        if made:
            assert len(text) < len(each.text)
            assert all(ordinal <= seen.ordinal for ordinal in made[1])
        seen.passed(each, text)
    return shown


VIEW = "cat -n src/settings.py"


def test_a_view_that_comes_again_is_one_reference() -> None:
    text = numbered(FILE)
    assert sent(block(text, VIEW), block(text, VIEW))[1] == "[1-27 as above]\n"


@pytest.mark.parametrize("form", ["{:6}\t{}", "{}:{}", "{:>5}\u2192{}", "{:4} | {}", "{}|{}"])
def test_views_are_told_from_their_numbers(form: str) -> None:
    text = numbered(FILE, form)
    assert sent(block(text, VIEW), block(text, VIEW))[1] == "[1-27 as above]\n"
    assert sent(block(FILE, "cat src/settings.py"), block(text, VIEW))[1].count("\n") <= 4


def test_an_edit_leaves_what_changed() -> None:
    after = FILE.replace("    return 0\n", "    print(len(settings))\n    return 0\n")
    first, again = sent(block(numbered(FILE), VIEW), block(numbered(after), VIEW))
    assert first == numbered(FILE)
    assert again == "[1-22 as above]\n    23\t    print(len(settings))\n[24-28 = 23-27 above]\n"


def test_the_echo_of_an_edit_refers_to_the_view_and_to_the_call() -> None:
    new = "    if not settings:\n        print('there is nothing to be seen here')\n        return 1\n    return 0"
    after = FILE.replace("    return 0", new)
    echo = "The file src/settings.py has been edited. Here's the result of running `cat -n` on a snippet:\n"
    echo += numbered(after, first=18, last=30) + "Review the changes.\n"
    shown = sent(
        block(numbered(FILE), VIEW),
        block(echo, tool="str_replace_editor", path="src/settings.py", written=["    return 0\n", new]),
    )[1]
    assert "\n[18-22 as above]\n[23-26 as above: if not setting]\n    27\t\n" in shown


def test_a_file_written_in_a_turn_is_read_back() -> None:
    turn = block(f"I write it:\n\n```bash\ncat <<'EOF' > src/settings.py\n{FILE}EOF\n```", role="assistant")
    shown = sent(turn, block(FILE, "cat src/settings.py"))[1]
    assert shown == "[27 lines as above: import json]\n"
    assert sent(turn, block(numbered(FILE), VIEW))[1] == "[1-27 as above: import json]\n"


def test_an_unnumbered_view_names_the_lines_of_a_numbered_one() -> None:
    shown = sent(block(numbered(FILE), VIEW), block(FILE, "cat src/settings.py"))[1]
    assert shown == "[= src/settings.py:1-27 above]\n"
    late = "\n".join(FILE.split("\n")[7:17]) + "\n"
    shown = sent(
        block(numbered(FILE), VIEW), block("with path.open() as f:\n", "x"), block(late, "sed -n 8,17p src/settings.py")
    )[2]
    assert shown == "[= src/settings.py:8-17 above]\n"


def test_a_part_of_another_file_is_named_with_its_file() -> None:
    copied = numbered("\n".join(FILE.split("\n")[12:]))
    shown = sent(block(numbered(FILE), VIEW), block("def store(path):\n", "x"), block(copied, "cat -n lib/other.py"))[2]
    assert shown == "[1-15 = src/settings.py:13-27 above]\n"


def test_grep_keeps_what_it_found() -> None:
    rows = FILE.split("\n")
    hit = "\n".join(f"{n}{':' if n == 13 else '-'}{rows[n - 1]}" for n in range(8, 19)) + "\n"
    shown = sent(block(numbered(FILE), VIEW), block(hit, "grep -n -C5 'def store' src/settings.py"))[1]
    assert "13:def store(path: Path, settings: dict[str, int]) -> None:\n" in shown
    assert shown == ("[8-12 as above]\n13:def store(path: Path, settings: dict[str, int]) -> None:\n[14-18 as above]\n")


def test_a_newer_copy_of_a_number_is_never_meant_for_an_older_one() -> None:
    after = FILE.replace("stream", "handle")
    shown = sent(*[block(numbered(text), VIEW) for text in (FILE, after, FILE)])[2]
    assert "    12\t" not in shown  # lines that all three have
    assert shown.count("stream") >= 2 or "as above: " in shown


def test_a_run_that_fails_again_says_so() -> None:
    command = "python src/settings.py empty.json"
    shown = sent(block(TRACEBACK, command), block(TRACEBACK, command))[1]
    assert shown == (
        "[7 lines as above: Traceback (mos]\njson.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)\n"
    )
    fixed = TRACEBACK.replace("line 9", "line 10")
    shown = sent(block(TRACEBACK, command), block(fixed, command))[1]
    assert "line 10, in load" in shown


def test_a_listing_that_comes_again() -> None:
    listing = "total 24\n" + "".join(f"-rw-r--r-- 1 me me {i * 37} Nov 21 08:0{i} part_{i}.py\n" for i in range(9))
    assert sent(block(listing, "ls -l"), block(listing, "ls -l"))[1].count("\n") <= 3


def test_repeats_within_one_output_refer_to_the_first() -> None:
    warning = (
        "/repo/src/settings.py:3: DeprecationWarning: this module is deprecated since release 3.2 of the project\n"
    )
    warning += "  from collections import MutableMapping, MutableSequence  # removed in the release after that one\n"
    shown = sent(block("start\n" + warning + "between\n" + warning + "end\n", "make"))[0]
    assert shown == "start\n" + warning + "between\n[2 lines as above: repo/src/setti]\nend\n"


def test_a_patch_is_not_shortened_by_itself() -> None:
    hunk = "@@ -1,2 +1,2 @@\n-    return compute_total_of_orders(orders, since)\n+    return total(orders, since)\n"
    patch = "".join(f"--- a/{name}\n+++ b/{name}\n{hunk * 3}" for name in ("a.py", "b.py"))
    seen = Seen()
    assert seen.shorten(block(patch, "git diff"), patch) is not None
    assert seen.shorten(block(patch, "git diff"), patch, within=False) is None
    seen.passed(block(patch, "git diff"), patch)
    assert seen.shorten(block(patch, "git diff"), patch, within=False) is not None


def test_a_record_that_comes_again_with_one_member_changed() -> None:
    record = {
        "id": "ZFA04Y", "user": "sofia_kim_7287", "origin": "IAH", "destination": "DEN", "cabin": "economy",
        "flights": [{"number": "HAT100", "price": 120}, {"number": "HAT101", "price": 98}], "created": "2026-05-01",
    }  # fmt: skip
    for separators in ((",", ":"), (", ", ": ")):
        one = json.dumps(record, separators=separators)
        other = json.dumps({**record, "status": "cancelled"}, separators=separators)
        shown = sent(block(one, tool="get"), block(other, tool="cancel"))[1]
        assert shown.startswith('{"id"')
        assert '"status"' in shown
        assert re.search(r"\[\d fields as above: user", shown)
        assert "HAT100" not in shown


def test_what_points_into_its_own_rendering_stays() -> None:
    table = "[JSON as tables, tab-separated; @n: table n below]\n" + '{"id":"a","flights":@1,"passengers":"somebody"}\n'
    table += "@1 2 rows\norigin\tdestination\tnumber of the flight and its date\nIAH\tDEN\tHAT100 on the first of May\n"
    shown = sent(block(table, tool="get"), block(table, tool="get"))[1]
    assert "@1" in shown
    assert "@1 2 rows\n[2 lines as above: " in shown


def test_our_own_words_are_neither_source_nor_target() -> None:
    notes = (
        "[27 lines as above: import json]\n[1-27 as above]\n[= src/settings.py:8-17 above]\n"
        "[... 2970 lines: 2970 INFO]\n"
        "<<headroom:aaaaaaaaaaaa 2970 of 3000 lines of a log that was rather long>>\n"
    )
    seen = Seen()
    seen.passed(block(notes, "cat notes"), notes)
    assert seen.shorten(block(notes, "cat notes"), notes) is None
    for line in notes.split("\n")[:3]:
        assert REFERENCE.fullmatch(line)
    for line in ("[1-27] as above", "[see above]", "[27 lines]", "as above: x", "[error as above]"):
        assert not REFERENCE.fullmatch(line)


def test_words_of_the_user_are_a_source_and_never_a_target() -> None:
    shown = sent(block(FILE, role="user"), block(FILE, role="user"), block(FILE, "cat src/settings.py"))
    assert shown[0] == shown[1] == FILE
    assert REFERENCE.fullmatch(shown[2].strip())


def test_ordinals_name_the_blocks_that_must_stay() -> None:
    seen = Seen()
    for text in ("nothing to see\n", FILE, "neither here\n"):
        seen.passed(block(text, "cat it"), text)
    made = seen.shorten(block(FILE, "cat it"), FILE)
    assert made is not None
    assert made[1] == (1,)
    made = seen.shorten(block("1\n2\n" + FILE, "cat it", written=[FILE]), "1\n2\n" + FILE)
    assert made is not None
    assert made[1] == (3,)  # its own call says it: the newest copy


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("     1\tone\n     2\ttwo\n", "1\tone\n2\ttwo\n"),
        ("   9\u2192one\n  10\u2192two", "9\u2192one\n10\u2192two"),
        ("  1  one\n  2  two\n", "  1  one\n  2  two\n"),
        (" 1 | alice\n 2 | bob\n", " 1 | alice\n 2 | bob\n"),
        ("  12\talone\n", "  12\talone\n"),
        ("plain\n", "plain\n"),
    ],
)
def test_the_blanks_before_numbers_go(text: str, made: str) -> None:
    assert unpadded(text) == made


# --- properties

POOL = [
    "def handle(request):", "    return render(request, 'page.html', {'items': items})", "", "}", "        pass",
    "    for item in items:", "        total = total + item.price * item.amount", "class Order(Model):",
    "    name = CharField(max_length=80, unique=True)", "# see the notes of the release before this one",
    "    name = CharField(max_length=80, unique=False)", "12:30:01 started", "...", "    return None",
    "\u2026and so on, as it was said before",
]  # fmt: skip
SOME = st.lists(st.sampled_from(POOL), min_size=1, max_size=14)
FORMS = ("{:6}\t{}", "{}:{}", "{}\u2192{}")


@st.composite
def conversations(draw: st.DrawFn) -> list[Block]:
    """Return the blocks of somebody who reads, writes and runs the same few files again and again."""
    files = {name: draw(SOME) for name in ("src/a.py", "b.py")}
    blocks: list[Block] = []
    for _ in range(draw(st.integers(2, 12))):
        name = draw(st.sampled_from(sorted(files)))
        rows = files[name]
        action = draw(st.sampled_from(["cat", "view", "range", "edit", "run", "write", "say", "note"]))
        if action == "cat":
            blocks.append(block("\n".join(rows) + "\n", f"cat {name}"))
        elif action in ("view", "range"):
            first = draw(st.integers(1, len(rows))) if action == "range" else 1
            text = numbered(
                "\n".join(rows) + "\n", draw(st.sampled_from(FORMS)), first, first + draw(st.integers(1, 9))
            )
            blocks.append(block(text, f"cat -n {name}"))
        elif action == "edit":
            at = draw(st.integers(0, len(rows)))
            new = draw(SOME)
            files[name] = rows[:at] + new + rows[at + draw(st.integers(0, 3)) :]
            text = numbered("\n".join(files[name]) + "\n", "{:6}\t{}", max(1, at - 3), at + len(new) + 4)
            blocks.append(block(text, tool="edit", path=name, written=["\n".join(new), "x\ny"]))
        elif action == "write":
            blocks.append(block(f"```\ncat > {name}\n" + "\n".join(rows) + "\n```", role="assistant"))
        elif action == "say":
            blocks.append(block("\n".join(draw(SOME)), role="user"))
        elif action == "note":
            blocks.append(block("[3 lines as above: def handle(r]\n[1-3 as above]\n" + "\n".join(rows), "cat notes"))
        else:
            blocks.append(block("\n".join(draw(SOME) + rows), "make"))
    return blocks


@given(conversations())
@settings(max_examples=200, deadline=None)
def test_every_reference_can_be_followed(blocks: list[Block]) -> None:
    for each in blocks:  # a foreign reference cannot be followed: it is text, and read as such
        each.text = re.sub(r"^\[(?=.* above)", "(", each.text, flags=re.MULTILINE) if each.hint.command else each.text
    sent(*blocks)


@given(conversations(), st.integers(0, 12))
@settings(max_examples=100, deadline=None)
def test_what_comes_later_changes_nothing(blocks: list[Block], k: int) -> None:
    def shown(some: Iterable[Block]) -> list[str]:
        seen, out = Seen(), []
        for each in some:
            made = seen.shorten(each, each.text) if each.role == "tool" else None
            out.append(made[0] if made else each.text)
            seen.passed(each, out[-1])
        return out

    said = shown(blocks)
    assert shown(blocks[:k]) == said[:k]
    again = Seen()  # whoever only heard what is sent knows the same
    for each, text in zip(blocks, said, strict=True):
        again.passed(each, text)
    last = block("\n".join(POOL * 3), "make")
    seen = Seen()
    for each, text in zip(blocks, said, strict=True):
        seen.shorten(each, each.text)
        seen.passed(each, text)
    assert seen.shorten(last, last.text) == again.shorten(last, last.text)


# --- in conversations


def chat(*turns: tuple[str, str]) -> list[dict[str, object]]:
    messages: list[dict[str, object]] = [{"role": "user", "content": "make the settings readable"}]
    for i, (command, output) in enumerate(turns):
        arguments = json.dumps({"command": command})
        call = {"id": f"c{i}", "type": "function", "function": {"name": "bash", "arguments": arguments}}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{i}", "content": output})
    return messages


TURNS = [
    (f"cat <<'EOF' > src/settings.py\n{FILE}EOF", ""),
    ("cat src/settings.py", FILE),
    ("python src/settings.py empty.json", f"<returncode>1</returncode>\n<output>\n{TRACEBACK}</output>\n"),
    ("nl -ba src/settings.py | sed -n '5,28p'", numbered(FILE, first=5)),
    ("python src/settings.py empty.json", f"<returncode>1</returncode>\n<output>\n{TRACEBACK}</output>\n"),
    ("cat -n src/settings.py", numbered(FILE.replace("main", "run"))),
]


def test_a_conversation_shrinks_and_comes_back(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    data = json.dumps({"model": "gpt-4o", "messages": chat(*TURNS)}).encode()
    result = engine.crush(data, Policy(), store)
    assert len(result.data) < 0.75 * len(data)
    assert engine.expand(result.data, store) == (data, [])
    assert b"<<headroom:" not in result.data
    read = [row for row in result.blocks if row.compressor == "dedup"]
    assert read
    assert all(row.degree == "faithful" for row in read)
    texts = [message["content"] for message in json.loads(result.data)["messages"] if message["role"] == "tool"]
    assert texts[1] == "[27 lines as above: import json]\n"
    assert texts[4].startswith("[exit 1]\n[7 lines as above: Traceback (mos]\njson.decoder.JSONDecodeError")
    assert engine.crush(result.data, Policy(), store).data == result.data


@pytest.mark.parametrize(
    "policy", [Policy(), Policy(lossless=True), Policy(skip=frozenset({"code"})), Policy(redeem="none")]
)
def test_the_first_messages_are_those_of_the_whole(tmp_path: Path, policy: Policy) -> None:
    messages = chat(*TURNS)
    whole = json.loads(engine.crush(json.dumps(messages).encode(), policy, Store(str(tmp_path / "whole"))).data)
    assert whole != messages
    for k in range(1, len(messages) + 1):
        part = engine.crush(json.dumps(messages[:k]).encode(), policy, Store(str(tmp_path / f"part{k}"))).data
        assert json.loads(part) == whole[:k]


def test_text_that_was_fetched_again_stays(tmp_path: Path) -> None:
    messages = chat(("cat src/settings.py", FILE), ("headroom retrieve abcdefghijkl", FILE))
    made = json.loads(engine.crush(json.dumps(messages).encode(), Policy(), Store(str(tmp_path / "store"))).data)
    assert made[-1]["content"] == FILE


def test_the_library_refers_too(tmp_path: Path) -> None:
    messages = chat(("cat src/settings.py", FILE), ("cat src/settings.py", FILE))
    made = compress(messages, model="gpt-4o", store=str(tmp_path / "store")).messages
    assert made[:-1] == messages[:-1]
    assert made[-1]["content"] == "[27 lines as above: import json]\n"
    assert callable(retrieve)


def test_lines_that_end_in_a_carriage_return() -> None:
    text = numbered(FILE).replace("\n", "\r\n")
    after = text.replace("    return 0\r\n", "    return 1\r\n")
    shown = sent(block(text, VIEW), block(after, VIEW), block(text, VIEW))
    assert shown[1].startswith("[1-22 as above]\r\n    23\t    return 1\r\n    24\t\r\n")
    assert shown[2] == "[1-27 as above: import json]\r\n"  # line 23 as it was at first


@pytest.mark.skipif(not CORPUS.exists(), reason=WHY_NO_CORPUS)
def test_real_conversations_can_be_followed() -> None:
    followed = 0
    for path in sorted((CORPUS / "traces_norm").glob("*.json"))[::13]:
        drafter, reader = Drafter(Policy(), turns=True, model=""), Reader()
        drafter.begin(time.perf_counter() + 60)
        for each in formats.of_value(json.loads(path.read_text())["messages"]).blocks:
            report = Report(each.path, each.role)
            report.before = drafter.count(each.text)
            draft = drafter.draft(each, report) if each.kept in ("", RANGED) else None
            shown = draft.text if draft else each.text
            for written in each.hint.written:
                reader.read(written)
            reader.read(shown, views.file_of(each.text, each.hint) if each.role == "tool" else "")
            followed += sum(bool(REFERENCE.fullmatch(row)) for row in shown.split("\n")) if draft else 0
            drafter.passed(each, shown)
    assert followed > 50


@pytest.mark.parametrize(
    "name", ["same", "alternating", "few", "blank", "counted", "one line", "numbered", "records", "notes"]
)
def test_floods_take_linear_time(name: str) -> None:
    def text(n: int) -> str:
        if name == "one line":
            return "x" * n * 20
        lines: dict[str, Callable[[int], str]] = {
            "same": lambda _: "the same line of a text",
            "alternating": lambda i: ("the first line of it", "another line that it has")[i % 2],
            "few": lambda i: POOL[(i * i * 7 + i // 3) % len(POOL)],
            "blank": lambda _: "",
            "counted": lambda i: f"line number {i} of a text",
            "numbered": lambda i: f"{i}\tline of a text",
            "records": lambda i: json.dumps({f"member {k} of a record": i * k for k in range(6)}),
            "notes": lambda i: f"[... {i} lines]",
        }
        line = lines[name]
        return "".join(line(i) + "\n" for i in range(n))

    def looking(n: int) -> Callable[[], float]:
        each = block(text(n), "cat it")

        def seconds() -> float:
            seen = Seen()
            start = time.process_time()
            seen.passed(each, each.text)
            seen.shorten(each, each.text)
            return time.process_time() - start

        return seconds

    # Linear takes 8 times as long, quadratic 64 times.
    assert within(looking(40_000), looking(5_000), factor=24, slack=0.05)
    assert within(looking(20_000), slack=1.5)


def test_words_are_what_the_reader_takes_them_for() -> None:
    for line in (*POOL, *FILE.split("\n"), *TRACEBACK.split("\n")):
        assert words.anchor(line) == head(line)
        assert words.tail(line) == tail(line)
