"""The typer commands: help, the errors of a command line, and every verb that is no filter. 60 ms to import."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Optional

import typer
from typer.main import get_command

from headroom_cli import errors
from headroom_cli.cli import io
from headroom_cli.cli.main import run_verb, say_version
from headroom_cli.cli.options import VERBS, Verb, load, paragraphs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ABOUT = "Shrink what LLM agents read, and give every original back byte for byte."
EPILOG = "Settings: flag, HEADROOM_* variable, config.toml, default, in this order. More: man headroom"


def build(names: Iterable[str] = VERBS, *, bare: bool = False) -> Any:
    """Return the program as typer's (click's) command group, with these verbs alone when they are named.

    With ``bare`` the verbs have no flags, which is enough to list them.
    """
    app = typer.Typer(
        name="headroom", help=ABOUT, epilog=EPILOG, add_completion=False, rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )  # fmt: skip
    app.callback(invoke_without_command=True)(_top)
    for name in names:
        verb = load(name)
        verbatim = any(argument.verbatim for argument in verb.arguments)
        app.command(
            name=name, help=_help(verb), short_help=verb.about, epilog=_epilog(verb),
            context_settings={"allow_interspersed_args": not verbatim},
        )(_nothing if bare else _command(verb))  # fmt: skip
    return get_command(app)


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit status. Raise UsageError for one that is wrong."""
    import contextlib
    import io as memory

    # typer prints help into memory, so that there is one way out, which knows what a full or closed output means.
    printed = memory.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            # What is asked of one verb needs no other: half of the time that is spent besides importing typer.
            named = arguments[:1] if arguments and arguments[0] in VERBS else VERBS
            bare = not arguments or arguments[0] in {"-h", "--help"}
            status = build(named, bare=bare).main(args=list(arguments), prog_name="headroom", standalone_mode=False)
    except typer.Exit as ended:
        status = ended.exit_code
    except typer.Abort as aborted:
        raise KeyboardInterrupt from aborted
    except Exception as wrong:
        # click's usage errors, which typer carries inside itself: known by their sentence and status.
        if getattr(wrong, "exit_code", 0) != errors.UsageError.status:
            raise
        sentence = wrong.format_message() if hasattr(wrong, "format_message") else str(wrong)
        context = getattr(wrong, "ctx", None)
        place = context.command_path if context is not None else "headroom"
        known = arguments[0] if arguments and arguments[0] in VERBS else ""
        is_flag = (
            getattr(wrong, "option_name", "")
            and known
            and any(row.several and not row.verbatim for row in load(known).arguments)
        )
        hint = "; words that begin with - and are not for headroom go behind --" if is_flag else ""
        raise errors.UsageError(f"{sentence.strip().rstrip('.')}{hint}; see {place} --help") from wrong
    if printed.getvalue():
        io.write(printed.getvalue().encode())
    return status if isinstance(status, int) else 0


def _top(context: typer.Context, version: bool = typer.Option(False, "--version", help="Show the version.")) -> int:  # noqa: FBT001, FBT003 - typer's own way to declare a switch
    """Answer --version; without a verb, show the help and call it a usage error."""
    if version:
        return say_version()
    if context.invoked_subcommand is None:
        io.tell(context.get_help())
        return errors.UsageError.status
    return 0


def _nothing() -> int:
    """Stand for a verb that is listed and not run."""
    return 0


def _command(verb: Verb) -> Callable[..., int]:
    """Return a function whose signature is what typer reads: one parameter per argument and flag of the verb."""
    several = {argument.name for argument in verb.arguments if argument.several}

    def command(**values: Any) -> int:
        given: dict[str, str] = {}
        for name, value in values.items():
            if value is True:
                given[name] = "true"
            elif isinstance(value, list):
                given.update({name: ("\0" if name in several else "\n").join(value)} if value else {})
            elif value is not None and value is not False:
                given[name] = value
        return run_verb(verb.name, given)

    parameters = [
        inspect.Parameter(
            argument.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=typer.Argument(
                ... if argument.required else None, help=_sentence(argument.about), metavar=argument.metavar
            ),
            annotation=(
                Optional[list[str]]  # noqa: UP045 - a value at run time, as typer wants it
                if argument.several
                else str
                if argument.required
                else Optional[str]  # noqa: UP045 - as above
            ),
        )
        for argument in verb.arguments
    ]
    for row in verb.rows:
        switch = row.kind == "switch"
        option = typer.Option(
            False if switch else None, *row.flags, help=_sentence(row.help), metavar=row.metavar or None,
            show_default=False,
        )  # fmt: skip
        textual = Optional[list[str]] if row.kind == "texts" else Optional[str]  # noqa: UP045 - as above
        annotation = bool if switch else textual
        parameters.append(
            inspect.Parameter(row.name, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=annotation)
        )
    command.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _sentence(text: str) -> str:
    """Return a help text that starts with a capital."""
    return text[:1].upper() + text[1:]


def _help(verb: Verb) -> str:
    """Return the help of a verb: its line and its paragraphs."""
    return "\n\n".join((_sentence(verb.about) + ".", *paragraphs(verb.text)))


def _epilog(verb: Verb) -> str:
    """Return what stands below a verb's flags: examples and statuses, in lines that are not to be wrapped."""
    # click keeps the lines of a paragraph that starts with \b.
    parts = []
    if verb.examples:
        parts.append(
            "\b\nExamples:\n" + "\n".join(f"  {command}\n      {_sentence(does)}." for command, does in verb.examples)
        )
    if verb.statuses:
        parts.append("\b\nExit status:\n" + "\n".join(f"  {status:<3} {meaning}" for status, meaning in verb.statuses))
    return "\n\n".join(parts)
