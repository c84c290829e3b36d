"""``headroom stats --html`` in a real browser: its numbers are the report's, nothing leaves, names stay text."""

import os
import random
import re
import stat

import pytest
import stats_lines

from headroom_cli import ledger
from headroom_cli.cli import stats_file, stats_html, stats_svg, stats_view
from headroom_cli.errors import OutputError
from headroom_cli.money import prices, sums

browser = pytest.importorskip("browser", reason="chromium is not here: no websockets to drive it")
needs_browser = pytest.mark.skipif(not browser.PROGRAM, reason="chromium is not here")

OWN = [
    {"model": "claude-*", "plain": 3, "output": 15, "from": "2026-01-01"},
    {"model": "claude-*", "plain": 6, "output": 30, "from": "2026-01-01", "over": 200_000},
    {"model": "gpt-*", "plain": 1, "output": 8},
]
DOLLARS = sums.report(stats_lines.month(days=120), prices.Prices(OWN, package=False))
PLAIN = sums.report(stats_lines.month())
PARTS = ("day", "kind", "model", "tool", "project")
READY = "document.getElementById('table-sums')"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with browser.Browser(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture
def opened(chromium, tmp_path):
    """Open the page of a report: opened(report, width=..., dark=...) -> page; nothing may go wrong to the end."""
    pages = []

    def show(report, **options):
        path = tmp_path / "saved.html"
        path.write_bytes(stats_html.page(report, stats_lines.LAST).encode())
        page = chromium.page(**options)
        pages.append((page, f"file://{path}"))
        page.open(f"file://{path}")
        page.until(READY)
        return page

    yield show
    for page, address in pages:
        with page:
            assert page.problems == []
            assert {asked.split("#")[0] for asked in page.requests if not asked.startswith("data:")} == {address}


def table(page, name):
    """Return a table's rows as texts: head, body, foot."""
    return page.run(
        f"['tHead', 'tBodies', 'tFoot'].map((part) => [document.getElementById('table-{name}')[part]].flatMap((e) => "
        "e === null ? [] : e instanceof HTMLCollection ? [...e] : [e]).flatMap((e) => [...e.rows].map((r) => "
        "[...r.cells].map((c) => c.textContent))))"
    )


def number(text):
    return int(text.replace(",", ""))


@needs_browser
@pytest.mark.parametrize("report", [DOLLARS, PLAIN], ids=["dollars", "plain"])
def test_its_numbers_are_those_of_the_report(opened, report):
    page = opened(report)
    whole, money = report["all"], stats_view.money(report["currency"])
    ids = "saved", "runs", "cache-share", *(f"money-{key}" for key in ("cost", "saved", "tool", "hops", "net"))
    say = {key: page.run(f"document.getElementById('{key}').textContent") for key in ids}
    usage = whole["usage"]
    assert say == {
        "saved": f"{whole['saved']:,}", "runs": f"{whole['runs']:,}",
        "cache-share": f"{100 * usage['cache_read'] / usage['input']:.0f} %",
        **{f"money-{key}": money(whole["money"][key]) for key in ("cost", "saved", "net")},
        **{f"money-{key}": money(-whole["money"][key]) for key in ("tool", "hops")},
    }  # fmt: skip
    for part in PARTS:
        (heads,), rows, (foot,) = table(page, part)
        for label in ("Before", "After", "Saved"):
            assert f"{label}estimated" in heads
        assert len(heads) == len(foot) == 8 + (0 if part in {"kind", "tool"} else 4)
        shown = {row[0]: row for row in rows}
        at = heads.index("Beforeestimated")
        for name, expected in report[part].items():
            if part == "day" and name not in shown:
                assert name < rows[-2][0]  # older than those that are shown one by one
                continue
            row = shown[name or f"no {part} named"] if name != "none" else shown["other text"]
            assert [number(cell) for cell in row[at : at + 3]] == [
                expected[key] for key in ("before", "after", "saved")
            ]
            assert number(row[1]) == expected["runs"]
            if part in {"model", "project", "day"} and expected["money"]["requests"]:
                assert row[-3:] == [money(expected["money"][key]) for key in ("cost", "saved", "net")]
                assert number(row[at + 4]) == expected["usage"]["input"]
                assert number(row[at + 6]) == expected["usage"]["output"]
        # The rows, with what is in none of them, are the total; so says the row beneath them.
        for column in range(at, at + 3):
            assert sum(number(row[column]) for row in rows) == number(foot[column])
        assert number(foot[at]) == whole["before"]
    heads, rows, _ = table(page, "sums")
    assert len(rows) == 8
    assert [row[-1] for row in rows] == ["", *["the same"] * 7]
    assert {row[1] for row in rows} == {f"{whole['before']:,}"}


@needs_browser
def test_every_chart_is_there_and_says_what_it_shows(opened):
    page = opened(DOLLARS)
    charts = page.run(
        "[...document.querySelectorAll('svg.columns')].map((e) => [e, e.getBoundingClientRect()]).map(([e, box]) =>"
        " [e.ariaLabel, e.querySelectorAll('g').length, box.width > 200 && box.height > 50])"
    )
    saved = max(part["saved"] for day, part in DOLLARS["day"].items() if day > "2026-08-20")
    assert [(label.split(",")[0], days, seen) for label, days, seen in charts] == [
        ("Tokens saved by day", 92, True), ("Tokens by day", 92, True), ("Money by day", 92, True),
    ]  # fmt: skip
    assert f"up to {saved:,}, 2026-08-21 to 2026-11-20" in charts[0][0]
    titles = page.run("[...document.querySelectorAll('svg.columns g title')].map((e) => e.textContent)")
    assert f"2026-11-20: saved {DOLLARS['day']['2026-11-20']['saved']:,}" in titles
    heights = page.run(
        "[...document.querySelector('svg.columns').querySelectorAll('.a')].map((e) => +e.getAttribute('height'))"
    )
    assert max(heights) == pytest.approx(99)
    for part in PARTS[1:]:
        assert page.run(f"document.querySelectorAll('#{part} svg.pair').length") == page.run(
            f"document.querySelectorAll('#{part} tbody tr').length"
        )
    widths = page.run("[...document.querySelectorAll('#model svg.pair')].map((e) => [...e.children].map((r) =>"
                      " +r.getAttribute('width')))")  # fmt: skip
    rows = sorted((part["before"], part["after"]) for part in DOLLARS["model"].values())[::-1]
    assert widths == [[pytest.approx(100 * value / rows[0][0], rel=1e-4) for value in row] for row in rows]
    prices_shown = table(page, "prices")[1]
    assert [row[:2] for row in prices_shown] == [
        ["claude-opus-4-5", "3"], ["claude-sonnet-4-5", "3"], ["gpt-5.1", "1"],
    ]  # fmt: skip
    assert prices_shown[0][5:8] == ["15", "your table", "2026-01-01"]
    assert "another price above 200,000 tokens" in prices_shown[0][8]
    assert "* by the provider's caching rules" in prices_shown[0][8]
    assert "Not priced" in page.run("document.getElementById('prices').innerText")


@needs_browser
def test_hostile_names_are_text(opened):
    dice = random.Random(5)
    lines = [
        stats_lines.line(dice, stats_lines.LAST, verb=name, project=name, model=name, tools={name: {"before": 9}},
                         kinds={name: {"before": 9, "after": 3}})
        for name in stats_lines.HOSTILE
    ]  # fmt: skip
    report = sums.report(lines, prices.Prices([{"model": "*", "plain": 1, "output": 2}], package=False))
    page = opened(report, width=360)
    assert page.run("document.querySelectorAll('script, img, iframe, object, form, [onerror], [style]').length") == 0
    assert page.run("[document.querySelectorAll('style').length, document.querySelectorAll('main').length]") == [1, 1]
    names = [row[0] for row in table(page, "project")[1]]
    assert len(names) == len(stats_lines.HOSTILE)
    assert {"<script>alert(1)</script>", "&lt;b&gt;", "[main]", "\\u202egnp.exe\\u202c", "x" * 79 + "…"} <= set(names)
    assert all(name.isprintable() and len(name) <= 80 for name in names)
    assert page.run("document.documentElement.scrollWidth") == 360
    assert page.run("document.title") == "headroom stats, 2026-11-20"


@needs_browser
def test_its_policy_lets_nothing_in(opened):
    page = opened(PLAIN)
    refused = []
    for name, what in (
        ("img", "src = 'https://example.org/a.png'"), ("script", "textContent = 'document.title = 1'"),
        ("script", "src = 'https://example.org/a.js'"), ("iframe", "src = 'https://example.org/'"),
        ("style", "textContent = '* { color: red }'"), ("p", "setAttribute('style', 'color: red')"),
    ):  # fmt: skip
        refused.append(page.run(
            "new Promise((done) => {"
            " addEventListener('securitypolicyviolation', (e) => done(e.effectiveDirective), {once: true});"
            f" const made = document.createElement('{name}'); made.{what}; document.body.append(made); }})"
        ))  # fmt: skip
    assert refused == ["img-src", "script-src-elem", "script-src-elem", "frame-src", "style-src-elem", "style-src-attr"]
    assert page.run("document.title") == "headroom stats, 2026-10-12 to 2026-11-20"
    assert {said.get("source") for said in page.problems} == {"security"}  # what was tried here, and nothing else
    page.problems.clear()
    page.requests[:] = [asked for asked in page.requests if "example.org" not in asked]


@needs_browser
def test_no_width_needs_to_be_scrolled_sideways(opened):
    page = opened(DOLLARS)
    for width in (320, 360, 768, 1920):
        page.size(width, 700)
        assert page.run("document.documentElement.scrollWidth") <= width
        assert page.run(
            "[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1"
            " && !e.closest('.scroll, .skip')).map((e) => e.outerHTML.slice(0, 80))"
        ) == []  # fmt: skip


@needs_browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_can_be_read_in_light_and_dark(opened, dark):
    page = opened(sums.report([*stats_lines.month(), stats_lines.worse()]), dark=dark)
    ground = page.run("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground))) < 200) == dark
    found = page.run(browser.CONTRASTS)
    assert len(found) > 300
    assert [pair for pair in found if pair[0] < 4.5] == []


@needs_browser
def test_who_does_not_see_or_point_gets_all_of_it(opened):
    page = opened(DOLLARS, width=700)
    nodes = [node for node in page.call("Accessibility.getFullAXTree")["nodes"] if not node["ignored"]]
    roles = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes]
    for role, many in (
        ("table", 7),
        ("region", 7),
        ("image", 4),
        ("link", 8),
        ("columnheader", 60),
        ("rowheader", 100),
    ):
        names = [name for other, name in roles if other == role]
        assert len(names) >= many, role
        assert all(names) or role == "columnheader", role
    assert {"banner", "main", "contentinfo", "navigation"} <= {role for role, _ in roles}
    heads = page.run("[...document.querySelectorAll('h1, h2, h3')].map((e) => e.tagName)")
    assert heads[0] == "H1"
    assert heads.count("H1") == 1
    assert page.run("[...document.querySelectorAll('th')].every((e) => e.scope)")
    assert page.run("[...document.querySelectorAll('nav a')].every((e) => document.querySelector(e.hash))")
    assert page.run("document.documentElement.lang") == "en"
    ids = page.run("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))
    # By keyboard: the skip link, then every link and every table that scrolls, each with a mark that can be seen.
    seen = []
    for _ in range(page.run("document.querySelectorAll('a, [tabindex=\"0\"]').length")):
        page.press("Tab", 9)
        seen.append(page.run(
            "(() => { const e = document.activeElement, s = getComputedStyle(e);"
            " return [e.textContent.slice(0, 20), s.outlineStyle, parseFloat(s.outlineWidth)]; })()"
        ))  # fmt: skip
    assert seen[0][0] == "Skip to the numbers"
    assert all(style == "solid" and width >= 2 for _, style, width in seen)
    page.run("document.querySelector('#table-day').parentElement.focus()")
    page.press("ArrowRight", 39)
    page.until("document.querySelector('#table-day').parentElement.scrollLeft > 0")


@needs_browser
def test_it_prints_in_light_with_all_tables(opened):
    page = opened(DOLLARS, dark=True)
    page.call("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.run("getComputedStyle(document.body).color") == "rgb(27, 35, 32)"
    assert page.run("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert page.run("[...document.querySelectorAll('table')].every((e) => e.checkVisibility())")
    page.size(718, 1000)  # A4 within its margins, in pixels
    assert page.run("document.documentElement.scrollWidth") <= 718


@needs_browser
def test_a_loss_and_a_run_of_nothing_have_a_page_too(opened):
    page = opened(sums.report([stats_lines.worse()]))
    assert page.run("document.getElementById('saved').textContent") == "-300"
    assert page.run("document.getElementById('money-net').textContent") == "-600"
    assert page.run("document.getElementById('saved').classList.contains('bad')")
    assert page.run("document.querySelectorAll('svg.columns .worse').length") == 2
    assert "More was added than saved" in page.run("document.body.innerText")
    page = opened(sums.report([{"verb": "crush"}]))
    assert page.run("document.getElementById('saved').textContent") == "0"
    assert "No request with a price yet" in page.run("document.body.innerText")
    assert "None yet." in page.run("document.getElementById('kind').innerText")


def test_more_rows_than_fit_are_summed_up():
    dice = random.Random(6)
    lines = [stats_lines.line(dice, stats_lines.LAST, project=f"p{number}", model="") for number in range(200)]
    page = stats_html.page(sums.report(lines), stats_lines.LAST)
    assert "151 more" in page
    assert len(re.findall("<bdi>p[0-9]+</bdi></th>", page)) == 49
    assert page.count(">the same</td>") == 7
    assert len(page) < 200_000


def test_charts_take_numbers_of_any_size():
    every = (0, 1, -1, 10**15, -(10**15), 10**40)
    for series in ((0,), (5,), (-5,), every):
        drawn = stats_svg.columns([("a", series)], [str(value) for value in series], 'a "label" <here>')
        assert "&quot;label&quot; &lt;here&gt;" in drawn
        for x, y, width, height in re.findall(r'x="([^"]+)" y="([^"]+)" width="([^"]+)" height="([^"]+)"', drawn):
            assert 0 <= float(x) <= float(x) + float(width) <= stats_svg.WIDTH + 0.01
            assert 0 <= float(y) <= float(y) + float(height) <= stats_svg.HEIGHT + 0.01
    assert stats_svg.columns([], [], "nothing").count("<rect") == 1
    for before, after in ((0, 0), (1, 10**40), (10**40, 1), (-5, 3)):
        assert all(
            0 <= float(width) <= 100 for width in re.findall('width="([^"]+)"', stats_svg.pair(before, after, 10**40))
        )


# --- the file


def test_the_file_is_whole_and_for_its_owner_alone(tmp_path, headroom):
    for line in stats_lines.month(days=3):
        ledger.append(str(tmp_path / "s"), line)
    target = tmp_path / "saved.html"
    target.write_text("old")
    target.chmod(0o644)
    (tmp_path / "link").symlink_to("saved.html")
    done = headroom("stats", "--store", "s", "--html", "link", "-v")
    assert (done.returncode, done.stdout) == (0, b"")
    page = target.read_bytes()
    assert done.stderr == f"headroom stats: link written, {len(page):,} bytes\n".encode()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert (tmp_path / "link").is_symlink()
    piped = headroom("stats", "--store", "s", "--html", "-")
    assert piped.stderr == b""
    shape = re.compile(rb"made [\d-]+ [\d:]+ UTC")
    assert shape.sub(b"", piped.stdout) == shape.sub(b"", page)
    assert page.startswith(b"<!doctype html>")
    assert page.endswith(b"</html>\n")
    for more in (["--json"], ["--csv"], ["--follow"], ["--diff", "a"], ["-"]):
        done = headroom("stats", "--store", "s", "--html", "other.html", *more)
        assert done.returncode == 2
    assert sorted(os.listdir(tmp_path)) == ["link", "s", "saved.html"]


def test_what_is_no_plain_file_is_left_alone(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "nowhere").symlink_to("gone")
    (tmp_path / "to-folder").symlink_to("folder")
    (tmp_path / "round").symlink_to("round")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(os.listdir(tmp_path))
    for name in ("folder", "folder/", "nowhere", "to-folder", "round", "pipe", "gone/file", "new/", "a\0b"):
        with pytest.raises(OutputError, match=r"; (name|remove)"):
            stats_file.save(f"{tmp_path}/{name}", b"page")
    with pytest.raises(OutputError):
        stats_file.save("", b"page")
    with pytest.raises(OutputError):
        stats_file.save("/dev/null", b"page")
    assert sorted(os.listdir(tmp_path)) == before


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "saved.html"
    target.write_text("old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stats_file.os, "fsync", full)
    with pytest.raises(OutputError, match="no space left on device; make room"):
        stats_file.save(str(target), b"page")
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["saved.html"]
