"""The rendering of a page: its facts, its text line by line, and what was left out."""

from __future__ import annotations

from headroom_cli.compressors.pages.items import VERBATIM
from headroom_cli.compressors.pages.shape import is_xml
from headroom_cli.compressors.pages.walk import Walker
from headroom_cli.compressors.pages.write import lines
from headroom_cli.model import LOSSY, Draft, Hint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Want

_PART = 2000  # characters of verbatim text that its own specialist is asked about


def rendered(text: str, want: Want) -> Draft | None:
    """Return the page as text."""
    page = Walker(text)
    if want.spent():
        return None
    linked = page.linked * 2 > page.shown

    def verbatim(said: str, number: int) -> list[str]:
        language, code = said.split("\n", 1) if number else ("", said)
        return fenced(code, language, want)

    made = [line for item in lines(page.items, page.urls, links=linked, verbatim=verbatim) for line in item]
    head = []
    if page.title:
        head.append(f"title: {page.title}")
    if page.url:
        head.append(f"url: {page.url}")
    if page.refresh:
        head.append(f"refresh: {page.refresh}")
    body = "\n".join(made)
    if page.described and page.described not in body:
        head.append(f"description: {page.described}")
    out = "\n".join((*head, body)) + ("\n" if text.endswith("\n") else "")
    if not out.strip():
        return None
    return Draft(out, LOSSY, f"markup, scripts and styles of {page.tags:,} tags")


def fenced(code: str, language: str, want: Want) -> list[str]:
    """Return verbatim text between fences; a single line needs none. Big ones are handed to their own specialist."""
    code = code.replace("\r\n", "\n").strip("\n").rstrip()
    if "\n" not in code:
        return [code]
    if len(code) >= _PART:
        draft = want.part(code, Hint(path=f"x.{_EXTENSIONS.get(language.lower(), language)}" if language else ""))
        if draft is not None:
            code = draft.text.rstrip("\n")
    fence = "```"
    while fence in code:
        fence += "`"
    return [f"{fence}{language}", *code.split("\n"), fence]


_EXTENSIONS = {
    "python": "py", "javascript": "js", "typescript": "ts", "bash": "sh", "shell": "sh", "ruby": "rb", "rust": "rs",
    "golang": "go", "c++": "cpp", "csharp": "cs", "kotlin": "kt", "yaml": "yml", "markdown": "md",
}  # fmt: skip
