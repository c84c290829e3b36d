"""What a changed file is, by its path: source that people read, or what tools wrote."""

from __future__ import annotations

from headroom_cli.lazy import pattern

SOURCE = "source"  # code, tests, docs, configuration: every changed line is worth reading
LOCK = "lockfile"
GENERATED = "generated"
MINIFIED = "minified"
VENDORED = "vendored"
DATA = "data"

_LOCKS = frozenset((
    "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "pnpm-lock.yml", "bun.lock", "deno.lock",
    "cargo.lock", "poetry.lock", "uv.lock", "pdm.lock", "pipfile.lock", "pixi.lock", "conda-lock.yml", "pylock.toml",
    "composer.lock", "gemfile.lock", "gems.locked", "go.sum", "go.work.sum", "mix.lock", "rebar.lock", "pubspec.lock",
    "podfile.lock", "cartfile.resolved", "package.resolved", "packages.lock.json", "paket.lock", "project.assets.json",
    "flake.lock", "gradle.lockfile", "buildscript-gradle.lockfile", "verification-metadata.xml", "conan.lock",
    "module.bazel.lock", ".terraform.lock.hcl", "shard.lock", "stack.yaml.lock", "cabal.project.freeze", "chart.lock",
    "berksfile.lock", "manifest.toml", "renv.lock", "packages-lock.json", "jsr.lock", "lerna-lock.json",
))  # fmt: skip

_VENDORED = frozenset((
    "vendor", "vendored", "_vendor", "node_modules", "third_party", "third-party", "thirdparty", "3rdparty",
    "bower_components", "jspm_packages", "pods", "site-packages", "godeps", "carthage", ".yarn",
))  # fmt: skip

# Where build tools put what they made, and where amalgamated headers go by custom.
_GENERATED = frozenset((
    "dist", "generated", "__generated__", "single_include", "singleheader", "amalgamation",
    "__pycache__", ".next", ".nuxt",
))  # fmt: skip
_MADE = pattern(
    r"\.(?:pb(?:\.(?:go|cc|h|dart|swift)|\.gw\.go)?|pb2\.pyi?|g\.(?:dart|cs)|freezed\.dart|designer\.cs|generated"
    r"(?:\.[a-z]{1,5})?|gen\.(?:go|ts|js|rs)|gr\.dart|tsbuildinfo)$|_pb2(?:_grpc)?\.pyi?$|_generated\.[a-z]{1,5}$"
    r"|_gen\.go$|^zz_generated|^bindata\.go$|^mock_.{1,60}\.go$|\.bundle\.(?:js|css)$|^bundle\.(?:js|css)$"
)
_MINIFIED = pattern(r"[.-]min\.(?:js|css|mjs|html)$|\.(?:js|css|mjs|cjs)\.map$|\.map$|\.chunk\.(?:js|css)$")

# Words in a folder's name that say "recorded input or expected output of tests".
_RECORDED = pattern(
    r"fixture|test-?_?data|test[-_]?files|snapshot|golden|replay|cassette|recording|expected|baseline|corpus"
    r"|corpora|test-?_?pages|test[-_]?cases|test[-_]?inputs|test[-_]?resources|approvals|__files"
)
_TESTS = frozenset(("test", "tests", "testing", "spec", "specs", "e2e", "integration", "benches", "benchmark"))
_STORES = frozenset(
    ("data", "resources", "assets", "files", "inputs", "outputs", "models", "static", "images", "samples")
)

# Extensions that nobody reviews line by line wherever they stand.
_DATA = frozenset((
    "csv", "tsv", "jsonl", "ndjson", "geojson", "topojson", "dat", "snap", "ambr", "svg", "parquet", "arff", "libsvm",
    "po", "pot", "xlf", "xliff", "arb", "out", "log", "pem", "crt", "cer", "key", "asc", "hex",
    "plist", "pbxproj", "srt", "vtt", "bib", "gpx", "kml", "obj", "stl", "dxf", "ps", "eps", "har", "trace", "approved",
    "golden", "expected", "storyboard", "xib", "fasta", "fa", "vcf", "pdb", "dic", "aff", "wordlist", "sum",
))  # fmt: skip
# Extensions of data where tests keep their inputs and expected outputs, of text elsewhere.
_AMBIGUOUS = frozenset((
    "json", "json5", "txt", "xml", "html", "htm", "xhtml", "yaml", "yml", "sql", "toml", "ini", "cfg", "conf", "text",
    "stdout", "stderr", "in", "result", "output", "diff", "patch", "raw", "eml", "css", "",
))  # fmt: skip
# Files that people write, wherever they stand.
_WRITTEN = pattern(
    r"^(?:cmakelists|requirements[^/]*|constraints|robots|readme|license|licence|notice|changelog|changes|authors)\b"
    r"|^(?:makefile|dockerfile|gemfile|rakefile|procfile|vagrantfile|jenkinsfile|justfile|build|workspace|pom\.xml|build\.xml)"
    r"|^(?:docker-compose|compose|pyproject|setup|tox|cargo|conftest)\b|^(?:package|[^/]*config|tsconfig[^/]*)\.json$"
    r"|^\.[^/]*$"
)
# JSON by these names configures something.
_CONFIG = pattern(
    r"^(?:package|composer|bower|manifest|tsconfig[^/]*|jsconfig|launch|settings|tasks|extensions|renovate|lerna|nx|turbo"
    r"|angular|project|vercel|firebase|biome|deno|global|appsettings[^/]*|components|now|cspell|cmakepresets|vcpkg"
    r"|devcontainer|[^/]*\.?config|[^/]*rc|\.[^/]*)\.jsonc?$"
)


def what(path: str) -> str:
    """Return SOURCE or what else a path says the file is."""
    parts = path.lower().split("/")
    name = parts.pop()
    if name in _LOCKS or name.endswith((".lock", "-lock.json", "-lock.yaml", ".lock.json", ".lockb", ".lock.hcl")):
        return LOCK
    if _MINIFIED.search(name):
        return MINIFIED
    if not _VENDORED.isdisjoint(parts):
        return VENDORED
    if not _GENERATED.isdisjoint(parts) or _MADE.search(name):
        return GENERATED
    extension = name.rpartition(".")[2] if "." in name[1:] else ""
    if extension in _DATA:
        return DATA
    if extension in _AMBIGUOUS and not _WRITTEN.search(name):
        tests = not _TESTS.isdisjoint(parts)
        for part in parts:
            if _RECORDED.search(part) or (tests and part in _STORES):
                return DATA
        if tests and extension in ("json", "xml", "txt", "html", "htm"):
            return DATA
    return SOURCE


def is_bulk(path: str) -> bool:
    """Tell JSON outside of tests that configures nothing: data once it is long."""
    name = path.lower().rpartition("/")[2]
    return name.endswith((".json", ".json5", ".geojson")) and not _CONFIG.match(name)


_REQUIREMENTS = pattern(
    r"(?:requirements|constraints|dev|test|prod|base|docs)[^/]{0,40}\.txt$|/requirements/[^/]{1,60}\.txt$"
)


def is_compiled(path: str, text: str) -> bool:
    """Tell requirements that pip-compile, uv or poetry export resolved: each pin says who wants it, or its hashes."""
    return bool(_REQUIREMENTS.search(path)) and (text.count("# via") >= 2 or "--hash=sha" in text)


# What generators write at the top of their output, in lower case.
CLAIMS = (
    "@generated", "do not edit", "do not modify", "auto-generated", "autogenerated", "automatically generated",
    "code generated by", "generated by", "this file is generated", "this file was generated",
)  # fmt: skip


def claims_generated(head: str) -> bool:
    """Tell whether the first lines of a file say that a tool wrote it."""
    low = head.lower()
    return any(claim in low for claim in CLAIMS)
