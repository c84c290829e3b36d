"""Write the manual pages from the verbs and the settings: ``python -m headroom_cli.cli.manual man`` (make man)."""

from __future__ import annotations

import os
import sys
import textwrap

from headroom_cli.cli import manual_files
from headroom_cli.cli.options import STATUSES, VERBS, Verb, load, paragraphs
from headroom_cli.settings import TABLE, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# The day the pages' wording last changed, so that the same commands always give the same pages.
DATE = "November 21, 2026"
ABOUT = "shrink what LLM agents read, and give every original back"

_OF_FILES = ("headroom-config", "headroom-store")
INTRODUCTION = """
Tool outputs fill the context of an LLM agent. headroom rewrites them in fewer tokens as a Unix filter: a document on
standard input, the same document in the same format on standard output.

Nothing is lost: a text is shortened only after its original is on disk. What was left out is named by a marker, the
last line of the shortened text, and `headroom retrieve` prints it, byte for byte.

When nothing is to be gained, or anything fails, the output is the input.
"""
MARKER = """
HANDLE is 12 or more of a-z and 2-7. WHAT says in the source's own unit what is missing, as in `950 of 1000 items'.
Texts that can be read back in place carry no marker.
"""
PRECEDENCE = """
A value comes from the flag, else the variable, else config.toml, else the default. A switch is 1, true, yes or on,
and 0, false, no or off.
"""
FILES = (
    ("$XDG_CONFIG_HOME/headroom/config.toml", 'settings, one per line, named like the long flags: level = "max"'),
    ("$XDG_DATA_HOME/headroom/store", "the store, unless --store or HEADROOM_STORE names another directory"),
)  # fmt: skip


def pages() -> dict[str, str]:
    """Return every page: file name -> text."""
    verbs = [load(name) for name in VERBS]
    made = {f"headroom-{verb.name}.1": _verb_page(verb) for verb in verbs}
    return {
        "headroom.1": _main_page(verbs), **made,
        "headroom-config.5": _config_page(), "headroom-store.5": _store_page(),
    }  # fmt: skip


def _main_page(verbs: list[Verb]) -> str:
    """Return headroom(1)."""
    lines = _head("headroom", ABOUT)
    lines += [".Sh SYNOPSIS", ".Nm", ".Ar command", ".Op Ar options", ".Op Ar file", ".Nm", ".Fl -version"]
    lines += [".Sh DESCRIPTION"]
    lines += _paragraphs(INTRODUCTION)
    lines += [".Sh COMMANDS", ".Bl -tag -width Ds"]
    for verb in verbs:
        lines += [f".It Xr headroom-{verb.name} 1", _text(_sentence(verb.about))]
    lines += [".El", ".Sh MARKERS"]
    lines += _paragraphs("A marker stands on a line of its own, once per text, last:")
    lines += [".Pp", ".Dl <<headroom:HANDLE WHAT>>", ".Pp"]
    lines += _paragraphs(MARKER)
    lines += [".Sh ENVIRONMENT"]
    lines += _paragraphs(PRECEDENCE)
    lines += [".Bl -tag -width Ds"]
    for row in TABLE:
        lines += [f".It Ev {row.variable}", _text(_sentence(row.help.rpartition(" [")[0] or row.about))]
    lines += [".It Ev NO_COLOR", "The same as", ".Ev HEADROOM_NO_COLOR", "when it is not empty.", ".El"]
    lines += [".Sh FILES", ".Bl -tag -width Ds"]
    for path, what in FILES:
        lines += [f".It Pa {_escape(path)}", _text(_sentence(what))]
    lines += [".El", *_statuses(STATUSES)]
    lines += [".Sh SEE ALSO", *_references([*(f"headroom-{verb.name}" for verb in verbs)], _OF_FILES)]
    return "\n".join(lines) + "\n"


def _verb_page(verb: Verb) -> str:
    """Return the page of one verb."""
    name = f"headroom-{verb.name}"
    lines = _head(name, verb.about)
    lines += [".Sh SYNOPSIS", f".Nm headroom {verb.name}", ".Op Ar options"]
    lines += [
        f".Ar {argument.metavar.replace('|', ' | ')}" if argument.required else f".Op Ar {argument.metavar}"
        for argument in verb.arguments
    ]
    lines += [".Sh DESCRIPTION", *_paragraphs(verb.text), ".Pp", "The arguments and options are:"]
    lines += [".Bl -tag -width Ds"]
    for argument in verb.arguments:
        lines += [f".It Ar {argument.metavar.replace('|', ' | ')}", _text(_sentence(argument.about))]
    for row in verb.rows:
        lines += [_option(row), _text(_sentence(row.help))]
    lines += [".El", *_statuses(_of(verb))]
    lines += [".Sh EXAMPLES"]
    for number, (command, does) in enumerate(verb.examples):
        lines += [*([".Pp"] if number else []), _text(_sentence(does)[:-1] + ":"), ".Pp", f".Dl {_escape(command)}"]
    others = [f"headroom-{other}" for other in VERBS if other != verb.name]
    lines += [".Sh SEE ALSO", *_references(["headroom", *others], _OF_FILES)]
    return "\n".join(lines) + "\n"


def _store_page() -> str:
    """Return headroom-store(5): what stands in which file of a store, and how to read it."""
    lines = [*_head("headroom-store", manual_files.STORE_ABOUT, 5), ".Sh DESCRIPTION"]
    lines += [*_paragraphs(manual_files.STORE_TEXT), ".Sh FILES", ".Bl -tag -width Ds"]
    for name, what in manual_files.STORE_FILES:
        lines += [f".It Pa {_escape(name)}", *_paragraphs(what)]
    lines += [".El", ".Ss Journals", *_paragraphs(manual_files.JOURNAL), ".Sh EXAMPLES"]
    for number, (does, command) in enumerate(manual_files.STORE_COMMANDS):
        lines += [*([".Pp"] if number else []), _text(does + ":"), ".Bd -literal -offset indent"]
        lines += [*map(_escape, command.splitlines()), ".Ed"]
    lines += [".Sh SEE ALSO", *_references(["headroom", "headroom-retrieve", "headroom-store"], ("headroom-config",))]
    return "\n".join(lines) + "\n"


def _config_page() -> str:
    """Return headroom-config(5): the keys of config.toml, the variables, and which of them counts."""
    lines = [*_head("headroom-config", manual_files.CONFIG_ABOUT, 5), ".Sh DESCRIPTION"]
    lines += [*_paragraphs(manual_files.CONFIG_TEXT), ".Pp", "The keys are:", ".Bl -tag -width Ds"]
    for row, kind, about in manual_files.config_keys():
        lines += [f".It Ic {row.key} Pq Ev {row.variable}", f"{kind}:", _text(about + ".")]
    lines += [".El", ".Sh ENVIRONMENT", "Besides the variables of the keys:", ".Bl -tag -width Ds"]
    for name, what in manual_files.CONFIG_VARIABLES:
        lines += [f".It Ev {name}", _text(what)]
    lines += [".El", ".Sh FILES", ".Bl -tag -width Ds"]
    lines += [f".It Pa {_escape(FILES[0][0])}", "The settings, in TOML.", ".El"]
    lines += [".Sh EXAMPLES", "A whole config.toml:", ".Bd -literal -offset indent"]
    lines += [*map(_escape, manual_files.CONFIG_EXAMPLE.splitlines()), ".Ed"]
    lines += [".Sh SEE ALSO", *_references(["headroom"], ("headroom-store",))]
    return "\n".join(lines) + "\n"


def _head(name: str, about: str, section: int = 1) -> list[str]:
    """Return what every page begins with."""
    return [
        '.\\" Generated by headroom_cli.cli.manual; `make man` writes it anew.',
        f".Dd {DATE}", f".Dt {name.upper()} {section}", ".Os", ".Sh NAME", f".Nm {name}", f".Nd {about}",
    ]  # fmt: skip


def _option(row: Setting) -> str:
    """Return the item line of a flag: every spelling, and the name of its value."""
    value = f" Ar {_escape(row.metavar)}" if row.metavar else ""
    return ".It " + " , ".join(f"Fl {flag[1:]}{value}" for flag in sorted(row.flags, key=len))


def _of(verb: Verb) -> tuple[tuple[int, str], ...]:
    """Return the exit statuses of a verb: its own, and the common ones; what it says of 0 stands for what all say."""
    common = STATUSES[1:] if 0 in dict(verb.statuses) else STATUSES
    return tuple(sorted((*verb.statuses, *common), key=lambda row: row[0]))


def _statuses(statuses: tuple[tuple[int, str], ...]) -> list[str]:
    """Return the section of exit statuses."""
    lines = [".Sh EXIT STATUS", ".Bl -tag -width Ds"]
    for status, meaning in statuses:
        lines += [f".It {status}", _text(_sentence(meaning))]
    return [*lines, ".El"]


def _references(verbs: Iterable[str], files: Iterable[str]) -> list[str]:
    """Return cross references by section (1, then 5) and alphabet, with commas between them."""
    ordered = [f".Xr {name} 1" for name in sorted(verbs)] + [f".Xr {name} 5" for name in sorted(files)]
    return [*(line + " ," for line in ordered[:-1]), ordered[-1]]


def _paragraphs(running: str) -> list[str]:
    """Return running text by paragraphs."""
    lines = []
    for number, text in enumerate(paragraphs(running)):
        lines += [*([".Pp"] if number else []), _text(text)]
    return lines


def _text(text: str) -> str:
    """Return running text with one sentence per line, as mdoc wants it."""
    lines = []
    for sentence in text.replace(". ", ".\n").split("\n"):
        lines += textwrap.wrap(sentence, 72, break_long_words=False, break_on_hyphens=False)
    return "\n".join(_escape(line) for line in lines)


def _escape(text: str) -> str:
    """Return a text in which roff finds no command of its own."""
    text = text.replace("\\", "\\e").replace("`", "\\(ga").replace("'", "\\(aq").replace('"', "\\(dq")
    text = text.replace(" -- ", " \\-\\- ")  # two signs to be typed, no dash
    return f"\\&{text}" if text.startswith(".") else text


def _sentence(text: str) -> str:
    """Return a capital at the start and a full stop at the end."""
    return text[:1].upper() + text[1:] + "."


def main() -> None:
    """Write the pages into the directory that is named."""
    folder = sys.argv[1]
    for name, page in pages().items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
            stream.write(page)


if __name__ == "__main__":
    main()
