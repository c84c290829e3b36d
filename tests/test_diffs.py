"""Diffs: what git made, shortened, must still be what git takes; every changed line of source stays."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headroom_cli.compressors import load
from headroom_cli.compressors.diffs import paths
from headroom_cli.model import FAITHFUL, LOSSY, Draft, Hint, Want
from headroom_cli.tokens import count

DIFFS = load("diffs")
EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # git's id of a tree without files
HUNK = re.compile(r"(?m)^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@")

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git")


def git(folder, *arguments, stdin=None, check=True):
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8",
        "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
        "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
        "GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "core.autocrlf", "GIT_CONFIG_VALUE_0": "false",
        "GIT_CONFIG_KEY_1": "maintenance.auto", "GIT_CONFIG_VALUE_1": "false",  # a process for each commit
    }  # fmt: skip
    done = subprocess.run(["git", *arguments], cwd=folder, input=stdin, capture_output=True, env=environment)
    assert not check or done.returncode == 0, done.stderr.decode()
    return done


def tree(folder):
    """Return path -> (bytes, executable) of the files below a folder, git's own left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if ".git" not in path.relative_to(folder).parts and path.is_file():
            found[str(path.relative_to(folder))] = (path.read_bytes(), bool(path.stat().st_mode & 0o100))
    return found


def fill(folder, files):
    for path in list(tree(folder)):
        (folder / path).unlink()
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def repository(folder, before, after, *, stage=None):
    """Return a repository whose HEAD~1 holds ``before`` and whose HEAD holds ``after``."""
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main", "--template=")
    fill(folder, before)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "before", "--allow-empty")
    fill(folder, after)
    if stage:
        stage(folder)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "after", "--allow-empty")
    return folder


def short(text, level="balanced", **more) -> Draft | None:
    return DIFFS.compress(text, Want(count, level=level, **more))


def applied(folder, patch, *options):
    """Apply a patch to HEAD~1 and return the files."""
    git(folder, "checkout", "-qf", "HEAD~1")
    done = git(folder, "apply", *options, "-", stdin=patch, check=False)
    got = tree(folder)
    git(folder, "checkout", "-qf", "main")
    git(folder, "clean", "-qfdx")
    assert done.returncode == 0, done.stderr.decode() + patch.decode("utf-8", "replace")
    return got


def numbered(first, last, **changes):
    return "".join(f"{changes.get(f'l{i}', f'line {i}')}\n" for i in range(first, last)).encode()


CASES = {
    "changes": ({"a.py": numbered(0, 90)}, {"a.py": numbered(0, 90, l10="ten", l30="thirty", l33="x", l80="y\nz")}),
    "at both ends": ({"a.py": numbered(0, 40)}, {"a.py": b"top\n" + numbered(0, 40) + b"bottom\n"}),
    "first and last line": ({"a.py": numbered(0, 40)}, {"a.py": numbered(0, 40, l0="first", l39="last")}),
    "added and deleted": (
        {"old.py": numbered(0, 12), "stay.py": numbered(0, 50)},
        {"new.py": numbered(50, 70), "stay.py": numbered(0, 50, l25="x")},
    ),
    "renamed with a change": ({"a.py": numbered(0, 60)}, {"deep/b.py": numbered(0, 60, l30="thirty")}),
    "renamed": ({"a.py": numbered(0, 60), "x": b"1\n" * 30}, {"b.py": numbered(0, 60), "x": b"1\n" * 29 + b"2\n"}),
    "no newline before": ({"a.py": numbered(0, 30)[:-1]}, {"a.py": numbered(0, 30, l25="x")}),
    "no newline after": ({"a.py": numbered(0, 30)}, {"a.py": numbered(0, 30, l25="x")[:-1]}),
    "no newline on both sides": ({"a.py": numbered(0, 30)[:-1]}, {"a.py": numbered(0, 30, l29="x", l12="y")[:-1]}),
    "no newline far below": ({"a.py": numbered(0, 30)[:-1]}, {"a.py": numbered(0, 30, l26="x")[:-1]}),
    "emptied and filled": ({"a.py": numbered(0, 9), "b.py": b""}, {"a.py": b"", "b.py": numbered(0, 9)}),
    "empty files": ({"a.py": b"", "c.py": numbered(0, 30)}, {"b.py": b"\n", "c.py": numbered(0, 30, l15="x")}),
    "CRLF files": (
        {"a.py": numbered(0, 40).replace(b"\n", b"\r\n")},
        {"a.py": numbered(0, 40, l20="x").replace(b"\n", b"\r\n")},
    ),
    "odd names": (
        {"a b.py": numbered(0, 40), "t\u00e9st\u2603.py": numbered(0, 40), 'q"\t.py': numbered(0, 40)},
        {"a b.py": numbered(0, 40, l9="x"), "t\u00e9st\u2603.py": numbered(0, 40, l9="x"), 'q"\t.py': numbered(3, 40)},
    ),
    "lines that look like headers": (
        {"a.sql": b"-- drop\n" * 9 + numbered(0, 30) + b"-- old\n"},
        {"a.sql": b"-- drop\n" * 9 + numbered(0, 30, l9="++ b/x") + b"++ new\n@@ -1 +1 @@\n"},
    ),
    "odd line ends": (
        {"a.py": "a\x0b\x0c\x1c\u2028\x85\nb\n".encode() * 20},
        {"a.py": "a\x0b\x0c\x1c\u2028\x85\nb\n".encode() * 20 + b"c\n"},
    ),
    "repeated lines": ({"a.py": b"{\n}\n\n" * 40}, {"a.py": b"{\n}\n\n" * 19 + b"{\n;\n}\n" + b"{\n}\n\n" * 21}),
}
FORMS = {
    "diff": ("diff", "HEAD~1", "HEAD"),
    "show": ("show", "HEAD"),
    "show with statistics": ("show", "--stat", "-p", "HEAD"),
    "patch": ("format-patch", "--stdout", "HEAD~1"),
    "wide": ("diff", "-U9", "HEAD~1", "HEAD"),
    "no prefix": ("diff", "--no-prefix", "HEAD~1", "HEAD"),
    "no renames": ("diff", "--no-renames", "HEAD~1", "HEAD"),
    "function context": ("diff", "-W", "HEAD~1", "HEAD"),
    "binary": ("diff", "--binary", "--full-index", "HEAD~1", "HEAD"),
    "patience": ("diff", "--patience", "--inter-hunk-context=4", "HEAD~1", "HEAD"),
}


@pytest.fixture(scope="module", params=CASES)
def case(request, tmp_path_factory):
    """Return the name of a case and its repository, which ``applied`` leaves as it was."""
    return request.param, repository(tmp_path_factory.mktemp("case") / "r", *CASES[request.param])


@pytest.mark.parametrize("form", FORMS)
def test_git_takes_what_stays(case, form):
    case, folder = case
    text = git(folder, *FORMS[form]).stdout.decode()
    draft = short(text)
    patch = text if draft is None else draft.text
    options = ("-p0",) if form == "no prefix" else ()
    for more in ((), ("--recount",)):
        if more and case == "lines that look like headers":
            continue  # git itself recounts "-- drop" as the end of a message
        assert applied(folder, patch.encode(), *options, *more) == tree(folder)
    if draft is not None:
        assert draft.degree == LOSSY
        assert len(patch) < len(text)
        assert short(patch) is None or len(short(patch).text) > 0.9 * len(patch)


def test_modes_copies_and_links(tmp_path):
    def stage(folder):
        (folder / "run.sh").chmod(0o755)
        (folder / "both.sh").chmod(0o755)
        (folder / "new.sh").write_bytes(numbered(0, 20))
        (folder / "new.sh").chmod(0o755)
        (folder / "link").unlink()
        (folder / "link").symlink_to("b.py")

    before = {"run.sh": numbered(0, 40), "both.sh": numbered(0, 40), "a.py": numbered(0, 40), "b.py": b"x\n"}
    after = {**before, "both.sh": numbered(0, 40, l20="x"), "c.py": numbered(0, 40, l30="x"), "link": b""}
    folder = repository(tmp_path / "r", {**before, "link": b"y\n"}, after, stage=stage)
    text = git(folder, "diff", "-C", "--find-copies-harder", "HEAD~1", "HEAD").stdout.decode()
    draft = short(text)
    assert draft is not None
    assert "copy from" in draft.text
    assert "new mode 100755" in draft.text
    assert applied(folder, draft.text.encode()) == tree(folder)
    assert (folder / "link").is_symlink()


WORDS = st.sampled_from(["", " ", "x = 1", "    return x", "}", "-- a", "++ b", "@@ -1 +1 @@", "\\", "\u00e9", "\tz\r"])
SIDES = st.lists(WORDS, max_size=40)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SIDES, st.integers(0, 2**32), st.tuples(st.booleans(), st.booleans()), st.integers(1, 12))
def test_any_change_applies(tmp_path_factory, common, seed, ends, width):
    rng = random.Random(seed)
    old = common * 3
    new = list(old)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(new) + 1)
        new[at : at + rng.randrange(3)] = [rng.choice(["new", "", "x = 1", "}"])] * rng.randrange(3)
    folder = tmp_path_factory.mktemp("fuzz") / "r"
    sides = [
        {"a.py": "\n".join(side).encode() + (b"\n" if end and side else b"")}
        for side, end in zip((old, new), ends, strict=True)
    ]
    repository(folder, *sides)
    text = git(folder, "diff", f"-U{width}", "HEAD~1", "HEAD").stdout.decode()
    draft = short(text)
    if draft is not None:
        assert applied(folder, draft.text.encode()) == tree(folder)
    shutil.rmtree(folder)


def changed(text):
    """Return the changed lines of a diff, by the counts in its headers."""
    out, old, new = [], 0, 0
    for line in text.split("\n"):
        match = re.match(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@", line)
        if old <= 0 and new <= 0:
            if match:
                old, new = (1 if number is None else int(number) for number in match.groups())
            continue
        old -= line[:1] in ("-", " ", "")
        new -= line[:1] in ("+", " ", "")
        if line[:1] in ("-", "+"):
            out.append(line)
    return out


def test_changed_lines_of_source_stay(tmp_path):
    before = {f"src/m{i}.py": numbered(i * 100, i * 100 + 90) for i in range(5)}
    after = {f"src/m{i}.py": numbered(i * 100, i * 100 + 90, **{f"l{i * 100 + 40}": f"n{i}"}) for i in range(5)}
    folder = repository(tmp_path / "r", before, after)
    text = git(folder, "show", "HEAD").stdout.decode()
    draft = short(text)
    assert draft is not None
    assert changed(draft.text) == changed(text)
    for header in HUNK.findall(text):
        assert header in draft.text  # the old numbers stand behind the new ones
    assert len(draft.text) < 0.7 * len(text)


def made(path, body, *, new=False, deleted=False):
    """Return a section of one hunk."""
    old, fresh = sum(line[0] != "+" for line in body), sum(line[0] != "-" for line in body)
    mode = ["new file mode 100644"] if new else ["deleted file mode 100644"] if deleted else []
    return "\n".join([
        f"diff --git a/{path} b/{path}", *mode, "index 1111111..2222222" + ("" if mode else " 100644"),
        f"--- {'/dev/null' if new else 'a/' + path}", f"+++ {'/dev/null' if deleted else 'b/' + path}",
        f"@@ -{0 if new else 1},{old} +{0 if deleted else 1},{fresh} @@", *body, "",
    ])  # fmt: skip


NPM = """\
diff --git a/package-lock.json b/package-lock.json
index 5d0cd1f..29b5c0a 100644
--- a/package-lock.json
+++ b/package-lock.json
@@ -31,9 +31,9 @@
     "node_modules/left-pad": {
-      "version": "1.2.0",
-      "resolved": "https://registry.example.org/left-pad/-/left-pad-1.2.0.tgz",
-      "integrity": "sha512-TLwMHuJi6CdO4zHAVuU5WrjQbvPJBqEl0hVqgEbRqMfDSKTUQEGiNfDpDOoyvJcjNl2bNAQWkFMuxOsCyDjaaA==",
+      "version": "1.3.0",
+      "resolved": "https://registry.example.org/left-pad/-/left-pad-1.3.0.tgz",
+      "integrity": "sha512-XI5MPzVNApjAyhQzphX8BkmKsKUxD4LdyK24iZeQGinBN9yTQT3bFlCBy/aVx2HrNcqQGsdot8ghrjyrvMCoEA==",
       "license": "WTFPL",
       "engines": {
         "node": ">=0.10.0"
       }
     },
@@ -80,5 +80,13 @@
     },
+    "node_modules/@scope/fresh": {
+      "version": "4.0.1",
+      "resolved": "https://registry.example.org/@scope/fresh/-/fresh-4.0.1.tgz",
+      "integrity": "sha512-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa==",
+      "license": "MIT",
+      "dev": true,
+      "optional": true
+    },
     "node_modules/b": {
       "version": "1.0.0",
       "license": "MIT",
       "dev": true
"""


def test_lockfiles_name_what_changed():
    draft = short(NPM)
    assert draft is not None
    line = draft.text.rstrip("\n")
    assert "\n" not in line
    assert line.startswith("[... 14 changed lines of package-lock.json (lockfile, +11 -3): 2 packages changed: ")
    assert "left-pad 1.2.0 -> 1.3.0, +@scope/fresh 4.0.1;" in line
    assert line.endswith("; @@ -31,9 +31,9 @@ -80,5 +80,13 @@]")
    assert draft.missing == "14 changed lines in 1 file"


LOCKS = {
    "Cargo.lock": (
        '@@ -1,4 +1,4 @@\n [[package]]\n name = "serde"\n-version = "1.0.1"\n+version = "1.0.2"\n source = "x"\n',
        "serde 1.0.1 -> 1.0.2",
    ),
    "go.sum": (
        (
            "@@ -1,2 +1,2 @@\n-example.org/x/y v0.1.0 h1:AAAA=\n-example.org/x/y v0.1.0/go.mod h1:AAAA=\n"
            "+example.org/x/y v0.2.0 h1:BBBB=\n+example.org/x/y v0.2.0/go.mod h1:BBBB=\n"
        ),
        "example.org/x/y v0.1.0 -> v0.2.0",
    ),
    "yarn.lock": (
        (
            '@@ -1,3 +1,3 @@\n-"@babel/core@^7.0.0", "@babel/core@^7.1.0":\n-  version "7.1.0"\n'
            '+"@babel/core@^7.0.0", "@babel/core@^7.2.0":\n+  version "7.2.0"\n   resolved "x"\n'
        ),
        "@babel/core 7.1.0 -> 7.2.0",
    ),
    "pnpm-lock.yaml": (
        "@@ -1 +1 @@\n-  /vite@4.0.0(react@18.0.0):\n+  /vite@5.0.0(react@18.0.0):\n",
        "vite 4.0.0 -> 5.0.0",
    ),
    "Gemfile.lock": (
        "@@ -1,2 +1,2 @@\n     rake (13.0)\n-    rails (7.0.1)\n+    rails (7.1.0)\n",
        "rails 7.0.1 -> 7.1.0",
    ),
    "composer.lock": (
        (
            '@@ -1,3 +1,3 @@\n             "name": "acme/thing",\n-            "version": "v2.0.1",\n'
            '+            "version": "v2.1.0",\n             "source": {\n'
        ),
        "acme/thing v2.0.1 -> v2.1.0",
    ),
    "Pipfile.lock": (
        '@@ -1,3 +1,3 @@\n "requests": {\n-    "version": "==2.30.0"\n+    "version": "==2.31.0"\n },\n',
        "requests 2.30.0 -> 2.31.0",
    ),
    "requirements/dev.txt": (
        "@@ -1,5 +1,5 @@\n-black==23.1\n+black==24.1\n     # via -r dev.in\n click==8.0\n     # via black\n #\n",
        "black 23.1 -> 24.1",
    ),
}


@pytest.mark.parametrize("path", LOCKS)
def test_each_lockfile_is_read(path):
    hunk, said = LOCKS[path]
    first = "\n".join(hunk.split("\n")[1:-1])
    filler = "".join(f"+# filler {i} {'x' * 40}\n" for i in range(12))
    old, new = (int(n or 1) for n in re.match(r"@@ -1(?:,(\d+))? \+1(?:,(\d+))? @@", hunk).groups())
    text = f"--- a/{path}\n+++ b/{path}\n@@ -1,{old} +1,{new + 12} @@\n{filler}{first}\n"
    draft = short(text)
    assert draft is not None
    assert f"1 package changed: {said};" in draft.text


def test_what_tools_wrote_is_counted_and_claims_nothing():
    lines = [f'+  {{"id": {i}, "name": "item {i}"}},' for i in range(60)]
    minified = [f"+{'var a=1;' * 400}"]
    text = (
        made("tests/fixtures/items.json", lines, new=True)
        + made("static/app.min.js", minified, new=True)
        + made("vendor/x/y.go", ["+package y"] + [f"+// {i} some line of vendored code" for i in range(40)], new=True)
        + made("api/x.pb.go", [f"+func F{i}() {{ return }} // generated" for i in range(40)], new=True)
        + made("made.py", ["+# Code generated by mk. DO NOT EDIT."] + [f"+x{i} = {i}" for i in range(60)], new=True)
        + made("src/real.py", ["+import os"] + [f"+def f{i}(): return {i}" for i in range(60)], new=True)
    )
    draft = short(text)
    assert draft is not None
    for path in ("tests/fixtures/items.json", "static/app.min.js", "vendor/x/y.go", "api/x.pb.go", "made.py"):
        assert f"of {path} (" in draft.text
        assert f"b/{path}" not in draft.text
    assert HUNK.findall(draft.text) == ["@@ -0,0 +1,61 @@"]
    assert draft.text.endswith("+def f59(): return 59\n")
    assert "begins {" in draft.text


def test_long_lines_show_where_they_differ():
    items = [f'{{"id": {i}, "name": "item number {i}"}}' for i in range(200)]
    old = "[" + ", ".join(items) + "]"
    new = old.replace("item number 150", "thing of another name")
    draft = short(made("tests/fixtures/items.json", [f"-{old}", f"+{new}"]))
    assert draft is not None
    lines = draft.text.split("\n")
    assert lines[:2] == ["[... not all of the changes of tests/fixtures/items.json:]", "[@@ -1,1 +1,1 @@]"]
    assert "item number 150" in lines[2]
    assert "thing of another name" in lines[3]
    for line, whole in ((lines[2], "-" + old), (lines[3], "+" + new)):
        gone = [int(number) for number in re.findall(r"\[\.\.\. (\d+) more characters\]", line)]
        shown = re.split(r"\[\.\.\. \d+ more characters\]", line)
        assert len(gone) == 2
        assert sum(gone) + sum(map(len, shown)) == len(whole)
        assert all(part in whole for part in shown)


def test_deleted_files_keep_their_beginning_and_names():
    body = [f"-def function_{i}(argument): return argument + {i}" for i in range(300)]
    draft = short(made("src/gone.py", body, deleted=True))
    assert draft is not None
    assert "[... not all of the changes of src/gone.py (deleted):]" in draft.text
    assert "\n".join(body[:60]) in draft.text
    assert "[... 240 lines: function_60, " in draft.text
    assert not HUNK.search(draft.text)
    small = made("src/gone.py", body[:20], deleted=True)
    assert "\n".join(body[:20]) in short(small).text


def test_repeated_hunks_are_told_by_reference(tmp_path):
    licence = [f"-# licence line {i} of the old text that every file has" for i in range(8)]
    text = "".join(made(f"src/m{i}.py", [*licence, "+# SPDX", f" import m{i}"]) for i in range(6))
    draft = short(text)
    assert draft is not None
    assert draft.text.count("licence line 3") == 1
    assert draft.text.count(", the same as in src/m0.py above; @@ -1,9 +1,2 @@]") == 5
    assert len(HUNK.findall(draft.text)) == 1
    # Once the first one goes, nothing refers to it.
    least = short(text, budget=80)
    assert least is not None
    assert "same as" not in least.text


def test_changes_of_line_ends_and_tabs_are_counted():
    lines = [f"    value_{i} = compute({i})" for i in range(30)]
    for change in (lambda line: line + "\r", lambda line: line.replace("    ", "\t"), lambda line: line + "  "):
        body = [f"-{line}" for line in lines] + [f"+{change(line)}" for line in lines]
        draft = short(made("src/a.py", body))
        assert draft is not None
        said = "[... 60 changed lines of src/a.py (only line ends or tabs differ, +30 -30); @@ -1,30 +1,30 @@]\n"
        assert draft.text == said
    # Another depth of indentation is another program in some languages.
    body = [f"-{line}" for line in lines] + [f"+    {line}" for line in lines]
    draft = short(made("src/a.py", body))
    assert draft is None or draft.text.count("value_3 ") == 2


def test_merges_have_a_column_for_each_parent(tmp_path):
    folder = repository(tmp_path / "r", {"a.py": numbered(0, 40)}, {"a.py": numbered(0, 40, l20="ours")})
    git(folder, "checkout", "-qb", "side", "HEAD~1")
    fill(folder, {"a.py": numbered(0, 40, l20="theirs")})
    git(folder, "commit", "-qam", "side")
    git(folder, "checkout", "-q", "main")
    git(folder, "merge", "-q", "side", check=False)
    fill(folder, {"a.py": numbered(0, 40, l20="both", l21="++ more")})
    git(folder, "commit", "-qam", "merged")
    for option in ("--cc", "-c"):
        text = git(folder, "show", option, "HEAD").stdout.decode()
        draft = short(text)
        assert draft is not None
        for line in ("- ours", " -theirs", "++both", "++++ more", "diff --c"):
            assert f"\n{line}" in draft.text
        header = re.search(r"(?m)^@@@ -(\d+),(\d+) -(\d+),(\d+) \+(\d+),(\d+) @@@ (-.*) @@@", draft.text)
        assert header is not None
        assert header.groups()[:6] == ("20", "4", "20", "4", "20", "4")
        assert f"@@@ {header.group(7)} @@@" in text


def test_only_known_hunks_are_touched():
    hunk = "@@ -10,9 +10,9 @@ def f\n" + "".join(f" context line number {i}\n" for i in range(4)) + "-a\n+b\n"
    hunk += "".join(f" context line number {i}\n" for i in range(4, 8))
    head = "diff --git a/x.py b/x.py\nindex 1111111..2222222 100644\n--- a/x.py\n+++ b/x.py\n"
    assert short(head + hunk) is not None
    spoiled = (
        hunk.replace("10,9 @@", "10,8 @@"), hunk.replace(" context line number 2", "context line number 2"),
        hunk[: len(hunk) // 2], hunk.replace("-a\n+b\n", " a\n"), hunk + "+one more\n", hunk.replace("@@ def", "def"),
    )  # fmt: skip
    for body in spoiled:
        draft = short(head + body)
        assert draft is None or body in draft.text, draft.text
    # Whole hunks before a doubtful one are still shortened; those after it are not touched.
    draft = short(head + hunk + hunk.replace("10,", "50,").replace("50,9 @@", "50,7 @@") + hunk.replace("10,", "90,"))
    assert draft is not None
    assert draft.text.count("@@ -13,3 +13,3 @@ -10,9 +10,9 @@ def f\n context line number 3\n-a\n+b\n") == 1
    assert "@@ -90,9 +90,9 @@ def f\n context line number 0\n" in draft.text


def test_text_around_stays(tmp_path):
    folder = repository(tmp_path / "r", {"a.py": numbered(0, 60)}, {"a.py": numbered(0, 60, l30="x", l50="y")})
    git(folder, "commit", "-q", "--amend", "-m", "Subject\n\nBody with\n- a list\n+ of things\n--- a\n+++ b\ndiff x")
    text = "before\n" + git(folder, "log", "-p", "-n", "1").stdout.decode() + "\n[exit code: 1]\n"
    draft = short(text)
    assert draft is not None
    assert draft.text.startswith("before\ncommit ")
    assert draft.text.endswith("\n[exit code: 1]\n")
    commit = re.search(r"(?m)^commit ([0-9a-f]{40})$", text).group(1)
    assert f"\ncommit {commit[:12]}\n" in draft.text
    for line in (
        "    Body with",
        "    - a list",
        "    + of things",
        "    --- a",
        "    +++ b",
        "Author: A <a@example.org>",
    ):
        assert f"\n{line}\n" in draft.text


def test_other_diffs_than_git_s():
    body = "@@ -1,9 +1,9 @@\n" + "".join(f" context line number {i}\n" for i in range(4)) + "-a\n+b\n"
    body += "".join(f" context line number {i}\n" for i in range(4, 8))
    trimmed = "@@ -4,3 +4,3 @@ -1,9 +1,9 @@\n context line number 3\n-a\n+b\n context line number 4\n"
    heads = (
        "--- old/x.py\t2026-01-01 10:00:00.000000000 +0100\n+++ new/x.py\t2026-01-02 10:00:00.000000000 +0100\n",
        "Index: trunk/x.py\n" + "=" * 67 + "\n--- trunk/x.py\t(revision 10)\n+++ trunk/x.py\t(working copy)\n",
        "diff -r 0123456789ab -r 9876543210ba x.py\n--- a/x.py\tThu Jan 01 00:00:00 1970 +0000\n+++ b/x.py\n",
        "diff -ruN old/x.py new/x.py\n--- old/x.py\n+++ new/x.py\n",
        "Only in old: y.py\n--- old/x.py\n+++ new/x.py\n",
    )
    for head in heads:
        draft = short(head + body)
        assert draft is not None
        assert draft.text == head + trimmed
        windows = short((head + body).replace("\n", "\r\n"))
        assert windows is not None
        assert windows.text == draft.text.replace("\n", "\r\n")
    for text in (
        "3c3\n< a\n---\n> b\n" * 20,
        "*** a/x\n--- b/x\n***************\n*** 1,3 ****\n  a\n! b\n--- 1,3 ----\n  a\n! c\n" * 9,
        "no diff at all\n" * 40,
    ):
        assert short(text) is None


def test_hunks_without_a_name_are_shortened():
    # As services send the change of one file.
    hunk = "@@ -10,9 +10,9 @@ def f\n" + "".join(f" context line number {i}\n" for i in range(4)) + "-a\n+b\n"
    hunk += "".join(f" context line number {i}\n" for i in range(4, 8))
    draft = short(hunk + hunk.replace("10,9", "40,9").rstrip("\n"))
    assert draft is not None
    first = "@@ -13,3 +13,3 @@ -10,9 +10,9 @@ def f\n context line number 3\n-a\n+b\n context line number 4\n"
    assert draft.text == first + first.replace("13,3", "43,3").replace("10,9", "40,9").rstrip("\n")


def test_own_output_stays():
    body = [f" line {i} of context" for i in range(9)] + ["-a", "+b"] + [f" line {i} of context" for i in range(9)]
    text = NPM + made("src/a.py", body) + made("src/b.py", [f"-def f{i}(): pass" for i in range(200)], deleted=True)
    once = short(text)
    assert once is not None
    again = short(once.text)
    assert again is None or again.text == once.text


def test_names_lose_only_the_prefixes_of_git():
    body = [f"+{i}, {'x' * 20}" for i in range(40)]
    for old, new, path in (
        ("a/data/x.csv", "b/data/x.csv", "data/x.csv"), ("b/data/x.csv", "a/data/x.csv", "data/x.csv"),
        ("i/x.csv", "w/x.csv", "x.csv"), ("data/x.csv", "data/x.csv", "data/x.csv"), ("a/x.csv", "a/x.csv", "a/x.csv"),
        ("old/x.csv", "new/x.csv", "new/x.csv"),
    ):  # fmt: skip
        text = made("x.csv", [*body, "-gone"] * 9).replace("a/x.csv", old).replace("b/x.csv", new)
        draft = short(text)
        assert draft is not None
        assert f" of {path} (+" in draft.text


def test_colours_go_unless_they_tell_words_apart(tmp_path):
    folder = repository(tmp_path / "r", {"a.py": numbered(0, 60)}, {"a.py": numbered(0, 60, l30="x", l50="y")})
    plain = git(folder, "show", "HEAD").stdout.decode()
    coloured = git(folder, "show", "--color=always", "HEAD").stdout.decode()
    draft = short(coloured)
    assert draft is not None
    assert draft.text == short(plain).text
    faithful = short(coloured, lossless=True)
    assert (faithful.text, faithful.degree) == (plain, FAITHFUL)
    for option in ("--color-words", "--word-diff=color"):
        words = git(folder, "show", "--color=always", option, "HEAD").stdout.decode()
        draft = short(words)
        for line in words.split("\n"):
            assert draft is None or "\x1b[31m" not in line or line in draft.text
        assert DIFFS.compress(words, Want(count, hint=Hint(command=f"git show {option} --color=always"))) is None


def test_binaries_and_submodules(tmp_path):
    noise = random.Random(1).randbytes(3000)
    before = {"a.png": noise, "a.py": numbered(0, 40)}
    folder = repository(tmp_path / "r", before, {"a.png": noise + b"\0", "a.py": numbered(0, 40, l20="x")})
    text = git(folder, "diff", "HEAD~1", "HEAD").stdout.decode()
    draft = short(text)
    assert draft is not None
    assert draft.text.startswith("Binary files a/a.png and b/a.png differ\n--- a/a.py\n+++ b/a.py\n@@ ")
    text = git(folder, "diff", "--binary", EMPTY, "HEAD")
    draft = short(text.stdout.decode())
    assert draft is not None
    assert re.search(r"\[\.\.\. \d+ lines of a.png \(new, binary patch\): literal 3001, literal 0 bytes\]", draft.text)
    module = (
        "diff --git a/lib b/lib\nindex 1111111..2222222 160000\n--- a/lib\n+++ b/lib\n@@ -1 +1 @@\n"
        f"-Subproject commit {'1' * 40}\n+Subproject commit {'2' * 40}\n"
    )
    assert short(module) is None
    assert module in short(module + made("x.py", [f" c{i} more words" for i in range(9)] + ["-a", "+b"])).text


def test_many_plain_renames_are_listed():
    text = "".join(
        f"diff --git a/old/m{i}.py b/new/m{i}.py\nsimilarity index 100%\n"
        f"rename from old/m{i}.py\nrename to new/m{i}.py\n"
        for i in range(9)
    )
    draft = short(text)
    assert draft is not None
    assert draft.text.split("\n")[0] == "[... 9 files renamed without a change, old => new:]"
    assert draft.text.split("\n")[3] == "old/m2.py => new/m2.py"
    assert (
        "rename from"
        in short(text[: text.index("diff --git a/old/m2")] + made("x.py", [" some context line"] * 9 + ["+b"])).text
    )


def test_safe_takes_only_large_lockfiles():
    source = made("src/a.py", [f" context line {i}" for i in range(30)] + ["-a", "+b"])
    assert short(source, "safe") is None
    assert short(NPM, "safe") is None
    lock = made("Cargo.lock", [f'+checksum = "{i:064x}"' for i in range(200)], new=True)
    draft = short(source + lock, "safe")
    assert draft is not None
    assert draft.text.startswith(source + "[... 200 lines of Cargo.lock (new, lockfile)")


def test_budget_keeps_what_the_question_is_about():
    sections = [
        made(
            f"src/{name}.py", [f" def {name}_{i}(): pass" for i in range(9)] + [f"-    {name} = {i}" for i in range(30)]
        )
        for name in ("alpha", "beta", "gamma", "delta")
    ]
    text = "".join(sections)
    whole = count(text)
    for budget in (whole // 2, whole // 4, 120, 20):
        draft = short(text, budget=budget, question="what happens to gamma?")
        assert draft is not None
        assert draft.degree == LOSSY
        if budget >= 120:
            assert count(draft.text) <= budget * 1.1
            assert all(f"src/{name}.py" in draft.text for name in ("alpha", "beta", "gamma", "delta"))
        if budget >= whole // 4:
            assert "-    gamma = 3" in draft.text
    assert len(short(text, "max").text) < len(short(text).text)


def test_a_budget_is_used():
    def body(name, size):
        changes = [line for i in range(size) for line in (f"-    {name}_{i} = {i}", f"+    {name}_{i} = {i} + 1")]
        return [f" def {name}(): pass", *changes, " end"]

    small = made("src/a.py", body("alpha", 12)) + made("tests/test_a.py", body("checked", 12))
    large = "".join(made(f"src/m{i}.py", body(f"m{i}", 6 + i)) for i in range(30))
    for text in (small, large):
        whole = count(short(text).text)
        for budget in (200, 300, 600, 1200):
            draft = short(text, budget=budget)
            if budget < whole:
                assert 0.7 * budget <= count(draft.text) <= budget
                assert re.search(r"(?m)^\+    \w+_0 = 0 \+ 1$", draft.text)
    # At the level max there is always something of what was changed, source before tests.
    for text in (small, made("src/b.py", body("b", 5))):
        draft = short(text, "max")
        assert 0.3 * count(short(text).text) <= count(draft.text) <= 0.75 * count(short(text).text)
        assert re.search(r"(?m)^\+    (?:alpha|b)_0 = 0 \+ 1$", draft.text)


def test_counts_of_what_a_budget_leaves_out_are_true():
    bodies = {i: [f"+    m{i}_{n} = {n}" for n in range(8 + i)] for i in range(12)}
    text = "".join(made(f"src/m{i}.py", lines, new=True) for i, lines in bodies.items())
    total = sum(map(len, bodies.values()))
    for budget in (40, 160, 200, 300, 500, 900):
        draft = short(text, budget=budget)
        there = len(re.findall(r"(?m)^\+    m", draft.text))
        assert draft.missing.startswith(f"{total - there} changed lines in ")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("src/a.py", paths.SOURCE), ("README.md", paths.SOURCE), ("CMakeLists.txt", paths.SOURCE),
        ("package.json", paths.SOURCE), ("tests/test_a.py", paths.SOURCE), ("tests/data/case.py", paths.SOURCE),
        (".github/workflows/ci.yml", paths.SOURCE), ("Dockerfile", paths.SOURCE), ("docs/index.rst", paths.SOURCE),
        ("requirements.txt", paths.SOURCE), ("src/vendor.py", paths.SOURCE), ("tests/conftest.py", paths.SOURCE),
        ("tests/Makefile", paths.SOURCE), ("tests/package.json", paths.SOURCE), ("tests/README.txt", paths.SOURCE),
        ("cmd/gen/main.go", paths.SOURCE), ("config/samples/job.yaml", paths.SOURCE), ("a/pom.xml", paths.SOURCE),
        ("Documentation/rcu.txt", paths.SOURCE), ("tests/samples/out.txt", paths.DATA),
        ("web/package-lock.json", paths.LOCK), ("Cargo.lock", paths.LOCK), ("go.sum", paths.LOCK),
        ("a/b/pnpm-lock.yaml", paths.LOCK), ("vendor/x/a.go", paths.VENDORED), ("node_modules/x/i.js", paths.VENDORED),
        ("js/app.min.js", paths.MINIFIED), ("app.js.map", paths.MINIFIED), ("dist/app.js", paths.GENERATED),
        ("api/v1/a_pb2.py", paths.GENERATED), ("lib/model.g.dart", paths.GENERATED),
        ("tests/fixtures/a.json", paths.DATA), ("src/__snapshots__/a.test.js.snap", paths.DATA),
        ("testdata/out.txt", paths.DATA), ("logo.svg", paths.DATA), ("locale/de.po", paths.DATA),
    ],
)  # fmt: skip
def test_paths_tell_what_a_file_is(path, kind):
    assert paths.what(path) == kind


@settings(deadline=None, max_examples=150)
@given(st.lists(st.sampled_from([
    "diff --git a/x b/x", "diff --cc x", "index 1..2 100644", "--- a/x", "+++ b/x", "@@ -1,2 +1,2 @@ f", "@@ -1 +1 @@",
    "@@@ -1,2 -1,2 +1,2 @@@", "+a", "-b", " c", "", "\\ No newline at end of file", "\x1b[31m-b\x1b[m", "++", "--",
    "  ",
    "rename from x", "rename to y", "similarity index 100%", "new file mode 100644", "GIT binary patch", "literal 3",
    "Binary files a/x and b/x differ", "@@ -0,0 +1,99999 @@", "commit " + "a" * 40, "deleted file mode 100644",
]), max_size=30), st.sampled_from(["safe", "balanced", "max"]), st.booleans())  # fmt: skip
def test_no_lines_break_it(lines, level, lossless):
    text = "\n".join(lines)
    draft = short(text, level, lossless=lossless)
    if draft is not None and lossless:
        assert re.sub(r"\x1b\[[0-9;]*m", "", text) == re.sub(r"\x1b\[[0-9;]*m", "", draft.text)
