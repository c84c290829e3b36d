"""What a command's output usually is: a table from programs and their flags to kinds.

A command is a promise, not a proof: ``cat x.json | head`` may print half a document, a test runner may print only a
compiler error. So each row gives a kind and how often it is right; ``__init__.py`` weighs it against the text itself.
"""

from __future__ import annotations

from headroom_cli.routing import shell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from headroom_cli.model import Hint


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


CODE = _names(
    "py pyi pyx js jsx mjs cjs ts tsx go rs java kt kts c h cc cpp cxx hh hpp hxx cs rb php pl pm sh bash zsh "
    "fish ps1 lua r jl scala swift m mm dart ex exs erl hs ml mli clj sql proto thrift graphql vue svelte css "
    "scss less sass yaml yml toml ini cfg conf env properties gradle cmake mk tf hcl nix vim el lisp asm s xml "
    "xsl plist svg j2 jinja lock mod sum"
)
_CODE_NAMES = _names("makefile dockerfile jenkinsfile vagrantfile rakefile gemfile procfile justfile")
_FILES = {
    "json": "json", "jsonl": "json", "ndjson": "json", "geojson": "json", "ipynb": "json", "webmanifest": "json",
    "sarif": "json", "md": "prose", "markdown": "prose", "rst": "prose", "txt": "prose", "adoc": "prose",
    "tex": "prose", "org": "prose", "csv": "table", "tsv": "table", "html": "html", "htm": "html", "xhtml": "html",
    "log": "log", "out": "log", "err": "log", "diff": "diff", "patch": "diff",
}  # fmt: skip


_ANYTHING = 0.3  # the trust in the name of a file that may hold what any command printed


def from_path(path: str) -> str:
    """Return the kind that a file's name promises, or ""."""
    name = path.rstrip("'\"").replace("\\", "/").rpartition("/")[2].lower()
    stem, dot, extension = name.rpartition(".")
    if dot and extension in _FILES:
        return _FILES[extension]
    if (dot and extension in CODE) or name in _CODE_NAMES or (stem and name.startswith("dockerfile.")):
        return "code"
    if name in ("readme", "license", "changelog", "authors", "contributing", "copying"):
        return "prose"
    return "log" if name in ("syslog", "messages", "dmesg") else ""


def _row(kind: str, trust: float, names: str) -> dict[str, tuple[str, float]]:
    return dict.fromkeys(names.split(), (kind, trust))


# program -> (kind, how often that is right); programs with sub-commands or telling flags stand in _SPECIAL
_PROGRAMS = {
    **_row(
        "search", 0.9,
        "search_dir search_file rg grep egrep fgrep zgrep ag ack ripgrep pcregrep ugrep rga",
    ),
    **_row(
        "listing", 0.9,
        "find_file find fd fdfind ls ll dir tree exa eza lsd du locate plocate realpath which",
    ),
    **_row(
        "test-log", 0.9,
        "pytest py.test tox nox nose2 nosetests jest vitest mocha ava ctest phpunit rspec karma cypress "
        "playwright gotestsum trial runtests.py bats prove tap test",
    ),
    **_row(
        "log", 0.8,
        "make gmake ninja cmake bazel meson gcc g++ cc c++ clang clang++ javac rustc tsc eslint ruff mypy "
        "pyright flake8 pylint pycodestyle bandit black isort prettier rubocop shellcheck hadolint "
        "golangci-lint journalctl dmesg pip pip3 apt apt-get yum dnf brew conda mamba poetry uv pdm ansible "
        "ansible-playbook terraform helm packer vagrant sphinx-build mkdocs webpack vite rollup esbuild gulp grunt "
        "ant sbt dotnet swift xcodebuild configure ./configure strace ltrace ping traceroute rsync msbuild "
        "pre-commit act",
    ),
    **_row(
        "table", 0.85,
        "ps df free top lsof netstat ss mount lsblk lscpu lspci lsusb lsmod ip ifconfig ipconfig route arp "
        "iptables who w last uptime vmstat iostat mpstat pidstat sar env printenv sysctl sha1sum sha256sum "
        "sha384sum sha512sum md5sum cksum sum psql mysql sqlite3 column csvlook xsv mlr rpm dpkg pacman snap "
        "history crontab systeminfo findmnt blkid id getent xrandr udevadm zipinfo unzip hostnamectl "
        "timedatectl ntpq stat host dig nslookup",
    ),
    **_row(
        "json", 0.9,
        "jq gojq fx jello jc",
    ),
    **_row(
        "diff", 0.95,
        "diff colordiff interdiff sdiff icdiff filterdiff",
    ),
    **_row(
        "prose", 0.7,
        "man help info pandoc w3m lynx pdftotext fortune tldr",
    ),
    **_row(
        "html", 0.3,
        "curl wget http xh",
    ),
    **_row(
        "log", 0.4,
        "python python3 node ruby perl php java deno bun Rscript sh bash docker-compose",
    ),
}  # fmt: skip

_READERS = _names("cat head tail nl less more bat batcat sed awk tac type view open gawk strings")
_FILTERS = _names(
    "head tail less more sort uniq tee cat nl cut tr rev column sed awk gawk fold expand wc grep egrep rg fgrep xargs"
)
_SILENT = _names(
    "cd export source . set unset mkdir rm mv cp touch chmod chown ln sleep true false : pushd popd activate "
    "conda wait trap if fi done for while echo printf tput clear"
)
_TESTS = _names("test tests check nextest t spec bench")


def _git(args: list[str]) -> tuple[str, float]:
    while args and args[0].startswith("-"):
        args = args[2 if args[0] in ("-C", "-c") else 1 :]
    verb, flags = (args[0] if args else ""), frozenset(args[1:])
    if verb == "grep":
        return "search", 0.9
    patch = not flags.isdisjoint(("-p", "-u", "--patch", "-c", "--cc", "-m"))
    short = not flags.isdisjoint(("--stat", "--name-only", "--name-status", "--numstat", "--shortstat", "--summary"))
    if verb in ("diff", "show", "format-patch", "range-diff", "diff-tree") or (verb in ("log", "stash") and patch):
        if short and not patch:
            return "listing", 0.8
        if verb == "show" and any(":" in a for a in args[1:] if not a.startswith("-")):
            return from_path(next(a for a in args[1:] if ":" in a).partition(":")[2]) or "code", 0.8
        return "diff", 0.95
    if verb in ("log", "blame", "ls-remote", "reflog", "shortlog", "branch", "annotate", "for-each-ref", "remote"):
        return "table", 0.8
    if verb in ("status", "ls-files", "ls-tree", "tag", "stash"):
        return "listing", 0.8
    return ("prose", 0.5) if verb == "help" else ("log", 0.7)


def _kubectl(args: list[str]) -> tuple[str, float]:
    plain = [a for a in args if not a.startswith("-")]
    verb = plain[0] if plain else ""
    if verb in ("logs", "events"):
        return "log", 0.9
    if verb in ("get", "top", "api-resources"):
        return ("code", 0.8) if "yaml" in args or "-oyaml" in args else ("table", 0.9)
    return ("table", 0.6) if verb == "describe" else ("log", 0.6)


def _docker(args: list[str]) -> tuple[str, float]:
    verb = " ".join(args[:2]) if args[:1] in (["container"], ["image"], ["compose"]) else (args[0] if args else "")
    if verb.endswith("inspect"):
        return "json", 0.9
    if verb.endswith((" ls", " ps")) or verb in ("ps", "images", "stats", "top", "volume", "network", "system"):
        return "table", 0.9
    return "log", 0.8


def _tests_or(kind: str, trust: float) -> Callable[[list[str]], tuple[str, float]]:
    """Return a rule for build tools: their test verbs print test logs, the others ``kind``."""

    def rule(args: list[str]) -> tuple[str, float]:
        plain = [a.rpartition(":")[2] if a.startswith(":") else a for a in args if not a.startswith("-")]
        if plain[:1] in (["ls"], ["list"], ["freeze"], ["tree"], ["show"], ["outdated"], ["debug"], ["index"]):
            return "table", 0.7
        if plain[:1] not in (["install"], ["add"], ["i"], ["download"], ["uninstall"], ["remove"]):
            for word in plain[:3]:
                if word.partition(":")[0] in _TESTS or word.endswith(("test", "tests")):
                    return "test-log", 0.9
        if plain[:1] in (["doc"], ["help"]) or "--help" in args:
            return "prose", 0.5
        return ("json", 0.8) if plain[:1] == ["metadata"] else (kind, trust)

    return rule


def _python(args: list[str]) -> tuple[str, float]:
    if "-m" in args[:-1]:
        module = args[args.index("-m") + 1]
        if module == "json.tool":
            return "json", 0.9
        if module in ("pytest", "unittest", "nose", "tox", "nox", "trial", "doctest", "django"):
            return "test-log", 0.9
        return _PROGRAMS.get(module, ("log", 0.5))
    script = next((a for a in args if not a.startswith("-")), "")
    name = script.rpartition("/")[2]
    if name in ("runtests.py", "runtest.py", "run_tests.py") or ("test" in args and name == "manage.py"):
        return "test-log", 0.9
    return ("test-log", 0.4) if name.startswith("test") or name.endswith("_test.py") else ("log", 0.3)


def _curl(args: list[str]) -> tuple[str, float]:
    told = " ".join(args).lower()
    return ("json", 0.6) if "json" in told or "/api" in told or "api." in told else ("html", 0.4)


_SPECIAL: dict[str, Callable[[list[str]], tuple[str, float]]] = {
    "git": _git, "kubectl": _kubectl, "oc": _kubectl, "k": _kubectl, "docker": _docker, "podman": _docker,
    "python": _python, "python3": _python, "pypy3": _python, "coverage": _python, "curl": _curl, "wget": _curl,
    "aws": lambda args: ("table", 0.6) if "table" in args else ("json", 0.85),
    "az": lambda args: ("table", 0.8) if "table" in args else ("json", 0.85),
    "gcloud": lambda _args: ("table", 0.6),
    "gh": lambda args: ("json", 0.8) if args[:1] == ["api"] else ("diff", 0.8) if "diff" in args else ("table", 0.5),
    "systemctl": lambda args: ("log", 0.7) if "status" in args else ("table", 0.8),
}  # fmt: skip
for _name, _kind, _trust in (
    ("cargo", "log", 0.85), ("go", "log", 0.8), ("npm", "log", 0.8), ("yarn", "log", 0.8), ("pnpm", "log", 0.8),
    ("bun", "log", 0.7), ("deno", "log", 0.6), ("mvn", "log", 0.85), ("mvnw", "log", 0.85), ("gradle", "log", 0.85),
    ("gradlew", "log", 0.85), ("make", "log", 0.8), ("dotnet", "log", 0.8), ("rake", "log", 0.7), ("mix", "log", 0.7),
    ("swift", "log", 0.8), ("sbt", "log", 0.8), ("pip", "log", 0.8), ("pip3", "log", 0.8), ("composer", "log", 0.7),
    ("just", "log", 0.6), ("uv", "log", 0.6), ("bazel", "log", 0.7), ("rails", "log", 0.6), ("poetry", "log", 0.6),
):  # fmt: skip
    _SPECIAL[_name] = _tests_or(_kind, _trust)


def _stage(program: str, args: list[str]) -> tuple[str, float]:
    """Return (kind, trust) of one stage on its own, ("", 0) when nothing is known."""
    if program in ("bash", "sh", "zsh") and args and args[0].startswith("-") and args[0].endswith("c") and args[1:]:
        return from_command(args[1])
    if program in ("uv", "poetry", "pdm", "hatch", "pipenv", "bundle") and args[:1] in (["run"], ["exec"]):
        return _stage(*shell.program(args[1:]))
    if program not in ("grep", "rg"):
        told = " ".join(args)
        if "--json" in args or " json" in " " + told.replace("=", " ").replace("-ojson", "-o json"):
            wants = ("--json", "-o json", "--output json", "--output=json", "--format json", "--format=json", "-ojson",
                     "--error-format=json", "--message-format=json", "-o=json", "--reporter json",
                     "--reporter=json")  # fmt: skip
            if any(want in told for want in wants):
                return "json", 0.9
        if args and args[-1] in ("--help", "-help"):
            return "prose", 0.6
    if program in _READERS:
        for arg in reversed(args):
            kind = from_path(arg)
            if kind and not arg.startswith("-"):
                return kind, _ANYTHING if arg.lower().endswith(".txt") else 0.8
        return "", 0.0
    rule = _SPECIAL.get(program)
    if rule is not None:
        return rule(args)
    if program in ("rg", "grep", "egrep") and not frozenset(args).isdisjoint(
        ("-l", "-rl", "-lr", "--files", "--files-with-matches", "-c", "-L", "-ril", "-rli", "-rlE", "-lE", "-rln")
    ):
        return "listing", 0.9
    return _PROGRAMS.get(program, ("", 0.0))


def from_command(command: str) -> tuple[str, float]:
    """Return (kind, trust) for a command line; ("", 0) when it says nothing."""
    found: list[tuple[str, float]] = []
    for pipeline in shell.pipelines(command):
        kind, trust = "", 0.0
        for number, stage in enumerate(pipeline):
            program, args = shell.program(stage)
            if number and program == "wc":
                kind, trust = ("listing", 0.5) if "xargs" in stage else ("table", 0.3)
            elif number and program == "xargs":
                kind, trust = _stage(*shell.program(args))
            elif number and program in _FILTERS:
                if program in ("grep", "egrep", "rg") and kind in ("", "code", "prose"):
                    kind, trust = "search", 0.5
                trust *= 0.95
            elif program in _SILENT:
                continue
            else:
                kind, trust = _stage(program, args)
        if kind:
            found.append((kind, trust))
    if not found:
        return "", 0.0
    kind, trust = found[-1]
    other = sum(1 for before, _ in found if before != kind)
    return kind, trust * (0.6 if other else 1.0)


_TOOLS = {
    "grep": ("search", 0.9), "search": ("search", 0.6), "glob": ("listing", 0.9), "ls": ("listing", 0.9),
    "list_dir": ("listing", 0.9), "list_directory": ("listing", 0.9), "find_file": ("listing", 0.8),
    "search_dir": ("search", 0.6), "search_file": ("search", 0.6), "grep_search": ("search", 0.9),
    "webfetch": ("prose", 0.5), "web_fetch": ("prose", 0.5), "websearch": ("prose", 0.5), "fetch": ("html", 0.3),
}  # fmt: skip


def from_hint(hint: Hint) -> tuple[str, float, str]:
    """Return (kind, trust, why) from all that is known besides the text."""
    if hint.command:
        kind, trust = from_command(hint.command)
        if kind:
            return kind, trust, "command"
    kind = from_path(hint.path) if hint.path else ""
    if kind:
        return kind, _ANYTHING if hint.path.lower().endswith(".txt") else 0.85, "file name"
    kind, trust = _TOOLS.get(hint.tool.lower(), ("", 0.0))
    return kind, trust, "tool" if kind else ""
