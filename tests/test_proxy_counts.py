"""What the proxy counts, what it is worth, and the pages that say so: sums are right, bounded, and open nothing."""

import json
import random
import re
import time
import urllib.error
import urllib.request

import pytest
from proxy_pages import KEY, App, busy, request, served

from headroom_cli import pricing
from headroom_cli.money import usage as prices
from headroom_cli.serve import figures, metrics, pages, work_pages
from headroom_cli.serve.counts import BODIES, LAST, MODELS, OTHER, Counts, Done, Histogram
from headroom_cli.serve.engines import EngineError

OPUS = pricing.PROVIDERS["anthropic 5m"]


def done(model="claude-opus-5", shape="anthropic", route="/v1/messages", **facts):
    made = Done(route, shape)
    made.model, made.status, made.provider = model, 200, "anthropic"
    for name, value in facts.items():
        setattr(made, name, value)
    return made


def counted(*several):
    counts = Counts()
    for one in several:
        counts.add(one)
    return counts


# --- usage and prices


USAGES = [
    ("anthropic", {"input_tokens": 7, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 10,
                   "output_tokens": 5}, (7, 90, 10, 0, 5)),
    ("anthropic", {"input_tokens": 7, "cache_creation_input_tokens": 10, "output_tokens": 5,
                   "cache_creation.ephemeral_1h_input_tokens": 4}, (7, 0, 6, 4, 5)),
    ("anthropic", {"input_tokens": 12, "output_tokens": 5}, (12, 0, 0, 0, 5)),
    ("openai", {"prompt_tokens": 100, "prompt_tokens_details.cached_tokens": 60, "completion_tokens": 9},
     (40, 60, 0, 0, 9)),
    ("openai", {"prompt_tokens": 100, "prompt_tokens_details.cached_tokens": 60,
                "prompt_tokens_details.cache_write_tokens": 30, "completion_tokens": 9}, (10, 60, 30, 0, 9)),
    ("responses", {"input_tokens": 100, "input_tokens_details.cached_tokens": 64, "output_tokens": 3},
     (36, 64, 0, 0, 3)),
    ("responses", {"input_tokens": 100, "output_tokens": 3}, (100, 0, 0, 0, 3)),
    # A gateway that answers in Chat and tells both: the whole is still the whole.
    ("openai", {"prompt_tokens": 100, "cache_read_input_tokens": 60, "completion_tokens": 1}, (40, 60, 0, 0, 1)),
    # A client of one API whose request another answered: the names tell, not the client's shape.
    ("openai", {"input_tokens": 7, "cache_read_input_tokens": 90, "output_tokens": 5}, (7, 90, 0, 0, 5)),
    ("openai", {"prompt_tokens": 10, "prompt_tokens_details.cached_tokens": 60}, (0, 60, 0, 0, 0)),
    ("anthropic", {"output_tokens": 5}, None),
    ("openai", {}, None),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "usage", "wanted"), USAGES)
def test_usage_means_the_same_whoever_says_it(shape, usage, wanted):
    assert prices.parts(usage, shape) == ({} if wanted is None else dict(zip(prices.PARTS, wanted, strict=True)))


def test_a_price_is_that_of_the_rules():
    part = dict(zip(prices.PARTS, (100, 1000, 40, 10, 77), strict=True))
    assert prices.price(part, OPUS) == pytest.approx(100 + 0.1 * 1000 + 1.25 * 40 + 2.0 * 10)
    assert prices.rules("gpt-4o-mini").read == 0.5
    assert prices.rules("some-other-model") is None


def test_what_the_cache_would_have_served_is_worth_the_caches_price():
    first = {"input_tokens": 5, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 1000, "output_tokens": 1}
    later = {"input_tokens": 5, "cache_read_input_tokens": 900, "cache_creation_input_tokens": 100, "output_tokens": 1}
    counts = counted(
        done(before=2000, after=1000, usage=first, conversation="a"),
        done(before=2600, after=1100, usage=later, conversation="a"),
    )
    # First all 1,000 are written. Then those same 1,000 are read, and 500 more are written.
    assert counts.saving == pytest.approx(1000 * 1.25 + 1000 * 0.1 + 500 * 1.25)
    cold = counted(
        done(before=2000, after=1000, usage=first, conversation="a"),
        done(before=2000, after=1000, usage=first, conversation="a"),
    )
    assert cold.saving == pytest.approx(2 * 1000 * 1.25)  # nothing was read: the cache had expired
    unknown = counted(*(done(before=2000, after=1000, conversation="a") for _ in range(2)))
    assert unknown.saving == pytest.approx(1000 + 1000 * 0.1)
    nameless = counted(done(before=2000, after=1000, usage=later))
    assert nameless.saving == pytest.approx(1000 * 0.1)


def test_what_a_saving_is_worth_is_never_more_than_the_dearest_price():
    chance = random.Random(3)
    for _ in range(500):
        saved, old = chance.randrange(5000), chance.randrange(5000)
        part = chance.choice(({}, {name: chance.choice((0, 10, 1000)) for name in prices.PARTS}))
        worth = prices.saving(saved, old, part, OPUS)
        assert 0.1 * saved - 1e-6 <= worth <= 2.0 * saved + 1e-6


def test_estimates_and_usage_are_kept_apart():
    usage = {"input_tokens": 5, "cache_read_input_tokens": 900, "cache_creation_input_tokens": 95, "output_tokens": 50}
    counts = counted(
        done(before=3000, after=1000, usage=usage), done("mystery-1", before=100, after=70, usage={"input_tokens": 80})
    )
    value = figures.stats(counts)
    assert value["tokens"] == {
        "estimated": True, "before": 3100, "after": 1070, "saved": 2030, "marked_blocks": 0, "originals_served": 0,
    }  # fmt: skip
    assert value["usage"] == {
        "requests": 2, "plain": 85, "cache_read": 900, "cache_write": 95, "cache_write_1h": 0, "output": 50,
        "input": 1080, "hit_share": round(900 / 1080, 4),
    }  # fmt: skip
    assert value["money"]["measured"] == pytest.approx(5 + 90 + 1.25 * 95, abs=0.1)
    assert value["money"]["not_priced"] == {"requests": 1, "input": 80, "saved": 30}
    assert value["models"]["mystery-1"]["measured"] is None


def test_what_was_refused_or_costs_nothing_saves_nothing():
    counts = counted(
        done(before=100, after=10, status=429), done(before=100, after=10, status=0, error="the client went away"),
        done(before=100, after=10, route="/v1/messages/count_tokens"), done(before=100, after=10),
    )  # fmt: skip
    assert (counts.requests, counts.before, counts.after, counts.shortened) == (4, 100, 10, 1)
    assert counts.statuses == {"4xx": 1, OTHER: 1, "2xx": 2}
    assert counts.errors == {"the client went away": 1}


# --- bounds


def test_sums_of_many_equal_the_sums_of_the_single_ones():
    counts = Counts()
    chance = random.Random(8)
    several = [request(chance, 1.7e9 + i) for i in range(300)]
    for one in several:
        counts.add(one)
    answered = [one for one in several if one.status < 400]
    assert counts.before == sum(one.before for one in answered)
    assert counts.after == sum(one.after for one in answered)
    assert counts.usage == {
        name: sum(prices.parts(one.usage, one.shape).get(name, 0) for one in answered) for name in prices.PARTS
    }
    assert sum(model.requests for model in counts.models.values()) == len(answered)
    assert sum(model.price for model in counts.models.values()) == pytest.approx(counts.price)
    assert sum(model.saving for model in counts.models.values()) == pytest.approx(counts.saving)
    assert [one.order for one in counts.last] == list(range(201, 301))
    assert sum(minute[1] for minute in counts.minutes) == counts.before


def test_names_from_outside_cannot_grow_the_sums():
    counts = Counts()
    for i in range(2000):
        kinds = {f"k{i}": {"blocks": 1, "before": 5, "after": 1, "kept": {f"r{i}": 1}}, "json": {
            "blocks": 1, "before": 5, "after": 5, "kept": {f"r{i}": 1}}}  # fmt: skip
        counts.add(done(
            f"m{i}", route=f"/r{i}", provider=f"p{i}", why=f"w{i}", error=f"e{i}", kinds=kinds, before=9, after=3,
            conversation=f"c{i}", status=100 + i % 250,
        ))  # fmt: skip
    assert len(counts.models) == MODELS + 1
    assert all(len(sums) <= 65 for sums in (counts.why, counts.errors, counts.routes, counts.providers, counts.kinds))
    assert len(counts.kinds["json"].kept) <= 65
    assert len(counts._saved) == 1024
    assert len(counts.last) == LAST
    assert sum(counts.why.values()) == 2000
    assert len(metrics.text(counts)) < 200_000
    assert len(json.dumps(figures.stats(counts))) < 300_000


def test_bodies_stay_within_their_space_and_the_newest_win():
    counts = Counts()
    for i in range(40):
        counts.add(done(number=i + 1, bodies=(bytes(1 << 19), bytes(1 << 18))))
        assert counts._held == sum(len(a) + len(b) for a, b, _ in counts._bodies.values()) <= BODIES
    assert counts.bodies(40) is not None
    assert counts.bodies(1) is None
    counts.add(done(number=41, bodies=(bytes(BODIES), b"x")))
    assert counts.bodies(41) is None
    assert counts.bodies(40) is not None
    assert all(one.bodies is None for one in counts.last)
    for i in range(300):
        counts.add(done(number=100 + i, bodies=(b"a", b"b")))
    assert len(counts._bodies) <= LAST


def test_adding_costs_the_same_however_many_there_were():
    counts = Counts()
    several = [request(random.Random(i), 1.7e9 + i) for i in range(4000)]

    def seconds(part):
        began = time.process_time()
        for one in part:
            counts.add(one)
        return time.process_time() - began

    early, late = seconds(several[:1000]), min(seconds(several[i : i + 1000]) for i in (1000, 2000, 3000))
    assert late < 3 * early + 0.05


def test_numbers_count_up_and_a_given_one_stands():
    counts = Counts()
    assert [counts.ticket(), counts.ticket()] == [1, 2]
    counts.add(done(number=2))
    counts.add(done())
    assert [(one.number, one.order) for one in counts.last] == [(2, 1), (3, 2)]


def test_a_histogram_says_within_what_times_stayed():
    histogram = Histogram((1, 10, 100))
    assert histogram.within(0.5) is None
    for ms in (0.5, 1, 5, 50):
        histogram.add(ms)
    assert histogram.buckets == [2, 1, 1, 0]
    assert (histogram.count, histogram.sum, histogram.within(0.5), histogram.within(0.99)) == (4, 56.5, 1, 100)
    histogram.add(1e9)
    assert histogram.within(1.0) is None


# --- the metrics as Prometheus reads them

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')


def parsed(text):
    """Read the text format 0.0.4 strictly. Return {name: type} and {(name, labels): value}."""
    assert text.endswith("\n")
    types, helped, values = {}, set(), {}
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
            assert name not in helped
            helped.add(name)
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert kind in {"counter", "gauge", "histogram"}
            assert name in helped
            types[name] = kind
            continue
        found = re.fullmatch(rf"({_NAME})(?:\{{(.*)\}})? (\S+)", line)
        assert found, line
        labels, at = [], 0
        while found[2] and at < len(found[2]):
            label = _LABEL.match(found[2], at)
            assert label, line
            labels.append((label[1], re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), label[2])))
            at = label.end()
        family = re.sub(r"_(bucket|sum|count)$", "", found[1])
        assert (family if family in types else found[1]) in types, line
        if types.get(found[1]) == "counter":
            assert found[1].endswith("_total")
        key = (found[1], tuple(labels))
        assert key not in values, f"twice: {line}"
        values[key] = float(found[3])
    return types, values


def test_metrics_are_what_prometheus_reads():
    counts = Counts()
    busy(counts)
    counts.add(done('odd"\\name', why='a "quote"\\ and\nline', before=5, after=5, engine_ms=9999, first_ms=1e9))
    types, values = parsed(metrics.text(counts, {"done": 3, "failed": {"took too long": 2}, "restarts": 1}))
    assert values["headroom_requests_total", (("status", "2xx"),)] == counts.statuses["2xx"]
    assert values["headroom_estimated_tokens_total", (("stage", "before"),)] == counts.before
    assert values["headroom_not_shortened_total", (("reason", 'a "quote"\\ and\\nline'),)] == 1
    assert values["headroom_model_usage_tokens_total", (("model", 'odd"\\name'), ("part", "plain"))] == 0
    assert values["headroom_engine_failed_total", (("reason", "took too long"),)] == 2
    assert types["headroom_saved_price"] == "gauge"  # it falls where more is added than saved
    for name in ("engine", "first_byte", "request"):
        family = f"headroom_{name}_seconds"
        assert types[family] == "histogram"
        buckets = [value for (key, _), value in values.items() if key == f"{family}_bucket"]
        assert buckets == sorted(buckets)
        assert buckets[-1] == values[f"{family}_count", ()]
    assert parsed(metrics.text(Counts()))[1]["headroom_hops_total", ()] == 0


def test_nothing_from_outside_reaches_a_page_raw():
    bad = "a\x1b[31m\u202e\r\nb\x9b" + "x" * 500
    counts = counted(done(
        bad, route=bad, provider=bad, why=bad, error=bad, before=9, after=3, kinds={
            bad: {"blocks": 1, "before": 9, "after": 3, "kept": {bad: 1}}},
        slow=[{"path": bad, "kind": bad, "before": 9, "after": 9, "kept": bad, "ms": 1.0}],
    ))  # fmt: skip
    assert all(line.isprintable() for line in metrics.text(counts).split("\n"))
    said = json.dumps(figures.stats(counts)["last"][0]["model"]) + json.dumps(figures.stats(counts)["skipped"])
    assert "\\u001b" not in said
    assert "x" * 200 not in said


# --- which blocks changed


RAN = {"command": "cat worker.log"}


def conversation(*results, extra=()):
    turns = [{"role": "user", "content": "what does the log say"}, *extra]
    for i, text in enumerate(results):
        turns += [
            {"role": "assistant", "content": [{"type": "tool_use", "id": f"t{i}", "name": "Bash", "input": RAN}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"t{i}", "content": text}]},
        ]
    return json.dumps({"model": "claude-opus-5", "max_tokens": 9, "messages": turns}).encode()


def test_pairs_are_the_blocks_that_changed_line_by_line():
    lines = [f"line {i}" for i in range(30)]
    after = [*lines[:10], "[... 10 lines]", *lines[20:]]
    (pair,) = work_pages.pairs(
        None, conversation("same", "\n".join(lines)), conversation("same", "\n".join(after)), "anthropic"
    )
    assert (pair["path"], pair["tool"], pair["of"], pair["cut"]) == ("messages.4.content.0.content", "Bash", 1, False)
    rows = pair["rows"]
    assert rows[0] == [".", 7, "equal"]
    assert rows[1] == ["=", "line 7", "line 7"]
    assert rows[4] == ["~", "line 10", "[... 10 lines]"]
    assert rows[5:14] == [["-", f"line {i}", None] for i in range(11, 20)]
    assert rows[-1] == [".", 7, "equal"]
    shown = sum(row[1] if row[0] == "." else row[1] is not None for row in rows)
    assert shown == len(lines)


def test_pairs_find_each_other_when_something_was_put_in():
    old = conversation("one\ntwo", "same", "three")
    new = conversation("one", "same", "3", extra=[{"role": "user", "content": "moved here"}])
    found = work_pages.pairs(None, old, new, "anthropic")
    assert [(pair["before"], pair["after"]) for pair in found] == [(0, 10), (7, 3), (5, 1)]
    assert {pair["of"] for pair in found} == {len(found)}
    assert work_pages.pairs(None, old, old, "anthropic") == []


def test_pairs_of_anything_are_bounded():
    many = conversation(*(f"text {i}" for i in range(50)))
    fewer = conversation(*(f"t {i}" for i in range(50)))
    found = work_pages.pairs(None, many, fewer, "anthropic")
    assert len(found) == work_pages.BLOCKS
    assert found[0]["of"] == 50
    long = "x" * 100_000
    (pair,) = work_pages.pairs(None, conversation(long + "end"), conversation(long + "other"), "anthropic")
    assert pair["rows"] == [["~", "\u2026" + "x" * 200 + "end", "\u2026" + "x" * 200 + "other"]]
    (pair,) = work_pages.pairs(None, conversation(long), conversation("short"), "anthropic")
    assert pair["rows"] == [["~", "x" * 8000 + "\u2026", "short"]]
    log = [f"line {i} of a log that is not short at all" for i in range(5000)]
    (pair,) = work_pages.pairs(
        None, conversation("\n".join(log)), conversation("\n".join(["[... 4990 lines]", *log[4990:]])), "anthropic"
    )
    assert [row[0] for row in pair["rows"]] == ["~", *"-" * 30, ".", *"-" * 10, *"===", "."]
    assert pair["rows"][31] == [".", 4949, "gone"]
    assert pair["cut"]
    wide = "\n".join(f"{i} " + "y" * 3000 for i in range(20))
    (pair,) = work_pages.pairs(None, conversation(wide), conversation("few"), "anthropic")
    assert pair["rows"][-1] == [".", 14, "more"]
    assert sum(len(row[1]) for row in pair["rows"][:-1]) <= work_pages.CHARACTERS
    short = "a\n" * 10_000  # as many lines as fit
    (pair,) = work_pages.pairs(None, conversation(short), conversation("b\n" * 10_000), "anthropic")
    assert len(json.dumps(pair)) < 1_000_000
    for odd in (b"", b"\xff\xfe", b"[" * 5000, b"{}", b"plain words", b"\0"):
        assert isinstance(work_pages.pairs(None, odd, many, "openai"), list)
        assert isinstance(work_pages.pairs(None, odd, odd + b" ", "bedrock"), list)


# --- over HTTP


@pytest.fixture(scope="module")
def site():
    app = App()
    busy(app.counts)
    app.counts.add(done(before=9, after=3, bodies=(conversation("secret words " * 9), conversation("few"))))
    with served(app) as url:
        yield app, url


def fetch(url, method="GET", **headers):
    asked = urllib.request.Request(
        url, method=method, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def test_live_and_ready_say_how_it_is(site):
    app, url = site

    def said(page):
        status, _, body = fetch(url + page)
        return status, json.loads(body)

    assert fetch(f"{url}/livez")[::2] == (200, b"ok\n")
    assert said("/readyz") == (200, {"v": 1, "ready": True, "degraded": False, "reasons": []})
    try:
        # A store that is gone is gone for the others as well: none of them must be taken out of service for it.
        app.store = "no space left"
        degraded = {"v": 1, "ready": True, "degraded": True, "reasons": ["no space left"]}
        assert said("/readyz") == said("/health") == (200, degraded)
        app.engines.ready = False
        unready = {"v": 1, "ready": False, "degraded": True, "reasons": ["no worker process is up", "no space left"]}
        assert said("/readyz") == said("/health") == (503, unready)
        app.store, app.engines.ready, app.draining = "", True, True
        ending = {"v": 1, "ready": False, "degraded": False, "reasons": ["it is about to end"]}
        assert said("/readyz") == (503, ending)
        assert fetch(f"{url}/livez")[0] == 200
    finally:
        app.store, app.engines.ready, app.draining = "", True, False


def test_who_shows_no_token_learns_whether_to_come_and_not_why():
    app = App(token="open-sesame-1234")
    app.store = "/home/someone is full"
    with served(app) as url:
        assert json.loads(fetch(f"{url}/readyz")[2]) == {"v": 1, "ready": True, "degraded": True}
        told = json.loads(fetch(f"{url}/readyz", x_headroom_token="open-sesame-1234")[2])
        assert told["reasons"] == ["/home/someone is full"]


def test_stats_since_gives_only_what_ended_later(site):
    url = site[1]
    whole = json.loads(fetch(f"{url}/stats")[2])
    assert whole["v"] == 1
    assert [row["order"] for row in whole["last"]] == list(range(42, 142))
    later = json.loads(fetch(f"{url}/stats?since=139")[2])
    assert [row["order"] for row in later["last"]] == [140, 141]
    assert {key for key in whole if whole[key] != later[key]} <= {"now", "last"}
    assert json.loads(fetch(f"{url}/stats?since=99999999")[2])["last"] == []
    for wrong in ("-1", "x", "1.5", "%C2%B2", "9" * 40):
        assert fetch(f"{url}/stats?since={wrong}")[0] == 400


def test_every_key_of_stats_is_documented(site):
    from conftest import ROOT

    words = (ROOT / "docs" / "proxy-stats.md").read_text()
    value = json.loads(fetch(f"{site[1]}/stats")[2])
    names = set(value) | {
        key for part in ("requests", "tokens", "usage", "money") for key in value[part]
    } | set(value["last"][0]) | set(value["slowest"][0]) | set(value["times"]["engine"])  # fmt: skip
    names |= set(next(iter(value["models"].values()))) | set(next(iter(value["kinds"].values())))
    assert [name for name in sorted(names) if f"`{name}`" not in words] == []


def test_metrics_come_with_their_type(site):
    status, headers, body = fetch(f"{site[1]}/metrics")
    assert (status, headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert parsed(body.decode())


def test_texts_are_for_whoever_has_the_key(site):
    app, url = site
    number = app.counts.last[-1].number
    page = f"{url}/stats/requests/{number}"
    answers = {fetch(address, **headers)[::2] for address in (page, f"{url}/stats/requests/99999") for headers in (
        {}, {"x_headroom_key": "wrong"}, {"x_headroom_key": ""}, {"x_headroom_key": KEY + "x"},
        {"x_headroom_key": KEY[:-1]}, {"authorization": KEY},
    )}  # fmt: skip
    assert len(answers) == 1
    assert next(iter(answers))[0] == 401
    status, headers, body = fetch(page, x_headroom_key=KEY)
    value = json.loads(body)
    assert (status, value["number"], value["blocks"][0]["tool"]) == (200, number, "Bash")
    assert value["blocks"][0]["rows"] == [["~", "secret words " * 9, "few"]]
    assert headers["cache-control"] == "no-store"
    for name in ("99999", "0", "-1", "1e3", "%2e%2e", "..%2f1", f"{number}/x", "9" * 30, ""):
        assert fetch(f"{url}/stats/requests/{name}", x_headroom_key=KEY)[0] == 404
    assert b"secret words" not in fetch(f"{url}/stats")[2] + fetch(f"{url}/metrics")[2] + fetch(f"{url}/dashboard")[2]


def test_no_key_at_all_opens_nothing(site):
    app, url = site
    app.serving.key = ""
    try:
        page = f"{url}/stats/requests/{app.counts.last[-1].number}"
        assert fetch(page)[0] == fetch(page, x_headroom_key="")[0] == 401
    finally:
        app.serving.key = KEY


def test_a_worker_that_fails_is_a_sentence(site):
    app, url = site
    app.engines.fails = EngineError("took too long")
    try:
        status, _, body = fetch(f"{url}/stats/requests/{app.counts.last[-1].number}", x_headroom_key=KEY)
    finally:
        app.engines.fails = None
    assert (status, json.loads(body)) == (503, {"detail": "the texts could not be compared: took too long"})


def test_pages_are_read_only_and_never_passed_on(site):
    _, url = site
    for page in (*pages.PATHS, "/stats/requests/1"):
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
            status, headers, _ = fetch(url + page, method)
            assert (status, headers["allow"]) == (405, "GET, HEAD")
        status, headers, body = fetch(url + page, "HEAD")
        assert body == b""
        assert headers["x-content-type-options"] == "nosniff"
        assert not [name for name in headers if name.lower().startswith("access-control")]
    for page in ("/stats/", "/stats/requests", "/stats/other", "/stats/requests/../../etc/passwd"):
        assert fetch(url + page, x_headroom_key=KEY)[0] == 404
        assert fetch(url + page)[2] != b"passed on"
    assert fetch(f"{url}/statsx")[2] == b"passed on"


def test_the_dashboard_allows_a_browser_just_itself(site):
    status, headers, body = fetch(f"{site[1]}/dashboard")
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert status == 200
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    text = body.decode()
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", 'style="', " onclick"):
        assert word not in text
    addresses = set(re.findall(r"https?://[^\s'\"`<>$]+", text))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, not an address


def test_the_wheel_holds_the_dashboard():
    import pathlib
    import tomllib

    from conftest import ROOT

    import headroom_cli

    assert pathlib.Path(headroom_cli.__file__).parent.joinpath("serve", "dashboard.html").is_file()
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert built == {"packages": ["headroom_cli"]}  # everything in there is shipped, pages too


# --- the proxy itself


def test_the_proxy_counts_what_it_did(tmp_path):
    from provider import Provider, Reply, call
    from proxies import Running

    from headroom_cli.identity import Identity

    store = tmp_path / "store"
    log = "".join(f"2026-01-01 00:{i // 60:02d}:{i % 60:02d} INFO worker {i} did batch {i * 3}\n" for i in range(900))
    log += "2026-01-01 01:00:00 ERROR worker 7: disk full\n"
    later = {**json.loads(conversation(log)), "max_tokens": 100, "tools": [{"name": "Bash", "input_schema": {}}]}
    with Provider() as provider, Running(store, provider.url) as proxy:

        def ask(value, **headers):
            asked = urllib.request.Request(
                f"{proxy.url}/v1/messages", json.dumps(value).encode(),
                {"content-type": "application/json", "x-api-key": "k", "anthropic-version": "2023-06-01", **headers},
            )  # fmt: skip
            with urllib.request.urlopen(asked, timeout=30) as answer:
                return dict(answer.headers), json.load(answer)["usage"]

        provider.script(Reply([call("t0", "Bash", RAN)]))
        answers = [
            ask({**later, "messages": later["messages"][:1]}), ask(later), ask(later, **{"x-headroom-bypass": "true"}),
        ]  # fmt: skip
        headers = [headers for headers, _ in answers]
        assert [each["x-headroom-request"] for each in headers] == ["1", "2", "3"]
        before, after = (
            sum(int(each[f"x-headroom-tokens-{name}"]) for each in headers) for name in ("before", "after")
        )
        # A request is counted when it is over, which is just after its answer is.
        end = time.monotonic() + 20
        while (stats := proxy.stats())["requests"]["total"] < 3 and time.monotonic() < end:
            time.sleep(0.02)
        assert stats["requests"]["total"] == 3
        assert stats["requests"]["shortened"] == 1
        assert stats["tokens"]["before"] - stats["tokens"]["after"] == before - after > 1000
        assert stats["usage"]["output"] == sum(usage["output_tokens"] for _, usage in answers)
        assert stats["why_not"][headers[2]["x-headroom-why-not"]] == 1
        assert [(row["number"], row["texts"]) for row in sorted(stats["last"], key=lambda row: row["number"])] == [
            (1, True),  # our tool was put in
            (2, True),
            (3, False),
        ]
        slowest = stats["slowest"][0]
        assert (slowest["number"], slowest["path"], slowest["kind"]) == (2, "messages.2.content.0.content", "log")
        assert 0 < slowest["ms"] <= sum(row["engine_ms"] for row in stats["last"])
        key = Identity(str(store)).derived("dashboard")
        assert fetch(f"{proxy.url}/stats/requests/2")[0] == 401
        status, _, body = fetch(f"{proxy.url}/stats/requests/2", x_headroom_key=key)
        (block,) = json.loads(body)["blocks"]
        assert (status, block["tool"], block["before"]) == (200, "Bash", len(log))
        assert "worker 9 did batch 27" in json.dumps(block["rows"])
        types, values = parsed(fetch(f"{proxy.url}/metrics")[2].decode())
        assert values["headroom_requests_total", (("status", "2xx"),)] == 3
        assert types["headroom_engine_done_total"] == "counter"
        assert fetch(f"{proxy.url}/dashboard")[0] == 200
        assert "did batch" not in "".join(proxy.said)
