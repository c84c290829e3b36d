"""Which language lines are in, by shapes that hardly any other language has."""

from __future__ import annotations

import re

# language -> shapes of lines, each matched within a line of at most 200 characters, behind words of which a text with
# that shape holds one, by where they stand: looking for the words costs a fiftieth of looking for the shape.
_SIGNS: dict[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    "python": (
        (("def ",), r"^[ \t]*(?:async )?def \w+\([^\n]*[:,(]\s*$"),
        ((" import ",), r"^from [\w.]+ import "),
        (("\nimport ",), r"^import [\w.]+$"),
        (("elif ",), r"^[ \t]*elif [^\n]*:$"),
        (("class ",), r"^[ \t]*class \w+(?:\([^\n]*\))?:$"),
        (("\nif __name__ ==",), r"^if __name__ =="),
    ),
    "go": (
        (("\npackage ",), r"^package \w+$"),
        (("\nfunc ",), r"^func (?:\(\w+ \*?\w+\) )?\w+\("),
        (("if err != nil {",), r"^[ \t]*if err != nil \{$"),
        ((" := ",), r" := "),
        (("\ntype ",), r"^type \w+ (?:struct|interface) \{$"),
    ),
    "rust": (
        (("fn ",), r"^[ \t]*(?:pub(?:\(\w+\))? )?(?:async |unsafe |const )?fn \w+"),
        (("\nuse ",), r"^use [\w:]+"),
        (("impl",), r"^[ \t]*impl\b"),
        (("let mut ",), r"^[ \t]*let mut "),
        (("\n#[",), r"^#\[\w+"),
        (("pub ",), r"^[ \t]*pub (?:struct|enum|mod) "),
    ),
    "java": (
        (("\npackage ",), r"^package [\w.]+;$"),
        (("\nimport ",), r"^import (?:static )?[\w.*]+;$"),
        (("public ", "private ", "protected "), r"^[ \t]*(?:public|private|protected) [\w<>\[\], ?]+ \w+\("),
        (("@Override",), r"^[ \t]*@Override$"),
        (("\npublic ",), r"^public (?:final |abstract )?(?:class|interface|enum) "),
    ),
    "kotlin": (
        (("\npackage ",), r"^package [\w.]+$"),
        (("fun ",), r"^[ \t]*(?:(?:private|override|internal|suspend|inline) )?fun "),
        (("val ", "var "), r"^[ \t]*va[lr] \w+ ?[:=]"),
        (("\nimport ",), r"^import [\w.]+$"),
        (("class ",), r"^(?:data |sealed )?class \w+\("),
    ),
    "swift": (
        (("\nimport ",), r"^import \w+$"),
        (("func ",), r"^[ \t]*(?:(?:public|private|static|override) )?func \w+[^\n]*(?:->|\{)"),
        (("guard ",), r"^[ \t]*guard "),
        (("let ", "var "), r"^[ \t]*(?:let|var) \w+: \w+"),
        (("\nextension ",), r"^extension \w+"),
    ),
    "csharp": (
        (("\nusing ",), r"^using [\w.]+;\s*$"),
        (("\nnamespace ",), r"^namespace [\w.]+"),
        (
            ("public ", "private ", "internal ", "protected "),
            r"^[ \t]*(?:public|private|internal|protected) [^\n]*\)\s*$",
        ),
        (("{ get; ",), r"\{ get; (?:set; )?\}"),
    ),
    "cpp": (
        (("std::",), r"\bstd::"),
        (("\ntemplate",), r"^template ?<"),
        (("\nnamespace ",), r"^namespace "),
        (("\n#include <",), r"^#include <\w+>$"),
        (("\nclass ",), r"^class \w+"),
        (("public:", "private:"), r"^[ \t]*(?:public|private):$"),
    ),
    "c": (
        (("\n#include ",), r"^#include [<\"][\w/.-]+\.h[>\"]"),
        (("\n#define", "\n#if", "\n#endif"), r"^#(?:define|ifdef|ifndef|endif)\b"),
        (
            ("int ", "void ", "char ", "struct "),
            r"^(?:(?:static|const|unsigned) )?(?:int|void|char|struct \w+) \*?\w+\(",
        ),
        (("->",), r"->\w+"),
    ),
    "ruby": (
        (("def ",), r"^[ \t]*def [\w.?!]+(?:\([^\n]*\))?$"),
        (("end\n",), r"^[ \t]*end$"),
        (("\nrequire ",), r"^require ['\"]"),
        (("module ", "class "), r"^[ \t]*(?:module|class) [A-Z]\w*(?: < [\w:]+)?$"),
        ((" do",), r" do(?: \|[\w, ]+\|)?$"),
    ),
    "php": (
        (("\n<?php",), r"^<\?php"),
        (("$",), r"^[ \t]*\$\w+ ?="),
        (("$this->",), r"\$this->"),
        ((" function ",), r"^[ \t]*(?:public|private|protected) function "),
    ),
    "typescript": (
        (("\nimport ",), r"^import [^\n]* from ['\"]"),
        (("interface ", "type "), r"^(?:export )?(?:interface|type) \w+"),
        (("const ", "let "), r"^[ \t]*(?:const|let) \w+: "),
        (("): ",), r"\): [\w<>\[\]|]+ (?:=>|\{)$"),
    ),
    "tsx": (
        (("\nimport ",), r"^import [^\n]* from ['\"]"),
        (("require(",), r"\brequire\(['\"]"),
        (("const ", "let ", "var "), r"^[ \t]*(?:const|let|var) [\w{}, ]+ = "),
        ((" => ",), r" => [\{\(]?"),
        (("function",), r"^(?:export )?(?:default )?(?:async )?function\b"),
        (("\nmodule.exports",), r"^module\.exports"),
        (("});",), r"^[ \t]*\}\);$"),
    ),
    "bash": (
        (("fi\n", "done\n", "esac\n"), r"^[ \t]*(?:fi|done|esac)$"),
        (("if [",), r"^[ \t]*if \[\[? "),
        (("\nset -e",), r"^set -e"),
        (("()",), r"^[ \t]*\w+\(\) ?\{$"),
        (("${",), r"\$\{\w+"),
    ),
}  # fmt: skip
_WIDTH = 200  # characters of a line that are looked at
_ENOUGH = 5  # hits


def guessed(lines: list[str]) -> tuple[str, int]:
    """Return (language, hits) by the shapes of lines in a bounded sample; ("", 0) when nothing speaks."""
    half = len(lines) // 2
    sample = "\n".join([line[:_WIDTH].rstrip("\r") for line in (*lines[:150], *lines[half : half + 100])])
    lines_of = f"\n{sample}\n"
    best, most = "", 0
    for language, signs in _SIGNS.items():
        hits = 0
        for words, shape in signs:
            if not any(map(lines_of.__contains__, words)):
                continue
            found = len(re.findall(shape, sample, re.MULTILINE))
            hits += min(found, 6) + (2 if found else 0)
        if hits > most:
            best, most = language, hits
    return (best, most) if most >= _ENOUGH else ("", 0)
