"""Imports point down, and what is heavy stays where it belongs (docs/design.md, "Layers")."""

import ast
import functools

import pytest
from conftest import ROOT

PACKAGE = ROOT / "headroom_cli"
# From the bottom up: a module may import its own layer's helpers (names with _) and the layers below.
LAYERS = (
    ("errors", "hashing", "lazy", "nesting"),
    ("harness", "model", "models", "events"),
    ("settings", "rank", "tokens", "store", "pricing", "redact"),
    ("ledger", "keys", "kompress", "identity", "origins"),
    ("formats", "compressors", "backends", "context", "images", "money"),
    ("trial",),
    ("routing", "align", "dedup", "fit", "shaping", "wire"),
    ("convert",),
    ("mixed", "slices", "renderings", "emit", "census", "plugins"),
    ("drafting",),
    ("replay",),
    ("literals", "pictures"),
    ("stages",),
    ("engine",),
    ("retrieval",),
    ("relay", "upstream"),
    ("send",),
    ("library",),
    ("batch",),
    ("asgi", "litellm"),
    ("serve",),
    ("cli",),
    ("__init__", "__main__"),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
TABLES = ("formats", "compressors", "backends", "wire")
# Where there may be async: what serves, and what stands in somebody else's async code.
ASYNC = ("serve", "library", "asgi", "litellm")
MADE_OF_ROWS = ("bare",)  # a bare list holds the messages of one of the other formats
RULED = (ast.Import, ast.ImportFrom, ast.If, ast.AsyncFunctionDef, ast.Attribute)
MODULES = sorted(path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.py"))


@functools.cache
def nodes(path):
    """Return the nodes of a file that the rules are about: one walk serves them all."""
    tree = ast.parse((PACKAGE / path).with_suffix(".py").read_text())
    return [node for node in ast.walk(tree) if isinstance(node, RULED)]


def imports(path):
    """Yield the module name of everything a file imports, type checking aside."""
    skipped = {
        id(node) for part in nodes(path) if isinstance(part, ast.If) and ast.unparse(part.test) == "TYPE_CHECKING"
        for node in ast.walk(part)
    }  # fmt: skip
    for node in nodes(path):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            plain = node.module in {"headroom_cli", *(f"headroom_cli.{table}" for table in TABLES)}
            yield from (f"{node.module}.{alias.name}" for alias in node.names) if plain else [node.module]


def unit(dotted):
    """Return the part of the package that a module is of: "headroom_cli.cli.io" -> "cli"."""
    return dotted.split(".")[1] if "." in dotted else "__init__"


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_point_down(path):
    own = unit(f"headroom_cli.{path.parts[0]}")
    assert own in LEVEL, f"{path}: give it a place in LAYERS or PART_OF"
    for name in imports(path):
        if name.startswith("headroom_cli"):
            other = unit(name)
            assert other == own or LEVEL[other] < LEVEL[own] or own == "__init__", f"{path} imports {name}"
            row = name.split(".")[2] if own in TABLES and other == own and name.count(".") > 1 else "_"
            is_row = (PACKAGE / own / row).is_dir() or (PACKAGE / own / f"{row}.py").is_file()
            rows = is_row and not row.startswith("_") and row != path.parts[1] and path.parts[1] != "__init__"
            assert not rows or path.name in MADE_OF_ROWS, f"{path}: rows do not import rows"


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_heavy_and_ambient_things_stay_where_they_belong(path):
    for name in imports(path):
        assert name.split(".")[0] not in {"typer", "rich"} or path.parts[0] == "cli", f"{path} imports {name}"
        assert name.split(".")[0] != "asyncio" or path.parts[0] in ASYNC, f"{path} imports {name}"
    for node in nodes(path):
        assert not isinstance(node, ast.AsyncFunctionDef) or path.parts[0] in ASYNC, f"{path}: async in {ASYNC} alone"
        ambient = isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"}
        assert not ambient or path.name == "settings", f"{path}:{node.lineno}: the environment is read in settings.py"
