"""Shaping of one request: what its conversation began with, what follows from that, and what became of it."""

from __future__ import annotations

from headroom_cli import ledger
from headroom_cli.shaping import efforts, pins, place, turns, words
from headroom_cli.trial import arms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from headroom_cli.formats._edits import Edit
    from headroom_cli.renderings import Notes
    from headroom_cli.shaping.asked import Shaping
    from headroom_cli.shaping.pins import Pin

# Below this many tokens an answer without tools is a title, a label or a probe: nothing in it is worth leaving out.
SHORT = 1_024
STOPPED = {
    "compression": "compressing was found to cost more than it saves; new conversations go as they come",
    "output": "--output-shaper was found to cost more than it saves; new conversations are not shaped",
}
_FORCED = ("tool", "function", "custom", "any")  # choices of a tool after which the answer is a call
HELD_OUT = "left uncompressed to measure what compressing does (--holdout)"


class Talk:
    """One request of a conversation."""

    __slots__ = ("_asked", "_request", "_scope", "_shape", "_tools", "fresh", "key", "pin", "turn", "warnings")

    def __init__(self, asked: Shaping | None, shape: str, request: dict[str, Any], scope: str, *, tools: bool) -> None:
        """``asked`` None: nothing is done, nor looked up. ``scope`` is who asks. ``tools``: the client brings some."""
        self._asked = asked
        self._shape = shape
        self._request = request
        self._scope = scope
        self._tools = tools
        self.key = arms.key(scope, ledger.conversation(request))
        self.turn = turns.kind(shape, request)
        self.pin: Pin | None = None
        self.fresh = False  # the decision is to be noted
        self.warnings: list[str] = []

    def begin(self, notes: Notes | None, store: str, model: str, *, alone: bool = True) -> None:
        """Decide for a conversation that begins with this request; ``store`` is the directory with the verdicts.

        ``alone`` False: it is no trial of compressing, which is what a text is sent through here for. Raise StoreError.
        """
        asked = self._asked
        self.warnings = []
        if asked is None:
            return
        if asked.again and notes is not None:
            self.pin = pins.begun(notes, self._shape, self._scope, self._sort)
            if self.pin is not None:
                self.fresh = True
                return
        pin = pins.Pin(self.key)
        # A history that the provider holds is known again only by a desk, and who is left alone has none.
        held = self._shape == "responses" and self._request.get("store") is not False
        if asked.holdout and alone and not held:
            pin.compress = "off" if self._is_stopped("compression", store) else arms.arm(
                "compression", self.key, asked.holdout
            )  # fmt: skip
        if asked.on and suits(self._shape, self._request, tools=self._tools, counting=asked.counting) and not (
            asked.output_holdout and self._is_stopped("output", store)
        ):  # fmt: skip
            pin.shape = arms.arm("output", self.key, asked.output_holdout)
            if pin.shape != arms.CONTROL:
                pin.text, pin.level = words.text(asked.level), asked.level
                if asked.effort and efforts.may_move(self._shape, self._request, model):
                    pin.efforts = [[0, efforts.asked(self._request)]]
                if not pin.text and not pin.efforts:
                    pin.shape = ""  # nothing that could show
        self.pin, self.fresh = pin, not asked.counting

    def go_on(self, notes: Notes, answers: list[str], known: Any) -> None:
        """Take up what the conversation began with; ``known`` is what is kept of a history that the provider holds.

        ``answers`` are the keys of the model's turns in the request. Raise StoreError.
        """
        if not answers and known is None:
            self.key = ""  # the provider holds its first words: what is new here would name another conversation
        if self._asked is None:
            return
        if answers:
            self.pin, self.fresh = pins.find(notes, self._shape, self._scope, answers, self._sort)
        elif known is not None:
            self.pin = pins.pin_of(known)
        if self.pin is not None:
            self.key = self.pin.key
        if self._asked.counting:
            self.fresh = False

    def stay_plain(self) -> None:
        """Leave a conversation unshaped, and in no baseline: its later requests may not be known again."""
        if self.pin is not None:
            self.pin.text = self.pin.shape = ""
            self.pin.efforts = []
        self.key = ""

    @property
    def counts(self) -> bool:
        """Whether later requests must know of what was decided here."""
        return self.pin is not None and self.pin.counts

    @property
    def alone(self) -> bool:
        """Whether nothing is compressed in this conversation."""
        return self.pin is not None and self.pin.compress in {arms.CONTROL, "off"}

    @property
    def why(self) -> str:
        """Why nothing is compressed, "" when something may be."""
        return "" if self.pin is None or not self.alone else (
            HELD_OUT if self.pin.compress == arms.CONTROL else STOPPED["compression"]
        )  # fmt: skip

    def edits(self, by_model: Callable[[Any], bool]) -> tuple[list[Edit], tuple[str, ...]]:
        """Return the edits that shape this request, and the texts that they put in.

        ``by_model`` tells which items of the Responses API a model made.
        """
        pin, request = self.pin, self._request
        if pin is None:
            return [], ()
        made: list[Edit] = []
        texts: tuple[str, ...] = ()
        if pin.text and not place.standing(self._shape, request):
            put = place.edits(self._shape, request, pin.text)
            made, texts = (put, (pin.text,)) if put is not None else ([], ())
        if pin.efforts and not efforts.is_barred(request):
            moves = efforts.Moves(request, pin.efforts, by_model)
            made += moves.edits
            if moves.changes != pin.efforts:
                pin.efforts, self.fresh = moves.changes, not (self._asked is None or self._asked.counting)
        return made, texts

    def note(self, notes: Notes, answers: list[str]) -> None:
        """Note the decision: by the first answer where there is one. Raise StoreError."""
        pin = self.pin
        if not self.fresh or pin is None:
            return
        if answers:
            pins.note(notes, pins.bound(self._shape, answers[0]), self._scope, pin)
        else:
            pins.begin(notes, self._shape, self._scope, pin, self._sort)

    def by_answer(self, notes: Notes, answer: str) -> dict[str, Any]:
        """Return the notes, by their names, of a conversation whose first answer is known. Raise StoreError."""
        if self.pin is None or not self.fresh:
            return {}
        names = pins.own(pins.bound(self._shape, answer), self._scope)
        if self.pin.counts:
            return dict.fromkeys(names, self.pin.record())
        # Another conversation began with the same words and the same answer: the latest counts.
        return {name: None for name in names if notes.get(name) is not None}

    def trial(self, sent: dict[str, Any], model: str, tokens: int, *, entered: bool) -> dict[str, Any]:
        """Return what the ledger says of the trials: what stands in the request that goes out, not what was wished.

        ``sent`` is that request, ``tokens`` what it had before. ``entered``: what was decided could be done.
        """
        block = place.standing(self._shape, sent)
        stratum = arms.stratum(model, self.turn, tokens, tools=self._tools)
        level = self.pin.level if self.pin is not None and block and block == self.pin.text else 0
        effort = efforts.standing(sent) if self._shape == "responses" else ""
        told: dict[str, Any] = {
            "key": self.key, "stratum": stratum if self._suited else f"{stratum}|aside", "level": level,
            "effort": effort,
        }  # fmt: skip
        pin = self.pin if entered else None
        if pin is not None and pin.compress in {arms.TREATED, arms.CONTROL}:
            told["compress"] = pin.compress
        if pin is not None and pin.shape:
            told["shape"] = pin.shape  # where its block does not stand, ``level`` says so: it is left out, and counted
        return told

    @property
    def _sort(self) -> str:
        """What stays in all requests of a conversation; agents ask for titles with the words that others begin with."""
        return "tools" if self._tools else "short" if is_short(self._request) else "plain"

    @property
    def _suited(self) -> bool:
        return suits(self._shape, self._request, tools=self._tools)

    def _is_stopped(self, what: str, store: str) -> bool:
        from headroom_cli.trial import verdict

        stopped: bool = getattr(verdict.standing(store), what) == "off"
        if stopped:
            self.warnings.append(STOPPED[what])
        return stopped


def suits(shape: str, request: dict[str, Any], *, tools: bool, counting: bool = False) -> bool:
    """Tell whether the answers of a conversation that begins so are prose to somebody.

    Not where the form of the answer is given (a schema, one tool that must be called), not short answers without
    tools (titles, probes), and not where a block of this kind stands already. A request for a count does not say how
    long the answer may be.
    """
    if place.standing(shape, request) or request.get("prompt") or _is_structured(request):
        return False
    return tools or not (counting or is_short(request))


def is_short(request: dict[str, Any]) -> bool:
    """Tell whether the answer must be short."""
    most = (request.get(name) for name in ("max_tokens", "max_completion_tokens", "max_output_tokens"))
    return any(isinstance(number, int) and number < SHORT for number in most)


def _is_structured(request: dict[str, Any]) -> bool:
    """Tell whether the form of the answer is given."""
    config, text = request.get("output_config"), request.get("text")
    forms = [
        request.get("response_format"),
        request.get("output_format"),
        config.get("format") if isinstance(config, dict) else None,
        text.get("format") if isinstance(text, dict) else None,
    ]
    if any(isinstance(form, dict) and str(form.get("type")).startswith("json") for form in forms):
        return True
    choice = request.get("tool_choice")
    return isinstance(choice, dict) and choice.get("type") in _FORCED
