"""What the fake provider answers, in no API's words: a Reply of parts, and the Fault that breaks it somewhere."""

import json

# Tokens of an answer whose script names none: what was read, what came from a cache and went into one, what was said,
# and how much of that was thinking. Anthropic counts the first three side by side, OpenAI adds them up.
USAGE = {"input": 12, "cached": 0, "written": 0, "output": 7, "thinking": 0}


class Part:
    """One thing a model says. ``kind``: text, thinking, redacted, call, refusal, raw."""

    def __init__(self, kind, value="", times=1, **more):
        """``value`` is said ``times`` times over, without ever standing whole in memory where the API allows it."""
        self.kind = kind
        self.value = value
        self.times = times
        self.more = more

    @property
    def whole(self):
        """The whole text."""
        return self.value * self.times

    def pieces(self, size):
        """Yield the text in deltas of ``size`` characters."""
        for _ in range(self.times):
            for start in range(0, len(self.value), size):
                yield self.value[start : start + size]

    @property
    def arguments(self):
        """The arguments of a call as a JSON text; one that was given as a text stays as it is, broken or not."""
        given = self.more["arguments"]
        return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, separators=(",", ":"))

    @property
    def input(self):
        """The arguments of a call as a value."""
        given = self.more["arguments"]
        if not isinstance(given, str):
            return given
        try:
            return json.loads(given)
        except ValueError:
            return {}


def text(value, times=1, **more):
    """Text; ``more`` are further members of the block (citations)."""
    return Part("text", value, times, **more)


def thinking(value, signature="c2lnbmVk"):
    """Thinking with its signature; in the Responses API a reasoning item whose encrypted content is the signature."""
    return Part("thinking", value, signature=signature)


def redacted(data="cmVkYWN0ZWQ="):
    """Thinking that only the provider can read."""
    return Part("redacted", data)


def call(identifier, name, arguments, **more):
    """One call of a tool; ``arguments`` are a dict, or a text that is sent as it is."""
    return Part("call", identifier=identifier, name=name, arguments=arguments, extra=more)


def refusal(value):
    """Say no (OpenAI); for Anthropic it is text, and ``stop="refusal"`` is the no."""
    return Part("refusal", value)


def raw(value):
    """A block, or an output item, in the API's own words; in Chat Completions members of the message."""
    return Part("raw", value=value)


class Fault:
    """What goes wrong, and where.

    kind: "reset" (RST), "close" (FIN), "stall" (nothing more comes, the connection stays open), "error" (an error event
    in the stream), "crc" (an AWS frame whose sum is wrong), "chunk" (a wrong chunk size), "gzip" (the compressed body
    lacks its end, its framing does not), "open" (the stream ends as if it were whole, without its last events).
    place: ``at`` "connect" (nothing is read), "request" (its body is not read), "head" (the answer's head is not sent),
    "body" (only the head is); or after ``size`` bytes of the body; or after ``events`` events.
    """

    def __init__(self, kind, at=None, size=None, events=None):
        """Take exactly one place; "gzip" and "open" (before the first event that tells an end) need none."""
        if kind not in ("reset", "close", "stall", "error", "crc", "chunk", "gzip", "open"):
            raise ValueError(f"no such fault: {kind}")
        if at not in (None, "connect", "request", "head", "body"):
            raise ValueError(f"no such place: {at}")
        if at == "body":
            events = 0
        self.kind = kind
        self.at = at if at != "body" else None
        self.size = size
        self.events = events
        places = 3 - [self.at, size, events].count(None)
        if places != 1 and not (places == 0 and kind in ("gzip", "open")):
            raise ValueError("a fault has one place")


class Reply:
    """One answer, rendered in the shape of the request's path and of its ``stream``.

    parts       what the model says
    stop        end, calls, length, sequence, refusal, pause, window, failed, or a word of the API's own; None: by parts
    usage       see USAGE; members it does not know go into the API's object as they are
    status      HTTP status; from 400 on with an error body of the API, ``error`` = (type, message)
    error       with status 200 an error inside the answer: the last event of the stream, or the body
    headers     further headers of the answer, a dict or pairs; a value None takes one away
    size        characters of a delta (``pieces`` in a script)
    delay       seconds before each event; ``wait`` before the head
    drip        bytes of each write, 0 for whole events; ``drip_delay`` seconds between them
    encoding    "gzip" or "deflate" whatever the client said it accepts
    extras      with events, members and block types that no SDK knows
    interleave  parallel calls come piece by piece in turn (Chat, Responses)
    together    text and the first piece of a call in one chunk (Chat)
    comments    comments in a stream of events, as OpenRouter sends them while it waits; None: there only
    body        these bytes instead, with ``kind`` as their content type
    fault       see Fault
    """

    def __init__(
        self, parts=(), *, stop=None, usage=None, status=200, error=None, headers=(), pieces=20, delay=0.0, wait=0.0,
        drip=0, drip_delay=0.0, encoding="", extras=False, interleave=False, together=False, comments=None, body=None,
        kind="application/json", fault=None,
    ):  # fmt: skip
        self.parts = list(parts)
        self.stop = stop or ("calls" if any(part.kind == "call" for part in self.parts) else "end")
        self.usage = {**USAGE, **(usage or {})}
        self.status = status
        self.error = error
        self.headers = list(headers.items()) if isinstance(headers, dict) else list(headers)
        self.size = pieces
        self.delay = delay
        self.wait = wait
        self.drip = drip
        self.drip_delay = drip_delay
        self.encoding = encoding
        self.extras = extras
        self.interleave = interleave
        self.together = together
        self.comments = comments
        self.body = body
        self.kind = kind
        self.fault = fault

    @classmethod
    def read(cls, value):
        """Make one from JSON; parts are {"text": ..}, {"thinking": .., "signature": ..}, {"call": [id, name, {}]}."""
        made = dict(value)
        made["parts"] = [_part(part) for part in made.get("parts", ())]
        if "fault" in made:
            made["fault"] = Fault(**made["fault"])
        if "body" in made:
            made["body"] = made["body"].encode()
        return cls(**made)


def _part(value):
    """Read one part of a script."""
    more = dict(value)
    for make in (text, thinking, redacted, refusal, raw):
        if make.__name__ in more:
            return make(more.pop(make.__name__), **more)
    return call(*more["call"])


def round_robin(rows):
    """Yield from several iterators in turn until all are at their end."""
    rows = [iter(row) for row in rows]
    while rows:
        left = []
        for row in rows:
            for item in row:
                yield item
                left.append(row)
                break
        rows = left
