"""Which language a source file is in: from its path, the command that printed it, its first lines, or its words."""

from __future__ import annotations

from headroom_cli.compressors.code.guess import guessed
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Hint

# extension -> language; those without a grammar are read by indentation and braces (outline.py)
EXTENSIONS = {
    "py": "python", "pyi": "python", "pyw": "python", "pyx": "python", "bzl": "python", "js": "tsx", "jsx": "tsx",
    "mjs": "tsx", "cjs": "tsx", "ts": "typescript", "mts": "typescript", "cts": "typescript", "tsx": "tsx", "go": "go",
    "rs": "rust", "java": "java", "c": "c", "h": "cpp", "cc": "cpp", "cpp": "cpp", "cxx": "cpp", "hh": "cpp",
    "hpp": "cpp", "hxx": "cpp", "ipp": "cpp", "inl": "cpp", "cu": "cpp", "cuh": "cpp", "ino": "cpp", "cs": "csharp",
    "rb": "ruby", "rake": "ruby", "gemspec": "ruby", "php": "php", "phtml": "php", "kt": "kotlin", "kts": "kotlin",
    "swift": "swift", "sh": "bash", "bash": "bash", "zsh": "bash", "ksh": "bash", "lua": "lua", "scala": "scala",
    "sc": "scala", "dart": "dart", "jl": "julia", "zig": "zig", "pl": "perl", "pm": "perl", "r": "r", "m": "objc",
    "mm": "objc", "groovy": "groovy", "gradle": "groovy", "sol": "solidity", "ex": "elixir", "exs": "elixir",
    "erl": "erlang", "hs": "haskell", "ml": "ocaml", "mli": "ocaml", "clj": "clojure", "fish": "fish",
    "ps1": "powershell", "vue": "vue", "svelte": "svelte", "nim": "nim", "v": "verilog", "sv": "verilog",
    "vhd": "vhdl", "pas": "pascal", "f90": "fortran", "vb": "basic", "fs": "fsharp", "cr": "ruby", "proto": "proto",
    "graphql": "graphql", "thrift": "thrift", "awk": "awk", "tcl": "tcl", "d": "d", "hx": "haxe",
}  # fmt: skip
_NAMES = {
    "rakefile": "ruby", "gemfile": "ruby", "vagrantfile": "ruby", "podfile": "ruby", "jenkinsfile": "groovy",
    "sconstruct": "python", "sconscript": "python", "wscript": "python", "build.bazel": "python",
    ".bashrc": "bash", ".zshrc": "bash", ".profile": "bash", "configure": "bash",
}  # fmt: skip
# Files without an extension that are no source
_OTHER = (
    "makefile",
    "gnumakefile",
    "dockerfile",
    "containerfile",
    "license",
    "readme",
    "changelog",
    "authors",
    "caddyfile",
)
# The name in a shebang or a modeline -> language
_SPOKEN = {
    "python": "python", "python2": "python", "python3": "python", "pypy": "python", "node": "tsx", "nodejs": "tsx",
    "deno": "typescript", "bun": "typescript", "ts-node": "typescript", "ruby": "ruby", "php": "php", "sh": "bash",
    "bash": "bash", "zsh": "bash", "dash": "bash", "ksh": "bash", "perl": "perl", "lua": "lua", "kotlin": "kotlin",
    "swift": "swift", "groovy": "groovy", "rscript": "r", "julia": "julia", "javascript": "tsx", "js": "tsx",
    "typescript": "typescript", "go": "go", "rust": "rust", "java": "java", "c": "c", "cpp": "cpp", "c++": "cpp",
    "csharp": "csharp", "scala": "scala", "dart": "dart", "zig": "zig", "golang": "go", "shell-script": "bash",
    "makefile": "", "yaml": "", "json": "",
}  # fmt: skip
READERS = frozenset(
    [
        "cat",
        "head",
        "tail",
        "nl",
        "less",
        "more",
        "bat",
        "batcat",
        "tac",
        "type",
        "view",
        "open",
        "gawk",
        "awk",
        "sed",
        "strings",
        "get-content",
        "gc",
        "show",
        "pygmentize",
    ]
)
# A filter behind a reader that lets every line through.
_WHOLE = frozenset(["cat", "nl", "bat", "batcat", "less", "more", "expand", "tee"])
_MODELINE = pattern(
    r"(?:-\*-[ \t]{0,4}(?:mode:[ \t]{0,4})?([\w+-]{1,30})|\b(?:vim?|ex):.{0,60}?\b(?:ft|filetype|syntax)=(\w{1,20}))", 2
)
_STATEMENT = pattern(r"&&|\|\||[;\n]")
_RANGE = pattern(
    r"\bsed\s+(?:-[nE]+\s+)*(?:-e\s+)?['\"]?(?:\d+|/[^/\n]{1,200}/)(?:,(?:\+?\d+|\$|/[^/\n]{1,200}/))?[pdq]"
    r"|\b(?:head|tail)\b|\bawk\b|\bperl\s+-n|\bbat\b[^|;&\n]{0,80}(?:-r|--line-range)|-(?:TotalCount|Tail|First|Skip)\b"
)


class Source:
    """What is known of a file: its ``language`` ("" when unknown), its ``path``, whether only a ``part`` was read."""

    __slots__ = ("language", "part", "path")

    def __init__(self, language: str, path: str, *, part: bool) -> None:
        """``part`` is true for ranged and filtered reads."""
        self.language = language
        self.path = path
        self.part = part


def from_path(path: str) -> str:
    """Return the language that a file's name promises, or ""."""
    name = path.strip("'\"").replace("\\", "/").rpartition("/")[2].lower()
    extension = name.rpartition(".")[2] if "." in name else ""
    return EXTENSIONS.get(extension, "") or _NAMES.get(name, "")


def from_command(command: str) -> tuple[str, bool]:
    """Return (path, whether only a part of it was printed) for a command that prints a file, path "" otherwise."""
    command = command[:4000]
    part = _RANGE.search(command) is not None
    for statement in reversed(_STATEMENT.split(command)):
        stages = [stage.split() for stage in statement.split("|")]
        words = stages[0]
        while words and ("=" in words[0] or words[0] in ("sudo", "command", "time", "then", "do")):
            words = words[1:]
        if not words:
            continue
        program = words[0].replace("\\", "/").rpartition("/")[2].lower()
        if program in ("git", "hg") and "show" in words:
            named = [word.rpartition(":")[2] for word in words if ":" in word and not word.startswith("-")]
        elif program in READERS:
            named = [word for word in words[1:] if not word.startswith("-") and ("." in word or "/" in word)]
            if not named and program in _WHOLE:
                named = words[1:]
        else:
            continue
        if not named:
            continue
        filtered = any(stage and stage[0].rpartition("/")[2] not in _WHOLE for stage in stages[1:])
        return named[-1].strip("'\""), part or filtered
    return "", part


def spoken(lines: list[str]) -> str:
    """Return the language that a shebang or an editor's modeline names, or ""."""
    first = lines[0] if lines else ""
    if first.startswith("#!"):
        words = [word for word in first[2:300].split() if not word.startswith("-") and "=" not in word]
        for word in words[:2]:  # the second is what `env` starts
            name = word.rpartition("/")[2].lower()
            known = _SPOKEN.get(name, "") or _SPOKEN.get(name.rstrip("0123456789."), "")
            if known:
                return known
    for line in (*lines[:2], *lines[-3:]):
        if "-*-" in line or "vi" in line or "ex:" in line:
            found = _MODELINE.search(line[:300])
            if found is not None:
                known = _SPOKEN.get((found.group(1) or found.group(2)).lower(), "")
                if known:
                    return known
    if first.startswith("<?php"):
        return "php"
    return ""


def identify(lines: list[str], hint: Hint, fallback_path: str) -> Source:
    """Return what is known of the file behind these lines."""
    path, part = from_command(hint.command) if hint.command else ("", False)
    path = hint.path or path or fallback_path
    language = from_path(path) or spoken(lines)
    base = path.replace("\\", "/").rpartition("/")[2].lower()
    if not language and "." not in base and not base.startswith(_OTHER):
        language = guessed(lines)[0]
    return Source(language, path, part=part)
