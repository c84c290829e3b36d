"""What README and docs say of the program is so: links, flags, variables, verbs, kinds, messages, statuses.

That their examples run is tested in test_docs_console.py, test_docs_ci.py and test_library_docs.py.
"""

import ast
import json
import re
import shlex
import tomllib
from functools import cache

import pytest
import yaml
from conftest import ROOT

from headroom_cli import backends, compress, errors, model, retrieve, settings
from headroom_cli.cli.options import VERBS, load
from headroom_cli.money.prices import load as load_prices
from headroom_cli.serve import routes

README = ROOT / "README.md"
TOP = [README, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
PAGES = [*TOP, *sorted((ROOT / "docs").rglob("*.md"))]
USERS = [*TOP, *sorted((ROOT / "docs").glob("*.md"))]  # without the decisions, which tell of what was and what is not
INDEX = ROOT / "docs/index.md"
TROUBLES = ROOT / "docs/troubleshooting.md"

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
INFOS = ("", "console", "json", "python", "sh", "text", "toml", "yaml")
# What no block may begin a line with, unless it is one whose commands are run.
COMMANDS = re.compile(
    r"^(?:\$ |[A-Z_]+=\S+ )?(?:headroom|pip|pipx|curl|git|kubectl|make|npm|pytest|docker) ", re.MULTILINE
)
# A call of ours up to what ends it in a shell.
CALL = re.compile(r"""(?<![\w/.\-:])headroom ([a-z]+)((?:'[^']*'|"[^"]*"|[^|<>;&)"'\n#`])*)""")

# Flags of other programs that pages name.
OTHERS = frozenset((
    "--append-system-prompt", "--yes", "--name-only", "--unidiff-zero", "--recount", "--json", "--model", "--version",
))  # fmt: skip
# Variables that are no settings: of the tests, of other programs of ours.
NO_SETTINGS = frozenset((
    "HEADROOM_PROXY_URL", "HEADROOM_TEST_ALLOW_SKIPS", "HEADROOM_TYPESCRIPT_NODE", "HEADROOM_COMMAND",
))  # fmt: skip


@cache
def text_of(page):
    return page.read_text()


def prose_of(page):
    """Return a page without its fenced blocks."""
    return FENCE.sub("", text_of(page))


def spans(page):
    """Return what stands between backticks in a page, outside of blocks."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose_of(page))]


def flags_of(verb):
    """Return all spellings of a verb's flags."""
    return {flag for row in load(verb).rows for flag in row.flags} | {"--help", "-h"}


ALL_FLAGS = {flag for verb in VERBS for flag in flags_of(verb)} | {"--version"}


def anchors(page):
    """Return the anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path) if path else page
        assert found.exists(), target
        if anchor:
            assert anchor in anchors(found), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_say_what_they_are(page):
    for info, block in FENCE.findall(text_of(page)):
        assert info in INFOS, (page.name, info)
        if info == "json":
            json.loads(block)
        elif info == "toml":
            tomllib.loads(block)
        elif info == "yaml":
            assert yaml.safe_load(block)
        elif info == "python":
            ast.parse(block)
        elif info in {"", "text"} and page in USERS:
            assert not COMMANDS.search(block), f"{page.name}: a command that no test runs: {block}"


@pytest.mark.parametrize("page", USERS, ids=lambda page: page.name)
def test_flags_that_are_named_exist(page):
    blocks = [block for info, block in FENCE.findall(text_of(page)) if info in {"sh", "console", "yaml"}]
    calls = [match for text in (*blocks, *spans(page)) for match in CALL.finditer(text)]
    for match in calls:
        verb, rest = match[1], match[2]
        assert verb in VERBS, match[0]
        words = shlex.split(rest.replace("...", ""))
        for word in words[: words.index("--") if "--" in words else None]:
            if re.match(r"-\D", word) and not (verb == "run" and words.index(word)):
                assert word.partition("=")[0] in flags_of(verb), match[0]
    for span in spans(page):
        for flag in re.findall(r"(?:^|[ (,|])(--[a-z][a-z-]+)", span):
            assert flag in ALL_FLAGS | OTHERS, (page.name, span)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_variables_that_are_named_exist(page):
    known = {row.variable for row in settings.TABLE} | NO_SETTINGS
    for name in re.findall(r"\bHEADROOM_[A-Z_]+[A-Z]\b", text_of(page)):
        assert name in known, name


def test_every_flag_and_verb_is_documented():
    pages = "\n".join(map(text_of, USERS))
    for verb in VERBS:
        assert f"headroom {verb}" in pages, verb
        for row in load(verb).own:
            assert re.search(rf"(?<![\w-]){row.flags[0]}(?![\w-])", pages), (verb, row.flags[0])
    for row in settings.TABLE:
        name = row.flags[0] if row.flags else row.variable
        assert re.search(rf"(?<![\w-]){name}(?![\w-])", pages), name
    for variable, _ in routes.PROVIDERS.values():
        assert variable in pages, variable


def test_the_index_leads_to_every_page():
    listed = set(re.findall(r"\]\(([a-z-]+\.md)\)", text_of(INDEX)))
    assert listed == {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"}


def test_the_architecture_names_every_folder_and_decision():
    page = text_of(ROOT / "docs/architecture.md")
    for path in (ROOT / "headroom_cli").iterdir():
        if (path / "__init__.py").exists():
            assert f"`{path.name}/`" in page, path.name
    for path in (ROOT / "docs/decisions").iterdir():
        assert f"(decisions/{path.name})" in page, path.name


def test_every_kind_and_backend_has_its_place():
    heads = re.findall(r"^## (.*)$", text_of(ROOT / "docs/kinds.md"), re.MULTILINE)
    assert sorted(head for head in heads if head in model.KINDS) == sorted(model.KINDS)
    table = re.findall(r"^\| `([a-z]+)(.*?)` (.*)\|$", text_of(ROOT / "docs/backends.md"), re.MULTILINE)
    assert {name for name, _, _ in table} == set(backends.BACKENDS)
    shapes = {"anthropic": "Messages", "openai": "Chat", "responses": "Responses"}
    for name, more, line in table:
        row, _ = backends.load(f"{name}-x" if more.startswith("-") else name, gateway="with" in more + line[:6])
        cells = line.split("|")
        assert [shapes[shape] for shape in row.shapes] == re.findall(r"Messages|Chat|Responses", cells[1]), name
        for variable in row.variables:
            group = re.sub(r"^(AICORE|BEDROCK_OAUTH)_.*", r"\1_*", variable)
            assert group in line or (variable.startswith("AWS_") and "AWS credential chain" in line), variable
        assert row.extra in line


def runs_of(printed, level):
    """Return kind -> (tokens, median, kept, groups, same, larger, MB/s) of the newest run at a level."""
    run = re.split(rf"^\$ python benchmarks/corpus.py {level}\b.*$", printed, flags=re.MULTILINE)[-1]
    run = run.partition("\n$")[0]
    return {name: line.split() for name, line in re.findall(r"^(\w+) +\d+ +(.*)$", run, re.MULTILINE)}


def test_the_tables_of_the_readme_are_those_of_the_runs():
    """The runs are written by the benchmarks that README names; who measures anew has to change both."""
    runs = ROOT / "benchmarks/runs/2026-11-21-2core"
    page, corpus = text_of(README), (runs / "corpus.txt").read_text()
    balanced = {**runs_of(corpus, "balanced"), "lossless": runs_of(corpus, "lossless")["json"]}
    rows = (
        ("JSON, 140 samples", "json"), ("logs and test output", "logs"), ("search results", "search"),
        ("diffs", "diff"), ("source code", "code"),
        ("HTML", "html"), ("prose", "prose"), ("tables", "cmdout"), ("JSON, `--l", "lossless"),
    )  # fmt: skip
    for title, name in rows:
        found = re.search(rf"^\| {title}[^|]*\| (\S+) \| (\S+) \| (\S+) \| (\d+) \|$", page, re.MULTILINE)
        tokens, median, kept, _, _, larger, *_ = balanced[name]
        assert (found[1], found[2], found[4]) == (tokens, median, larger), title
        assert found[3] in {kept, "-"}, title
    by_level = {level: runs_of(corpus, level) for level in ("safe", "balanced", "max")}
    concepts = text_of(ROOT / "docs/concepts.md")
    table = re.findall(r"^\| ([A-Za-z].*?) \|((?: [\d.-]+ \|){6})$", concepts, re.MULTILINE)
    assert len(table) == 8
    for cells in table:
        name = next(name for title, name in rows if cells[0].startswith(title.split(",")[0]))
        numbers = cells[1].replace("|", " ").split()
        for level, tokens, kept in zip(by_level, numbers[::2], numbers[1::2], strict=True):
            assert tokens == by_level[level][name][0], (name, level)
            assert kept in {by_level[level][name][2], "-"}, (name, level)
    conversations = (runs / "conversations.txt").read_text()
    levels = {"`--lossless`": "lossless", "`safe`": "safe", "`balanced`": "balanced", "`max`": "max", "all": "nothing"}
    for title, level in levels.items():
        found = re.search(rf"^\| {title}[^|]*\| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", page, re.MULTILINE)
        said = re.search(
            rf"^{level} +price (\S+) .*\n +tokens (\S+); of outputs alone (\S+),", conversations, re.MULTILINE
        )
        facts = re.search(rf"^{level} facts .*: (\S+) of", conversations, re.MULTILINE)
        assert found.groups() == (*said.groups(), facts[1]), level


def test_the_readme_names_every_status():
    told = {
        int(number)
        for number in re.findall(r"(\d+) [a-z]", README.read_text().split("## Exit statuses")[1].split("##")[0])
    }
    every = [errors.HeadroomError]
    for kind in every:
        every += kind.__subclasses__()
    ours = {kind.status for kind in every if kind.__module__ == errors.__name__}
    of_the_shell = {126, 127}  # of commands that `run` cannot run
    assert ours - of_the_shell <= told
    assert told <= ours | {0, 1, 2, 130}


def test_the_library_example_of_the_readme_runs(tmp_path):
    example = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)[1]
    messages = json.loads((ROOT / "examples/trace.json").read_text())["messages"]
    store = str(tmp_path / "store")
    names = {
        "messages": messages,
        "compress": lambda *given, **more: compress(*given, store=store, **more),
        "retrieve": lambda *given, **more: retrieve(*given, store=store, **more),
    }
    lines = [line for line in example.splitlines() if not line.startswith("from ")]
    assert len(lines) == len(example.splitlines()) - 1
    exec("\n".join(lines), names)
    assert names["result"].tokens_saved > 0
    assert names["retrieve"](names["result"].handles[0], lines="40:80").count(b"\n") == 41


def test_the_files_that_are_shown_are_read(tmp_path):
    shown = [block for page in USERS for info, block in FENCE.findall(text_of(page)) if info == "toml"]
    prices = [block for block in shown if "[[price]]" in block]
    ours = [block for block in shown if "=" in block and "[" not in block.splitlines()[0]]
    assert len(prices) == len(ours) == 1
    (tmp_path / "prices.toml").write_text(prices[0])
    assert load_prices(str(tmp_path / "prices.toml")) is not None
    (tmp_path / "headroom").mkdir()
    (tmp_path / "headroom/config.toml").write_text(ours[0])
    found = settings.resolve({}, {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)})
    assert (found.level, found.protect_tool, found.timeout) == ("balanced", ("Read", "Grep*"), 120)


def test_every_path_that_the_design_names_exists():
    layout = text_of(ROOT / "docs/design.md").split("## 4. Layout")[1].split("```")[1]
    for name in re.findall(r"^  ([a-z_]+(?:\.py|/))", layout, re.MULTILINE):
        assert (ROOT / "headroom_cli" / name).exists(), name
