"""Listings and tables inside prose, handed to their own specialists."""

from __future__ import annotations

from headroom_cli.compressors.prose.blocks import CODE, TABLE, closing
from headroom_cli.model import FENCE, LOSSY, Hint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.prose.blocks import Block
    from headroom_cli.model import Want

# Characters. Shorter listings are examples, written to be read: they stay word for word or go as a whole.
_LEAST = {CODE: 1200, TABLE: 400}
# What a fence calls its language -> the end of a file name of that kind.
_LANGUAGES = {
    "python": "py", "py": "py", "python3": "py", "pycon": "", "javascript": "js", "jsx": "js", "typescript": "ts",
    "rust": "rs", "bash": "sh", "shell": "sh", "sh": "sh", "zsh": "sh", "console": "", "text": "", "txt": "",
    "plaintext": "", "none": "", "ruby": "rb", "golang": "go", "c++": "cpp", "csharp": "cs", "c#": "cs",
    "kotlin": "kt", "jsonc": "json", "json5": "json", "patch": "diff", "yaml": "yml", "markdown": "md", "perl": "pl",
    "ignore": "rs", "no_run": "rs", "should_panic": "rs", "compile_fail": "rs", "powershell": "ps1", "objc": "m",
    "shell-session": "", "sh-session": "", "output": "", "terminal": "", "mermaid": "",
}  # fmt: skip


def listings(text: str, blocks: list[Block], want: Want) -> tuple[dict[int, str], int]:
    """Return the shorter texts by number of the block, and how many of them lost something."""
    shorter: dict[int, str] = {}
    lost = 0
    for number, (kind, start, words, stop, language) in enumerate(blocks):
        if stop - words < _LEAST.get(kind, len(text)) or kind not in _LEAST or want.spent():
            continue
        end = closing(text, start, words, stop) if kind == CODE else stop
        body = text[words:end]
        name = _LANGUAGES.get(language, language)
        draft = want.part(body, Hint(tool=FENCE, path=f"x.{name}" if name else ""))
        if draft is None or want.count(draft.text) >= want.count(body):
            continue
        lost += draft.degree == LOSSY
        newline = "\n" if end < stop and not draft.text.endswith("\n") else ""
        shorter[number] = f"{text[start:words]}{draft.text}{newline}{text[end:stop]}"
    return shorter, lost
