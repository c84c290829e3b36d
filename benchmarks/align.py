"""How much of a prompt a cache can share once its volatile values have moved: python benchmarks/align.py [N] [-v].

N (200) prompts, each a body with 1-6 values in one of the FORMS at random places, each made twice with other values.
``before`` is the share of the prompt in front of the first byte that differs, ``after`` the same of the aligned
prompts, up to our block at their end; ``differing`` counts pairs whose aligned parts are not equal byte for byte.
Bodies are texts of the outside corpus where it is there, else this project's documents. Below that: the values found
in bodies and in the system prompts of conversations as they are (what stands there changes for nobody).
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from inputs import CORPUS, corpus

from headroom_cli import formats
from headroom_cli.align import align, find

ROOT = Path(__file__).resolve().parent.parent
MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()  # noqa: SIM905
NAMES = ("kim", "marta.lopez", "jdoe", "wei", "a.novak", "svc-build")
PROJECTS = ("billing", "shop-api", "infra", "docs_site", "ml-pipeline", "web")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
MIXED = LETTERS + LETTERS.upper() + "0123456789"


class Values:
    """Values of one request, made from a seed."""

    def __init__(self, seed: str) -> None:
        """Draw them."""
        self.random = random.Random(seed)
        pick = self.random.randrange
        self.year, self.month, self.day = 2024 + pick(5), 1 + pick(12), 1 + pick(28)
        self.hour, self.minute, self.second = pick(24), pick(60), pick(60)
        self.weekday = DAYS[pick(7)]
        self.name, self.project = NAMES[pick(6)], PROJECTS[pick(6)]
        self.number, self.total = 1 + pick(40), 50 + pick(50)

    def letters(self, alphabet: str, count: int) -> str:
        """Return random letters."""
        return "".join(self.random.choice(alphabet) for _ in range(count))

    def hexadecimal(self, count: int) -> str:
        """Return random digits of base 16."""
        return self.letters("0123456789abcdef", count)

    def uuid(self) -> str:
        """Return a random UUID."""
        return "-".join(self.hexadecimal(n) for n in (8, 4, 4, 4, 12))

    @property
    def iso(self) -> str:
        """Return the date as 2026-11-21."""
        return f"{self.year}-{self.month:02}-{self.day:02}"

    @property
    def clock(self) -> str:
        """Return the time as 14:03:22."""
        return f"{self.hour:02}:{self.minute:02}:{self.second:02}"

    @property
    def twelve(self) -> str:
        """Return the time as 2:03 PM."""
        return f"{self.hour % 12 or 12}:{self.minute:02} {'PM' if self.hour > 11 else 'AM'}"

    @property
    def long(self) -> str:
        """Return the date with its weekday."""
        return f"{self.weekday}, {MONTHS[self.month - 1]} {self.day}, {self.year}"

    def commits(self) -> str:
        """Return some commits, one a line."""
        return "\n".join(
            f"{self.hexadecimal(7)} {self.letters(LETTERS, 6)} the cache" for _ in range(1 + self.number % 5)
        )

    def status(self) -> str:
        """Return some changed files."""
        return "\n".join(f" M src/{self.letters(LETTERS, 5)}.py" for _ in range(1 + self.number % 4))

    def log(self) -> str:
        """Return some lines of a log."""
        return "\n".join(
            f"{self.iso} {self.clock} INFO worker {self.random.randrange(99)} ready" for _ in range(3 + self.number % 4)
        )


FORMS = {
    "iso date": lambda v: f"Today's date: {v.iso}",
    "long date": lambda v: f"Current date: {v.long}",
    "sentence": lambda v: f"The current date is {v.long}.",
    "iso time": lambda v: f"The current time is {v.iso}T{v.clock}Z.",
    "clock and date": lambda v: f"It is now {v.twelve} on {v.long}.",
    "rfc 2822": lambda v: f"Sent {v.weekday[:3]}, {v.day:02} {MONTHS[v.month - 1][:3]} {v.year} {v.clock} +0000",
    "ctime": lambda v: f"Server time: {v.weekday[:3]} {MONTHS[v.month - 1][:3]} {v.day:2} {v.clock} {v.year}",
    "dotted": lambda v: f"Stand: {v.day:02}.{v.month:02}.{v.year} {v.clock[:5]} Uhr",
    "american": lambda v: f"Last sync: {v.month}/{v.day}/{v.year}, {v.twelve}",
    "epoch": lambda v: f"Unix timestamp: {1_700_000_000 + v.random.randrange(90_000_000)}",
    "element": lambda v: f"<current_date>{v.iso}</current_date>",
    "chinese": lambda v: f"\u5f53\u524d\u65f6\u95f4\uff1a{v.iso} {v.clock}",
    "weekday": lambda v: f"Today is {v.weekday}.",
    "bare time": lambda v: f"[{v.iso} {v.clock}] session opened",
    "uuid": lambda v: f"Session ID: {v.uuid()}",
    "uuid in a sentence": lambda v: f"You are serving conversation {v.uuid()} of the support desk.",
    "prefixed id": lambda v: f"Request: req_{v.letters(MIXED, 24)}",
    "hexadecimal id": lambda v: f"trace_id={v.hexadecimal(32)}",
    "ids in JSON": lambda v: json.dumps({"session_id": v.uuid(), "current_time": f"{v.iso}T{v.clock}Z"}),
    "turn": lambda v: f"Turn {v.number} of {v.total}",
    "tokens": lambda v: f"Tokens used: {v.random.randrange(1, 200_000):,}",
    "budget": lambda v: f"You have {v.total} requests left and a remaining budget of ${v.number}.{v.minute:02}.",
    "temporary path": lambda v: f"Write scratch files to /tmp/{v.letters(LETTERS, 4)}.{v.letters(MIXED, 10)}/ only.",
    "host": lambda v: f"Hostname: ip-10-0-{v.number}-{v.minute}, PID: {v.random.randrange(300, 99_999)}",
    "directory": lambda v: f"Current working directory: /home/{v.name}/{v.project}",
    "environment": lambda v: (
        f"<env>\nWorking directory: /home/{v.name}/{v.project}\nPlatform: linux\nToday's date: {v.iso}\n</env>"
    ),
    "repository": lambda v: (
        f"gitStatus: the state of the repository when the session began.\nCurrent branch: {v.name}/{v.project}\n\n"
        f"Status:\n{v.status()}\n\nRecent commits:\n{v.commits()}\n"
    ),
    "log": lambda v: f"Latest activity:\n{v.log()}\n",
}  # fmt: skip


def bodies(count: int) -> list[str]:
    """Return texts that a system prompt may be made of."""
    texts = [data.decode("utf-8", "replace") for _, _, data in corpus("prose", limit=count)]
    texts += prompts()
    if not texts:
        texts = [path.read_text() for path in sorted(ROOT.rglob("*.md")) if ".venv" not in path.parts]
        texts += [path.read_text() for path in sorted((ROOT / "headroom_cli").rglob("*.py"))]
    return [text[:40_000] for text in texts if len(text) > 500]


def prompts() -> list[str]:
    """Return the distinct system prompts of the outside corpus's conversations."""
    found = {}
    for path in sorted((CORPUS / "traces_norm").glob("*.json")) if CORPUS.exists() else ():
        for message in json.loads(path.read_bytes())["messages"][:2]:
            content = message["content"]
            if message["role"] in ("system", "developer"):
                text = content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)
                found[text] = path.name
    return list(found)


def made(body: str, seed: int, who: str, *, anywhere: bool) -> tuple[str, list[str]]:
    """Return the body with values of a request at places that depend on the seed alone, and the forms used.

    Places are between lines and behind sentences that end a line; unless ``anywhere``, not inside fenced code.
    """
    where = random.Random(seed)
    values = Values(f"{seed} {who}")
    lines = body.split("\n")
    fenced, places = False, []
    for number, line in enumerate(lines):
        if anywhere or not fenced:
            places.append(number)
        fenced ^= line.lstrip().startswith(("```", "~~~"))
    forms = where.sample(sorted(FORMS), where.randint(1, 6))
    chosen = [(where.choice(places), where.random(), form) for form in forms]
    for at, inline, form in sorted(chosen, reverse=True):
        text = FORMS[form](values)
        if inline < 0.3 and "\n" not in text and lines[at].endswith("."):
            lines[at] += " " + text
        else:
            lines.insert(at, text)
    return "\n".join(lines), forms


def shared(first: str, second: str) -> float:
    """Return the share of the first text in front of the first difference."""
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if first[:middle] == second[:middle] else (low, middle - 1)
    return low / max(1, len(first))


class Memory:
    """Notes of one conversation, in memory."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self.held: dict[str, str] = {}

    def get(self, name: str):
        """Return a value."""
        return json.loads(self.held[name]) if name in self.held else None

    def set(self, name: str, value) -> None:
        """Keep a value."""
        self.held[name] = json.dumps(value)


def request(prompt: str, turns: list | None = None) -> dict:
    first = {"role": "user", "content": "What is the first step?"}
    return {"model": "claude-sonnet-4-5", "system": prompt, "messages": [first, *(turns or [])]}


def front(prompt: str) -> str:
    """Return what stands before our block in the request with this system prompt, once it is aligned."""
    document = formats.of_value(request(prompt))
    edits = align(document, Memory()).edits
    made = (document.edited(edits)[0] if edits else document).value()
    system, content = made["system"], made["messages"][0]["content"]
    return (system if isinstance(system, str) else system[0]["text"]) + (
        content if isinstance(content, str) else content[0]["text"]
    )


def measure(count: int, texts: list[str], *, anywhere: bool) -> None:
    before, after = [], []
    missed: list[tuple[str, str, str]] = []
    for seed in range(count):
        body = texts[seed % len(texts)]
        (first, forms), (second, _) = (made(body, seed, who, anywhere=anywhere) for who in "ab")
        one, two = front(first), front(second)
        before.append(shared(first, second))
        after.append(shared(one, two))
        if one != two:
            at = round(after[-1] * len(one))
            missed.append((" + ".join(forms), one[max(0, at - 80) : at + 60], two[at : at + 40]))
    print(
        f"{count} prompts, values {'anywhere' if anywhere else 'outside fences'}: "
        f"before {statistics.mean(before):.1%}, after {statistics.mean(after):.1%}, "
        f"at least 95 %: {sum(share >= 0.95 for share in after)}, differing {len(missed)}"
    )
    if "-v" in sys.argv:
        for forms, one, two in missed:
            print(forms, repr(one), repr(two), sep="\n    ")


def main() -> None:
    count = int(next((word for word in sys.argv[1:] if word.isdigit()), "200"))
    texts = bodies(count)
    measure(count, texts, anywhere=False)
    measure(count, texts, anywhere=True)
    found = [(text, find(text)) for text in texts]
    print(f"{len(texts)} bodies as they are, {sum(map(len, texts)):,} characters:")
    for text, values in found:
        for value in values:
            near = text[max(0, value.start - 50) : value.end + 20]
            print(f"    {value.kind:10} {text[value.start : value.end][:50]!r} in {near!r}")
    speed(texts)


def fastest(runs: int, what) -> float:
    """Return the milliseconds of the fastest of some runs."""
    best = float("inf")
    for _ in range(runs):
        started = time.perf_counter()
        what()
        best = min(best, time.perf_counter() - started)
    return best * 1000


def speed(texts: list[str]) -> None:
    large = formats.of_value(request("\n".join(texts)[: 1 << 20] + "\nToday's date: 2026-11-21"))
    print(f"system prompt of 1 MiB: {fastest(3, lambda: align(large, Memory())):.0f} ms")
    notes, turns = Memory(), []
    for i in range(100):
        call = {"type": "tool_use", "id": f"t{i}", "name": "Bash", "input": {}}
        turns.append({"role": "assistant", "content": [call]})
        result = {"type": "tool_result", "tool_use_id": f"t{i}", "content": "a line of some output\n" * 180}
        turns.append({"role": "user", "content": [result]})
    for prompt, what in (
        ("Be careful. " * 400, "nothing to move"),
        (f"Today's date: 2026-11-21\n{texts[0]}", "replayed"),
    ):
        align(formats.of_value(request(prompt)), notes)
        data = json.dumps(request(prompt, turns)).encode()
        document = formats.parse(data)
        print(f"conversation of {len(data):,} bytes, {what}: {fastest(9, lambda: align(document, notes)):.1f} ms")  # noqa: B023


if __name__ == "__main__":
    main()
