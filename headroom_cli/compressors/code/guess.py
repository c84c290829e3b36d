"""Which language lines are in, by shapes that hardly any other language has."""

from __future__ import annotations

import re

# language -> shapes of lines; each is matched within a line of at most 200 characters.
_SIGNS: dict[str, tuple[str, ...]] = {
    "python": (
        r"^[ \t]*(?:async )?def \w+\([^\n]*[:,(]\s*$", r"^from [\w.]+ import ", r"^import [\w.]+$",
        r"^[ \t]*elif [^\n]*:$",
        r"^[ \t]*class \w+(?:\([^\n]*\))?:$", r"^if __name__ ==",
    ),
    "go": (
        r"^package \w+$", r"^func (?:\(\w+ \*?\w+\) )?\w+\(", r"^[ \t]*if err != nil \{$", r" := ",
        r"^type \w+ (?:struct|interface) \{$",
    ),
    "rust": (
        r"^[ \t]*(?:pub(?:\(\w+\))? )?(?:async |unsafe |const )?fn \w+", r"^use [\w:]+", r"^[ \t]*impl\b",
        r"^[ \t]*let mut ", r"^#\[\w+", r"^[ \t]*pub (?:struct|enum|mod) ",
    ),
    "java": (
        r"^package [\w.]+;$", r"^import (?:static )?[\w.*]+;$",
        r"^[ \t]*(?:public|private|protected) [\w<>\[\], ?]+ \w+\(",
        r"^[ \t]*@Override$", r"^public (?:final |abstract )?(?:class|interface|enum) ",
    ),
    "kotlin": (
        r"^package [\w.]+$", r"^[ \t]*(?:(?:private|override|internal|suspend|inline) )?fun ",
        r"^[ \t]*va[lr] \w+ ?[:=]",
        r"^import [\w.]+$", r"^(?:data |sealed )?class \w+\(",
    ),
    "swift": (
        r"^import \w+$", r"^[ \t]*(?:(?:public|private|static|override) )?func \w+[^\n]*(?:->|\{)", r"^[ \t]*guard ",
        r"^[ \t]*(?:let|var) \w+: \w+", r"^extension \w+",
    ),
    "csharp": (
        r"^using [\w.]+;\s*$", r"^namespace [\w.]+", r"^[ \t]*(?:public|private|internal|protected) [^\n]*\)\s*$",
        r"\{ get; (?:set; )?\}",
    ),
    "cpp": (
        r"\bstd::", r"^template ?<", r"^namespace ", r"^#include <\w+>$", r"^class \w+", r"^[ \t]*(?:public|private):$",
    ),
    "c": (
        r"^#include [<\"][\w/.-]+\.h[>\"]", r"^#(?:define|ifdef|ifndef|endif)\b",
        r"^(?:(?:static|const|unsigned) )?(?:int|void|char|struct \w+) \*?\w+\(", r"->\w+",
    ),
    "ruby": (
        r"^[ \t]*def [\w.?!]+(?:\([^\n]*\))?$", r"^[ \t]*end$", r"^require ['\"]",
        r"^[ \t]*(?:module|class) [A-Z]\w*(?: < [\w:]+)?$", r" do(?: \|[\w, ]+\|)?$",
    ),
    "php": (r"^<\?php", r"^[ \t]*\$\w+ ?=", r"\$this->", r"^[ \t]*(?:public|private|protected) function "),
    "typescript": (
        r"^import [^\n]* from ['\"]", r"^(?:export )?(?:interface|type) \w+", r"^[ \t]*(?:const|let) \w+: ",
        r"\): [\w<>\[\]|]+ (?:=>|\{)$",
    ),
    "tsx": (
        r"^import [^\n]* from ['\"]", r"\brequire\(['\"]", r"^[ \t]*(?:const|let|var) [\w{}, ]+ = ", r" => [\{\(]?",
        r"^(?:export )?(?:default )?(?:async )?function\b", r"^module\.exports", r"^[ \t]*\}\);$",
    ),
    "bash": (
        r"^[ \t]*(?:fi|done|esac)$", r"^[ \t]*if \[\[? ", r"^set -e", r"^[ \t]*\w+\(\) ?\{$", r"\$\{\w+",
    ),
}  # fmt: skip
_WIDTH = 200  # characters of a line that are looked at
_ENOUGH = 5  # hits


def guessed(lines: list[str]) -> tuple[str, int]:
    """Return (language, hits) by the shapes of lines in a bounded sample; ("", 0) when nothing speaks."""
    half = len(lines) // 2
    sample = "\n".join([line[:_WIDTH].rstrip("\r") for line in (*lines[:150], *lines[half : half + 100])])
    best, most = "", 0
    for language, signs in _SIGNS.items():
        hits = 0
        for sign in signs:
            found = len(re.findall(sign, sample, re.MULTILINE))
            hits += min(found, 6) + (2 if found else 0)
        if hits > most:
            best, most = language, hits
    return (best, most) if most >= _ENOUGH else ("", 0)
