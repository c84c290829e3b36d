"""Tables and command output: what a reader can take from a rendering is what the original said."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from grid_decoder import named, unnamed
from growth import within
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headroom_cli.compressors.tables import COMPRESSOR
from headroom_cli.compressors.tables.delimited import cells_of, delimiter
from headroom_cli.compressors.tables.grid import Grid, write
from headroom_cli.model import FAITHFUL, LOSSY, Draft, Hint, Want
from headroom_cli.tokens import count

if TYPE_CHECKING:
    from collections.abc import Callable


def crush(text: str, **want: object) -> Draft | None:
    return COMPRESSOR.compress(text, Want(count, **want))  # type: ignore[arg-type]


def shown(text: str, **want: object) -> str:
    draft = crush(text, **want)
    assert draft is not None
    return draft.text


WORD = st.text(st.sampled_from("abcxyzABC0123456789.:/-_=[]|%@,;"), min_size=1, max_size=9)
PHRASE = st.lists(WORD, min_size=1, max_size=3).map(" ".join)
FEW = st.sampled_from(["Running", "Pending", "default", "0", "1/1", "/usr/lib/a", "/usr/lib/b", "x.y.z"])


def columns_of(rows: int) -> st.SearchStrategy[list[str]]:
    return st.one_of(
        st.lists(WORD, min_size=rows, max_size=rows),
        st.lists(FEW, min_size=rows, max_size=rows),
        st.lists(PHRASE, min_size=rows, max_size=rows),
        st.lists(st.one_of(FEW, st.just("")), min_size=rows, max_size=rows),
        FEW.map(lambda value: [value] * rows),
        st.tuples(FEW, FEW).map(lambda pair: [pair[0]] * (rows - rows // 4) + [pair[1]] * (rows // 4)),
    )


NAMES = ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
TABLES = st.integers(3, 40).flatmap(
    lambda rows: st.lists(columns_of(rows), min_size=2, max_size=len(NAMES)).map(
        lambda columns: (NAMES[: len(columns)], columns)
    )
)


def aligned(names: list[str], columns: list[list[str]], gap: int, *, right: frozenset[int] = frozenset()) -> str:
    """Return a table as commands print it."""
    wide = [max(map(len, [name, *column])) for name, column in zip(names, columns, strict=True)]
    lines = []
    for cells in [names, *zip(*columns, strict=True)]:
        padded = [
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(cells, wide, strict=True))
        ]
        lines.append((" " * gap).join(padded).rstrip())
    return "\n".join(lines) + "\n"


def as_rows(names: list[str], columns: list[list[str]]) -> list[dict[str, str]]:
    return [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]


@settings(deadline=None, max_examples=200)
@given(TABLES)
def test_a_grid_with_names_reads_back(table: tuple[list[str], list[list[str]]]) -> None:
    names, columns = table
    lines = write(Grid(names, [list(column) for column in columns]), count)
    if lines is None:
        return
    assert named(lines, names) == as_rows(names, columns)


@settings(deadline=None, max_examples=150)
@given(TABLES)
def test_a_grid_of_delimited_cells_reads_back(table: tuple[list[str], list[list[str]]]) -> None:
    names, columns = table
    columns = [[cell.replace(",", "") for cell in column] for column in columns]
    lines = write(Grid(names, [list(column) for column in columns], joint=","), count)
    if lines is None:
        return
    assert named(lines, names, ",") == as_rows(names, columns)


@settings(deadline=None, max_examples=150)
@given(TABLES)
def test_a_grid_without_names_reads_back(table: tuple[list[str], list[list[str]]]) -> None:
    columns = [[cell.replace(" ", "") or "x" for cell in column] for column in table[1]]
    lines = write(Grid(None, [list(column) for column in columns], last=True), count)
    if lines is None:
        return
    assert unnamed(lines) == [" ".join(cells) for cells in zip(*columns, strict=True)]


@settings(deadline=None, max_examples=250)
@given(TABLES, st.integers(1, 3), st.frozensets(st.integers(0, 6)))
def test_no_value_stands_under_another_name(
    table: tuple[list[str], list[list[str]]], gap: int, right: frozenset[int]
) -> None:
    # The table is printed as commands print it; what is read back must be what was printed, or nothing was changed.
    names, columns = table
    # A line without any value would be a blank line, which ends a table.
    columns[0] = [cells[0] if any(cells) else "x" for cells in zip(*columns, strict=True)]
    text = aligned(names, columns, gap, right=right)
    draft = crush(text)
    if draft is None or draft.text.rstrip("\n").split("\n") == [
        line.rstrip() for line in text.rstrip("\n").split("\n")
    ]:
        return
    assert draft.degree == FAITHFUL
    found = named(draft.text.rstrip("\n").split("\n"), names)
    for row, want in zip(found, as_rows(names, columns), strict=True):
        if isinstance(row, dict):
            assert row == want
        else:
            assert row.split() == " ".join(filter(None, want.values())).split()


KUBECTL = """\
NAMESPACE     NAME                         READY   STATUS             RESTARTS        AGE
default       web-7d4b9c6f5-abcde          1/1     Running            0               5d
default       web-7d4b9c6f5-fghij          1/1     Running            0               5d
default       web-7d4b9c6f5-klmno          0/1     CrashLoopBackOff   17 (2m ago)     5d
default       db-0                         1/1     Running            0               12d
kube-system   coredns-5d78c9869d-aaaaa     1/1     Running            1 (3d ago)      30d
kube-system   coredns-5d78c9869d-bbbbb     1/1     Running            0               30d
kube-system   etcd-node1                   1/1     Running            0               30d
kube-system   kube-proxy-xyz               1/1     Running            0               30d
"""


def test_kubectl() -> None:
    text = shown(KUBECTL)
    assert "CrashLoopBackOff" in text
    names = KUBECTL.split("\n", 1)[0].split()
    rows = named(text.rstrip("\n").split("\n"), names)
    assert len(rows) == 8
    assert rows[2] == {
        "NAMESPACE": "default", "NAME": "web-7d4b9c6f5-klmno", "READY": "0/1", "STATUS": "CrashLoopBackOff",
        "RESTARTS": "17 (2m ago)", "AGE": "5d",
    }  # fmt: skip
    assert count(text) < 0.9 * count(KUBECTL)


def test_our_own_rendering_is_left_alone() -> None:
    assert crush(shown(KUBECTL)) is None


def test_ids_are_cut_only_where_something_may_be_missing() -> None:
    text = "".join(f"{at * 7919:07x}{'0123456789abcdef' * 3}"[:40] + f" change {at}\n" for at in range(30))
    draft = crush(text)
    assert draft is not None
    assert (draft.degree, draft.missing) == (LOSSY, "30 of 40 characters of 30 ids")
    assert len({line.split()[0] for line in draft.text.split("\n") if line}) == 30
    for want in ({"lossless": True}, {"level": "safe"}):
        faithful = crush(text, **want)
        assert faithful is None or faithful.degree == FAITHFUL


def test_checksums_stay_whole() -> None:
    text = "".join(f"{at * 7919:07x}{'0123456789abcdef' * 3}"[:40] + f"  file{at}.tar.gz\n" for at in range(30))
    draft = crush(text)
    assert draft is None or all(line[:40] in draft.text for line in text.split("\n"))


@pytest.mark.parametrize("make", [
    lambda n: "id,name,state,amount\n" + "".join(f"{i},name {i},open,{i * 7}\n" for i in range(n)),
    lambda n: "NAME     STATE     COUNT\n" + "".join(f"item{i:04} running {i:9}\n" for i in range(n)),
])  # fmt: skip
def test_time_is_linear(make: object) -> None:
    def crushing(lines: int) -> Callable[[], float]:
        text: str = make(lines)  # type: ignore[operator]

        def seconds() -> float:
            start = time.process_time()
            crush(text)
            return time.process_time() - start

        return seconds

    # What is quadratic takes 16 times as long; machines that run tests are busy.
    assert within(crushing(40_000), crushing(10_000), factor=9, slack=0.5, runs=5)


def rows_of(text: str, names: list[str]) -> list[dict[str, str] | str]:
    return named(text.rstrip("\n").split("\n"), names)


PSQL = """\
 id |    name     |         email          | active | balance
----+-------------+------------------------+--------+---------
  1 | Ann Lee     | ann@example.com        | t      |   10.50
  2 | Bob         |                        | f      |    0.00
  3 | \u00c7elik \u00d6.    | celik@example.com      | t      | 1000.25
(3 rows)
"""
POWERSHELL = """\
Handles  NPM(K)    PM(K)      WS(K)     CPU(s)     Id  SI ProcessName
-------  ------    -----      -----     ------     --  -- -----------
    561      32    45388      71540       3.20   5316   1 ApplicationFrameHost
    156       8     1432       6824               3344   0 armsvc
    327      17     9876      20500       0.44  10200   1 Code
"""
DF = """\
Filesystem      Size  Used Avail Use% Mounted on
udev            7.8G     0  7.8G   0% /dev
tmpfs           1.6G  2.1M  1.6G   1% /run
/dev/nvme0n1p2  468G  401G   44G  91% /
/dev/nvme0n1p1  511M  6.1M  505M   2% /boot/efi
/dev/sda1       1.8T  1.7T   12G 100% /mnt/My Backups
"""


def test_box_tables_keep_empty_cells_visible() -> None:
    table, footer = shown(PSQL).split("\n\n")
    assert footer == "(3 rows)\n"
    assert rows_of(table, ["id", "name", "email", "active", "balance"])[1] == {
        "id": "2", "name": "Bob", "email": "", "active": "f", "balance": "0.00",
    }  # fmt: skip


def test_an_empty_cell_between_numbers_keeps_its_name() -> None:
    names = POWERSHELL.split("\n", 1)[0].split()
    row = rows_of(shown(POWERSHELL), names)[1]
    assert isinstance(row, dict)
    assert (row["CPU(s)"], row["Id"], row["SI"], row["ProcessName"]) == ("", "3344", "0", "armsvc")


def test_names_of_two_words_and_cells_with_blanks() -> None:
    names = ["Filesystem", "Size", "Used", "Avail", "Use%", "Mounted on"]
    row = rows_of(shown(DF), names)[-1]
    assert isinstance(row, dict)
    assert (row["Use%"], row["Mounted on"]) == ("100%", "/mnt/My Backups")


def test_a_cell_that_overflows_into_the_next_column_stays_whole() -> None:
    head = "NAME   STATUS                  PORTS     NODE\n"
    rows = "".join(f"web{at}   Up {at} hours               80/tcp    n1\n" for at in range(8))
    text = head + rows + "web9   Restarting (1) 4 seconds ago     n1\n"
    draft = crush(text)
    assert draft is None or not any(line.startswith("web9") and "PORTS=ago" in line for line in draft.text.split("\n"))
    if draft is not None:
        row = rows_of(draft.text, ["NAME", "STATUS", "PORTS", "NODE"])[-1]
        assert row == "web9   Restarting (1) 4 seconds ago     n1"


def test_records_say_once_what_they_share() -> None:
    text = "\n".join(
        f"processor\t: {at}\nvendor_id\t: GenuineIntel\nmodel name\t: Core i7\ncpu MHz\t\t: {800 + at}.021\n"
        f"cache size\t: {8192 if at != 2 else 4096} KB\n"
        for at in range(6)
    )
    lines = shown(text).split("\n")
    assert lines[0] == (
        "[rows below, unless they say otherwise: vendor_id: GenuineIntel; model name: Core i7; cache size: 8192 KB]"
    )
    assert lines.count("cache size: 4096 KB") == 1
    assert sum(line.startswith("processor: ") for line in lines) == 6


def test_blame_lines_stand_under_their_commit() -> None:
    text = "".join(
        f"{'052456' if at < 9 else '689c45'}13 src/a.py (Ann Lee          2014-11-17 18:58:35 +0100 {at:4}) x = {at}\n"
        for at in range(1, 20)
    )
    lines = shown(text).rstrip("\n").split("\n")
    assert lines[:3] == [
        "[rows below: src/a.py]",
        "[rows below: 05245613 (Ann Lee 2014-11-17 18:58:35 +0100)]",
        "1) x = 1",
    ]
    assert [line for line in lines if not line.startswith("[")] == [f"{at}) x = {at}" for at in range(1, 20)]


def csv(rows: int) -> str:
    states = {17: "failed: disk full", 333: "rejected"}
    body = "".join(
        f"{at},user{at % 7},{states.get(at, 'ok')},{99999 if at == 250 else at % 50}\n" for at in range(rows)
    )
    return f"id,user,state,amount\n{body}"


def test_long_data_keeps_errors_extremes_ends_and_true_counts() -> None:
    draft = crush(csv(600), question="what is wrong with id 421?")
    assert draft is not None
    assert draft.degree == LOSSY
    found = named(draft.text.rstrip("\n").split("\n"), ["id", "user", "state", "amount"], ",")
    rows = [",".join(row[name] for name in ("id", "user", "state", "amount")) for row in found if isinstance(row, dict)]
    for line in ("0,user0,ok,0", "599,user4,ok,49", "17,user3,failed: disk full,17", "333,user4,rejected,33"):
        assert line in rows
    assert "250,user5,ok,99999" in rows
    assert any(line.startswith("421,") for line in rows)
    notes = [line for line in found if isinstance(line, str) and line.startswith("[... ")]
    gone = sum(int(line.split()[1]) for line in notes)
    assert gone + len(rows) == 600
    assert draft.missing == f"{gone} of 600 rows"
    for line in notes:
        first, last = map(int, line.rstrip("]").rpartition(" ")[2].split("-"))
        assert int(line.split()[1]) == last - first + 1


def test_rows_stay_where_nothing_may_go_or_the_command_lists_what_there_is() -> None:
    for draft in (
        crush(csv(600), lossless=True),
        crush(csv(600), level="safe"),
        crush(csv(600), hint=Hint(command="gh pr list --limit 600")),
    ):
        assert draft is None or draft.degree == FAITHFUL


def test_a_budget_cuts_inventories_too() -> None:
    text = "NAME       STATUS    AGE\n" + "".join(f"pod-{at:04}   Running   {at:3}d\n" for at in range(400))
    draft = crush(text, budget=300)
    assert draft is not None
    assert draft.degree == LOSSY
    assert count(draft.text) <= 330
    assert draft.text.split("\n")[-2].endswith("399d")


@example([("-rw-r--r--", "Running", "||", "a/b/", "0")] * 3)
@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["-rw-r--r--", "drwxr-xr-x"]), FEW, WORD, st.sampled_from(["a/b/", "a/c/", ""]), WORD
        ),
        min_size=3,
        max_size=40,
    )
)
def test_lists_without_a_header_read_back(rows: list[tuple[str, ...]]) -> None:
    lines = [f"{mode} {few} {word} {folder}{name}" for mode, few, word, folder, name in rows]
    draft = crush("\n".join(lines) + "\n")
    if draft is None or "[rows " not in draft.text:
        return
    assert draft.degree == FAITHFUL
    # A word of signs alone (||) may look like a delimiter to the test, and be a cell between blanks to the table.
    shown = draft.text.removesuffix("\n").split("\n")
    assert lines in [unnamed(shown, sign) for sign in {delimiter(lines) or " ", " "}]


def test_a_long_table_reads_back() -> None:
    # Columns of a long table are chosen from a part of its rows; a value that only the rest has must not be lost.
    rows = [
        [str(at), "ok" if at != 4321 else "late; [x]", f"n{at // 3000}", f"/var/log/app/{at % 5}.log"]
        for at in range(9000)
    ]
    names = ["id", "state", "node", "file"]
    text = "\n".join(",".join(row) for row in [names, *rows]) + "\n"
    found = named(shown(text, lossless=True).rstrip("\n").split("\n"), names, ",")
    assert found == [dict(zip(names, row, strict=True)) for row in rows]


def test_a_great_many_tiny_lines_are_no_table_but_values_are() -> None:
    assert crush("# a\n" * 100_000) is None
    values = "a,b,c\n" + "".join(f"{row % 7},{row % 5},{row % 3}\n" for row in range(60_000))
    assert crush(values) is not None


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('a,"b",c', ["a", '"b"', "c"]),
        ('"a,b",c', ['"a,b"', "c"]),
        ('"a""b,",c', ['"a""b,"', "c"]),
        ('a"b,"c', ['a"b', '"c']),
        ('"a""b,c', ['"a""b,c']),
        ('"a" b,""', ['"a" b', '""']),
        (',"",', ["", '""', ""]),
    ],
)
def test_quotes_hold_cells_together(line: str, cells: list[str]) -> None:
    assert cells_of(line, ",") == cells
    for sign in "\t;|":
        assert cells_of(line.replace(",", sign), sign) == [cell.replace(",", sign) for cell in cells]


def test_names_of_two_words_whose_second_stands_over_nothing() -> None:
    header = "NAME       READY   RESTARTS      AGE   NOMINATED NODE   READINESS GATES"
    rows = [f"web-{at:<6} 1/1     {at} (2d ago)   {at % 7}d    <none>           <none>" for at in range(10, 40)]
    text = "\n".join([header, *rows]) + "\n"
    lines = shown(text).split("\n")
    assert lines[0] == "[rows below: READY=1/1; NOMINATED NODE=<none>; READINESS GATES=<none>]"
    assert lines[1].split() == ["NAME", "RESTARTS", "AGE"]
    assert lines[2].split() == ["web-10", "10", "(2d", "ago)", "3d"]


def test_psql_cells_are_told_by_the_crossings_of_the_rule() -> None:
    rows = [("", "a|b", ""), ("2", "", "x|"), ("3", "c", "d"), *((str(at), f"n{at}", "") for at in range(4, 30))]
    text = " id | name | note \n----+------+------\n"
    text += "".join(f" {one:>2} | {two:<4} | {three}\n" for one, two, three in rows) + "(29 rows)\n"
    lines = shown(text).split("\n")
    assert lines[1:5] == ["id name note", "- a|b", "2 - x|", "3 c d"]
    assert lines[0] == "[rows below: - is an empty cell]"
    framed = "+----+------+\n| id | name |\n+----+------+\n" + "".join(f"| {at:>2} | x|{at:<2} |\n" for at in range(9))
    assert shown(framed + "+----+------+\n").split("\n")[:3] == ["id name", "0 x|0", "1 x|1"]


def test_psql_cells_that_do_not_stand_at_the_crossings_are_left_alone() -> None:
    text = " id | name | note \n----+------+------\n" + "".join(f"  {at} | a|{at} | b|c\n" for at in range(9))
    draft = crush(text)
    assert draft is None or all(f"a|{at}" in draft.text for at in range(9))
    assert draft is None or "| b|c" in draft.text


def record(number: int, cells: list[tuple[str, str]], *, mysql: bool = False) -> str:
    if mysql:
        stars = "*" * 27
        return "\n".join([f"{stars} {number}. row {stars}", *(f"{key:>8}: {value}" for key, value in cells)])
    return "\n".join([f"-[ RECORD {number} ]{'-' * 12}", *(f"{key:<8} | {value}" for key, value in cells)])


@pytest.mark.parametrize("mysql", [False, True])
def test_expanded_records_are_rows(mysql: bool) -> None:
    cells = [
        [("id", str(at)), ("name", f"user {at}"), ("state", "banned" if at == 9 else "active"), ("note", "")]
        for at in range(1, 30)
    ]
    text = "\n".join(record(at, one, mysql=mysql) for at, one in enumerate(cells, 1)) + "\n\n(29 rows)\n"
    draft = crush(text)
    assert draft is not None
    assert draft.degree == FAITHFUL
    assert draft.text.endswith("\n(29 rows)\n")
    names = [key for key, _ in cells[0]]
    assert named(draft.text.removesuffix("\n\n(29 rows)\n").split("\n"), names) == [dict(one) for one in cells]


def test_records_stay_or_go_whole_under_a_budget() -> None:
    cells = [
        [("id", str(at)), ("name", f"user{at}"), *([("state", "it failed")] if at == 70 else [("extra", "x" * 40)])]
        for at in range(1, 120)
    ]
    records = [record(at, one) for at, one in enumerate(cells, 1)]
    draft = crush("\n".join(records) + "\n", budget=300, question="what about user33 and others?")
    assert draft is not None
    assert count(draft.text) <= 300
    text = draft.text
    kept = [one for one in records if f"{one}\n" in text]
    assert len(kept) >= 3
    assert records[32] in kept
    assert records[69] in kept
    for one in kept:
        text = text.replace(f"{one}\n", "", 1)
    gaps = [line for line in text.split("\n") if line]
    assert all(line.startswith("[... ") and " record" in line for line in gaps)
    assert sum(int(line.split()[1]) for line in gaps) == len(records) - len(kept)
    assert draft.missing == f"{len(records) - len(kept)} of {len(records)} records"


def git_log(commits: int) -> str:
    return "\n\n".join(
        f"commit {at * 7919:040x}\nAuthor: {'B <b@b>' if at % 5 == 4 else 'A <a@b>'}\nDate:   Mon Jan 1 00:00:00"
        f" 2026 +0000\n\n    Change thing {at}\n\n    Because of reason {at}."
        for at in range(commits)
    )


def test_a_log_says_its_usual_author_once() -> None:
    text = git_log(40) + "\n"
    draft = crush(text, lossless=True)
    assert draft is not None
    assert draft.degree == FAITHFUL
    head, *lines = draft.text.split("\n")
    assert head == "[rows below, unless they say otherwise: Author: A <a@b>]"
    back: list[str] = []
    for at, line in enumerate(lines):
        back.append(line.replace("Date: ", "Date:   "))
        if line.startswith("commit ") and not lines[at + 1].startswith("Author: "):
            back.append("Author: A <a@b>")
    assert "\n".join(back) == text


def test_a_budget_cuts_commits_whole_from_the_oldest_on() -> None:
    draft = crush(git_log(3000) + "\n", budget=400, question="why was reason 2222 given?")
    assert draft is not None
    assert count(draft.text) <= 400
    assert "    Change thing 2222\n\n    Because of reason 2222." in draft.text
    shown_commits = draft.text.count("\ncommit ")
    gaps = [int(line.split()[1]) for line in draft.text.split("\n") if line.startswith("[... ")]
    assert sum(gaps) + shown_commits == 3000
    assert draft.text.index("Change thing 0\n") < draft.text.index("Change thing 1\n") < draft.text.index("[... ")
    assert f"{sum(gaps)} of 3000 commits" in draft.missing


@pytest.mark.parametrize(
    "text",
    [
        "| a | b |\n|---|---|\n" + "".join(f"| {at} | {at * 3} |\n" for at in range(3000)),
        "a,b,c\n" + "".join(f"{at},{at * 7 % 13},x{at}\n" for at in range(3000)),
        "NAME     STATUS   AGE\n" + "".join(f"n{at:<8}Running  {at}d\n" for at in range(3000)),
        "".join(f"{at * 7919:07x} fix thing {at}\n" for at in range(3000)),
        "".join(f"Key {at}      : the value {at}\n" for at in range(3000)),
        "\n".join(f"NAME     STATUS\nn{at:<8}Running\nm{at:<8}Failed\n" for at in range(800)),
    ],
    ids=["markdown", "csv", "fixed", "oneline", "pairs", "many tables"],
)
@pytest.mark.parametrize("budget", [150, 300, 2000])
def test_every_form_ends_below_its_budget(text: str, budget: int) -> None:
    draft = crush(text, budget=budget)
    assert draft is not None
    assert draft.degree == LOSSY
    assert budget * 0.3 < count(draft.text) <= budget


def test_a_message_between_rows_stays_in_its_place() -> None:
    rows = [f"{at:>5} {at * 9:>7} {at * 99:>8} src/mod/f{at}.py" for at in range(30)]
    text = "\n".join([*rows[:20], "wc: src/x: Is a directory", *rows[20:]]) + "\n"
    lines = shown(text).split("\n")
    assert lines[0] == "[rows below, last: src/mod/_]"
    assert lines[20:23] == ["19 171 1881 f19.py", "= wc: src/x: Is a directory", "20 180 1980 f20.py"]


def test_csv_with_newlines_in_quotes_is_cut_in_whole_rows() -> None:
    rows = [f'{at},"Doe, {at}","line one of {at}\nline two ""q"" {at}",{at}.50' for at in range(400)]
    draft = crush("id,name,note,amount\n" + "\n".join(rows) + "\n", budget=300)
    assert draft is not None
    assert count(draft.text) <= 300
    kept = [row for row in rows if row in draft.text]
    assert len(kept) >= 3
    assert draft.missing == f"{400 - len(kept)} of 400 rows"
    assert draft.text.count("line two") == len(kept)


def test_a_log_with_patches_keeps_its_lines() -> None:
    patch = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n \n-one\n+two\n     three"
    text = "\n\n".join(f"{one}\n\n{patch}" for one in git_log(8).split("\n\ncommit ")) + "\n"
    draft = crush(text, lossless=True)
    assert draft is not None
    assert draft.text.count("\n+two\n     three") == 8
