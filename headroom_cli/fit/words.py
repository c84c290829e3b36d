"""The words that stand where turns were left out: what was done there, and the names in it that were used later."""

from __future__ import annotations

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from headroom_cli.fit.turns import Turn

MARKER = 30  # tokens of "<<headroom:HANDLE 6 turns, 12,345 tokens, 2 errors>>"
SLACK = 8  # tokens by which a counter may judge the joined text differently from its parts

_ACTIONS = 130  # characters, with about 4 to a token
_NAMES = 130  # characters, with about 3 to a token
_QUOTED = 60  # characters of the user's words
_LONGEST_NAME = 48
_VERBS = ("edited", "wrote", "ran", "read", "searched", "listed", "called")
_UNSAFE = pattern(r"[^ -~\u00a0-\ud7ff\ue000-\ufffd]|<<headroom:")


def note(turns: list[Turn], actions: list[tuple[str, str]], names: Iterable[str], errors: list[str]) -> str:
    """Return the note for consecutive turns that are left out, without its marker."""
    parts = [text for text in (_summed(actions), _quoted("the user said", (turn.own for turn in turns))) if text]
    parts = parts or [
        text for text in (_quoted("said", (turn.said for turn in turns if turn.role == "assistant")),) if text
    ]
    if errors:
        parts.append(f"failed with {_clean(errors[-1])[:100]!r}")
    listed: list[str] = []
    room = _NAMES
    said = " ".join(parts)
    for name in names:
        if len(name) > _LONGEST_NAME or name in said or any(name in other for other in listed):
            continue
        room -= len(name) + 2
        if room < 0:
            break
        listed.append(name)
    if listed:
        parts.append(f"names there: {', '.join(listed)}")
    many = f"{len(turns)} turn{'s' if len(turns) > 1 else ''} left out"
    return _clean(f"[... {many}{': ' if parts else ''}{'; '.join(parts)}]")


def missing(turns: list[Turn], errors: int) -> str:
    """Return what the marker says: how many turns, tokens and distinct errors are behind it."""
    tokens = sum(turn.tokens for turn in turns)
    text = f"{len(turns)} turn{'s' if len(turns) > 1 else ''}, {tokens:,} tokens"
    return text + (f", {errors} error{'s' if errors > 1 else ''}" if errors else "")


def _summed(actions: list[tuple[str, str]]) -> str:
    """Sum up what was done: each verb once, with its objects in order of their first mention."""
    done: dict[str, dict[str, int]] = {}
    for verb, about in actions:
        objects = done.setdefault(verb, {})
        objects[about] = objects.get(about, 0) + 1
    parts: list[str] = []
    room = _ACTIONS
    for verb in (verb for verb in _VERBS if verb in done):
        objects = done[verb]
        listed: list[str] = []
        others = 0
        for about, times in objects.items():
            text = f"{about} x{times}" if about and times > 1 and verb in ("ran", "called") else about
            if not about or len(text) + 2 > room:
                others += times if not about else 1
                continue
            room -= len(text) + 2
            listed.append(text)
        if listed:
            parts.append(f"{verb} {', '.join(listed)}" + (f" and {others} more" if others else ""))
        else:
            times = sum(objects.values())
            parts.append(verb if times == 1 else f"{verb} {times}x")
    return "; ".join(parts)


def _quoted(who: str, texts: Iterable[str]) -> str:
    """Quote the beginning of the first words among texts."""
    for said in texts:
        if said.strip():
            text = " ".join(said[: 4 * _QUOTED].split())
            return f'{who} "{text[:_QUOTED]}{"..." if len(text) > _QUOTED else ""}"'
    return ""


def _clean(text: str) -> str:
    return _UNSAFE.sub(" ", text)
