"""The dashboard in a real browser: what it says, what it asks for, and that everybody can use it."""

import json
import random
import re
import time

import pytest
from proxy_pages import KEY, App, busy, request, served

from headroom_cli.serve.counts import Done
from headroom_cli.serve.gate import Gate
from headroom_cli.serve.replies import refuse

browser = pytest.importorskip("browser", reason="chromium is not here: no websockets to drive it")
pytestmark = pytest.mark.skipif(not browser.PROGRAM, reason="chromium is not here")

LINES = ["===== test session starts =====", *(f"tests/test_api.py::test_{i} PASSED" for i in range(90)), "1 failed"]
SHORT = [LINES[0], "[... 90 lines: 90 PASSED]", LINES[-1], "<<headroom:abcdefgh2345 90 lines>>"]


def body(lines):
    turns = [
        {"role": "user", "content": "run the tests"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "Bash", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "\n".join(lines)}]},
    ]
    return json.dumps({"model": "claude-opus-5", "max_tokens": 9, "messages": turns}).encode()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with browser.Browser(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture(scope="module")
def site():
    app = App()
    busy(app.counts, bodies=(body(LINES), body(SHORT)))
    with served(app) as url:
        yield app, url


@pytest.fixture
def fresh():
    app = App()
    with served(app) as url:
        yield app, url


FULL = "document.querySelectorAll('#last tbody tr').length > 3"
QUICK = "every = 100; poll(); undefined"
OPEN = "[...document.querySelectorAll('#last button')].find((b) => last.some((d) => d.texts && `${d.number}` === b.textContent)).click()"  # noqa: E501 - one expression


def clean(page, url):
    """Nothing went wrong, and nothing was asked of anybody else."""
    assert page.problems == []
    assert {address.split("?")[0].removeprefix(url).rstrip("0123456789") for address in page.requests} <= {
        "/dashboard", "/stats", "/stats/requests/",
    }  # fmt: skip


def test_it_shows_the_numbers_of_stats(chromium, site):
    app, url = site
    counts = app.counts
    with chromium.page() as page:
        page.open(f"{url}/dashboard")
        page.until(FULL)
        said = page.run("document.body.innerText")
        for number in (
            counts.before - counts.after, counts.before, counts.usage["cache_read"], counts.usage["plain"],
            round(counts.price), round(counts.saving), *(kind.before for kind in counts.kinds.values()),
        ):  # fmt: skip
            assert f"{number:,}" in said
        for words in (*counts.kinds, *counts.models, *counts.why, "Live", "the provider broke off", "ranged read"):
            assert words in said
        assert "Not priced: 33 requests" in said
        assert page.run("document.querySelectorAll('#last tbody tr').length") == 25
        assert page.run("document.getElementById('empty').hidden")
        clean(page, url)


def test_it_says_what_to_type_while_nothing_came(chromium, fresh):
    app, url = fresh
    with chromium.page() as page:
        page.open(f"{url}/dashboard")
        page.until("!document.getElementById('empty').hidden")
        said = page.run("document.body.innerText")
        assert f"ANTHROPIC_BASE_URL={url} claude" in said
        assert f"OPENAI_BASE_URL={url}/v1 codex" in said
        assert page.run("document.getElementById('figures').hidden")
        assert page.run("every") == 2000
        # The first request shows within one poll; the page is not loaded again.
        app.counts.add(request(random.Random(1), time.time()))
        page.until("!document.getElementById('figures').hidden && document.getElementById('empty').hidden")
        page.until(f"document.getElementById('saved').textContent === '{app.counts.before - app.counts.after:,}'")
        assert sum(address.endswith("/dashboard") for address in page.requests) == 1
        clean(page, url)


def test_it_follows_without_losing_the_place_and_asks_for_news_only(chromium, fresh):
    app, url = fresh
    busy(app.counts, 30)
    with chromium.page() as page:
        page.open(f"{url}/dashboard")
        page.until(FULL)
        page.run(QUICK)
        page.run("document.querySelectorAll('#last button')[2].focus()")
        assert page.run("document.activeElement.textContent") == "28"
        app.counts.add(request(random.Random(1), time.time()))
        page.until("document.querySelector('#last button').textContent === '31'")
        assert page.run("document.activeElement.textContent") == "28"
        assert f"{url}/stats?since=30" in page.requests
        # A proxy that was started anew begins at zero, and so does the page.
        app.counts.__init__()
        busy(app.counts, 5)
        page.until("document.querySelector('#last button').textContent === '5'")
        assert page.run("document.querySelectorAll('#last tbody tr').length") == 5
        clean(page, url)


def test_it_stops_when_told_or_not_looked_at_and_says_when_the_proxy_is_gone(chromium):
    app = App()
    busy(app.counts, 10)
    with chromium.page() as page:
        with served(app) as url:
            page.open(f"{url}/dashboard")
            page.until(FULL)
            page.run(QUICK)
            page.run("poll(); document.getElementById('pause').click()")  # an answer is still under way
            page.until("!busy")
            assert page.run("document.getElementById('state').textContent") == "Paused"
            asked = len(page.requests)
            page.run("new Promise((done) => setTimeout(done, 600))")
            assert len(page.requests) == asked
            page.run("document.getElementById('pause').click()")
            page.until("document.getElementById('state').textContent === 'Live'")
            # A page that is not looked at: what the browser says of it is said here.
            page.run("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
            page.until("!busy")
            asked = len(page.requests)
            page.run("poll(); new Promise((done) => setTimeout(done, 600))")
            assert len(page.requests) == asked
            page.run("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
            page.until("document.getElementById('state').textContent === 'Live'")
            assert page.problems == []
        page.until("document.getElementById('state').textContent.startsWith('Not reachable')")


def test_texts_are_shown_side_by_side_with_the_key(chromium, site):
    _, url = site
    with chromium.page() as page:
        page.open(f"{url}/dashboard#key={KEY}")
        page.until(FULL)
        assert page.run("location.href") == f"{url}/dashboard"
        page.run(OPEN)
        page.until("document.querySelector('.diff')")
        rows = page.run(
            "[...document.querySelectorAll('.diff tbody tr')].map((r) => [...r.cells].map((c) => c.innerText))"
        )
        assert len(rows) == 2 + 30 + 1 + 10 + 2
        assert rows[32] == ["49 lines gone"]
        assert rows[0] == [LINES[0], LINES[0]]
        assert rows[1][0].endswith(LINES[1])
        assert rows[1][1].endswith(SHORT[1])
        assert rows[-1][1].endswith(SHORT[-1])
        assert "18" in page.run("document.getElementById('sum').textContent")
        left, right = page.run(
            "[...document.querySelectorAll('.diff tbody tr td')].slice(2, 4).map((c) => c.getBoundingClientRect().x)"
        )
        assert left < right
        page.press("Escape", 27)
        page.until("!document.getElementById('texts').open")
        # The key holds for the tab, without its being in the address.
        page.call("Page.reload")
        page.until(FULL)
        page.run(OPEN)
        page.until("document.querySelector('.diff')")
        clean(page, url)


def test_without_the_key_the_page_says_how_to_get_it(chromium, site):
    _, url = site
    with chromium.page(width=320, height=640) as page:
        page.open(f"{url}/dashboard")
        page.until(FULL)
        page.run(OPEN)
        page.until("document.querySelector('#pairs form')")
        assert "headroom proxy prints the address" in page.run("document.getElementById('pairs').innerText")
        assert not [address for address in page.requests if "/stats/requests/" in address]
        page.run("document.getElementById('key').focus()")
        page.write("wrong")
        page.press("Enter", 13, "\r")
        page.until("document.getElementById('pairs').innerText.includes('not the right one')")
        assert page.run("document.activeElement.id") == "key"
        page.write(KEY)
        page.press("Enter", 13, "\r")
        page.until("document.querySelector('.diff')")
        assert page.run("document.documentElement.scrollWidth") == 320
        assert page.run(
            "document.getElementById('inside').scrollWidth <= document.getElementById('inside').clientWidth"
        )
        page.problems = [problem for problem in page.problems if "401" not in str(problem)]  # the browser's own note
        clean(page, url)


def test_a_proxy_with_a_token_shows_nothing_without_it(chromium):
    app = App(token="open-sesame-1234")
    busy(app.counts, 10)
    gate = Gate(app.serving)

    async def gated(scope, receive, send):
        if (refused := gate.check(scope)) is not None:
            await refuse(send, refused)
        else:
            await app(scope, receive, send)

    with served(gated) as url, chromium.page() as page:
        page.open(f"{url}/dashboard")
        page.until("document.getElementById('state').textContent.includes('#token=TOKEN')")
        assert page.run("document.getElementById('figures').hidden")
        page.run("location.hash = 'token=open-sesame-1234'")
        page.run(QUICK)
        page.until(FULL)
        assert page.run("location.href") == f"{url}/dashboard"


def test_nothing_that_comes_in_is_read_as_markup(chromium, fresh):
    app, url = fresh
    bad = "<img src=x onerror=alert(1)>\"'&<script>alert(2)</script>"
    done = Done(f"/v1/{bad}", "anthropic")
    done.model = done.provider = done.why = done.error = bad
    done.status, done.before, done.after = 200, 50, 10
    done.kinds = {bad: {"blocks": 1, "before": 50, "after": 10, "kept": {bad: 1}}}
    done.slow = [{"path": bad, "kind": bad, "before": 50, "after": 50, "kept": bad, "ms": 3.0}]
    done.bodies = body([bad, "<<<"]), body(["[... 1 line]", "<<<"])
    app.counts.add(done)
    with chromium.page() as page:
        page.open(f"{url}/dashboard#key={KEY}")
        page.until("document.querySelector('#last button')")
        page.run("document.querySelector('#last button').click()")
        page.until("document.querySelector('.diff')")
        assert page.run("document.querySelectorAll('img, script').length") == 1
        assert bad in page.run("document.querySelector('.diff').textContent")
        clean(page, url)


def test_dollars_appear_with_prices_and_stay(chromium, site):
    app, url = site
    with chromium.page() as page:
        page.open(f"{url}/dashboard")
        page.until(FULL)
        assert "$" not in page.run("document.getElementById('spent').textContent")
        for _ in range(sum(model.rules != "" for model in app.counts.models.values())):
            page.run("[...document.querySelectorAll('#models input:not([hidden])')].find((f) => !f.value).focus()")
            page.write("3")
        wanted = 3 * sum(round(model.price, 1) for model in app.counts.models.values()) / 1e6
        page.until(f"document.getElementById('spent').textContent === '${wanted:.2f}'")
        page.call("Page.reload")
        page.until(f"document.getElementById('spent').textContent === '${wanted:.2f}'")
        clean(page, url)


@pytest.mark.parametrize("width", [320, 375, 768, 1920])
def test_no_width_needs_to_be_scrolled_sideways(chromium, site, fresh, width):
    for url, full in ((site[1], FULL), (fresh[1], "!document.getElementById('empty').hidden")):
        with chromium.page(width=width, height=700) as page:
            page.open(f"{url}/dashboard")
            page.until(full)
            assert page.run("document.documentElement.scrollWidth") <= width
            outside = page.run(
                "[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth"
                " + 1 && !e.closest('.scroll, .aside, .skip')).map((e) => e.outerHTML.slice(0, 80))"
            )
            assert outside == []
            assert page.run(
                "[...document.querySelectorAll('.scroll')].every((e) => e.scrollWidth <= e.clientWidth + 1)"
            )


def test_a_table_that_is_too_wide_scrolls_by_keyboard_and_has_a_name(chromium, fresh):
    app, url = fresh
    busy(app.counts, 20)
    for kind in app.counts.kinds.values():
        kind.before *= 10**9
    with chromium.page(width=320, height=700) as page:
        page.open(f"{url}/dashboard")
        page.until(FULL)
        assert page.run("document.documentElement.scrollWidth") == 320
        box = page.run("(() => { const e = document.querySelector('#kinds').parentElement; e.focus();"
                       " return [e.getAttribute('role'), e.ariaLabel, document.activeElement === e]; })()")  # fmt: skip
        assert box == ["region", "Tokens by kind", True]
        page.press("ArrowRight", 39)
        page.until("document.querySelector('#kinds').parentElement.scrollLeft > 0")
        page.size(1280, 700)
        page.until("!document.querySelector('#kinds').parentElement.hasAttribute('role')")
        clean(page, url)


# --- for everybody


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_can_be_read_in_light_and_dark(chromium, site, dark):
    _, url = site
    with chromium.page(dark=dark) as page:
        page.open(f"{url}/dashboard#key={KEY}")
        page.until(FULL)
        ground = page.run("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", ground))) < 200) == dark
        page.run(OPEN)
        page.until("document.querySelector('.diff')")
        found = page.run(browser.CONTRASTS)
        assert len(found) > 300
        assert [pair for pair in found if pair[0] < 4.5] == []
        for name, least in (("--focus", 3), ("--field", 3), ("--accent", 3)):
            ratio = page.run(browser.CONTRASTS.replace(
                "const found = [];",
                f"const s = document.createElement('i'); s.style.color = 'var({name})'; document.body.append(s);"
                "const c = light(parse(getComputedStyle(s).color)), d = light(ground(document.querySelector('.card')));"
                "s.remove(); return (Math.max(c, d) + 0.05) / (Math.min(c, d) + 0.05);",
            ))  # fmt: skip
            assert ratio >= least, (name, ratio)


def test_everything_can_be_reached_and_used_by_keyboard(chromium, site):
    _, url = site
    with chromium.page() as page:
        page.open(f"{url}/dashboard#key={KEY}")
        page.until(FULL)
        wanted = page.run(
            "[...document.querySelectorAll('a[href], button, input')].filter((e) => e.checkVisibility()).length"
        )
        seen = []
        for _ in range(wanted):
            page.press("Tab", 9)
            seen.append(page.run(
                "(() => { const e = document.activeElement, s = getComputedStyle(e); e.dataset.seen = 1;"
                " return [e.innerText || e.ariaLabel, s.outlineStyle, parseFloat(s.outlineWidth)]; })()"
            ))  # fmt: skip
        assert page.run("document.querySelectorAll('[data-seen]').length") == wanted
        assert all(style == "solid" and width >= 2 for _, style, width in seen)
        assert all(name for name, _, _ in seen)
        assert seen[0][0] == "Skip to the numbers"
        page.run("document.querySelector('#last button').focus()")
        number = page.run("document.activeElement.textContent")
        page.press("Enter", 13, "\r")
        page.until("document.getElementById('texts').open")
        assert page.run("document.getElementById('texts').contains(document.activeElement)")
        page.press("Escape", 27)
        page.until("!document.getElementById('texts').open")
        assert page.run("document.activeElement.textContent") == number


def test_what_cannot_be_seen_can_be_heard(chromium, site):
    _, url = site
    with chromium.page() as page:
        page.open(f"{url}/dashboard")
        page.until(FULL)
        nodes = page.call("Accessibility.getFullAXTree")["nodes"]
        roles = [
            (node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]
        ]
        names = {
            role: [name for other, name in roles if other == role] for role in ("table", "button", "image", "textbox")
        }
        assert len(names["table"]) == 6
        assert all(name for several in names.values() for name in several)
        assert {"banner", "main", "contentinfo"} <= {role for role, _ in roles}
        live = page.run("[...document.querySelectorAll('[aria-live], [role=status], [role=alert]')].map((e) => e.id)")
        assert live == ["state"]  # that alone: numbers that change every two seconds would never be silent
        heads = page.run(
            "[...document.querySelectorAll('h1, h2, h3')].filter((e) => e.checkVisibility()).map((e) => e.tagName)"
        )
        assert heads[0] == "H1"
        assert heads.count("H1") == 1
        assert page.run("[...document.querySelectorAll('th')].every((e) => e.scope)")
        assert page.run("document.documentElement.lang") == "en"


def test_nothing_moves_for_who_asked_for_that(chromium, site):
    _, url = site
    for calm in (True, False):
        with chromium.page(calm=calm) as page:
            page.open(f"{url}/dashboard")
            page.until(FULL)
            page.until("document.getElementById('state').className === 'live'")
            moving = page.run("getComputedStyle(document.getElementById('state'), '::before').animationName !== 'none'")
            assert moving == (not calm)
            assert page.run("getComputedStyle(document.querySelector('.bar span')).transitionDuration === '0s'") == calm
