"""What a reader is told by elements that hold no text: pictures, form fields, facts about the page."""

from __future__ import annotations

from headroom_cli.compressors.pages import states
from headroom_cli.compressors.pages.scan import attribute

_OPTIONS = 120  # of one list of choices: lists of countries and time zones are longer
_VALUE = 120  # characters of one value: tokens of hidden fields are longer


def picture(said: str) -> str:
    """Return what a picture shows, "" when its tag does not say or says only a file's name."""
    if "alt" not in said:
        return ""
    alt = " ".join(attribute(said, "alt").split())
    if len(alt) < 3 or (
        " " not in alt and alt[-5:].lower().endswith((".jpg", ".png", ".gif", ".jpeg", ".webp", ".svg"))
    ):
        return ""
    return alt


def field(said: str) -> str:
    """Return an input as ``[input type name: value]``, "" when it has neither name, value nor placeholder."""
    kind = attribute(said, "type").lower()
    name = attribute(said, "name") or attribute(said, "id")
    value = " ".join(attribute(said, "value").split())
    hint = " ".join((attribute(said, "placeholder") or attribute(said, "aria-label")).split())
    if kind in ("submit", "button", "reset", "image"):
        name = value or attribute(said, "alt")
        state = states.flags(said)
        return f"{f'[{state}] ' if state else ''}[{name}]" if name else ""
    if not (name or value or hint):
        return ""
    words = ["input"]
    if kind not in ("", "text"):
        words.append(kind)
    if name:
        words.append(name)
    if kind in ("checkbox", "radio") and "checked" in said:
        words.append("checked")
    state = states.flags(said)
    if state:
        words.append(state)
    end = ""
    if value:
        end = f": {value if len(value) <= _VALUE else f'{value[:40]}[... {len(value) - 40} characters]'}"
    if hint:
        end += f" ({hint})"
    return f"[{' '.join(words)}{end}]"


def selection(name: str, choices: list[str]) -> str:
    """Return a list of choices as ``[select name: a, *b, c]``; the chosen one has a star and stays in a long list."""
    kept = choices
    if len(choices) > _OPTIONS:
        head = choices[: _OPTIONS // 2]
        starred = [choice for choice in choices[len(head) :] if choice.startswith("*")][:_OPTIONS]
        kept = [*head, *starred, f"[... {len(choices) - len(head) - len(starred)} options]"]
    return f"[select{' ' if name else ''}{name}: {', '.join(kept)}]"
