"""What is shipped: the wheel, the source distribution, what they install, and where `make install` puts it."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import warnings
import zipfile

import pytest
from conftest import ROOT, clean_environment
from test_manual import needs

from headroom_cli.cli.options import VERBS

BIN = os.path.dirname(sys.executable)
TABLE = tomllib.loads((ROOT / "pyproject.toml").read_text())
TRACE = (ROOT / "examples/trace.json").read_bytes()
# What `pip install headroom-cli` brings, and why: zstandard for the store, typer for help and reports (with its
# shellingham and annotated-doc), rich for terminals, httpx for `send`, a grammar for each language.
CORE = {
    "headroom-cli", "zstandard", "typer", "shellingham", "annotated-doc", "typing-extensions", "rich",
    "markdown-it-py", "mdurl", "pygments", "httpx", "httpcore", "h11", "anyio", "idna", "certifi",
    "tree-sitter", *(f"tree-sitter-{name}" for name in (
        "bash", "c", "c-sharp", "cpp", "go", "java", "kotlin", "php", "python", "ruby", "rust", "swift", "typescript",
    )),
}  # fmt: skip
CORE_MB = 80  # 70 when this was written, of files without .pyc; 55 of them are grammars
ALL_MB = 210  # with [all]: pydantic and cryptography of the MCP SDK, botocore, pillow, aiohttp; 182 when written
WHEEL_MB = 3.0  # 2.5 when written, half of it the embedded model
SDIST_MB = 8.0
UNREACHED = re.compile(
    r"error sending request|could not connect|dns error|name resolution|no matching distribution|network is unreachable"
    r"|connection refused|connection error",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build the wheel and the source distribution as a packager does, without a network."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def installing(tmp_path, *words, **more):
    """Run an installer; skip where it reaches no registry."""
    # The person's own home stays: there stands which registry is asked, and what was downloaded before.
    known = {**clean_environment(tmp_path, **more), "HOME": os.environ.get("HOME", str(tmp_path))}
    known.pop("PYTHONPATH")
    # An environment without our options: whether warnings are errors is no matter of theirs.
    known.pop("PYTHONWARNINGS", None)
    done = subprocess.run(words, cwd=tmp_path, env=known, capture_output=True, text=True, timeout=300)
    if done.returncode and UNREACHED.search(done.stderr + done.stdout):
        pytest.skip("no registry of packages can be reached")
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def tool(name):
    """Return the path of an installer that came with the development dependencies, or skip."""
    found = shutil.which(name, path=BIN + os.pathsep + os.environ["PATH"])
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def works(program, home):
    """Use an installed program as a newcomer does."""
    known = {**clean_environment(home), "PATH": "/usr/bin:/bin"}
    known.pop("PYTHONPATH")

    def run(*words, stdin=b""):
        return subprocess.run([program, *words], input=stdin, env=known, cwd=home, capture_output=True, timeout=60)

    assert run("--version").stdout.decode() == f"headroom {TABLE['project']['version']}\n"
    small = run("crush", "-q", stdin=TRACE).stdout
    assert len(small) < len(TRACE) / 2
    assert run("retrieve", "--expand", stdin=small).stdout == TRACE
    assert b"retrieve" in run("--help").stdout
    return run


def megabytes(folder):
    """Return the size of what lies below a folder, without what is made anew on any machine."""
    return sum(
        os.lstat(os.path.join(place, name)).st_size
        for place, _, names in os.walk(folder) for name in names if not name.endswith(".pyc")
    ) / 1e6  # fmt: skip


def test_the_wheel_holds_the_package_and_nothing_else(built):
    with zipfile.ZipFile(built[0]) as wheel:
        names = set(wheel.namelist())
        head = next(name for name in names if name.endswith("/METADATA")).partition("/")[0]
        about = wheel.read(f"{head}/METADATA").decode()
    ours = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "headroom_cli").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }  # fmt: skip
    more = {f"{head}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")}
    assert names == ours | more
    assert {name.rpartition(".")[2] for name in ours} <= {"py", "typed", "md", "onnx", "json", "html"}
    assert built[0].name.endswith("-py3-none-any.whl")
    assert built[0].stat().st_size < WHEEL_MB * 1e6
    assert "headroom_cli/py.typed" in names
    assert "License-Expression: Apache-2.0" in about
    assert "Requires-Python: >=3.11" in about


def test_the_source_distribution_holds_what_the_tests_need(built):
    with tarfile.open(built[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert built[1].stat().st_size < SDIST_MB * 1e6
    tops = {name.partition("/")[0] for name in names}
    assert tops - {"PKG-INFO", ".gitignore"} <= set(TABLE["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"])
    wrong = re.compile(r"__pycache__|node_modules|\.(?:pyc|whl|so)$|^\.|/\.")
    assert {name.rpartition("/")[2] for name in names if wrong.search(name)} <= {".gitignore"}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode == 0:
        kept = {name for name in tracked.stdout.splitlines() if not name.startswith(".") and (ROOT / name).exists()}
        assert kept - names == set()


def test_the_core_installs_these_distributions_and_no_more_megabytes_than_this(built, tmp_path):
    uv = tool("uv")
    installing(tmp_path, uv, "venv", "--quiet", "--python", sys.executable, "place")
    inside = ("--python", "place/bin/python")
    installing(tmp_path, uv, "pip", "install", "--quiet", *inside, str(built[0]))
    listed = json.loads(installing(tmp_path, uv, "pip", "list", *inside, "--format", "json"))
    assert {row["name"].lower() for row in listed} <= CORE
    assert {"headroom-cli", "zstandard", "typer", "httpx", "tree-sitter"} <= {row["name"].lower() for row in listed}
    site = next((tmp_path / "place/lib").glob("python3*/site-packages"))
    print(f"core: {len(listed)} distributions, {megabytes(site):.0f} MB")
    assert megabytes(site) < CORE_MB
    run = works(tmp_path / "place/bin/headroom", tmp_path)
    for verb in VERBS:
        assert run(verb, "--help").returncode == 0, verb
    for words, extra in ((("proxy", "--port", "0"), b"[proxy]"), (("mcp", "--http", "--port", "0"), b"[mcp]")):
        done = run(*words)
        assert done.returncode == 78
        assert extra in done.stderr
        assert b"Traceback" not in done.stderr


def test_uv_tool_install_gives_the_program_with_all_extras(built, tmp_path):
    places = {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin")}
    installing(
        tmp_path, tool("uv"), "tool", "install", "--quiet", "--python", sys.executable, f"{built[0]}[all]", **places
    )
    works(tmp_path / "bin/headroom", tmp_path)
    site = next((tmp_path / "tools").glob("*/lib/python3*/site-packages"))
    print(f"[all]: {megabytes(site):.0f} MB")
    assert megabytes(site) < ALL_MB
    program = "import aiohttp, botocore, brotli, httptools, mcp, PIL, tiktoken, uvicorn, uvloop, websockets"
    python = next((tmp_path / "tools").glob("*/bin/python"))
    assert subprocess.run([python, "-c", program], cwd=tmp_path).returncode == 0


def test_pipx_install_gives_the_program(built, tmp_path):
    places = {name: str(tmp_path / name) for name in ("PIPX_HOME", "PIPX_BIN_DIR", "PIPX_MAN_DIR", "PIPX_SHARED_LIBS")}
    installing(
        tmp_path, tool("pipx"), "install", "--quiet", "--python", sys.executable, str(built[0]), **places,
        PATH=f"{BIN}:{os.environ['PATH']}",
    )  # fmt: skip
    works(tmp_path / "PIPX_BIN_DIR/headroom", tmp_path)


# With the built wheel and pip; the other installers above show [all] in every run.
@pytest.mark.parametrize("extras", ["", pytest.param("[all]", marks=pytest.mark.long)], ids=["core", "all"])
def test_make_install_stages_what_runs_in_its_final_place(built, tmp_path, extras):
    needs("make")
    stage, prefix = tmp_path / "a stage", tmp_path / "final"
    words = (f"PREFIX={prefix}", f"DESTDIR={stage}", f"INSTALLED={built[0]}{extras}", f"PYTHON={sys.executable}")
    make = ("make", "--silent", "-C", str(ROOT))
    installing(tmp_path, *make, "install", *words)
    staged = f"{stage}{prefix}"
    naming = subprocess.run(["grep", "-rlF", "--", str(stage), staged], capture_output=True, text=True)
    assert naming.stdout == ""  # not in a script, a setting or a compiled file
    os.rename(staged, prefix)
    run = works(prefix / "bin/headroom", tmp_path)
    assert run("mcp", "--help").returncode == 0
    done = subprocess.run([prefix / "lib/headroom/bin/pip", "check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    for name in ("headroom.1", "headroom-crush.1", "headroom-store.1", "headroom-store.5", "headroom-config.5"):
        page = prefix / f"share/man/man{name[-1]}" / name
        assert page.read_bytes() == (ROOT / "man" / name).read_bytes()
    if shutil.which("mandoc"):
        shown = subprocess.run(
            ["mandoc", prefix / "share/man/man5/headroom-config.5"], capture_output=True, text=True, check=True
        )
        assert "XDG_CONFIG_HOME" in shown.stdout
    if man := shutil.which("man"):
        found = subprocess.run([man, "-M", prefix / "share/man", "-w", "5", "headroom-store"], capture_output=True)
        assert found.returncode == 0, found.stderr
    complete(prefix, tmp_path)
    (prefix / "bin/other").write_text("stays")
    os.rename(prefix, staged)
    installing(tmp_path, *make, "uninstall", *words)
    left = [name for _, _, names in os.walk(staged) for name in names]
    assert left == ["other"]


def complete(prefix, home):
    """Load each completion from where it was installed, as its shell does."""
    known = {
        **clean_environment(home),
        "PATH": f"{prefix}/bin:{os.environ['PATH']}",
        "XDG_DATA_DIRS": f"{prefix}/share",
    }
    lines = {
        "bash": f"source {prefix}/share/bash-completion/completions/headroom; complete -p headroom",
        "zsh": f"fpath=({prefix}/share/zsh/site-functions $fpath); autoload -Uz compinit; compinit -D -u; "
        "print $_comps[headroom]",
        "fish": "complete --do-complete 'headroom retr'",
    }
    for shell, text in lines.items():
        if shutil.which(shell):
            plain = {"bash": ["--norc"], "zsh": ["-f"], "fish": []}[shell]
            done = subprocess.run([shell, *plain, "-c", text], env=known, cwd=home, capture_output=True, text=True)
            assert re.search("_headroom|retrieve", done.stdout), (shell, done)


def test_make_install_wants_an_absolute_prefix(tmp_path):
    needs("make")
    done = subprocess.run(
        ["make", "--silent", "-C", ROOT, "install", "PREFIX=here", f"PYTHON={sys.executable}"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode != 0
    assert "PREFIX is to begin with /" in done.stderr
    assert not (ROOT / "here").exists()


# --- interpreters that are not here: what they no longer have, or warn of, is not in the sources

GONE = {
    "aifc", "asynchat", "asyncore", "audioop", "cgi", "cgitb", "chunk", "crypt", "distutils", "imghdr", "imp",
    "lib2to3", "mailcap", "msilib", "nis", "nntplib", "ossaudiodev", "pipes", "pkg_resources", "smtpd", "sndhdr",
    "spwd", "sunau", "telnetlib", "uu", "xdrlib",
}  # fmt: skip
OLD = {
    "utcnow", "utcfromtimestamp", "iscoroutinefunction", "set_event_loop_policy", "get_event_loop_policy",
    "find_loader", "getdefaultlocale", "NameConstant", "find_module", "load_module", "module_repr",
}  # fmt: skip


def test_nothing_is_used_that_python_3_12_to_3_14_removed_or_warn_of():
    for path in (ROOT / "headroom_cli").rglob("*.py"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # an unknown escape in a text is an error from 3.12 on
            tree = ast.parse(path.read_text(), str(path))
        for node in ast.walk(tree):
            found = set()
            if isinstance(node, ast.Import):
                found = {alias.name.partition(".")[0] for alias in node.names} & GONE
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found = {(node.module or "").partition(".")[0]} & GONE
            elif isinstance(node, ast.Attribute):
                of = node.value.id if isinstance(node.value, ast.Name) else ""
                found = {node.attr} & OLD if (of, node.attr) != ("inspect", "iscoroutinefunction") else set()
            elif isinstance(node, ast.Try):
                leaving = [
                    inner for part in node.finalbody for inner in ast.walk(part) if isinstance(inner, ast.Return)
                ]
                found = {"return in finally"} if leaving else set()
            assert not found, f"{path}:{node.lineno}: {found}"


def test_the_versions_of_python_that_are_named_are_those_that_may_install_it():
    named = [row.rpartition(":: ")[2] for row in TABLE["project"]["classifiers"] if re.search(r":: 3\.\d+$", row)]
    assert named == ["3.11", "3.12", "3.13", "3.14"]
    assert TABLE["project"]["requires-python"] == ">=3.11"
    assert TABLE["tool"]["ruff"]["target-version"] == "py311"
    assert TABLE["tool"]["mypy"]["python_version"] == "3.11"
