"""What a request says, whichever API it was written for: the nouns between the readers and the writers."""

from __future__ import annotations

from headroom_cli.convert._tables import DEFAULTS, IGNORED, NAMES
from headroom_cli.errors import CannotCarryError
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Content = list["Text | Image | File"]

_ASCII = 256  # re.ASCII
# "data:image/png;base64,AAAA"; parameters between the two (charset) say nothing about base64 data.
_DATA_URL = pattern(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w.+-]+=[^;,]*)*;base64,", _ASCII)


class Text:
    """A text. ``mark`` is Anthropic's cache_control, ``point`` OpenAI's prompt_cache_breakpoint; None for none."""

    __slots__ = ("mark", "path", "point", "text")

    def __init__(self, path: str, text: str, mark: Any = None, point: Any = None) -> None:
        """Hold one text."""
        self.path = path
        self.text = text
        self.mark = mark
        self.point = point


class Refusal:
    """The model's words where it refused, which OpenAI keeps apart from its texts."""

    __slots__ = ("path", "text")

    def __init__(self, path: str, text: str) -> None:
        """Hold one refusal."""
        self.path = path
        self.text = text


class Image:
    """A picture: base64 ``data`` of the type ``media``, or a ``url``. ``detail`` is OpenAI's, "" for none."""

    __slots__ = ("data", "detail", "mark", "media", "path", "point", "url")

    def __init__(
        self, path: str, *, media: str = "", data: str = "", url: str = "", detail: str = "", mark: Any = None,
        point: Any = None,
    ) -> None:  # fmt: skip
        """Give ``media`` and ``data``, or ``url``."""
        self.path = path
        self.media = media
        self.data = data
        self.url = url
        self.detail = detail
        self.mark = mark
        self.point = point

    def address(self) -> str:
        """Return what OpenAI calls its URL."""
        return self.url or f"data:{self.media};base64,{self.data}"


class File:
    """A file: base64 ``data`` of the type ``media``, or a ``url``; ``name`` is its title, "" for none."""

    __slots__ = ("data", "mark", "media", "name", "path", "point", "url")

    def __init__(
        self, path: str, *, media: str = "", data: str = "", url: str = "", name: str = "", mark: Any = None,
        point: Any = None,
    ) -> None:  # fmt: skip
        """Give ``media`` and ``data``, or ``url``."""
        self.path = path
        self.media = media
        self.data = data
        self.url = url
        self.name = name
        self.mark = mark
        self.point = point


class Call:
    """A call of a tool. ``arguments`` is an object, or text as the model wrote it; ``custom``: free text."""

    __slots__ = ("arguments", "custom", "identifier", "mark", "name", "path")

    def __init__(
        self, path: str, identifier: str, name: str, arguments: Any, *, custom: bool = False, mark: Any = None
    ) -> None:
        """Hold one call."""
        self.path = path
        self.identifier = identifier
        self.name = name
        self.arguments = arguments
        self.custom = custom
        self.mark = mark


class Result:
    """What a tool gave back."""

    __slots__ = ("custom", "error", "identifier", "mark", "parts", "path")

    def __init__(
        self, path: str, identifier: str, parts: Content, *, error: bool = False, custom: bool = False,
        mark: Any = None,
    ) -> None:  # fmt: skip
        """Hold one result; ``custom``: of a tool that takes free text."""
        self.path = path
        self.identifier = identifier
        self.parts = parts
        self.error = error
        self.custom = custom
        self.mark = mark


class Thinking:
    """A signed block of Anthropic's, to go back as it came."""

    __slots__ = ("block", "path")

    def __init__(self, path: str, block: dict[str, Any]) -> None:
        """Hold one block."""
        self.path = path
        self.block = block


class Turn:
    """What one side says at once. ``role`` is system, developer, user or assistant."""

    __slots__ = ("parts", "path", "role")

    def __init__(self, path: str, role: str, parts: list[Any]) -> None:
        """``parts`` are Text, Refusal, Image, File, Call, Result, Thinking."""
        self.path = path
        self.role = role
        self.parts = parts


class Tool:
    """A tool of the client's. ``schema`` is None for one that takes free text, whose ``form`` is OpenAI's."""

    __slots__ = ("description", "form", "mark", "name", "path", "schema", "strict")

    def __init__(
        self, path: str, name: str, *, description: str = "", schema: dict[str, Any] | None = None,
        strict: bool | None = None, form: Any = None, mark: Any = None,
    ) -> None:  # fmt: skip
        """``strict`` is None where the request does not say."""
        self.path = path
        self.name = name
        self.description = description
        self.schema = schema
        self.strict = strict
        self.form = form
        self.mark = mark


class Choice:
    """Which tools the model may call: ``kind`` is auto, any, none, tool (``names`` holds one), or allowed.

    ``names`` are pairs (name, whether the tool takes free text). ``mode`` is auto or any, for allowed.
    """

    __slots__ = ("kind", "mode", "names")

    def __init__(self, kind: str, names: tuple[tuple[str, bool], ...] = (), mode: str = "auto") -> None:
        """Hold one choice."""
        self.kind = kind
        self.names = names
        self.mode = mode


class Form:
    """The form that an answer is to have: a JSON schema, or any JSON when ``schema`` is None."""

    __slots__ = ("description", "name", "schema", "strict")

    def __init__(
        self, schema: dict[str, Any] | None, *, name: str = "", description: str = "", strict: bool | None = None
    ) -> None:
        """``strict`` is None where the request does not say."""
        self.schema = schema
        self.name = name
        self.description = description
        self.strict = strict


class Talk:
    """A whole request. None, "" and () are what the request does not say.

    ``effort``    none, minimal, low, medium, high, xhigh, max
    ``thinks``    whether the model may think before it answers
    ``shown``     whether its thinking is to be shown
    ``parallel``  whether the model may call several tools at once
    ``same``      members that OpenAI's two APIs share, name and value
    """

    __slots__ = (
        "choice", "effort", "form", "mark", "max_tokens", "model", "parallel", "same", "shown", "stop", "stream",
        "temperature", "thinks", "tools", "top_p", "turns",
    )  # fmt: skip

    def __init__(self) -> None:
        """Begin with nothing said."""
        self.model: Any = None
        self.turns: list[Turn] = []
        self.tools: list[Tool] = []
        self.choice: Choice | None = None
        self.parallel: bool | None = None
        self.max_tokens: Any = None
        self.temperature: Any = None
        self.top_p: Any = None
        self.stop: tuple[str, ...] = ()
        self.stream: Any = None
        self.effort = ""
        self.thinks: bool | None = None
        self.shown = False
        self.form: Form | None = None
        self.mark: Any = None
        self.same: dict[str, Any] = {}


class Job:
    """One conversion: from ``source`` to ``target``, and how what cannot be carried is refused.

    ``keep``: the target takes Anthropic's cache_control in its own shape.
    """

    __slots__ = ("keep", "source", "target")

    def __init__(self, source: str, target: str, *, keep: bool) -> None:
        """Both are rows of wire.WIRES."""
        self.source = source
        self.target = target
        self.keep = keep

    def refusal(self, path: str, what: str) -> CannotCarryError:
        """Return the error that names a part: its path comes first."""
        return CannotCarryError(
            f"{path}: {what} has no place in {NAMES[self.target]}; "
            f"send it to a backend that speaks {NAMES[self.source]}"
        )

    def ignores(self, name: str) -> bool:
        """Tell whether a part may be left out. ``name`` is "request.metadata", "text.citations", "thinking"."""
        row = IGNORED[self.source].get(name) or IGNORED[self.source].get(f"*.{name.rpartition('.')[2]}")
        return row is not None and self.target in row[0]

    def check(self, value: dict[str, Any], path: str, kind: str, known: tuple[str, ...]) -> None:
        """Refuse a member that nobody reads, unless it says nothing or may be left out. Raise CannotCarryError."""
        for name, member in value.items():
            if name in known or member is None or self.ignores(f"{kind}.{name}"):
                continue
            usual = DEFAULTS[self.source].get(f"{kind}.{name}", ())
            if not any(member == one and type(member) is type(one) for one in usual):
                raise self.refusal(f"{path}.{name}" if path else name, "this field")

    def kind(self, value: dict[str, Any], path: str, name: str = "type") -> str | None:
        """Return the type of a part, or another name of that sort. Raise CannotCarryError for what is no text."""
        found = value.get(name)
        return found if found is None else self.text(found, f"{path}.{name}")

    def object(self, value: Any, path: str) -> dict[str, Any]:
        """Return an object. Raise CannotCarryError for anything else."""
        if not isinstance(value, dict):
            raise CannotCarryError(f"{path}: this is to be an object; it cannot be converted")
        return value

    def list(self, value: Any, path: str) -> list[Any]:
        """Return a list. Raise CannotCarryError for anything else."""
        if not isinstance(value, list):
            raise CannotCarryError(f"{path}: this is to be a list; it cannot be converted")
        return value

    def text(self, value: Any, path: str) -> str:
        """Return a text. Raise CannotCarryError for anything else."""
        if not isinstance(value, str):
            raise CannotCarryError(f"{path}: this is to be a text; it cannot be converted")
        return value


def data_url(url: str) -> tuple[str, str]:
    """Return the media type and base64 text of a data URL, "" and "" for another address."""
    found = _DATA_URL.match(url)
    return (found[1].lower(), url[found.end() :]) if found else ("", "")


def inside(path: str, step: object) -> str:
    """Return the path of a member."""
    return f"{path}.{step}"
