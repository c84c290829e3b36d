"""Where each setting comes from: its flag, its variable, config.toml or its default; nothing here raises.

A command that finds out what is wrong must not die of it: what cannot be used is noted, and the default stands for it.
"""

from __future__ import annotations

import os

from headroom_cli import settings
from headroom_cli.errors import ConfigError, HeadroomError, UsageError
from headroom_cli.settings import DEFAULTS, TABLE, Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from headroom_cli.settings import Setting

PREFIX = "HEADROOM_"
FLAG, VARIABLE, FILE, DEFAULT = "flag", "variable", "file", "default"


class Origin:
    """One setting: its row, the value that holds, where that comes from, and what is wrong with what stands there.

    ``place`` names the flag, the variable or the file that it stands in, and is "default" for none.
    """

    __slots__ = ("came", "place", "row", "trouble", "value")

    def __init__(self, row: Setting, value: object, came: str, trouble: str = "") -> None:
        """``came`` is one of FLAG, VARIABLE, FILE, DEFAULT."""
        self.row = row
        self.value = value
        self.came = came
        self.trouble = trouble
        self.place = {FLAG: (*row.flags, "")[0], VARIABLE: row.variable, FILE: "config.toml"}.get(came, DEFAULT)


class Origins:
    """All settings with their origins.

    ``file``      the path of config.toml, "" where there is no home folder for it
    ``troubles``  what is wrong with the file or the home folder as a whole
    ``unknown_keys``, ``unknown_variables``  of the file, and HEADROOM_* ones: (name, what it may be meant for or "")
    """

    __slots__ = ("file", "rows", "settings", "troubles", "unknown_keys", "unknown_variables")

    def __init__(self) -> None:
        """Start with nothing found."""
        self.file = ""
        self.rows: list[Origin] = []
        self.settings = Settings()
        self.troubles: list[str] = []
        self.unknown_keys: list[tuple[str, str]] = []
        self.unknown_variables: list[tuple[str, str]] = []

    @property
    def wrong(self) -> list[str]:
        """Return a sentence for each thing that cannot be used."""
        return [*self.troubles, *(row.trouble for row in self.rows if row.trouble)]


def find(given: Mapping[str, str], environment: Mapping[str, str] | None = None) -> Origins:
    """Return every setting and where it comes from, as ``settings.resolve`` takes them."""
    environment = settings.environment() if environment is None else environment
    found = Origins()
    filed = _filed(found, environment)
    for row in TABLE:
        origin = _origin(row, given, environment, filed, found.file)
        found.rows.append(origin)
        setattr(found.settings, row.name, origin.value)
    _set_store(found, environment)
    if environment.get("NO_COLOR") or environment.get("TERM") == "dumb":
        found.settings.no_color = True
        for origin in found.rows:
            if origin.row.name == "no_color":
                origin.value, origin.came = True, VARIABLE
                origin.place = "NO_COLOR" if environment.get("NO_COLOR") else "TERM"
    known = [row.variable.removeprefix(PREFIX) for row in TABLE]
    named = (name.removeprefix(PREFIX) for name in sorted(environment) if name.startswith(PREFIX))
    found.unknown_variables = [
        (PREFIX + name, PREFIX + near if (near := nearest(name, known)) else "") for name in named if name not in known
    ]
    return found


def nearest(name: str, known: list[str]) -> str:
    """Return the known name that a mistyped one is likely meant for, "" for none."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, known, 1, 0.75)), "")


def _filed(found: Origins, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of the known keys of config.toml; note what is wrong with it."""
    try:
        found.file = settings.config_file(environment)
        values = settings.values_in(found.file)
    except ConfigError as error:
        found.troubles.append(str(error))
        return {}
    known = [row.key for row in TABLE if row.flags]
    found.unknown_keys = [(key, nearest(key, known)) for key in values if key not in known]
    return {key: settings.written(value) for key, value in values.items() if key in known}


def _origin(
    row: Setting, given: Mapping[str, str], environment: Mapping[str, str], filed: Mapping[str, str], file: str
) -> Origin:
    """Return one setting; a value that cannot be used is replaced by the default."""
    if row.name in given:
        text, came, place = given[row.name], FLAG, row.flags[0]
    elif environment.get(row.variable):
        text, came, place = environment[row.variable], VARIABLE, row.variable
    elif row.key in filed:
        text, came, place = filed[row.key], FILE, f"{row.key} in {file}"
    else:
        return Origin(row, DEFAULTS[row.kind], DEFAULT)
    try:
        return Origin(row, settings.convert(row, text, place, UsageError if came == FLAG else ConfigError), came)
    except HeadroomError as error:
        return Origin(row, DEFAULTS[row.kind], came, str(error))


def _set_store(found: Origins, environment: Mapping[str, str]) -> None:
    """Put the default store where none is named."""
    if found.settings.store:
        return
    try:
        found.settings.store = os.path.join(settings.data_folder(environment), "store")
    except ConfigError as error:
        if str(error) not in found.troubles:
            found.troubles.append(str(error))
    for origin in found.rows:
        if origin.row.name == "store":
            origin.value = found.settings.store
