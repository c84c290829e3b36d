"""The one way in and the one way out: arguments to a verb, errors to one line and an exit status."""

from __future__ import annotations

from headroom_cli.cli import io
from headroom_cli.cli._flags import FLAGS
from headroom_cli.errors import HeadroomError, ReaderGoneError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status; never raise."""
    io.guard_descriptors()
    try:
        return _dispatch(arguments)
    except ReaderGoneError as error:
        return error.status
    except HeadroomError as error:
        from headroom_cli.cli import report

        report.error(str(error))
        return error.status
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the edge: a bug becomes one line and status 70
        if isinstance(error.__cause__, KeyboardInterrupt):  # Python 3.11 wraps one that comes while a class is made
            return INTERRUPTED
        from headroom_cli.cli import report

        report.bug(error)
        return HeadroomError.status


def parse(words: Sequence[str], flags: tuple[dict[str, str], dict[str, str], tuple[str, ...]]) -> dict[str, str] | None:
    """Return what plain arguments give (name -> text, "true" for a switch), or None when typer must look at them.

    ``flags`` is a row of FLAGS: the flags with a value, the switches, the names of the positional arguments. Several
    words of one argument come in one text, with NUL between them.
    """
    valued, switches, positions = flags
    name, dots, verbatim = positions[-1].partition("...") if positions else ("", "", "")
    given: dict[str, str] = {}
    placed: list[str] = []
    waiting = ""  # the name whose value is the next word
    only_words = False  # after "--"
    for word in words:
        if waiting:
            given[waiting] = word
            waiting = ""
        elif only_words or word == "-" or not word.startswith("-"):
            placed.append(word)
            only_words = only_words or bool(verbatim)
        elif word == "--":
            only_words = True
        elif word in switches:
            given[switches[word]] = "true"
        elif word in valued:
            waiting = valued[word]
        else:
            flag, equals, value = word.partition("=")
            if not equals or flag not in valued or not flag.startswith("--"):
                return None
            given[valued[flag]] = value
    if waiting or (len(placed) > len(positions) and not dots):
        return None
    if dots:
        alone = len(positions) - 1
        positions, placed = (
            (*positions[:-1], name),
            placed[:alone] + ["\0".join(placed[alone:])] * (len(placed) > alone),
        )
    given.update(zip(positions, placed, strict=False))
    return given


def run_verb(name: str, given: dict[str, str]) -> int:
    """Run a verb with what was given on its command line."""
    from headroom_cli import settings
    from headroom_cli.cli.options import load

    verb = load(name)
    names = {row.name for row in verb.own}.union(argument.name for argument in verb.arguments)
    own = {key: text for key, text in given.items() if key in names}
    shared = {key: text for key, text in given.items() if key not in names}
    if verb.lenient:
        from headroom_cli import origins

        return verb.run(origins.find(shared).settings, {**shared, **own})
    resolved = settings.resolve(shared)
    if resolved.ranks:
        from headroom_cli import tokens

        tokens.use_exact(resolved.ranks)
    if resolved.kompress and "kompress" in verb.flags:
        from headroom_cli.kompress.find import find

        find(resolved.kompress)  # a name that stands for nothing is said before anything is read
    if own.get("output", "-") == "-":
        return verb.run(resolved, own)
    from headroom_cli.cli import output

    return output.write(own["output"], lambda: verb.run(resolved, own))


def _dispatch(arguments: Sequence[str]) -> int:
    """Run a filter with plain arguments directly, anything else through typer, which costs 60 ms to import."""
    if arguments and arguments[0] in FLAGS:
        given = parse(arguments[1:], FLAGS[arguments[0]])
        if given is not None:
            return run_verb(arguments[0], given)
    if len(arguments) == 1 and arguments[0] == "--version":
        return say_version()
    from headroom_cli.cli import app

    return app.run(arguments)


def say_version() -> int:
    """Answer --version."""
    version = __import__("headroom_cli").__version__  # the package stands above its layers, its version does not
    io.write(f"headroom {version}\n".encode())
    return 0
