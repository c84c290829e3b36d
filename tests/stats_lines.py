"""Lines of a ledger as a month of work leaves them, the same in every run."""

import random
import time

DAY = 86_400
LAST = 1_795_132_800 + 15 * 3600  # 2026-11-20 15:00 UTC
KINDS = ("json", "log", "test-log", "code", "search", "prose", "none")
TOOLS = ("Bash", "Read", "Grep", "mcp__github__list_issues")
PROJECTS = ("shop", "engine", "notes", "")
MODELS = ("claude-sonnet-4-5", "claude-opus-4-5", "gpt-5.1", "somebody-s-own-model")


def line(dice, when, **more):
    """Return one line: a call of an agent, with usage, unless ``more`` says something else."""
    kinds = {}
    for name in dice.sample(KINDS, 3):
        before = dice.randrange(200, 9000)
        kinds[name] = {"blocks": dice.randrange(1, 9), "before": before, "after": round(before * dice.uniform(0.2, 1))}
    tools = {
        name: {"blocks": 1, "before": part["before"], "after": part["after"]}
        for name, part in zip(dice.sample(TOOLS, 2), kinds.values(), strict=False)
    }
    rest = dice.randrange(500, 3000)
    before, after = (sum(part[key] for part in kinds.values()) + rest for key in ("before", "after"))
    return {
        "when": round(when, 3), "verb": "proxy", "format": "anthropic", "level": "safe", "ms": 12.5,
        "model": dice.choice(MODELS), "project": dice.choice(PROJECTS), "backend": "anthropic", "hops": 1,
        "status": 200, "conversation": f"{dice.randrange(40):016x}", "kinds": kinds, "tools": tools,
        "tokens": {"before": before, "after": after + 40}, "overhead": {"markers": 60, "tool": 40},
        "usage": {
            "input_tokens": dice.randrange(50, 900), "cache_read_input_tokens": after,
            "cache_creation_input_tokens": dice.randrange(0, 2000), "output_tokens": dice.randrange(100, 900),
        },
        **more,
    }  # fmt: skip


def month(seed=1, days=40, each=6):
    """Return the lines of some days up to LAST: calls, and a pipe every day; on every seventh day nobody worked."""
    dice = random.Random(seed)
    made = []
    for back in range(days - 1, -1, -1):
        if back % 7 == 3:
            continue
        start = LAST - back * DAY
        made += [line(dice, start + number * 60) for number in range(dice.randrange(1, each + 1))]
        pipe = line(dice, start + 7000, verb="crush", model="", format="raw")
        made.append({name: value for name, value in pipe.items() if name not in {"usage", "hops", "backend", "status"}})
    return made


def worse(when=LAST, project="loss"):
    """Return a call that grew: what was added is more than what was saved."""
    return {
        "when": when, "verb": "send", "model": "claude-sonnet-4-5", "project": project, "backend": "anthropic",
        "hops": 1, "conversation": "loss",
        "tokens": {"before": 100, "after": 400}, "overhead": {"tool": 300},
        "kinds": {"prose": {"blocks": 1, "before": 100, "after": 100}},
        "usage": {"input_tokens": 400, "output_tokens": 10},
    }  # fmt: skip


def seconds(text):
    """Return a UTC time as Unix seconds."""
    return time.mktime(time.strptime(text, "%Y-%m-%d")) - time.timezone


# What a name must never do to a page or a terminal.
HOSTILE = (
    "<script>alert(1)</script>", "\"'><img src=x onerror=alert(2)>", "a\x1b[31mred\x07\x1b]0;title\x07",
    "\u202egnp.exe\u202c", "x" * 10_000, "line\nfeed\ttab", "</title><style>*{display:none}</style>",
    "\u65e5\u672c\u8a9e\u306e\u540d\u524d" * 9, "&lt;b&gt;", "\ud800", "[main]", "e\u0301\u200bclair",
    "javascript:alert(3)", "{{7*7}}", "\u05e9\u05dc\u05d5\u05dd", "]]><!--",
)  # fmt: skip
