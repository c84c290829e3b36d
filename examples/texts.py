"""The example texts that are not data or logs: code, a search, a listing, a diff, a table, a page, prose, a session."""

import random

SERVICES = ("checkout", "cart", "catalog", "payments", "search", "session", "emails", "gateway")
METHODS = (
    ("capture", "Take the money that was reserved for an order.", "order"),
    ("refund", "Give money back, whole or in part.", "order, cents"),
    ("void", "Release what was reserved and not taken.", "order"),
    ("settle", "Book the day's captures with the bank.", "day"),
    ("dispute", "Answer a chargeback with the documents of an order.", "order, papers"),
    ("convert", "Return an amount in another currency at the day's rate.", "cents, currency"),
)


def code() -> str:
    """Return a module of a payment service, as ``cat shop/payments/charge.py`` prints it."""
    lines = [
        '"""Charges: what is taken from a card, and what is given back."""', "", "import logging", "import time", "",
        "from shop.http import GatewayError, post", "from shop.models import Order, Receipt", "",
        'LOG = logging.getLogger("shop.payments")', "RETRIES = 3  # the gateway asks for no more than this",
        'DECLINED = ("card_declined", "expired_card", "insufficient_funds")', "", "",
    ]  # fmt: skip
    lines += ["class Charges:", '    """All that the shop does with a card.', ""]
    lines += ["    One instance serves one shop. It keeps no card numbers: the gateway's token stands for a card, and a",
              "    token that the gateway does not know any more is asked for again from the customer.", '    """', ""]  # fmt: skip
    lines += ["    def __init__(self, gateway, clock=time.time):", "        self.gateway = gateway",
              "        self.clock = clock", "        self.failed = {}", ""]  # fmt: skip
    for name, about, arguments in METHODS:
        first = arguments.split(",", maxsplit=1)[0]
        lines += [
            f"    def {name}(self, {arguments}):",
            f'        """{about}',
            "",
            "        Every attempt is written to the journal before the gateway hears of it, so that a crash between",
            "        the two shows as an attempt without an answer and never as money without a trace.",
            '        """',
            f"        # The gateway counts attempts for each {first}; a fourth one locks the card for a day.",
            f"        attempts = self.failed.get({first}, 0)",
            "        if attempts >= RETRIES:",
            f'            raise GatewayError(429, "too many attempts to {name}")',
            "        for attempt in range(attempts, RETRIES):",
            "            started = self.clock()",
            f'            answer = post(self.gateway, "/v1/{name}", {{"{first}": {first}, "attempt": attempt}})',
            f'            LOG.info("{name} %s took %.3f s", {first}, self.clock() - started)',
            "            if answer.status < 400:",
            f"                self.failed.pop({first}, None)",
            f'                return Receipt({first}, answer.body["{name}_id"])',
            "            if answer.body.get('reason') in DECLINED:",
            f"                self.failed[{first}] = RETRIES",
            "                break",
            f"            self.failed[{first}] = attempt + 1",
            f"        raise GatewayError(answer.status, f\"{name} refused: {{answer.body.get('reason')}}\")",
            "",
        ]
    lines += ["", "def is_final(order: Order) -> bool:", "    # A captured order can only be refunded.",
              '    return order.status in ("captured", "refunded", "void")']  # fmt: skip
    return "\n".join(lines) + "\n"


def search() -> str:
    """Return what ``rg -n retry`` prints in a repository."""
    rng = random.Random(7)
    lines = []
    for service in SERVICES:
        for module in ("client", "jobs", "settings"):
            path, at = f"shop/{service}/{module}.py", 0
            for i in range(rng.randrange(2, 9)):
                at += rng.randrange(3, 40)
                text = (
                    f"def retry_{module}(self, attempt: int) -> None:" if i == 1 else rng.choice((
                        "        self.retry(attempt + 1)", "    # retry only what is safe to repeat",
                        f'        LOG.warning("{service}: retry %d of %d", attempt, RETRIES)',
                        "        if attempt >= self.max_retry:", "        retry_at = now + backoff(attempt)",
                    ))
                )  # fmt: skip
                lines.append(f"{path}:{at}:{text}")
    return "\n".join(lines) + "\n"


def listing() -> str:
    """Return what ``find shop tests -type f`` prints."""
    names = ("__init__", "client", "jobs", "models", "settings", "urls", "views")
    found = [f"shop/{service}/{name}.py" for service in SERVICES for name in names]
    found += [f"tests/{service}/test_{name}.py" for service in SERVICES for name in names[1:]]
    found += [f"shop/{service}/migrations/{i:04d}_step_{i}.py" for service in SERVICES[:3] for i in range(1, 12)]
    return "\n".join(found) + "\n"


def diff() -> str:
    """Return a commit with a fix, its test, and a lockfile that moved along."""
    hunk = [
        "commit 7c2f0b9d14a1e0c56f3d8a9b2c4e6f8091a2b3c4", "Author: Kim <kim@shop.example>",
        "Date:   Wed Nov 18 11:02:41 2026 +0100", "", "    Stop asking the gateway after a decline", "",
        "diff --git a/shop/payments/charge.py b/shop/payments/charge.py", "index 3fa1c22..9d0e8b1 100644",
        "--- a/shop/payments/charge.py", "+++ b/shop/payments/charge.py",
        "@@ -31,13 +31,14 @@ class Charges:", "             started = self.clock()",
        '             answer = post(self.gateway, "/v1/capture", {"order": order, "attempt": attempt})',
        '             LOG.info("capture %s took %.3f s", order, self.clock() - started)',
        "             if answer.status < 400:", "                 self.failed.pop(order, None)",
        '                 return Receipt(order, answer.body["capture_id"])',
        "-            if answer.body['reason'] == 'card_declined':", "+            if answer.body.get('reason') in DECLINED:",
        "+                self.failed[order] = RETRIES", "                 break",
        "             self.failed[order] = attempt + 1",
        "         raise GatewayError(answer.status, f\"capture refused: {answer.body.get('reason')}\")", " ",
        "     def refund(self, order, cents):", '         """Give money back, whole or in part.',
        "diff --git a/tests/test_payments.py b/tests/test_payments.py", "index 77aa001..77aa9f4 100644",
        "--- a/tests/test_payments.py", "+++ b/tests/test_payments.py", "@@ -140,3 +140,9 @@ def gateway():",
        "     order = Order(total='19.90', currency='EUR')", "     assert charge(order).status == 'captured'", " ",
        "+", "+def test_a_declined_card_is_asked_once(gateway):", "+    gateway.answer(402, reason='expired_card')",
        "+    with pytest.raises(GatewayError):", "+        Charges(gateway).capture(7)",
        "+    assert gateway.calls == 1",
        "diff --git a/uv.lock b/uv.lock", "index 0c11d5e..5e9a0f2 100644", "--- a/uv.lock", "+++ b/uv.lock",
    ]  # fmt: skip
    rng = random.Random(8)
    for i in range(14):
        name = f"package-{chr(97 + i)}"
        hunk += [f"@@ -{40 * i + 9},7 +{40 * i + 9},7 @@ dependencies = [", " ", " [[package]]", f' name = "{name}"',
                 f'-version = "1.{i}.0"', f'+version = "1.{i}.1"', ' source = { registry = "https://pypi.example/simple" }',
                 f'-sdist = {{ hash = "sha256:{rng.getrandbits(256):064x}", size = {rng.randrange(9_000, 90_000)} }}',
                 f'+sdist = {{ hash = "sha256:{rng.getrandbits(256):064x}", size = {rng.randrange(9_000, 90_000)} }}',
                 " wheels = ["]  # fmt: skip
    return "\n".join(hunk) + "\n"


def table() -> str:
    """Return what ``kubectl get pods -A`` prints."""
    rng = random.Random(9)
    rows = [("NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE")]
    for i in range(48):
        name = f"{SERVICES[i % 8]}-{rng.getrandbits(36):09x}-" + "".join(rng.choices("bcdfghjklm2456789", k=5))
        state = {19: ("0/1", "CrashLoopBackOff", "214"), 33: ("0/1", "ImagePullBackOff", "0")}.get(
            i, ("1/1", "Running", "0")
        )
        rows.append(("shop", name, *state, f"{rng.randrange(1, 40)}d"))
    widths = [max(len(row[i]) for row in rows) + 3 for i in range(6)]
    return (
        "\n".join("".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
        + "\n"
    )


def page() -> str:
    """Return a status page as a browser gets it."""
    items = "".join(
        f'<li class="component component--{service}" data-id="c-{i:04d}"><a class="link" href="/status/{service}">'
        f'<svg class="icon" viewBox="0 0 16 16"><path d="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1z" fill="#2da44e"/></svg>'
        f'<span class="name">{service}</span></a> <span class="state">'
        f"{'degraded: card payments are refused' if service == 'payments' else 'operational'}</span></li>\n"
        for i, service in enumerate(SERVICES)
    )
    days = "".join(
        f"<tr><td>2026-11-{d:02d}</td><td>{100 - d % 4 / 10:.1f} %</td><td>{d % 4 * 90} s</td></tr>\n"
        for d in range(1, 19)
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Shop status</title>\n'
        '<link rel="stylesheet" href="/static/app.9f31c2.css"><style>.component{display:flex;margin:0 0 8px}'
        '.state{color:#57606a}</style>\n<script>window.__CONFIG__={"poll":30000,"theme":"light"};'
        "(function(){var s=document.createElement('script');s.src='/static/app.9f31c2.js';document.head.appendChild(s)})()"
        '</script></head>\n<body class="layout layout--wide"><nav class="menu"><a href="/">Home</a>'
        '<a href="/history">History</a></nav>\n<main><h1 class="title">Shop status</h1>\n'
        '<div role="alert" class="banner banner--warn"><p>Since 09:06 UTC the gateway answers <code>402 card_declined'
        "</code> to about one order in nine. Do not retry by hand.</p></div>\n"
        f'<h2>Components</h2><ul class="components">\n{items}</ul>\n'
        '<h2>Availability</h2><table class="days"><thead><tr><th>day</th><th>up</th><th>down for</th></tr></thead><tbody>\n'
        f"{days}</tbody></table></main>\n<footer><small>Updated 2026-11-18 09:41 UTC</small></footer></body></html>\n"
    )


def prose() -> str:
    """Return a runbook in markdown."""
    parts = [
        "# Runbook: refused card payments",
        "",
        "Who is on call reads this first. It was last tried on 2026-10-02.",
        "",
    ]
    for service in SERVICES[:6]:
        parts += [
            f"## {service}", "",
            f"The {service} service was split from the old shop in 2021 and has kept most of its habits. It is written with"
            " the expectation that the network is slow and that the others may be gone. In ordinary times nobody needs to"
            f" know more than that. The dashboard of {service} shows its queue, and a queue above 4,000 for ten minutes"
            f" pages the owner. People have asked why the limit is so high; it has always been like that.",
            "",
            f"When it stops answering, look at `shop/{service}/jobs.py` and at the last deployment. Never restart it while"
            f" a settlement runs, because half of the day's bookings would be sent twice. A restart takes 40 s. There were"
            f" three incidents in the last year, and two of them were a certificate that had expired.",
            "",
        ]  # fmt: skip
    return "\n".join(parts) + "\n"


def session(log: str, files: str) -> str:
    """Return a shell session: three commands and what each printed."""
    return (
        f"$ find shop tests -type f\n{files}$ tail -n 200 /var/log/shop/app.log\n"
        + "".join(log.splitlines(keepends=True)[-200:])
        + "$ systemctl is-active redis-2\ninactive\n"
    )
