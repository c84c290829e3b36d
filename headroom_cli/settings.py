"""Every setting of the program, declared once: its flag, its HEADROOM_* variable, its key in config.toml, its default.

The typer commands, the fast path's flag table, the manual and the completions are made from TABLE.
A value comes from the flag, else the variable, else ``config.toml``, else the default.
No other module reads the environment.
"""

from __future__ import annotations

import os

from headroom_cli.errors import ConfigError, UsageError
from headroom_cli.model import KINDS, LEVELS, REDEEMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

# The names of headroom_cli.formats.FORMATS, repeated because that package stands above this one; a test compares.
FORMAT_NAMES = ("anthropic", "openai", "responses", "bare", "jsonl", "raw")

# Those of headroom_cli.backends.BACKENDS, likewise.
BACKEND_NAMES = ("anthropic", "openai", "openrouter", "bedrock", "litellm", "anyllm")

YES = frozenset(("1", "true", "yes", "on"))
NO = frozenset(("0", "false", "no", "off"))


class Setting:
    """One row: how a value is named on the command line, in the environment and in the file, and what it may be.

    ``name``      the attribute of Settings
    ``flags``     its spellings, the long one first; the long one without dashes is its key in config.toml;
                  no flags at all for what only the environment sets
    ``variable``  its HEADROOM_* variable, "" for a flag that belongs to one verb and one call
    ``kind``      "text", "switch", "number", "share" (of 1), "choice", "choices" (several, with commas) or "words"
                  (several that are the caller's own, with commas) or "texts" (likewise; the flag may be repeated, and
                  its values come as lines)
    ``metavar``   what the help calls its value, "" for a switch
    ``about``     one sentence without a full stop
    ``choices``   the values that "choice" and "choices" allow, and those of a "text" that shells offer
    ``shown``     the default as the help shows it, "" for none
    """

    __slots__ = ("about", "choices", "flags", "kind", "metavar", "name", "shown", "variable")

    def __init__(  # noqa: PLR0917 - a row of the table below reads best without keywords
        self,
        name: str,
        flags: tuple[str, ...],
        variable: str,
        kind: str,
        metavar: str,
        about: str,
        *,
        choices: tuple[str, ...] = (),
        shown: str = "",
    ) -> None:
        """Hold one row of the table."""
        self.name = name
        self.flags = flags
        self.variable = variable
        self.kind = kind
        self.metavar = metavar
        self.about = about
        self.choices = choices
        self.shown = shown

    @property
    def key(self) -> str:
        """The key in config.toml: the long flag without its dashes."""
        return self.flags[0].lstrip("-") if self.flags else ""

    @property
    def help(self) -> str:
        """The sentence of the help, with the choices, the default and the variable."""
        text = self.about
        if self.choices:
            text += ": " + ", ".join(self.choices)
        notes = [f"default: {self.shown}"] if self.shown else []
        if self.variable:
            notes.append(self.variable)
        return f"{text} [{'; '.join(notes)}]" if notes else text


TABLE = (
    Setting(
        "format", ("--from",), "HEADROOM_FROM", "choice", "FORMAT",
        "what the input is, when it should not be found out", choices=FORMAT_NAMES, shown="found out",
    ),
    Setting("model", ("--model",), "HEADROOM_MODEL", "text", "NAME", "the model whose tokens are counted"),
    Setting(
        "ranks", ("--ranks",), "HEADROOM_RANKS", "text", "FILE",
        "a tiktoken rank file that you have: tokens are counted exactly, with headroom-cli[exact]",
        shown="none: tokens are estimated",
    ),
    Setting(
        "store", ("--store",), "HEADROOM_STORE", "text", "DIR",
        "where originals are kept: a directory, or a URL with redis, s3, gs or az",
        shown="$XDG_DATA_HOME/headroom/store",
    ),
    Setting(
        "query", ("--query",), "HEADROOM_QUERY", "text", "TEXT",
        "the question the input is read for: what bears on it stays",
    ),
    Setting(
        "level", ("--level",), "HEADROOM_LEVEL", "choice", "LEVEL",
        "how hard to compress", choices=LEVELS, shown="safe for conversations, balanced for anything else",
    ),
    Setting(
        "budget", ("--budget",), "HEADROOM_BUDGET", "number", "N",
        "the number of tokens to get down to",
    ),
    Setting(
        "lossless", ("--lossless",), "HEADROOM_LOSSLESS", "switch", "",
        "leave nothing out: only re-encode what can be read back in place",
    ),
    Setting(
        "keep_json", ("--keep-json",), "HEADROOM_KEEP_JSON", "switch", "",
        "what was JSON stays parseable JSON",
    ),
    Setting(
        "redeem", ("--redeem",), "HEADROOM_REDEEM", "choice", "WAY",
        "how the reader of the output can ask for an original", choices=REDEEMS,
        shown="shell; tool for send and the proxy",
    ),
    Setting(
        "kompress", ("--kompress",), "HEADROOM_KOMPRESS_MODEL", "text", "MODEL",
        "at balanced and max, delete words from prose by this model: embedded, one of `headroom models list`, a folder",
        shown="none",
    ),
    Setting(
        "only", ("--only",), "HEADROOM_ONLY", "choices", "KIND,...",
        "compress these kinds alone", choices=KINDS,
    ),
    Setting(
        "skip", ("--skip",), "HEADROOM_SKIP", "choices", "KIND,...",
        "leave these kinds as they are", choices=KINDS,
    ),
    Setting(
        "only_tool", ("--only-tool",), "HEADROOM_ONLY_TOOL", "words", "NAME,...",
        "in a conversation, compress the results of these tools alone (Bash, mcp__*)",
    ),
    Setting(
        "protect_tool", ("--protect-tool",), "HEADROOM_PROTECT_TOOL", "words", "NAME,...",
        "in a conversation, leave the results of these tools as they are (Read, Grep*)",
    ),
    Setting(
        "as_kind", ("--as",), "HEADROOM_AS", "choice", "KIND",
        "take every block for this kind instead of finding it out", choices=KINDS,
    ),
    Setting(
        "live", ("--live",), "HEADROOM_LIVE", "switch", "",
        "the request goes out next: leave what went out before as it went out",
    ),
    Setting(
        "fresh", ("--fresh",), "HEADROOM_FRESH", "switch", "",
        "render anew what was rendered before",
    ),
    Setting(
        "backend", ("--backend",), "HEADROOM_BACKEND", "text", "NAME",
        "who answers; litellm-PROVIDER and anyllm-PROVIDER call that provider by the library",
        choices=BACKEND_NAMES, shown="anthropic or openai, by the shape of the request",
    ),
    Setting(
        "base_url", ("--base-url",), "HEADROOM_BASE_URL", "text", "URL",
        "the provider's address, of a gateway or of one's own", shown="the backend's own",
    ),
    Setting(
        "key_file", ("--key-file",), "HEADROOM_KEY_FILE", "text", "FILE",
        "a file only you can read, with the key or with lines NAME=VALUE; before the environment",
    ),
    Setting(
        "timeout", ("--timeout",), "HEADROOM_TIMEOUT", "number", "SECONDS",
        "how long the provider may be silent", shown="600",
    ),
    Setting(
        "plugins", ("--plugin",), "HEADROOM_PLUGINS", "texts", "NAME",
        "tell this plugin what happens to the request; several with commas, or the flag again",
    ),
    Setting(
        "output_shaper", ("--output-shaper",), "HEADROOM_OUTPUT_SHAPER", "switch", "",
        "have the model write and think less: a constant block behind the system prompt, effort where it pays",
    ),
    Setting(
        "verbosity", ("--verbosity",), "HEADROOM_VERBOSITY", "choice", "LEVEL",
        "what that block asks for, from 0 (nothing) to 4 (fragments)", choices=("0", "1", "2", "3", "4"), shown="2",
    ),
    Setting(
        "effort", ("--effort",), "HEADROOM_EFFORT", "choice", "WAY",
        "whether --output-shaper may lower the effort of a model", choices=("auto", "keep"), shown="auto",
    ),
    Setting(
        "output_holdout", ("--output-holdout",), "HEADROOM_OUTPUT_HOLDOUT", "share", "SHARE",
        "the share of conversations that --output-shaper leaves alone, to measure what it does", shown="0",
    ),
    Setting(
        "holdout", ("--holdout",), "HEADROOM_HOLDOUT", "share", "SHARE",
        "the share of conversations that go uncompressed, to measure what compressing does", shown="0",
    ),
    Setting(
        "project", ("--project",), "HEADROOM_PROJECT", "text", "NAME",
        "what the ledger calls this work", shown="the name of the working tree",
    ),
    Setting(
        "prices", ("--prices",), "HEADROOM_PRICES", "text", "FILE",
        "a TOML table of prices of your own, before those of headroom-cli[prices]",
    ),
    Setting(
        "strict", ("--strict",), "HEADROOM_STRICT", "switch", "",
        "end with status 70, 74 or 78 when something failed and its input was passed through",
    ),
    Setting(
        "json", ("--json",), "HEADROOM_JSON", "switch", "",
        "write the report as JSON, one object per line",
    ),
    Setting("quiet", ("--quiet", "-q"), "HEADROOM_QUIET", "switch", "", "write no summary and no warnings"),
    Setting(
        "verbose", ("--verbose", "-v"), "HEADROOM_VERBOSE", "switch", "",
        "write the summary also when standard error is not a terminal",
    ),
    Setting("no_color", ("--no-color",), "HEADROOM_NO_COLOR", "switch", "", "write plain text, also on a terminal"),
    Setting("debug", (), "HEADROOM_DEBUG", "switch", "", "show the traceback of an internal error"),
)  # fmt: skip


class Settings:
    """The values that hold for one run, each already converted and checked."""

    __slots__ = tuple(row.name for row in TABLE)

    format: str
    model: str
    ranks: str
    store: str
    query: str
    level: str
    budget: int | None
    lossless: bool
    keep_json: bool
    redeem: str
    kompress: str
    only: frozenset[str]
    skip: frozenset[str]
    only_tool: tuple[str, ...]
    protect_tool: tuple[str, ...]
    as_kind: str
    live: bool
    fresh: bool
    backend: str
    base_url: str
    key_file: str
    timeout: int | None
    plugins: tuple[str, ...]
    output_shaper: bool
    verbosity: str
    effort: str
    output_holdout: float
    holdout: float
    project: str
    prices: str
    strict: bool
    json: bool
    quiet: bool
    verbose: bool
    no_color: bool
    debug: bool


def resolve(given: Mapping[str, str], environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings for the flags that were ``given`` (name -> text; "true" for a switch).

    Raise UsageError for a flag's bad value, ConfigError for a variable's or the file's.
    """
    environment = os.environ if environment is None else environment
    filed = _texts(config_file(environment), values_in(config_file(environment)))
    settings = Settings()
    for row in TABLE:
        text = given.get(row.name)
        if text is not None:
            value = convert(row, text, row.flags[0], UsageError)
        elif text := environment.get(row.variable, ""):
            value = convert(row, text, row.variable, ConfigError)
        elif row.key in filed:
            value = convert(row, filed[row.key], f"{row.key} in {config_file(environment)}", ConfigError)
        else:
            value = DEFAULTS[row.kind]
        setattr(settings, row.name, value)
    if not settings.store:
        settings.store = os.path.join(data_folder(environment), "store")
    elif "://" in settings.store and "local=" not in settings.store:
        from urllib.parse import quote

        folder = quote(os.path.join(data_folder(environment), "shared"), safe="/")
        settings.store += f"{'&' if '?' in settings.store else '?'}local={folder}"
    if environment.get("NO_COLOR") or environment.get("TERM") == "dumb":  # https://no-color.org
        settings.no_color = True
    return settings


def data_folder(environment: Mapping[str, str] | None = None) -> str:
    """Return where this program keeps what it was asked to keep, whether that exists or not."""
    environment = os.environ if environment is None else environment
    return os.path.join(_base(environment, "XDG_DATA_HOME", ".local/share"), "headroom")


def config_file(environment: Mapping[str, str] | None = None) -> str:
    """Return the path of config.toml, whether it exists or not."""
    environment = os.environ if environment is None else environment
    return os.path.join(_base(environment, "XDG_CONFIG_HOME", ".config"), "headroom", "config.toml")


def debugging() -> bool:
    """Tell whether tracebacks are wanted; never raise, because errors are reported by it."""
    return os.environ.get("HEADROOM_DEBUG", "").lower() in YES


def environment() -> MutableMapping[str, str]:
    """Return the environment, for what is no setting: keys, and what libraries read there."""
    return os.environ


def child_environment() -> dict[str, str]:
    """Return the environment as it was given to us, for a command that is not to notice that we stand before it.

    Python adds LC_CTYPE=C.UTF-8 to its own where the locale is C (PEP 538); the system knows what was there before.
    """
    given = dict(os.environ)
    if given.get("LC_CTYPE") == "C.UTF-8":
        try:
            with open("/proc/self/environ", "rb") as stream:
                first = b"\0" + stream.read()
        except OSError:
            return given
        if b"\0LC_CTYPE=" not in first:
            del given["LC_CTYPE"]
    return given


DEFAULTS: dict[str, object] = {
    "text": "", "choice": "", "switch": False, "number": None, "share": 0.0, "choices": frozenset(), "words": (),
    "texts": (),
}  # fmt: skip


def _base(environment: Mapping[str, str], variable: str, below_home: str) -> str:
    """Return an XDG base directory; one that is not absolute is ignored, as that specification says."""
    base = environment.get(variable, "")
    if os.path.isabs(base):
        return base
    home = environment.get("HOME", "")
    if not os.path.isabs(home):  # unset, empty or relative: the password database knows better than the root directory
        import pwd

        try:
            home = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError as error:  # a container's user without a name
            raise ConfigError(f"this user has no home folder; set HOME, or {variable} to a folder") from error
    return os.path.join(home, below_home)


def convert(row: Setting, text: str, origin: str, error: type[UsageError | ConfigError]) -> object:
    """Return a value for what was written, or raise ``error`` naming where it was written and what may stand there."""
    if row.kind == "switch":
        lowered = text.lower()
        if lowered in YES:
            return True
        if lowered in NO:
            return False
        raise error(f"{origin}: {text!r} is neither yes nor no; use 1 or 0")
    if row.kind == "number":
        # 9 digits: more tokens than any model reads, and far below where int() refuses.
        if text.isascii() and text.isdigit() and len(text) <= 9 and int(text):
            return int(text)
        raise error(f"{origin}: {text[:40]!r} is not a whole number above 0; write one in digits")
    if row.kind == "share":
        digits = text.replace(".", "", 1)
        if digits.isascii() and digits.isdigit() and len(text) <= 20 and float(text) <= 1:
            return float(text)
        raise error(f"{origin}: {text[:40]!r} is no share; write a number from 0 to 1, such as 0.1")
    if row.kind == "choices":
        chosen = frozenset(word for word in text.split(",") if word)
        wrong = sorted(chosen.difference(row.choices))
        if wrong:
            raise error(f"{origin}: {wrong[0][:40]!r} is unknown; use {', '.join(row.choices)}")
        return chosen
    if row.kind in {"words", "texts"}:
        return tuple(word for part in text.replace("\n", ",").split(",") if (word := part.strip()))
    if row.kind == "choice" and text not in row.choices:
        raise error(f"{origin}: {text[:40]!r} is unknown; use {', '.join(row.choices)}")
    return text


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; of a pipe without a writer, its end is read and not waited for."""
    return os.open(path, flags | os.O_NONBLOCK)


def values_in(path: str) -> dict[str, object]:
    """Return what a config.toml says as it stands there, {} when there is none. Raise ConfigError."""
    try:
        with open(path, "rb", opener=_without_waiting) as stream:
            data = stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {getattr(error, 'strerror', error)}; make it readable or remove it") from error
    import tomllib  # 8 ms: only for those who keep a file

    try:
        return tomllib.loads(data.decode())
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are both
        raise ConfigError(f"{path}: {error}; write it as TOML") from error


def written(value: object) -> str:
    """Return a value of the file as it would be written on the command line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _texts(path: str, values: Mapping[str, object]) -> dict[str, str]:
    """Return the values of the file as text. Raise ConfigError for a key that is no setting."""
    known = {row.key for row in TABLE if row.flags}
    for key in values:
        if key not in known:
            raise ConfigError(f"{path}: unknown setting {key!r}; use one of {', '.join(sorted(known))}")
    return {key: written(value) for key, value in values.items()}
