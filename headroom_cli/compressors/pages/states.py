"""What attributes say of an element's state: hidden, disabled, how far, which number."""

from __future__ import annotations

from headroom_cli.compressors.pages.scan import attribute
from headroom_cli.lazy import pattern

# What a tag that may hide its element holds; most hold none of these.
_HIDING = ("hidden", "display:none", "display: none", "<template", "<dialog")
# Elements that end where the next of their kind begins, and what ends them with it.
ENDED = frozenset(("p", "li", "dt", "dd", "td", "th", "tr", "option"))
ENDS = frozenset((
    "p", "li", "dt", "dd", "td", "th", "tr", "option",
    "/ul", "/ol", "/dl", "/table", "/div", "/section", "/article", "/main", "/body", "/select",
))  # fmt: skip
# Without an end or text of their own; and a page that a script shows as a whole once it is there.
_NEVER = frozenset((
    "input", "img", "br", "hr", "meta", "link", "base", "image", "script", "style", "svg", "path", "use", "iframe",
    "html", "body", "main", "option", "select", "textarea", "title", "pre", "!--", "!", "?", "%", "![cdata[",
))  # fmt: skip
_QUOTED = pattern(r"\"[^\"]*\"|'[^']*'")
_HIDDEN = pattern(r"(?i)(?:^|[\s\"'])hidden(?=[\s=/\"']|$)")
_NONE = pattern(r"(?i)(?:^|[;\s])(?:display\s{0,4}:\s{0,4}none|visibility\s{0,4}:\s{0,4}hidden)")
_FLAG = pattern(r"(?i)(?:^|[\s\"'])(disabled|required|readonly)(?=[\s=/>\"']|$)")
# Lists whose items are counted beforehand, and characters in which they are looked for.
COUNTED = 100
_LOOKED = 20_000
_ROMAN = ((50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


def hiding(text: str) -> list[int]:
    """Return the places where a tag may hide its element, in order, and the end of the text."""
    found = []
    for needle in _HIDING:
        at = text.find(needle)
        while at >= 0:
            found.append(at)
            at = text.find(needle, at + len(needle))
    return [*sorted(found), len(text)]


def is_hidden(name: str, said: str) -> bool:
    """Tell whether a browser does not show an element of which ``said`` is the text of the tag."""
    if name[0] == "/" or name in _NEVER:
        return False
    if name == "template":
        return "shadowroot" not in said
    if name == "dialog":
        return "open" not in _QUOTED.sub('""', said).lower()
    if "hidden" in said and _HIDDEN.search(_QUOTED.sub('""', said)):
        return True
    return "style" in said and _NONE.search(attribute(said, "style")) is not None


def flags(said: str) -> str:
    """Return "disabled", "required", "readonly" as far as a tag says so, "" for most."""
    if "disabled" not in said and "required" not in said and "readonly" not in said:
        return ""
    found = [flag.lower() for flag in _FLAG.findall(_QUOTED.sub('""', said))]
    if attribute(said, "aria-disabled") == "true" and "disabled" not in found:
        found.append("disabled")
    return " ".join(found)


def gauge(name: str, said: str) -> str:
    """Return a bar as ``[progress 3/10]``."""
    value, most = attribute(said, "value"), attribute(said, "max")
    if not value:
        return f"[{name}]"
    return f"[{name} {value[:20]}/{most[:20]}]" if most else f"[{name} {value[:20]}]"


class Numbers:
    """The numbers of an ordered list."""

    __slots__ = ("_next", "_style", "known", "step")

    def __init__(self, said: str) -> None:
        """``said`` is the text of the list's tag. ``known`` is false while a list counts down from its length."""
        self.step, self.known, self._next, self._style = 1, True, 1, ""
        if said:
            self._style = attribute(said, "type")
            start = _whole(attribute(said, "start"))
            if "reversed" in said:
                self.step, self.known = -1, start is not None
            if start is not None:
                self._next = start

    def count(self, text: str, at: int) -> None:
        """Count the items of a list that has no other in it; ``at`` is where it begins."""
        end = text.find("</ol", at, at + _LOOKED)
        if end > 0 and text.find("<ol", at, end) < 0 and text.find("<ul", at, end) < 0:
            self._next, self.known = text.count("<li", at, end), True

    def take(self, said: str) -> str:
        """Return what stands before the next item, ``said`` being the text of its tag."""
        value = _whole(attribute(said, "value")) if "value" in said else None
        if value is not None:
            self._next, self.known = value, True
        if not self.known:
            return "- "
        number = self._next
        self._next += self.step
        return f"{_written(number, self._style)}. "


def _whole(said: str) -> int | None:
    digits = said.strip()
    sign = digits[:1] == "-"
    digits = digits[sign:]
    return (
        (-int(digits) if sign else int(digits)) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
    )


def _written(number: int, style: str) -> str:
    """Return a number as a letter or a Roman one where its list says so."""
    if style in ("a", "A") and 0 < number <= 26:
        return chr(ord(style) + number - 1)
    if style in ("i", "I") and 0 < number < 90:
        out = ""
        for value, letters in _ROMAN:
            while number >= value:
                out += letters
                number -= value
        return out.upper() if style == "I" else out
    return str(number)
