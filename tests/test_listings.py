"""Listings: every name, size and state of the original is read back from what is written, by a decoder of our own."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import CORPUS, WHY_NO_CORPUS, corpus

from headroom_cli.compressors.listings import COMPRESSOR
from headroom_cli.compressors.listings.answers import is_answer
from headroom_cli.model import FAITHFUL, LOSSY, Draft, Hint, Want
from headroom_cli.tokens import count


def shorten(text: str, command: str = "", question: str = "", **wishes) -> Draft | None:
    return COMPRESSOR.compress(text, Want(count, hint=Hint(command), question=question, **wishes))


# A decoder that knows the grammar in the docstring of layout.py and nothing else.


def decode(text: str, slash: str = "/") -> tuple[list[str], list[str], list[str]]:
    """Return paths in order, directories that have a heading, and lines that stand for themselves."""
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if len(lines) == 1 and f"{slash}:" not in text:
        lines = [f"names: {lines[0]}"]
    ours = [
        line
        for line in lines
        if line.startswith((" ", "names: ")) or f"{slash}: " in line
    ]  # fmt: skip
    mark = next((mark for mark in (" | ", ", ") if any(mark in line for line in ours)), " ")
    paths: list[str] = []
    folders: list[str] = []
    own: list[str] = []
    stack: list[str] = []
    for line in lines:
        depth = len(line) - len(line.lstrip(" "))
        body = line[depth:]
        del stack[depth:]
        base = stack[-1] if stack else ""
        if body.startswith("names: ") and not depth:
            paths += expand(body.removeprefix("names: ").split(mark))
        elif f"{slash}: " in body or body.endswith(f"{slash}:"):
            head, _, names = body.partition(f"{slash}: ") if f"{slash}: " in body else (body[:-2], "", "")
            heads = [base + part.removesuffix(slash) + slash for part in head.split(mark)]
            for folder in heads:
                folders.append(folder)
                paths += [folder + name for name in expand(names.split(mark))] if names else []
            if len(heads) == 1:
                stack.append(heads[0])
        elif depth:
            paths += [base + name for name in expand(body.split(mark))]
        else:
            own.append(line)
            paths += expand([line])
    return paths, folders, own


def expand(names: list[str]) -> list[str]:
    found = []
    for name in names:
        match = re.fullmatch(r"(.*)\{(\d+)\.\.(\d+)\}(.*)", name)
        if match is None:
            found.append(name)
            continue
        before, first, last, after = match.groups()
        found += [f"{before}{str(n).zfill(len(first))}{after}" for n in range(int(first), int(last) + 1)]
    return found


def above(path: str, slash: str = "/") -> list[str]:
    parts = path.split(slash)
    return [slash.join(parts[:end]) for end in range(1, len(parts))]


def check_paths(lines: list[str], text: str, slash: str = "/") -> None:
    """Assert that a list of paths reads back: each one, in order; a directory may be the heading of what it holds."""
    paths, folders, _ = decode(text, slash)
    kept = [line for line in lines if line]
    read = [path for path in paths if path]
    left = iter(kept)
    assert all(path in left for path in read), "order"
    implied = {folder.removesuffix(slash) for folder in folders} | {up for path in read for up in above(path, slash)}
    missing = [line for line in kept if line not in set(read) and line not in implied]
    assert not missing, missing[:5]


def flat(listing: str) -> tuple[list[str], list[str]]:
    """Return the paths and directories that `ls -R` wrote."""
    folder = ""
    paths: list[str] = []
    folders: list[str] = []
    for line in listing.split("\n"):
        if line.endswith(":"):
            folder = line[:-1] + "/"
            folders.append(folder)
        elif line:
            paths.append(folder + line)
    return paths, folders


FIND = """\
./.gitignore
./README.md
./src/app/main.py
./src/app/views/__init__.py
./src/app/views/login.py
./src/app/views/logout.py
./src/app/models.py
./src/lib/a.c
./src/lib/b.c
./docs/index.md
./docs/api/one.md
./docs/api/two.md
"""


def test_a_path_list_is_nested_under_its_directories() -> None:
    draft = shorten(FIND)
    assert draft is not None
    assert draft.degree == FAITHFUL
    assert draft.text == (
        "./: .gitignore README.md\n src/app/: main.py\n  views/: __init__.py login.py logout.py\n  models.py\n"
        " src/lib/: a.c b.c\n docs/: index.md\n  api/: one.md two.md\n"
    )
    check_paths(FIND.split("\n"), draft.text)


def test_the_names_of_ls_share_a_line() -> None:
    assert shorten("conftest.py\ndata\ntest_a.py\ntest_b.py\n").text == "conftest.py data test_a.py test_b.py\n"


def test_a_directory_in_find_is_the_heading_of_what_it_holds() -> None:
    text = "".join(f"src\nsrc/{name}\nsrc/{name}/a.py\nsrc/{name}/b.py\n"[4 * (name != "p") :] for name in "pqrstu")
    draft = shorten(text)
    assert draft.text == "src/:\n p/ q/ r/ s/ t/ u/: a.py b.py\n"
    check_paths(text.split("\n"), draft.text)


def test_names_with_blanks_get_a_comma() -> None:
    lines = [f"photos/summer {n}/the {word}.jpg" for n in ("one", "two") for word in ("sea", "beach", "house", "dog")]
    lines += ["photos/a.jpg", "photos/b.jpg"]
    draft = shorten("\n".join(lines))
    assert "photos/" in draft.text
    assert ", the beach.jpg" in draft.text
    check_paths(lines, draft.text)


def test_numbered_names_are_a_range() -> None:
    lines = [f"out/img_{n:04}.png" for n in range(1, 451)] + ["out/index.html"]
    draft = shorten("\n".join(lines))
    assert draft.degree == FAITHFUL
    assert draft.text == "out/: img_{0001..0450}.png index.html"
    check_paths(lines, draft.text)


@pytest.mark.parametrize(
    "names",
    [
        ["a1", "a3", "a5", "a7", "a9"],
        ["a09", "a10", "a11", "a12", "a013"],
        ["a8", "a9", "a10", "a11", "b12"],
        ["v1.1", "v1.2", "v1.3", "v2.4"],
        ["x" + "1" * 30, "x" + "1" * 29 + "2", "x" + "1" * 29 + "3", "x" + "1" * 29 + "4"],
    ],
)
def test_only_names_that_count_up_by_one_are_a_range(names: list[str]) -> None:
    lines = [f"d/{name}" for name in names] + [f"e/x{i}y" for i in "qwertz"]
    draft = shorten("\n".join(lines))
    check_paths(lines, draft.text)


def test_messages_stay_where_they_are() -> None:
    lines = FIND.removesuffix("\n").split("\n")
    lines[5:5] = ["find: \u2018./root\u2019: Permission denied"]
    lines.append("... and 12 more files")
    draft = shorten("\n".join(lines))
    _, _, own = decode(draft.text)
    assert own == ["find: \u2018./root\u2019: Permission denied", "... and 12 more files"]
    check_paths(lines, draft.text)


def test_windows_paths_and_line_ends() -> None:
    lines = [f"C:\\work\\src\\{name}.cs" for name in ("Alpha", "Beta", "Gamma", "Delta")]
    lines += [f"C:\\work\\test\\{name}Test.cs" for name in ("Alpha", "Beta", "Gamma", "Delta", "Eps")]
    text = "\r\n".join(lines) + "\r\n"
    draft = shorten(text)
    assert draft.text.endswith("\r\n")
    assert draft.text.count("\n") == draft.text.count("\r\n")
    check_paths(lines, draft.text, "\\")


def test_colours_do_not_count() -> None:
    plain = shorten(FIND).text
    assert shorten(FIND.replace("./src", "\x1b[01;34m./src\x1b[0m")).text == plain


LS_R = """\
.:
README.md
src
tests

./src:
__init__.py
core
util.py

./src/core:
a.py
b.py

./tests:
data
test_a.py

./tests/data:
"""


def test_ls_r_keeps_every_name_and_every_directory() -> None:
    draft = shorten(LS_R)
    assert draft.text == (
        "./: README.md\n src/: __init__.py util.py\n  core/: a.py b.py\n tests/: test_a.py\n  data/:\n"
    )
    check_recursive(LS_R, draft.text)


def test_few_names_in_a_conversation_keep_their_directories_whole() -> None:
    draft = shorten(LS_R, level="safe")
    assert draft.text == (
        "./: README.md\n./src/: __init__.py util.py\n./src/core/: a.py b.py\n./tests/: test_a.py\n./tests/data/:\n"
    )
    check_recursive(LS_R, draft.text)


def test_an_error_leaves_its_directory_open() -> None:
    error = "ls: cannot access './src/core/c.py': Permission denied"
    text = LS_R.replace("a.py\n", f"a.py\n{error}\n")
    draft = shorten(text)
    assert error in draft.text.split("\n")
    paths, _, _ = decode(draft.text)
    assert {"./src/core/a.py", "./src/core/b.py"} <= set(paths)
    device = "crw-rw-rw-  1 root root 1, 3 Mar  2  2025 null"
    rows = LS_L.replace("total 48\n", "./x:\n").splitlines()
    rows.insert(5, device)
    text = shorten("\n".join([*rows, "", "./y:", *LS_L.splitlines()])).text
    assert device in text.split("\n")
    found = decode_rows("\n".join(line for line in text.split("\n") if line != device))
    assert [row[6] for row in found if row[0] == "./x/"] == [row[6] for row in rows_of(LS_L)]


def test_what_a_harness_cut_is_in_no_directory() -> None:
    text = (
        LS_R + "./cut/he\n</output_head>\n<elided_chars>\n99 characters elided\n</elided_chars>\n"
        "<output_tail>\nil.py\nz.py\n"
    )
    draft = shorten(text)
    assert "./cut/he\n</output_head>\n" in draft.text
    assert "<output_tail>\nnames: il.py z.py\n" in draft.text


def check_recursive(text: str, written: str) -> None:
    paths, folders = flat(text)
    read, headed, _ = decode(written)
    found = set(read) | {folder.removesuffix("/") for folder in headed}
    found |= {up for path in (*read, *headed) for up in above(path.removesuffix("/"))}
    assert set(paths) <= found
    assert {folder.removesuffix("/") for folder in folders} <= found
    known = set(paths) | {folder.removesuffix("/") for folder in folders}
    assert set(read) <= known


LS_L = """\
total 48
drwxr-xr-x  5 jo staff  4096 Mar  2  2025 .
drwxr-xr-x 27 root root 4096 Mar  1  2025 ..
-rw-r--r--  1 jo staff   292 Mar  2  2025 .gitignore
-rw-r--r--  1 jo staff  1878 Mar  2  2025 README.md
-rwxr-xr-x  1 jo staff   120 Mar  2  2025 run.sh
-rwxr-xr-x  1 jo staff   121 Mar  2  2025 stop.sh
-rw-r--r--  2 jo staff     7 Mar  3 10:01 twin
lrwxrwxrwx  1 jo staff     9 Mar  2  2025 latest -> README.md
drwxr-xr-x  2 jo staff  4096 Mar  2  2025 src
-rw-r--r--  1 jo staff 90034 Mar  2  2025 CHANGELOG.md
"""
_PAREN = re.compile(r"\(([^()]*)\) ")


def decode_rows(text: str) -> list[tuple[str, ...]]:
    """Return (folder, mode, links, owner, size, date, name, target) for every row, reading the legend alone."""
    lines = text.split("\n")
    legend = lines[0].removeprefix("[").removesuffix("]").split("; ")
    modes: dict[str, str] = {}
    links: dict[str, str] = {}
    size = ""
    for part in legend:
        if part.endswith(": SIZE NAME"):
            modes["-"], links["-"] = part.removesuffix(": SIZE NAME").split(" ")
        elif part.endswith(": LINKS NAME/"):
            modes["d"], size = part.removesuffix(": LINKS NAME/").split(" ")
        elif part.startswith("l"):
            modes["l"], links["l"] = part.split(" ")
        elif part.startswith("all "):
            owner = " ".join(part.split(" ")[1:3])
            date = " ".join(part.split(" ")[3:])
    found = []
    stack: list[str] = []
    state = ""
    rest = "\n".join(lines[1:])
    mark = ", " if re.search(r", (?:\d|\()", rest) else " "
    for line in lines[1:]:
        depth = len(line) - len(line.lstrip(" "))
        body = line[depth:]
        del stack[depth:]
        if "/: " in body or body.endswith("/:"):
            head, _, body = body.partition("/: ") if "/: " in body else (body[:-2], "", "")
            heads = [(stack[-1] if stack else "") + part.removesuffix("/") + "/" for part in head.split(mark)]
            if len(heads) == 1:
                stack.append(heads[0])
        else:
            body = body.removeprefix("names: ")
            heads = [stack[-1] if stack else ""]
        if body.startswith("total "):
            body = body.removeprefix("total ").partition(mark)[2]
        while body:
            if body[0] == "(":
                state, _, body = body[1:].partition(") ")
            kind = "-"
            first, _, after = body.partition(" ")
            if after.startswith("-> "):
                kind, name = "l", first
                target, _, body = after.removeprefix("-> ").partition(mark)
            elif mark == ", " and " -> " in body.split(", ")[0]:
                kind = "l"
                entry, _, body = body.partition(", ")
                name, _, target = entry.partition(" -> ")
            else:
                name, _, body = after.partition(mark)
                target = ""
                if name.endswith("/"):
                    kind, name = "d", name.removesuffix("/")
            mode, own, when = modes.get(kind, ""), owner, date
            link = first if kind == "d" else links.get(kind, "")
            much = size if kind == "d" else str(len(target.encode())) if kind == "l" else first
            words = state
            if match := re.match(r"([-dl]\S{9}\S?)(?: |$)", words):
                mode, words = match.group(1), words[match.end() :]
            if match := re.match(r"(\d+) links(?: |$)", words):
                link, words = match.group(1), words[match.end() :]
            if match := re.search(r"(?:^| )([A-Z][a-z]{2} \d+ \S+|\d{4}-\d\d-\d\d \S+(?: [+-]\d{4})?)$", words):
                when, words = match.group(1), words[: match.start()]
            if match := re.search(r"(?:^| )(\S+) bytes$", words):
                much, words = match.group(1), words[: match.start()]
            if words:
                own = words.strip()
            found += [(folder, mode, link, own, much, when, name, target) for folder in heads]
    return found


def rows_of(text: str) -> list[tuple[str, ...]]:
    """Return the rows of `ls -l`, `.` and `..` of inner directories aside."""
    found = []
    folder = ""
    for line in text.split("\n"):
        if line.endswith(":"):
            folder = line[:-1] + "/"
        elif line and not line.startswith("total "):
            mode, links, owner, group, size, month, day, year, name = line.split(None, 8)
            name, _, target = name.partition(" -> ")
            found.append((folder, mode, links, f"{owner} {group}", size, f"{month} {day} {year}", name, target))
    return found


def test_ls_l_says_once_what_rows_share() -> None:
    draft = shorten(LS_L)
    assert draft.degree == FAITHFUL
    assert draft.text == (
        "[-rw-r--r-- 1: SIZE NAME; drwxr-xr-x 4096: LINKS NAME/; lrwxrwxrwx 1; all jo staff Mar 2 2025; other where in "
        "() until the next ()]\ntotal 48\nnames: 5 ./ (root root Mar 1 2025) 27 ../ () 292 .gitignore 1878 README.md "
        "(-rwxr-xr-x) 120 run.sh 121 stop.sh (2 links Mar 3 10:01) 7 twin () latest -> README.md 2 src/ "
        "90034 CHANGELOG.md\n"
    )
    text = draft.text.replace("total 48\n", "", 1)
    assert decode_rows(text.removesuffix("\n")) == rows_of(LS_L)


MODES = ("-rw-r--r--", "-rwxr-xr-x", "drwxr-xr-x", "drwxrwxrwt", "lrwxrwxrwx")
NAMES = st.text("ab1.-_ \u00e9(){}>:", min_size=1, max_size=8).filter(
    lambda name: name.strip() == name and name[0] not in "-:" and name[-1] != ":" and name != "." and ".." not in name
)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(MODES),
            st.integers(1, 12),
            st.sampled_from(["root root", "jo staff"]),
            st.integers(0, 99999),
            st.sampled_from(["Mar  2  2025", "Nov 21 00:06"]),
            NAMES,
        ),
        min_size=8,
        max_size=25,
    ),
    st.integers(0, 25),
)
def test_rows_read_back(rows: list[tuple], cut: int) -> None:
    lines = []
    for mode, links, owner, size, date, name in rows:
        target = f" -> {name[::-1].strip()}x" if mode[0] == "l" else ""
        lines.append(f"{mode} {links:2} {owner} {size:6} {date} {name}{target}")
    text = "\n".join([".:", *lines[:cut], "", "./sub:", *lines[cut:]])
    draft = shorten(text)
    if draft is None:
        return
    said = draft.text.split("\n")
    if any(line[:1] in "-dl" and line[1:2] == "r" for line in said):
        return  # rows that could be misread stay as they were; the next test covers them
    assert decode_rows(draft.text) == rows_of(text)


def test_rows_that_could_be_misread_stay() -> None:
    odd = "-rw-r--r--  1 jo staff     5 Mar  2  2025 (x"
    draft = shorten(LS_L + odd + "\n")
    assert odd in draft.text.split("\n")


def test_the_rows_of_dot_and_dot_dot_stand_once() -> None:
    inner = "\n".join(
        f"./{name}:\ntotal 8\ndrwxr-xr-x 2 jo staff 4096 Mar 2 2025 .\ndrwxr-xr-x 4 jo staff 4096 Mar 2 2025 ..\n"
        f"-rw-r--r-- 1 jo staff 12 Mar 2 2025 {name}.py\n"
        for name in ("src", "doc")
    )
    text = (
        ".:\ntotal 8\ndrwxr-xr-x 4 jo staff 4096 Mar 2 2025 .\ndrwxr-xr-x 9 jo staff 4096 Mar 2 2025 ..\n"
        "drwxr-xr-x 2 jo staff 4096 Mar 2 2025 doc\ndrwxr-xr-x 2 jo staff 4096 Mar 2 2025 src\n\n" + inner
    )
    draft = shorten(text)
    assert "left out where they repeat" in draft.text
    want = [row for row in rows_of(text) if row[0] == "./" or row[6] not in (".", "..")]
    assert decode_rows(draft.text.removesuffix("\n")) == want
    # A row that differs is no repeat.
    other = text.replace("./src:\ntotal 8\ndrwxr-xr-x 2", "./src:\ntotal 8\ndrwxr-xr-x 3")
    assert ("./src/", "drwxr-xr-x", "3") in [row[:3] for row in decode_rows(shorten(other).text.removesuffix("\n"))]


def decode_counts(text: str) -> list[tuple[str, str]]:
    lines = text.split("\n")
    sticky = lines[0].startswith("[a size holds")
    found: list[tuple[str, str]] = []
    stack: list[str] = []
    for line in lines[1:] if sticky else lines:
        depth = len(line) - len(line.lstrip(" "))
        body = line[depth:]
        del stack[depth:]
        head, colon, names = body.partition("/: ") if "/: " in body else (body, "", "")
        heads = [head + "/"] if colon else [""]
        base = stack[-1] if stack else ""
        if colon:
            heads = [part.removesuffix("/") + "/" for part in head.split(" ")]
            if len(heads) == 1:
                stack.append(base + heads[0])
        elif body.endswith("/:"):
            stack.append(base + body[:-1])
            continue
        else:
            names = body.removeprefix("names: ")
        for part in heads:
            size = ""
            words = names.split(" ")
            while words:
                word = words.pop(0)
                if not sticky or (re.fullmatch(r"\d[\d.,]*[KMGTPEB]?", word) and words):
                    size, word = word, words.pop(0)
                found.append((size, base + part + word))
    return found


@pytest.mark.parametrize("sep", ["\t", " "])
def test_sizes_stay_with_their_names(sep: str) -> None:
    pairs = [("3612", "."), ("2508", "./docs"), ("2304", "./docs/img"), ("584", "./tests"), ("116", "./docs/img/a.gif")]
    pairs += [("12", f"./tests/test_{name}.py") for name in "abcdefghijklmnop"] + [("4.0K", "./x"), ("4.0K", "./y")]
    draft = shorten("".join(f"{size}{sep}{path}\n" for size, path in pairs))
    assert draft.degree == FAITHFUL
    assert draft.text.startswith("[a size holds for the names behind it on its line]\n3612 .\n")
    assert decode_counts(draft.text.removesuffix("\n")) == pairs


def test_a_total_stays() -> None:
    pairs = [(str(n * 37 % 900), f"./src/{word}/mod_{n}.py") for n, word in enumerate(["app"] * 9 + ["lib"] * 9)]
    text = "".join(f"{size:>6} {path}\n" for size, path in pairs) + "  7410 total\n"
    draft = shorten(text)
    assert decode_counts(draft.text.removesuffix("\n")) == [*pairs, ("7410", "total")]


def test_states_keep_their_column() -> None:
    text = " M src/app.py\nM  src/lib.py\nMM src/both.py\nA  src/new.py\n?? notes.txt\n?? todo.txt\n D src/gone.py\n"
    draft = shorten(text)
    assert draft.text == (
        "[a dot in a state stands for a blank]\nsrc/: .M app.py M. lib.py MM both.py A. new.py\n"
        "names: ?? notes.txt ?? todo.txt\nsrc/: .D gone.py\n"
    )
    text = "".join(f"M\tsrc/core/{name}.py\n" for name in ("alpha", "beta", "gamma", "delta"))
    assert shorten(text).text == "src/core/: M alpha.py M beta.py M gamma.py M delta.py\n"


TREE = """\
.
\u251c\u2500\u2500 README.md
\u251c\u2500\u2500 src
\u2502\u00a0\u00a0 \u251c\u2500\u2500 main.py
\u2502\u00a0\u00a0 \u2514\u2500\u2500 util
\u2502\u00a0\u00a0     \u251c\u2500\u2500 io.py
\u2502\u00a0\u00a0     \u2514\u2500\u2500 log.py
\u251c\u2500\u2500 setup.py
\u2514\u2500\u2500 tests
    \u2514\u2500\u2500 test_main.py

3 directories, 6 files
"""


@pytest.mark.parametrize(
    "text",
    [
        TREE,
        TREE.replace("\u00a0", " "),
        TREE.replace("\u251c\u2500\u2500", "|--").replace("\u2514\u2500\u2500", "`--").replace("\u2502", "|"),
        TREE.replace("\u251c\u2500\u2500 ", "+---").replace("\u2514\u2500\u2500 ", "\\---").replace("\u2502", "|"),
        TREE.replace("\n", "\r\n"),
    ],
)
def test_trees_lose_their_branches_only(text: str) -> None:
    draft = shorten(text)
    assert draft is not None
    assert draft.degree == FAITHFUL
    assert draft.text.replace("\r\n", "\n") == (
        "./: README.md\n src/: main.py\n  util/: io.py log.py\n setup.py\n tests/test_main.py\n"
        "\n3 directories, 6 files\n"
    )


def test_package_trees_keep_a_line_per_package() -> None:
    text = (
        "demo@1.0.0 /srv/demo\n├─┬ @scope/log@0.7.0\n│ ├─┬ fetch@2.7.0\n"
        "│ │ └── UNMET encoding@^0.1.0\n│ └── types@6.1.0 deduped\n"
        "└── zod@3.1.0\n"
    )
    written = (
        "demo@1.0.0 /srv/demo\n @scope/log@0.7.0\n  fetch@2.7.0\n   UNMET encoding@^0.1.0\n  types@6.1.0 deduped\n"
        " zod@3.1.0\n"
    )
    for level in ("safe", "balanced", "max"):
        assert shorten(text, level=level).text == written
    gradle = "+--- org.x:y:1.0\n|    +--- a/b:c:2 (*)\n|    |    \\--- d:e:1 -> 2\n|    \\--- f:g:3\n\\--- q:r:1\n"
    assert shorten(gradle).text == " org.x:y:1.0\n  a/b:c:2 (*)\n   d:e:1 -> 2\n  f:g:3\n q:r:1\n"


def test_indented_lists() -> None:
    text = "Here are the files:\n- src/\n  - app/\n    - one.py\n    - two.py\n  - util.py\n- setup.py\n- tests/\n"
    draft = shorten(text)
    assert draft.text == "Here are the files:\nsrc/app/: one.py two.py\nsrc/util.py\nnames: setup.py tests/\n"


def test_other_texts_are_left_alone() -> None:
    for text in (
        "The quick brown fox.\nIt jumps over the dog, and then\nit goes home to sleep.\nNobody saw it.\nThe end.\n" * 9,
        "def f(x):\n    return x + 1\n\n\nclass A:\n    pass\n" * 9,
        "",
        "\n\n\n",
        "a",
        "one line of words without any path in it",
    ):
        assert shorten(text) is None or shorten(text).text == text


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("rg -l foo src", True),
        ("grep -rl foo . | head -20", True),
        ("grep -rn foo .", False),
        ("find . -name '*.py' | xargs grep -l foo", True),
        ("git grep --files-with-matches x", True),
        ("rg --files", False),
        ("rg -c foo", True),
        ("du -ah src | sort -h | tail -40", True),
        ("find . -name du", False),
        ("find . -type f", False),
        ("ls -l | grep foo", False),
        ("", False),
    ],
)
def test_answers_are_told_from_inventories(command: str, answer: bool) -> None:
    assert is_answer(command) is answer


def test_the_paths_of_an_answer_stay_whole() -> None:
    assert shorten(FIND * 9, "rg -l login") is None
    assert shorten(FIND * 9, "rg --files") is not None
    assert shorten(FIND * 9, "rg -l login", level="max") is not None


def test_a_few_paths_stay_whole() -> None:
    few = "".join(FIND.splitlines(keepends=True)[:8])
    assert shorten(few) is None
    assert shorten(FIND) is not None
    assert shorten(FIND, level="safe") is None
    assert shorten(few.replace("/", "-")) is not None  # names alone have nothing to lose


def big_tree(top: str = "tests") -> str:
    parts = [f".:\nREADME.md\n{top}\n"]
    for i in range(60):
        names = "\n".join(f"handler_{word}_{i}.py" for word in ("alpha", "beta", "gamma", "delta", "omega", "sigma"))
        parts.append(f"./{top}/mod{i}:\n{names}\nzebra_crossing_{i}.py\n")
    return "\n".join(parts)


def test_a_big_tree_counts_what_nobody_asked_for() -> None:
    text = big_tree()
    draft = shorten(text, "ls -R", "why does zebra_crossing_7 fail?", level="safe")
    assert draft.degree == LOSSY
    total = len(flat(text)[0])
    gone = 0
    for line in draft.text.split("\n"):
        each = line.count("/ ") + 1 if " each]" in line else 1
        gone += each * sum(map(int, re.findall(r"\[\.\.\. (\d+) ", line)))
    assert draft.missing.startswith(f"{gone} of ")
    assert "zebra_crossing_7.py" in draft.text
    assert all(f"mod{i}/" in draft.text for i in range(60))
    names = {path.rpartition("/")[2] for path in flat(text)[0]}
    assert sum(name in draft.text for name in names) >= total - gone - 1
    assert shorten(text, "ls -R", level="safe", lossless=True).degree == FAITHFUL
    # A project's own code stays.
    assert shorten(big_tree("src"), "ls -R", level="safe").degree == FAITHFUL
    assert shorten(big_tree("src"), "ls -R", level="max").degree == LOSSY


def test_a_budget_goes_on() -> None:
    text = "".join(line.replace("./", f"./part{i}/", 1) for i in range(60) for line in FIND.splitlines(keepends=True))
    whole = shorten(text, lossless=True)
    assert whole.degree == FAITHFUL
    few = shorten(text, budget=count(whole.text) // 3)
    assert few.degree == LOSSY
    assert count(few.text) < 0.6 * count(whole.text)


def test_bulk_directories_are_counted_in_a_big_list() -> None:
    lines = [
        f"./src/part_{i}/module_{w}.py" for i in range(240) for w in ("alpha", f"beta{i * i}", "gamma", f"delta{i * 7}")
    ]
    bulk = [f"./node_modules/pkg{i}/lib/{w}.js" for i in range(100) for w in ("index", "util", "main")]
    draft = shorten("\n".join(lines + bulk))
    assert draft.degree == LOSSY
    assert draft.missing == "300 of 1260 names"
    assert "node_modules/: [... 300 names in 100 directories]" in draft.text
    kept = [line for line in draft.text.split("\n") if "[... " not in line]
    check_paths(lines, "\n".join(kept))


@settings(deadline=None, max_examples=400)
@given(
    st.lists(
        st.lists(NAMES, min_size=1, max_size=4).map("/".join),
        min_size=2,
        max_size=30,
    ),
    st.sampled_from(["", "./", "/usr/"]),
    st.booleans(),
    st.booleans(),
)
def test_paths_read_back(paths: list[str], root: str, ordered: bool, bare: bool) -> None:
    lines = [root + path for path in (sorted(paths) if ordered else paths)]
    if bare:
        lines = [line.replace(" ", "") for line in lines]
    if any(re.match(r"\d+ ", line) for line in lines):
        return  # sizes before names; see below
    draft = shorten("\n".join(lines), level="max", lossless=True)
    if draft is not None:
        assert draft.degree == FAITHFUL
        check_paths(lines, draft.text)


@settings(deadline=None, max_examples=300)
@given(
    st.dictionaries(
        st.lists(st.sampled_from(["src", "a", "b.c", "x1", "x2"]), max_size=4).map(
            lambda parts: "/".join([".", *parts])
        ),
        st.lists(st.sampled_from(["src", "a", "b.c", "x1", "x2", "x3", "x4", "file.py", "q"]), unique=True, max_size=8),
        min_size=2,
        max_size=9,
    )
)
def test_recursive_listings_read_back(tree: dict[str, list[str]]) -> None:
    text = "\n\n".join("\n".join([f"{folder}:", *sorted(names)]) for folder, names in sorted(tree.items()))
    draft = shorten(text)
    if draft is not None:
        assert draft.degree == FAITHFUL
        check_recursive(text, draft.text)


@settings(deadline=None, max_examples=300)
@given(st.text(st.sampled_from("ab/\\ .:,|-\t\n\r1(){}[]\u2502\u251c\u2500\u2514<>"), max_size=200), st.booleans())
def test_no_word_of_any_text_is_lost(text: str, asked: bool) -> None:
    draft = shorten(text, asked=asked, lossless=True)
    if draft is None or "{" in text or "[a dot" in draft.text:
        return
    bare = re.sub(r"\{(\d+)\.\.(\d+)\}", lambda m: " ".join(map(str, range(int(m[1]), int(m[2]) + 1))), draft.text)
    for word in re.findall(r"[ab1]+", text):
        assert word in bare


def test_ten_times_the_paths_take_ten_times_the_time() -> None:
    def seconds(size: int) -> float:
        text = "".join(f"./src/pkg{i // 40}/part{i // 8}/module_{i}.py\n" for i in range(size))
        best = 9.0
        for _ in range(3):
            start = time.process_time()
            assert shorten(text) is not None
            best = min(best, time.process_time() - start)
        return best

    assert seconds(40_000) < 40 * seconds(4_000) + 0.5


def test_our_own_writing_is_left_alone() -> None:
    for text in (FIND * 3, LS_R, LS_L, TREE, big_tree()):
        draft = shorten(text)
        again = shorten(draft.text)
        assert again is None or count(again.text) > 0.9 * count(draft.text)


def decode_columns(text: str) -> list[tuple[str, ...]]:
    """Return (column, ..., path) of every entry, reading the legend alone."""
    lines = text.removesuffix("\n").split("\n")
    each, _, rest = lines[0].removeprefix("[each: ").partition(" NAME; only * NAME below")
    usual = each.split(" ")
    also = rest.partition("in place of ")[2].partition(", until")[0].split(" ")
    kept = [at for at, word in enumerate(usual) if word == "*"]
    first = usual.index(also[0]) if also[0] else -1
    varying: list[int] = []  # where the columns that may differ stand among the words of the legend
    for word in also if also[0] else []:
        first = usual.index(word, varying[-1] + 1 if varying else 0)
        varying.append(first)
    found = []
    stack: list[str] = []
    said: list[str] = []
    for line in lines[1:]:
        depth = len(line) - len(line.lstrip(" "))
        body = line[depth:]
        del stack[depth:]
        heads = [stack[-1] if stack else ""]
        if "/: " in body or body.endswith("/:"):
            head, _, body = body.partition("/: ") if "/: " in body else (body[:-2], "", "")
            heads = [heads[0] + part.removesuffix("/") + "/" for part in head.split(" ")]
            if len(heads) == 1:
                stack.append(heads[0])
        body = body.removeprefix("names: ")
        while body:
            if body[0] == "(":
                now, _, body = body[1:].partition(") ")
                said = now.split(" ") if now else []
            words = list(usual)
            for at, word in zip(varying, said, strict=bool(said)):
                words[at] = word
            for at in kept:
                words[at], _, body = body.partition(" ")
            name, _, body = body.partition(" ")
            found += [(*words, folder + name) for folder in heads]
    return found


ARCHIVES = {
    "zipinfo": [
        "-rw-r--r--  2.0 unx    19810 bl defN 21-Dec-12 23:35 META-INF/MANIFEST.MF",
        "drwxr-xr-x  2.0 unx        0 b- stor 21-Dec-12 23:35 META-INF/",
        *(f"-rw-r--r--  2.0 unx {i * 917:8} bl defN 21-Dec-12 23:35 org/a/{w}.class" for i, w in enumerate("abcdefgh")),
        "-rw-r--r--  2.0 unx    19811 bl defN 21-Dec-13 01:02 pom.xml",
    ],
    "tar tvf": [f"-rw-r--r-- jo/staff {i * 917:8} 2025-03-02 10:01 pkg-1.0/{w}.py" for i, w in enumerate("abcdefgh")]
    + ["-rwxr-xr-x jo/staff      120 2025-03-02 10:01 pkg-1.0/bin/run"],
    "unzip -l": [f"{i * 917:9}  2025-03-02 10:01   pkg/{w}.py" for i, w in enumerate("abcdefgh")],
    "aws s3 ls": [f"2025-03-02 10:01:{i:02} {i * 917:10} data/2025/{w}.parquet" for i, w in enumerate("abcdefgh")],
    "git ls-tree": [
        f"{'100755' if w == 'c' else '100644'} blob {i * 7919 + 4096:040x}\tsrc/{w}.py"
        for i, w in enumerate("abcdefghij")
    ],
    "dir": [f"03/02/2025  10:01 AM        {i * 917 + 1:10} {w}.txt" for i, w in enumerate("abcdefgh")]
    + ["03/02/2025  10:01 AM    <DIR>          src"],
}


@pytest.mark.parametrize("tool", ARCHIVES)
def test_columns_read_back(tool: str) -> None:
    rows = ARCHIVES[tool]
    draft = shorten("\n".join(["Archive:  x", *rows, "9 files"]))
    assert draft is not None
    assert draft.degree == FAITHFUL
    lines = draft.text.split("\n")
    assert lines[1] == "Archive:  x"
    assert lines[-1] == "9 files"
    assert [" ".join(row) for row in decode_columns("\n".join([lines[0], *lines[2:-1]]))] == [
        " ".join(row.split()) for row in rows
    ]


@pytest.mark.skipif(not CORPUS.exists(), reason=WHY_NO_CORPUS)
def test_outside_listings_read_back() -> None:
    checked = 0
    for name, command, data in corpus("search"):
        text = data.decode()
        draft = shorten(text, "" if "-list-du" in name else command, lossless=True)
        if "-list-find" in name or "-list-fd" in name:
            check_paths(text.split("\n"), draft.text)
        elif "-list-du" in name or "-list-wcl" in name:
            want = [tuple(line.split(None, 1)) for line in text.splitlines()]
            assert decode_counts(draft.text.removesuffix("\n")) == want
        elif "-list-lsR" in name:
            have = set(decode_rows(draft.text.removesuffix("\n")))
            rows = rows_of(text)
            assert {row for row in rows if row[6] not in (".", "..")} <= have <= set(rows)
        else:
            continue
        checked += 1
    assert checked >= 40


def test_the_total_of_a_directory_is_no_name() -> None:
    rows = "".join(f"-rw-r--r-- 1 u g {at * 100} Mar  3 10:{at:02} file {at}.txt\n" for at in range(30))
    text = f".:\ntotal 8\ndrwxr-xr-x 2 u g 4096 Mar  3 10:00 my dir\n\n./my dir:\ntotal 0\n{rows}"
    draft = shorten(text, budget=100)
    assert draft is not None
    assert "total 0, [... 30 .txt]" in draft.text
    assert draft.missing == "30 of 31 names"


def test_odd_paths_stand_alone_among_the_others() -> None:
    base = [f"./src/module/deep/file{at * 3}.tsx" for at in range(40)]
    odd = ["./src/module/deep/ lead", "./src/module/deep/trail ", "./src/module/deep/a, b.txt", "./src/module/deep/c,"]
    lines = [*base[:15], *odd, *base[15:]]
    draft = shorten("\n".join(lines) + "\n")
    assert draft is not None
    assert draft.degree == FAITHFUL
    assert decode(draft.text)[0] == lines
    assert count(draft.text) < 0.6 * count("\n".join(lines))


def test_what_find_could_not_read_is_no_part_of_the_list() -> None:
    lines = []
    for at in range(40):
        lines.append(f"/srv/app/mod{at // 20}/src/file{at * 3}.py")
        lines += [f"find: '/srv/app/mod{at}/{one}': Permission denied" for one in "ab"] if at % 20 == 19 else []
    lines += [f"find: '/root/{at}': Permission denied" for at in range(40)]
    draft = shorten("\n".join(lines) + "\n", command="find /srv -name '*.py'")
    draft = draft or shorten("\n".join(lines) + "\n")
    assert draft is not None
    assert draft.degree == FAITHFUL
    assert decode(draft.text)[0] == lines


def test_a_long_list_in_which_no_two_neighbours_share_a_directory_is_left_alone_at_once() -> None:
    text = "".join(f"./a{at % 7}/b{at % 91}/c{at}.txt\n" for at in range(60_000))
    begin = time.process_time()
    assert shorten(text) is None
    assert time.process_time() - begin < 3
