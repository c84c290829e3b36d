"""Which packages a lockfile's diff changes, read from its changed lines and the names above them."""

from __future__ import annotations

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.diffs.parse import Section

# Entries named in a summary; a dependency bump changes fewer, a new lockfile is not read by its first hundred names.
_NAMED = 40
# Changed lines looked at; more are only counted.
_LOOKED = 20_000
_LONGEST = 300  # characters; a longer line of a lockfile holds no name or version

# TOML (Cargo, poetry, uv, pdm) and JSON (npm, composer, NuGet, Pipfile): a name, then its version.
_NAME = pattern(r'\s*"?name"?\s*[=:]\s*"([^"]{1,120})",?$')
_KEY = pattern(r'\s*"(?:[^"]{0,200}node_modules/)?((?:@[^"/]{1,60}/)?[^"]{1,120})"\s*:\s*\{$')
_VERSION = pattern(
    r'\s*"?(?:version|rev|resolved|resolution)"?\s*[=:]?\s*"?(?:==)?(v?\d[0-9A-Za-z.+~_-]{0,60})"?,?(?:\s*\{)?$'
)
# yarn: "name@range, name@range:" and pnpm, bun: "/name@1.2.3:", "name@1.2.3(peer@4)".
_AT = pattern(r"""\s*['"]?/?(@?[A-Za-z0-9][^@\s"']{0,120})@(?:npm:)?([^\s"':(,]{1,60})[^:]{0,300}:(?:\s*\{\})?$""")
# go.sum: "module v1.2.3 h1:..."; Gemfile.lock, mix.lock, pods: "name (1.2.3)".
_GO = pattern(r"(\S{1,200}) (v\d\S{0,80}?)(?:/go\.mod)? h1:\S+$")
_GEM = pattern(r"\s{2,4}(?:- )?([A-Za-z0-9][\w./+-]{0,80}) \((\d[^()\s]{0,40})\):?$")
# pip-compile, uv pip compile: "name==1.2.3" and "name[extra]==1.2.3 \\".
_PIN = pattern(r"([A-Za-z0-9][\w.-]{0,80}(?:\[[\w,-]{1,60}\])?)==([^\s;\\]{1,40})(?:[ ;\\].{0,200})?$")
# Keys of JSON lockfiles that group packages.
_GROUPS = frozenset(
    ("packages", "dependencies", "default", "develop", "requires", "devDependencies", "engines", "_meta")
)


def _read(body: str) -> tuple[str, str]:
    """Return (name, version) of what a line says; either may be ""."""
    match = _NAME.match(body) or _KEY.match(body)
    if match:
        return ("" if match.group(1) in _GROUPS else match.group(1)), ""
    match = _VERSION.match(body)
    if match:
        return "", match.group(1)
    match = _PIN.match(body) or _GO.match(body) or _AT.match(body) or _GEM.match(body)
    if match:
        exact = match.group(2) if match.group(2)[:1] in "v0123456789" else ""
        return match.group(1), exact
    return "", ""


def changed_packages(section: Section, lines: list[str]) -> str:
    """Return "3 packages changed: a 1.0 -> 2.0, +b 3.1, -c 0.9", "" when no name can be read."""
    old: dict[str, list[str]] = {}
    new: dict[str, list[str]] = {}
    looked = 0
    for hunk in section.hunks:
        name = {"-": "", "+": ""}
        for at, kind in enumerate(hunk.kinds, hunk.start):
            looked += 1
            line = lines[at]
            if kind not in "+- " or len(line) > _LONGEST:
                continue
            found, version = _read(line[1:])
            sides = "-+" if kind == " " else kind
            for side in sides:
                if found:
                    name[side] = found
                if version and name[side] and kind != " ":
                    table = old if side == "-" else new
                    versions = table.setdefault(name[side], [])
                    if version not in versions:
                        versions.append(version)
        if looked > _LOOKED:
            break
    said = []
    for name_ in dict.fromkeys((*old, *new)):
        before = [version for version in old.get(name_, ()) if version not in new.get(name_, ())]
        after = [version for version in new.get(name_, ()) if version not in old.get(name_, ())]
        if before and after:
            said.append(f"{name_} {'/'.join(before)} -> {'/'.join(after)}")
        elif after:
            said.append(f"+{name_} {'/'.join(after)}")
        elif before:
            said.append(f"-{name_} {'/'.join(before)}")
    if not said:
        return ""
    more = f", and {len(said) - _NAMED} more" if len(said) > _NAMED else ""
    count = f"{len(said)} package{'s' if len(said) > 1 else ''} changed" if looked <= _LOOKED else "among its packages"
    return f"{count}: {', '.join(said[:_NAMED])}{more}"
