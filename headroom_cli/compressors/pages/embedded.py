"""Pages that a script fills in: what they show stands as JSON in a script."""

from __future__ import annotations

from headroom_cli.compressors.pages.scan import attribute
from headroom_cli.lazy import pattern
from headroom_cli.model import Hint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.pages.walk import Walker
    from headroom_cli.model import Want

_ASSIGNED = pattern(r"([\w.\[\]\"'$]{1,60})\s{0,4}=\s{0,4}(?=[\[{])")
_LEAST = 60  # characters of JSON that say something
_VERBATIM = 8000  # characters that stay when no specialist shortens them
_SOURCES = 12


def filled(page: Walker, want: Want) -> list[str]:
    """Return the JSON of a page whose own text is next to nothing, each part under its name, and its script files."""
    out: list[str] = []
    code = sources = 0
    for start, end, tag in page.scripts:
        source = attribute(tag, "src")
        if source and not source.startswith("data:"):
            sources += 1
            if sources <= _SOURCES:
                out.append(f"[script {source}]")
            continue
        name, said = _json(page.text[start:end], tag)
        if not said:
            code += end - start
            continue
        draft = want.part(said, Hint(path="x.json"))
        if draft is not None and len(draft.text) < len(said):
            out.extend((f"[{name}]", draft.text.rstrip("\n")))
        elif len(said) <= _VERBATIM:
            out.extend((f"[{name}]", said))
        else:
            out.extend((f"[{name}]", said[:_VERBATIM], f"[... {len(said) - _VERBATIM} characters: {name}]"))
    if sources > _SOURCES:
        out.append(f"[... {sources - _SOURCES} script files]")
    if code >= _LEAST:
        out.append(f"[... {code} characters: scripts]")
    return out


def _json(script: str, tag: str) -> tuple[str, str]:
    """Return the name and the text of the JSON in a script, two empty strings when it is code."""
    script = script.strip()
    name = attribute(tag, "id") or attribute(tag, "type") or "script"
    if len(script) < _LEAST:
        return "", ""
    if script[0] in "{[" and script[-1] in "}]":
        return name, script
    match = _ASSIGNED.search(script, 0, 400)
    if match is None:
        return "", ""
    begin = match.end()
    stop = script.rfind("}" if script[begin] == "{" else "]") + 1
    # Code goes on behind its objects; data ends the script, but for a semicolon and a bracket.
    if stop - begin < _LEAST or len(script) - stop > 200 or '"' not in script[begin : begin + 200]:
        return "", ""
    return match.group(1), script[begin:stop]
