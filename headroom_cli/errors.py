"""Every error a user can meet, with its exit status and its sentence.

HeadroomError
├── UsageError          2   the command line is wrong
├── FormatError         65  the input is not what --from said
├── InputMissingError   66  no such file, or it cannot be read
├── FailedOpenError     70  --strict, and something was passed through instead of being done
├── StoreError          74  the store cannot be used
│   ├── StoreFullError      74  no space or quota left
│   ├── StoreVersionError   78  written by a newer version, left alone
│   └── StoreRefusedError   78  a directory that is unsafe to keep originals in
├── OutputError         74  standard output cannot be written
├── ReaderGoneError     141 nobody reads standard output any more: silent
├── CorruptError        74  a stored object does not hash to its name
├── NotFoundError       1   the answer is no: an unknown handle, an empty ledger
├── CannotCarryError    65  a part of a request that the backend's API has no place for
├── UpstreamError           the provider did not give an answer
│   ├── UnreachableError    69  it could not be reached, or broke off
│   ├── BusyError           75  it has no room now: a limit, an overload
│   ├── AnsweredError       76  it answered with an error
│   └── KeyMissingError     77  no key was given, or it was refused
├── CommandRefusedError 126 a command is there and cannot be run
│   └── CommandMissingError 127 a command is not there
└── ConfigError         78  a setting has a value that cannot be used
    └── NotUsableError      78  a model that is missing, or does not do what such models do
"""


class HeadroomError(Exception):
    """An error with a sentence for the user: ``what``, then ``what to do`` after a semicolon."""

    status = 70


class UsageError(HeadroomError):
    """The command line is wrong."""

    status = 2


class FormatError(HeadroomError):
    """The input is not what ``--from`` said."""

    status = 65


class InputMissingError(HeadroomError):
    """A named file is not there or cannot be read."""

    status = 66


class FailedOpenError(HeadroomError):
    """With ``--strict``: something failed and its input was passed through unchanged."""

    status = 70


class StoreError(HeadroomError):
    """The store cannot be used; whoever meets this passes the original through."""

    status = 74


class StoreFullError(StoreError):
    """No space, quota or budget is left in the store."""


class StoreVersionError(StoreError):
    """A newer version wrote this store; it is left alone."""

    status = 78


class StoreRefusedError(StoreError):
    """The directory is not safe to keep originals in: another owner, or writable by others."""

    status = 78


class CorruptError(StoreError):
    """A stored object does not decode to the bytes that its name promises."""


class OutputError(HeadroomError):
    """Standard output could not be written."""

    status = 74


class ReaderGoneError(OutputError):
    """Nobody reads standard output any more, as in ``| head``: ends silently."""

    status = 141


class NotFoundError(HeadroomError):
    """The answer is no: an unknown handle, an empty ledger."""

    status = 1


class CannotCarryError(HeadroomError):
    """A part of a request has no place in the API of the backend; nothing was sent."""

    status = 65


class UpstreamError(HeadroomError):
    """The provider did not give an answer. ``body`` is what it said instead, b"" for nothing."""

    def __init__(self, sentence: str, body: bytes = b"", code: int = 0) -> None:
        """``code`` is the provider's HTTP status, 0 when there was none."""
        super().__init__(sentence)
        self.body = body
        self.code = code
        self.wait = ""  # the provider's retry-after, where somebody keeps it for later


class UnreachableError(UpstreamError):
    """No connection, or one that broke off before the answer was whole."""

    status = 69


class BusyError(UpstreamError):
    """A limit of rate, or an overload: the same request may succeed later."""

    status = 75


class AnsweredError(UpstreamError):
    """The provider answered with an error."""

    status = 76


class KeyMissingError(UpstreamError):
    """No key was given, or the provider refused it."""

    status = 77


class CommandRefusedError(HeadroomError):
    """A command is there and cannot be run; the status is the one that shells have for it."""

    status = 126


class CommandMissingError(CommandRefusedError):
    """A command is not there; the status is the one that shells have for it."""

    status = 127


class ConfigError(HeadroomError):
    """A setting has a value that cannot be used."""

    status = 78


class NotUsableError(ConfigError):
    """A model is missing, damaged, or does not do what models of its kind do."""
