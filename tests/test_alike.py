"""alike: lines of a known form that differ in a name."""

import time

import pytest

from headroom_cli.dedup.alike import alike

SEARCHED = [f"grep: src/{name}.cpython-39.pyc: binary file matches" for name in ("a/one", "a/two", "b/one")]
SAME = [f'locale/{name}/app.po:msgid "document %r is not in any list"' for name in ("da", "de", "el")]
INSTALLED = [
    f"Requirement already satisfied: {name} in /opt/env/lib/python3.9/site-packages (from app) ({version})"
    for name, version in (("attrs", "24.2"), ("toml", "0.10"), ("six>=1.5", "1.16"))
]
COUNTED = [
    f"/srv/{name} ({n} matches)" for name, n in (("app/a.py", 2), ("app/lib/b.py", 13), ("c.py", 1), ("d.py", 9))
]


@pytest.mark.parametrize(
    ("lines", "short"),
    [
        (SEARCHED, ["[3 lines: grep: src/?.cpython-39.pyc: binary file matches]", "a/one", "a/two", "b/one"]),
        (INSTALLED, ["[3 lines: Requirement already satisfied: ? in /opt/env/lib/python3.9/site-packages ?]",
                     "attrs (from app) (24.2)", "toml (from app) (0.10)", "six>=1.5 (from app) (1.16)"]),
        (COUNTED, ["[4 lines: ? (? matches)]",
                   "/srv/app/a.py 2", "/srv/app/lib/b.py 13", "/srv/c.py 1", "/srv/d.py 9"]),
        ([SAME[0], SEARCHED[0], SEARCHED[1], SAME[1], SAME[2], SEARCHED[2]],
         [('[6 lines: locale/?/app.po:msgid "document %r is not in any list"; '
           "behind ~ lines of: grep: src/?.cpython-39.pyc: binary file matches]"),
          "da", "~ a/one", "~ a/two", "de", "el", "~ b/one"]),
    ],
)  # fmt: skip
def test_lines_of_one_form_say_it_once(lines, short):
    said = alike("\n".join(["before", *lines, "", "after"]))
    assert said.split("\n") == ["before", *short, "", "after"]
    assert alike(said) == said


@pytest.mark.parametrize(
    "lines",
    [
        SEARCHED[:2],
        [*SEARCHED[:2], "", SEARCHED[2]],
        [line.replace("src", "sr?c") for line in SEARCHED],
        [f"src/{name}.py: error: cannot find module matches)" for name in "abc"],  # errors stay as they are
        [*SEARCHED[:2], *COUNTED[:2], *INSTALLED[:2]],
    ],
)
def test_lines_that_differ_in_more_stay(lines):
    text = "\n".join(lines)
    assert alike(text) == text


def test_many_lines_of_one_form_take_linear_time():
    def seconds(lines):
        text = "\n".join([f"grep: src/{'a/' * (i % 40)}{i}.pyc: binary file matches" for i in range(lines)])
        start = time.perf_counter()
        assert len(alike(text)) < len(text)
        return time.perf_counter() - start

    assert seconds(40_000) < 24 * seconds(5_000) + 0.05  # linear takes 8 times as long, quadratic 64 times
