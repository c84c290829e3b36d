"""What a verb is, and the table of verbs.

A verb is one file of this package, whose VERB record declares it, and one row of VERBS. The typer commands (app.py),
the fast path (_flags.py), the manual and the completions are all made from these records and from settings.TABLE.
"""

from __future__ import annotations

from headroom_cli.settings import TABLE, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from headroom_cli.settings import Settings

# verb -> whether it is a filter: runs without typer when its arguments are plain.
VERBS = {
    "crush": True, "align": True, "route": True, "fit": True, "send": True, "retrieve": True, "run": True,
    "count": True, "batch": False, "stats": False, "store": False, "models": False, "config": False, "doctor": False,
    "proxy": False, "wrap": False, "mcp": True,
}  # fmt: skip

SHARED = (
    "format", "model", "ranks", "store", "query", "level", "budget", "lossless", "keep_json", "redeem", "kompress",
    "only", "skip", "only_tool", "protect_tool", "as_kind", "live", "fresh", "project", "strict", "json", "quiet",
    "verbose", "no_color",
)  # fmt: skip
REPORTING = ("store", "json", "quiet", "verbose", "no_color")

# A flag that writes a verb's whole output into a file: main.py sees to it, for every verb that has the row.
OUTPUT = Setting(
    "output", ("--output", "-o"), "", "text", "FILE",
    "write to FILE instead of standard output: all of it, or on an error nothing; it may be the input",
)  # fmt: skip
DIFF = Setting(
    "diff", ("--diff",), "", "switch", "", "write what would change as a diff instead of the document; store nothing"
)


class Argument:
    """A word of the command line that is not a flag: its name, whether it may be missing, what it means.

    ``several`` words may stand there, as the last argument: a verb gets them in one text, with NUL between them.
    ``verbatim`` is several words of another command line: all from its first word on, flags too.
    """

    __slots__ = ("about", "choices", "name", "required", "several", "shown", "verbatim")

    def __init__(
        self, name: str, about: str, *, required: bool = False, choices: tuple[str, ...] = (), several: bool = False,
        verbatim: bool = False, shown: str = "",
    ) -> None:  # fmt: skip
        """``name`` is lower case; the help shows it in capitals, or what is ``shown`` in its place."""
        self.shown = shown
        self.several = several or verbatim
        self.verbatim = verbatim
        self.name = name
        self.about = about
        self.required = required
        self.choices = choices

    @property
    def metavar(self) -> str:
        """What the help calls it."""
        return self.shown or "|".join(self.choices) or self.name.upper() + ("..." if self.several else "")


class Verb:
    """One command.

    ``name``       as it is typed
    ``about``      one line without a full stop
    ``text``       what it does, for the help and the manual: paragraphs with blank lines between them
    ``arguments``  in their order
    ``flags``      names of rows of settings.TABLE
    ``own``        the flags that are its alone; they are no settings and have no variable
    ``examples``   (command, what it does)
    ``statuses``   exit statuses besides the common ones: (status, meaning)
    ``stages``     the stages of the engine that it runs, for a filter of documents
    ``lenient``    runs whatever variables and config.toml hold: it is there to say what is wrong with them
    ``run``        (settings, own) -> exit status; ``own`` holds the arguments and own flags that were given
    """

    __slots__ = (
        "about", "arguments", "examples", "flags", "lenient", "name", "own", "run", "stages", "statuses", "text",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        run: Callable[[Settings, Mapping[str, str]], int],
        *,
        about: str,
        text: str,
        arguments: tuple[Argument, ...] = (),
        flags: tuple[str, ...] = SHARED,
        own: tuple[Setting, ...] = (),
        examples: tuple[tuple[str, str], ...] = (),
        statuses: tuple[tuple[int, str], ...] = (),
        stages: tuple[str, ...] = (),
        lenient: bool = False,
    ) -> None:
        """Hold one verb."""
        self.lenient = lenient
        self.stages = stages
        self.name = name
        self.run = run
        self.about = about
        self.text = text
        self.arguments = arguments
        self.flags = flags
        self.own = own
        self.examples = examples
        self.statuses = statuses

    @property
    def rows(self) -> tuple[Setting, ...]:
        """The rows of all its flags: its own first, then the settings in the table's order."""
        return (*self.own, *(row for row in TABLE if row.name in self.flags))


# Exit statuses that any verb may end with; a verb's own come on top.
STATUSES = (
    (0, "done, also when the input went through unchanged"),
    (2, "the command line is wrong, or standard input is a terminal"),
    (66, "FILE is not there or cannot be read"),
    (70, "an internal error, or with --strict something failed and its input was passed through"),
    (74, "the output could not be written, or with --strict the store failed"),
    (78, "a variable or config.toml has a value that cannot be used, or the store cannot be trusted"),
    (130, "interrupted"),
    (141, "nobody read the output any more"),
)

FILE = Argument("file", "the file to read; - or nothing means standard input")


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text, each on one line."""
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


def load(name: str) -> Verb:
    """Import a verb's file and return its record."""
    module = __import__(f"headroom_cli.cli.{name}", fromlist=["VERB"])
    verb: Verb = module.VERB
    return verb
