# ruff: noqa: E501 - tables of names
"""Make labelled texts, as agents read them, from what routing_sources.py fetched and ran.

python training/routing_samples.py FOLDER        writes FOLDER/samples.jsonl

A row is {id, part, source, kinds, form, command, text}: ``part`` is learn or judge, ``kinds`` are the kinds that would
be right (the first is what it is counted as), ``form`` how an agent came to see it: the whole output, its head, tail or
middle, a numbered view, a cut in the middle, inside a harness's tags. A file's kind is that of its name, a command's
output that of the command: nobody looked at the text, least of all the router. No source has more than a few rows of
each kind, and none is in both parts.
"""

import collections
import gzip
import json
import os
import random
import re
import subprocess
import sys

from routing_sources import part
from routing_texts import quoted

FILES = {
    "code": "py js mjs ts tsx c h cc cpp hpp java go rs rb php pl pm lua hs ml mli ex exs erl scala swift kt sh bash sql css "
            "scss less yaml yml toml ini cfg cmake mk vim el lisp cs d groovy r jl proto cr nim clj f90 pas adb tcl m4 ps1 "
            "dart vue asm gradle graphql zig coffee fs vb awk",
    "json": "json ipynb geojson jsonl topojson har", "prose": "md rst markdown adoc pod", "table": "csv tsv",
    "html": "html htm xhtml", "diff": "patch diff", "log": "log",
}  # fmt: skip
KIND_OF = {extension: kind for kind, names in FILES.items() for extension in names.split()}
_NAMED = {"changelog": "prose", "news": "prose", "readme": "prose", "changes": "prose", "copying": "prose", "copyright": "prose",
          "todo": "prose", "makefile": "code", "dockerfile": "code", "rules": "code"}  # fmt: skip
# Folders of fixtures whose files are logs whatever their names
_LOGS = re.compile(
    r"fail2ban/.*testcases/.*logs/|fail2ban/.*tests/files/logs/|lnav/.*test/logfile_(?!.*(?:json|xml|bad|csv|w3c))"
)
_UNFIT = re.compile(r"/SLOG/|/\.git/|fuzz|invalid|malformed|bad[_-]|binary|\.min\.|/tree/highlight/|jq/|node_modules/")
_EACH = {"code": 14, "json": 26, "prose": 12, "table": 16, "html": 14, "diff": 16, "log": 30}
_FEW = ("test-log", "table", "log", "diff", "json", "html")  # kinds that fewer sources have
_LONGEST = 40_000
_HUNK = re.compile(r"^(?:@@ |diff |\d+(?:,\d+)?[acd]\d)", re.MULTILINE)
_JSON = re.compile(r"\s*[\[{]")


def files(folder: str) -> list[tuple[str, str, str, str]]:
    """Return (source, kind, path, text) of files whose names say what they are; few of each extension and source."""
    found = []
    for source in sorted(os.listdir(f"{folder}/tree")):
        of_kind = collections.defaultdict(list)
        for at, _, names in os.walk(f"{folder}/tree/{source}"):
            for name in sorted(names):
                path = f"{at}/{name}"
                stem, dot, extension = name.rpartition(".")
                kind = (
                    "log"
                    if _LOGS.search(path)
                    else KIND_OF.get(extension if dot and stem else "") or _NAMED.get(name.lower(), "")
                )
                if (
                    kind
                    and not _UNFIT.search(path)
                    and not os.path.islink(path)
                    and 80 < os.path.getsize(path) < 2_000_000
                ):
                    of_kind[kind].append((extension if kind != "log" else name, path))
        rng = random.Random(source)
        for kind, paths in sorted(of_kind.items()):
            rng.shuffle(paths)
            seen = collections.Counter()
            most = _EACH[kind] * (1 + (part(source) == "learn"))
            for extension, path in paths:
                # Many languages rather than many files of one
                if sum(seen.values()) >= most or seen[extension] > max(2, most // 3):
                    continue
                with open(path, encoding="utf-8", errors="replace") as stream:
                    text = stream.read()
                if text.count("\ufffd") > 20 or "\0" in text or (kind == "json" and not _JSON.match(text)):
                    continue
                if kind == "log" and source not in ("fail2ban", "lnav") and text.count("\n") < 3:
                    continue
                seen[extension] += 1
                found.append((source, kind, os.path.relpath(path, f"{folder}/tree/{source}"), text))
    return found


def documents() -> list[tuple[str, str, str, str]]:
    """Return pages, manuals and lists of changes that Debian packages installed on this machine."""
    rng = random.Random(5)
    found = []
    manuals = sorted(os.listdir("/usr/share/man/man1")) + sorted(os.listdir("/usr/share/man/man3"))[:4000:40]
    for name in rng.sample(manuals, 90):
        page = next(
            (
                f"/usr/share/man/{part}/{name}"
                for part in ("man1", "man3")
                if os.path.exists(f"/usr/share/man/{part}/{name}")
            ),
            "",
        )
        done = subprocess.run(
            ["man", "-l", page],
            capture_output=True,
            check=False,
            env={**os.environ, "MANWIDTH": "90", "MANPAGER": "cat"},
        )
        if len(done.stdout) > 800:
            text = re.sub(r"\x1b\[[\d;]*m|.\x08", "", done.stdout.decode("utf-8", "replace"))
            found.append((f"man {name[:6]}", "prose", f"man {name.partition('.')[0]}", text))
    for at, _, names in sorted(os.walk("/usr/share/doc")):
        for name in sorted(names):
            path = f"{at}/{name}"
            source = "doc " + at.removeprefix("/usr/share/doc/").partition("/")[0]
            if os.path.islink(path) or rng.random() > (0.25 if name.endswith((".html", ".htm")) else 0.04):
                continue
            if name in ("changelog.gz", "changelog.Debian.gz", "NEWS.gz", "NEWS.Debian.gz", "README.gz", "FAQ.gz"):
                with gzip.open(path, "rt", encoding="utf-8", errors="replace") as stream:
                    found.append((source, "prose", f"zcat {path}", stream.read(100_000)))
            elif name.endswith((".html", ".htm")) or name in ("copyright", "README", "README.md"):
                with open(path, encoding="utf-8", errors="replace") as stream:
                    found.append((source, "html" if "htm" in name else "prose", f"cat {path}", stream.read(100_000)))
    return found


def forms(kind: str, command: str, text: str, rng: random.Random, *, view: bool) -> tuple[str, str, str] | None:
    """Return (form, command, text) of one way to see a text, None where it does not fit; ``view``: it is a file."""
    lines = text.split("\n")
    form = rng.choice(("whole", "whole", "head", "tail", "middle", "numbered", "cut", "tags", "few", "few"))
    if form in ("tail", "middle", "numbered", "few") and kind == "json":
        form = "head"  # a part of a value is no value
    if form == "numbered" and not view:
        form = "head"
    if len(lines) < 12 and form not in ("tags", "numbered"):
        form = "whole"
    if form == "whole" and len(text) > _LONGEST:
        form = "head"
    if form == "head":
        count = rng.choice((10, 20, 50, 100))
        return form, f"{command} | head -{count}", "\n".join(lines[:count])
    if form == "tail":
        count = rng.choice((10, 20, 40))
        some = lines[-count - 1 :]
        if kind == "prose" and quoted(lines, some):
            return None
        text = "\n".join(some)
        command = f"{command} | tail -n {count}"
    elif form in ("middle", "few", "numbered"):
        count = rng.randint(5, 20) if form == "few" else rng.randint(20, 120)
        start = rng.randrange(max(1, len(lines) - count))
        some = lines[start : start + count]
        if kind == "prose" and quoted(lines, some):
            return None  # what a writer quotes is code or markup
        if form == "numbered":
            mark = rng.choice(("\t", "\u2192", "\t"))
            some = [f"{number:6d}{mark}{line}" for number, line in enumerate(some, start + 1)]
            command = f"cat -n {command.removeprefix('cat ')} | sed -n '{start + 1},{start + count}p'"
        elif view:
            command = f"sed -n '{start + 1},{start + count}p' {command.removeprefix('cat ')}"
        else:
            command = f"{command} | sed -n '{start + 1},{start + count}p'"
        text = "\n".join(some)
    elif form == "cut":
        if len(text) < 4000:
            return "whole", command, text
        text = f"{text[:1500]}\n\n... [{len(text) - 3000} characters truncated] ...\n\n{text[-1500:]}"
    elif form == "tags":
        text = f"<returncode>0</returncode>\n<output>\n{text[:_LONGEST].rstrip()}\n</output>"
    if kind == "diff" and not _HUNK.search(text):
        return None
    if kind == "html" and len(re.findall(r"</?[a-z]", text)) < 0.5 * text.count("\n"):
        return None
    if len(text.strip()) < 60 or max(map(len, text.split("\n"))) > 30_000:
        return None
    return form, command, text


def sessions(rows: list[dict], rng: random.Random) -> list[dict]:
    """Return outputs of several commands in one: named files, echoed names, prompts."""
    made: list[dict] = []
    pool = [row for row in rows if 100 < len(row["text"]) < 3000 and row["form"] in ("whole", "few", "head")]
    for number in range(130):
        some = rng.sample(pool, rng.randint(2, 4))
        style = number % 3
        if style < 2:
            some = rng.sample([row for row in pool if row["command"].startswith("cat ")], len(some))
        names = [row["command"].split()[1] for row in some]
        if style == 0:
            text = "\n".join(f"==> {name} <==\n{row['text']}\n" for name, row in zip(names, some, strict=True))
            command = "head -n 40 " + " ".join(names)
        elif style == 1:
            text = "".join(f"=== {name} ===\n{row['text']}\n" for name, row in zip(names, some, strict=True))
            command = f'for f in {" ".join(names)}; do echo "=== $f ==="; cat $f; done'
        else:
            text = "".join(f"$ {row['command']}\n{row['text']}\n" for row in some)
            command = "bash session.sh"
        made.append(
            {"source": some[0]["source"], "kinds": ["mixed"], "form": "session", "command": command, "text": text}
        )
    return made


def main() -> None:
    folder = sys.argv[1]
    rows: list[dict] = []
    raw = [(source, [kind], f"cat {path}", text, True) for source, kind, path, text in files(folder)]
    raw += [(source, [kind], command, text, command.startswith("cat")) for source, kind, command, text in documents()]
    with open(f"{folder}/runs.jsonl", encoding="utf-8") as stream:
        for run in map(json.loads, stream):
            raw.append((run["source"], run["kinds"], run["command"], run["text"], False))
    for source, kinds, command, raw_text, view in raw:
        text = "".join(line for line in raw_text.splitlines(keepends=True) if not line.startswith("WARNING: Location"))
        if kinds[0] in ("test-log", "search") and re.match(
            r"(?:grep|rg|ag|ack): |Can.t locate File/Next|ERROR: not found|error: unrec|.{0,60}No module named", text
        ):
            continue  # the tool's own complaint
        if kinds[0] == "test-log" and not re.search(r"(?i)\bpass|fail|\bok\b|ran \d|tests? |::", text):
            continue
        own = random.Random(f"{source} {command}")
        count = 3 if part(source) == "learn" else 2 if kinds[0] in _FEW else 1
        for _ in range(count):
            made = forms(kinds[0], command, text, own, view=view)
            if made is not None:
                first = _HUNK.search(made[2])
                if kinds[0] == "diff" and first is not None and first.start() > 0.6 * len(made[2]):
                    continue  # the words before a change
                rows.append({"source": source, "kinds": kinds, "form": made[0], "command": made[1], "text": made[2]})
    for name in ("learn", "judge"):
        rng = random.Random(name)
        rows += sessions([row for row in rows if part(row["source"]) == name], rng)
    seen = set()
    with open(f"{folder}/samples.jsonl", "w", encoding="utf-8") as stream:
        stream.writelines(
            json.dumps({"id": f"s{number:05d}", "part": part(row["source"]), **row}) + "\n"
            for number, row in enumerate(row for row in rows if not (row["text"] in seen or seen.add(row["text"])))
        )
    for name in ("learn", "judge"):
        some = [row for row in rows if part(row["source"]) == name]
        counts = collections.Counter(row["kinds"][0] for row in some)
        print(
            name,
            {
                kind: f"{count} of {len({row['source'] for row in some if row['kinds'][0] == kind})}"
                for kind, count in counts.items()
            },
        )


if __name__ == "__main__":
    main()
