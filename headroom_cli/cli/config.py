"""``headroom config``: every setting, its value and where that comes from; and where config.toml is."""

from __future__ import annotations

import json
import os

from headroom_cli.cli import io, report
from headroom_cli.cli.options import Argument, Verb
from headroom_cli.errors import ConfigError, UsageError
from headroom_cli.lazy import pattern
from headroom_cli.settings import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from headroom_cli.origins import Origin, Origins
    from headroom_cli.settings import Settings

WIDEST = 48  # characters of a value in the table; --json has all
_ADDRESS = pattern(r"://[^\s;]{1,2000}")
_USER = pattern(r"://[^\s/@]{1,300}@")  # who calls
_QUERY = pattern(r"([?&][\w.-]{1,60}=)[^&\s;]{1,500}")


def run(settings: Settings, own: Mapping[str, str]) -> int:
    """Show the settings, or the path of the file."""
    from headroom_cli import origins

    action = own.get("action", "")
    if action not in ACTIONS:
        raise UsageError(f"unknown action {action[:40]!r}; use {', '.join(ACTIONS)}")
    found = origins.find({name: text for name, text in own.items() if name != "action"})
    return _path(found, settings) if action == "path" else _show(found, settings)


def _path(found: Origins, settings: Settings) -> int:
    """Print the path of config.toml, whether it is there or not."""
    if not found.file:
        raise ConfigError("; ".join(found.troubles))
    if settings.json:
        io.write(json.dumps({"v": 1, "file": found.file, "exists": os.path.exists(found.file)}).encode() + b"\n")
    else:
        io.write(os.fsencode(found.file) + b"\n")
    return 0


def _show(found: Origins, settings: Settings) -> int:
    """Print every setting; what cannot be used is named on standard error, and its default is shown."""
    if settings.json:
        io.write(json.dumps(_whole(found)).encode() + b"\n")
    else:
        rows = [(name(origin), _shown(origin), origin.place) for origin in found.rows]
        report.show(rows, ("setting", "value", "from"), frozenset(), settings)
    for trouble in found.wrong:
        report.error(without_user(trouble))
    for sentence in unknown(found):
        report.warn(sentence, settings)
    return ConfigError.status if found.wrong or found.unknown_keys else 0


def name(origin: Origin) -> str:
    """Return what a setting is called in config.toml; one that only a variable sets goes by its own name."""
    return origin.row.key or origin.row.name


def unknown(found: Origins) -> list[str]:
    """Return a sentence for each name that is no setting."""
    told = []
    for key, near in found.unknown_keys:
        advice = f"is {near} meant?" if near else "remove it"
        told.append(f"{found.file}: {key} is no setting; {advice}")
    for variable, near in found.unknown_variables:
        advice = f"is {near} meant?" if near else "nothing reads it"
        told.append(f"the variable {variable} is no setting; {advice}")
    return told


def without_user(text: str) -> str:
    """Return a text without the user and the password of an address in it, and without what its query says."""
    if "://" not in text:
        return text
    return _ADDRESS.sub(lambda found: _QUERY.sub(r"\1***", _USER.sub("://***@", found[0])), text)


def _plain(value: object) -> object:
    """Return a value as JSON has it."""
    if isinstance(value, frozenset | tuple):
        return [without_user(str(one)) for one in (sorted(value) if isinstance(value, frozenset) else value)]
    return without_user(value) if isinstance(value, str) else value


def _shown(origin: Origin) -> str:
    """Return a value as a cell of the table, the default's own words where nothing is set."""
    value = _plain(origin.value)
    if value in (None, "", []):
        return origin.row.shown or "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 2]}.."


def _whole(found: Origins) -> dict[str, object]:
    """Return the report as JSON."""
    return {
        "v": 1, "file": found.file, "exists": bool(found.file) and os.path.exists(found.file),
        "settings": {
            name(origin): {
                "value": _plain(origin.value), "from": origin.came, "variable": origin.row.variable,
                **({"trouble": without_user(origin.trouble)} if origin.trouble else {}),
            }
            for origin in found.rows
        },
        "troubles": [without_user(trouble) for trouble in found.troubles],
        "unknown": [key for key, _ in (*found.unknown_keys, *found.unknown_variables)],
    }  # fmt: skip


ACTIONS = ("show", "path")

VERB = Verb(
    "config",
    run,
    about="show every setting, its value, and where that comes from",
    text="""
        show prints each setting with its value and its origin: a flag of this command, a HEADROOM_* variable,
        config.toml, or the default. What cannot be used, and HEADROOM_* variables and keys of the file that are no
        setting, are named with what may be meant; other commands refuse such a file. Keys of providers are no settings:
        `headroom doctor` says which are present. Passwords in addresses are not shown.

        path prints where config.toml is looked for, whether it is there or not.

        With --json, one object: file, exists, settings (name: value, from, variable, trouble), troubles, unknown.
    """,
    arguments=(Argument("action", "what to do", required=True, choices=ACTIONS),),
    flags=tuple(row.name for row in TABLE if row.flags),
    examples=(
        ("headroom config show", "see what holds, and why"),
        ('"${EDITOR:-vi}" "$(headroom config path)"', "write the file"),
    ),
    lenient=True,
)  # fmt: skip
