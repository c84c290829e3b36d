"""``headroom stats --plot``: the bars are as long as the numbers say, on any terminal, whatever the names are."""

import os
import pty
import random
import re
import subprocess
import sys

import pytest
import stats_lines
from conftest import clean_environment
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from headroom_cli import ledger
from headroom_cli.cli import stats, stats_plot, stats_view
from headroom_cli.errors import UsageError
from headroom_cli.money import prices, sums
from headroom_cli.settings import resolve

OWN = {"model": "claude-*", "plain": 3, "output": 15}
MONTH = sums.report(stats_lines.month())
DOLLARS = sums.report(stats_lines.month(), prices.Prices([OWN], package=False))
BARS = "█░▓"


def plot(report, *, width=100, blocks=True):
    drawn = stats_plot.drawn(report, coloured=False, blocks=blocks, width=width)
    return drawn.decode("utf-8" if blocks else "ascii")


def section(text, title):
    """Return the lines of one part, without its heading."""
    lines = text.split("\n")
    start = next(place for place, line in enumerate(lines) if line.startswith(title))
    return lines[start + 1 : lines.index("", start)]


def numbers(line):
    """Return before and after of a line."""
    return tuple(int(part.replace(",", "")) for part in re.search(r"([\d,]+) (?:→|->) ([\d,]+)", line).groups())


def kinds(**numbers):
    """Return the report of one run with blocks of these kinds: before, after."""
    parts = {name: {"blocks": 1, "before": before, "after": after} for name, (before, after) in numbers.items()}
    tokens = {key: sum(part[key] for part in parts.values()) for key in ("before", "after")}
    return sums.report([{"when": stats_lines.LAST, "verb": "crush", "tokens": tokens, "kinds": parts}])


def test_it_says_the_numbers_of_the_report():
    text = plot(DOLLARS, width=200)
    whole, money = DOLLARS["all"], stats_view.money(DOLLARS["currency"])
    assert f"{whole['runs']:,} runs, 2026-10-12 to 2026-11-20 (UTC)" in text
    assert f"{whole['saved']:,} tokens saved (-{100 * whole['saved'] / whole['before']:.0f} %): " in text
    assert (
        f"cost {money(whole['money']['cost'])}, measured; net saving {money(whole['money']['net'])}, estimated" in text
    )
    for group in ("kind", "model", "tool", "project"):
        lines = section(text, f"By {group}")
        for name, part in DOLLARS[group].items():
            line = next(line for line in lines if f"{part['before']:,} → {part['after']:,}" in line)
            assert line.startswith(name if name not in {"", "none"} else ("no ", "other text"))
            assert ("cost $" in line) == bool(part["money"].get("requests"))
    assert "Not priced" in text
    assert "No calls: 34 runs" in text


def test_bars_are_as_long_as_the_numbers():
    lines = section(
        plot(kinds(json=(1000, 500), log=(500, 0), code=(100, 100), html=(200, 400), diff=(1, 0))), "By kind"
    )
    bars = {line.split()[0]: [line.count(sign) for sign in BARS] for line in lines}
    whole = sum(bars["json"])
    assert whole > 40
    assert bars["json"] == [pytest.approx(whole / 2, abs=1), pytest.approx(whole / 2, abs=1), 0]
    assert bars["log"][0] == 0
    assert bars["log"][1] == pytest.approx(whole / 2, abs=1)
    assert bars["code"] == [pytest.approx(whole / 10, abs=1), 0, 0]
    assert bars["html"] == [pytest.approx(whole / 5, abs=1), 0, pytest.approx(whole / 5, abs=1)]
    assert bars["diff"] == [0, 1, 0]  # what is there can be seen
    assert [line.split()[0] for line in lines] == ["json", "log", "html", "code", "diff"]


counts = st.integers(0, 10**12)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.dictionaries(st.sampled_from(stats_lines.KINDS), st.tuples(counts, counts), min_size=1),
    width=st.integers(1, 300),
    blocks=st.booleans(),
)
def test_no_number_breaks_the_shape(rows, width, blocks):
    text = plot(kinds(**rows), width=width, blocks=blocks)
    assert max(map(cell_len, text.split("\n"))) <= max(20, width)
    if width >= 100 and any(max(pair) for pair in rows.values()):
        signs = BARS if blocks else "#-!"
        lengths = [
            (max(numbers(line)), max(map(len, re.findall(f"[{re.escape(signs)}]{{2,}}", line)), default=0))
            for line in section(text, "By kind")
        ]
        assert [length for _, length in sorted(lengths)] == sorted(length for _, length in lengths)


def test_days_are_the_last_thirty_and_those_without_runs_are_blank():
    shown = section(plot(MONTH), "Saved by day")
    line, days = shown[0], shown[1].split()
    assert days == ["10-22", "11-20"]
    assert len(line) == 90
    saved = [MONTH["day"].get(f"2026-{month:02}-{day:02}", {"saved": 0})["saved"]
             for month, day in [(10, day) for day in range(22, 32)] + [(11, day) for day in range(1, 21)]]  # fmt: skip
    assert [sign != " " for sign in line[::3]] == [value > 0 for value in saved]
    best = saved.index(max(saved))
    assert line[3 * best] == "█"
    levels = " ▁▂▃▄▅▆▇█"
    assert [levels.index(sign) for sign in line[::3]] == [
        min(8, value * 8 // max(saved) + 1) if value else 0 for value in saved
    ]
    assert f"{sum(saved):,} in 30 days" in plot(MONTH)


@pytest.mark.parametrize("blocks", [True, False])
def test_a_loss_is_shown_as_a_loss(blocks):
    text = plot(sums.report([stats_lines.worse()]), blocks=blocks)
    sign = "▓" if blocks else "!"
    assert "300 tokens added (+300 %)" in text
    assert "net saving -600" in text
    assert f"{sign} below zero: -300 on 2026-11-20" in text
    assert sign * 9 in section(text, "By project")[0]
    assert "+300 %" in section(text, "By project")[0]


def test_one_run_and_a_run_of_nothing():
    for line in ({"when": stats_lines.LAST, "verb": "crush"}, kinds_line := {"verb": "crush", "tokens": {"before": 5}}):
        text = plot(sums.report([line]))
        assert text.startswith("1 run, ")
        assert "By model" not in text or line is kinds_line
    assert "1970-01-01" in text  # a line without a time
    assert "most:" not in text


@pytest.mark.parametrize("width", [1, 20, 39, 40, 64, 80, 300])
@pytest.mark.parametrize("blocks", [True, False])
def test_names_drive_no_terminal_and_break_no_line(width, blocks):
    dice = random.Random(3)
    lines = [
        stats_lines.line(dice, stats_lines.LAST + number, project=name, model=name, tools={name: {"before": 9}})
        for number, name in enumerate(stats_lines.HOSTILE)
    ]
    text = plot(sums.report(lines), width=width, blocks=blocks)
    assert all(sign.isprintable() for sign in text.replace("\n", ""))
    assert max(map(cell_len, text.split("\n"))) <= max(20, width)
    assert text.isascii() or blocks
    assert all(line == line.rstrip() for line in text.split("\n"))
    if width >= 80:
        # Names of two columns a character leave the bars beneath one another.
        starts = {cell_len(line[: re.search("[█#]", line).start()]) for line in section(text, "By project")}
        assert len(starts) == 1


def test_more_names_than_rows_are_one_row():
    dice = random.Random(4)
    lines = [stats_lines.line(dice, stats_lines.LAST, project=f"p{number}") for number in range(25)]
    report = sums.report(lines)
    rows = section(plot(report), "By project")
    assert len(rows) == 10
    assert rows[-1].startswith("16 more")
    shown = [numbers(row) for row in rows]
    assert (sum(before for before, _ in shown), sum(after for _, after in shown)) == (
        report["all"]["before"], report["all"]["after"],
    )  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    place = tmp_path_factory.mktemp("store")
    for line in stats_lines.month(days=9):
        ledger.append(str(place), line)
    return str(place)


def in_terminal(store, home, *arguments, **environment):
    """Return what the command writes to a terminal of 50 columns."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "headroom_cli", "stats", "--store", store, "--plot", *arguments]
    given = clean_environment(home, COLUMNS="50", **environment)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=follower, env=given)
    os.close(follower)
    read = []
    try:
        while piece := os.read(leader, 65_536):
            read.append(piece)
    except OSError:
        pass  # the other end is closed: what a terminal says at its end
    finally:
        os.close(leader)
    assert process.wait(60) == 0
    return b"".join(read).decode().replace("\r\n", "\n")


def test_colours_are_for_terminals_whose_owner_wants_them(store, tmp_path, headroom):
    coloured = in_terminal(store, tmp_path)
    plain = re.sub(r"\x1b\[[\d;]*m", "", coloured)
    assert "\x1b[36m█" in coloured
    assert "\x1b" not in plain
    assert in_terminal(store, tmp_path, NO_COLOR="1") == plain
    assert in_terminal(store, tmp_path, "--no-color") == plain
    piped = headroom("stats", "--store", store, "--plot", env={"COLUMNS": "50"})
    assert (piped.stdout.decode(), piped.stderr) == (plain, b"")
    ascii_only = headroom("stats", "--store", store, "--plot", env={"COLUMNS": "50", "LC_ALL": "C"}).stdout
    assert "#" in ascii_only.decode("ascii")


def test_it_is_one_way_to_write_the_report_of_the_ledger(store, headroom):
    for more in (["--json"], ["--csv"], ["--html", "-"], ["--follow"], ["--diff", "a"], ["-"]):
        done = headroom("stats", "--store", store, "--plot", *more)
        assert (done.returncode, done.stdout) == (2, b"")
        assert b"--plot" in done.stderr
    assert headroom("stats", "--plot").returncode == 1  # an empty ledger


@pytest.mark.parametrize("own", [
    {"by": "model", "plot": "1"}, {"by": "model", "html": "-"}, {"csv": "1", "follow": "1"},
    {"since": "7d", "diff": "a", "file": "b"}, {"by": "model", "file": "-"},
], ids=" ".join)  # fmt: skip
def test_no_flag_is_passed_over_in_silence(own):
    with pytest.raises(UsageError, match="leave"):
        stats.run(resolve({}), own)


def test_a_full_disk_is_told(store, tmp_path):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "headroom_cli", "stats", "--store", store, "--plot"], stdout=full,
            stderr=subprocess.PIPE, env=clean_environment(tmp_path), timeout=60, check=False,
        )  # fmt: skip
    assert (done.returncode, b"no space left" in done.stderr) == (74, True)


def test_more_days_than_are_told_apart():
    many = sums.report({"when": 86_400 * day, "verb": "crush"} for day in range(sums._DAYS + 50))
    assert sums.OTHER in many["day"]
    assert "1970-01-01 to 1997-05-18 (UTC)" in plot(many)
    days, earlier = stats_view.days(many, 30)
    assert (len(days), days[-1].name) == (30, "1997-05-18")
    assert sum(row.runs for row in days) + earlier.runs == many["all"]["runs"]
