"""``headroom send``: a request through the whole pipeline, one upstream call, the answer to standard output."""

from __future__ import annotations

import os
import time

from headroom_cli.cli import filters, io, report
from headroom_cli.cli.answer import Answer
from headroom_cli.cli.options import FILE, Verb
from headroom_cli.errors import (
    ConfigError,
    HeadroomError,
    OutputError,
    StoreError,
    UpstreamError,
    UsageError,
)
from headroom_cli.settings import Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from headroom_cli.backends import Backend, Call, Headers, Target
    from headroom_cli.events import Plugins
    from headroom_cli.relay import Relay
    from headroom_cli.send import Ready
    from headroom_cli.settings import Settings

# Headers that carry keys or say how bytes travel; neither is for a command line.
NOT_BY_FLAG = frozenset(
    ("authorization", "x-api-key", "api-key", "proxy-authorization", "cookie", "x-amz-security-token", "host",
     "content-length", "transfer-encoding", "content-encoding", "connection", "x-goog-api-key", "ai-token")
)  # fmt: skip
# Words in the names of headers that carry keys: one of the first, or "key" beside one of the second.
SECRET = frozenset(
    ("auth", "authorization", "token", "secret", "password", "cookie", "credential", "credentials", "apikey",
     "signature")
)  # fmt: skip
KEYS = frozenset(("access", "api", "goog", "master", "portkey", "private", "subscription"))
# Headers whose values are told with -v; what others hold nobody knows.
SHOWN = frozenset(
    ("accept", "accept-encoding", "ai-resource-group", "anthropic-beta", "anthropic-version", "content-type",
     "http-referer", "user-agent", "x-amz-date", "x-title")
)  # fmt: skip
TIMEOUT = 600  # seconds of silence; the official SDKs wait as long


def run(settings: Settings, own: Mapping[str, str]) -> int:
    """Send a request and write the answer."""
    if not settings.plugins:
        return _run(settings, own)
    import contextlib
    import sys

    with contextlib.redirect_stdout(sys.stderr):  # what a plugin prints is no part of an answer
        return _run(settings, own)


def _run(settings: Settings, own: Mapping[str, str]) -> int:
    file = own.get("file", "-")
    only_prompt = bool(own.get("prompt")) and file == "-" and io.is_terminal(io.STDIN)
    if own.get("text") == "true" and own.get("message") == "true":
        raise UsageError("--text and --message are two ways to write the answer; use one")
    if not only_prompt and (status := filters.refuse_terminal(VERB, file)):
        return status
    started = time.perf_counter()
    headers = _headers(own.get("header", ""))
    data = b"" if only_prompt else io.Source(file).read()
    sending = _Sending(settings, own, data, headers)
    sending.prepare()
    if own.get("dry_run") == "true":
        status = sending.preview()
        sending.sum_up(started)
        return status
    try:
        status = sending.send()
    finally:
        sending.account(started)  # also what failed may have been paid for
    sending.sum_up(started)
    return status


class _Sending:
    """One run of the verb: what was asked for, and what came of it."""

    __slots__ = (
        "_answer", "_backend", "_data", "_own", "_plugins", "_ready", "_relay", "_settings", "_tally", "_target",
        "_warned",
    )  # fmt: skip

    def __init__(self, settings: Settings, own: Mapping[str, str], data: bytes, headers: Headers) -> None:
        self._settings = settings
        self._own = own
        self._data = data
        self._tally = report.Tally()
        self._plugins = _plugins(settings)
        self._backend, self._target = _backend(settings, data, headers)
        self._ready: Ready = self._made_ready()
        self._relay: Relay = self._relayed()
        self._warned = False
        way = "text" if own.get("text") == "true" else "message" if own.get("message") == "true" else ""
        self._answer = Answer(self._relay, self._ready.request.seen_as, way)

    def _made_ready(self) -> Ready:
        """Run the stages. A fault of ours costs the saving, not the request."""
        from headroom_cli import send
        from headroom_cli.shaping.asked import Shaping, of

        settings, own = self._settings, self._own
        options = send.Options(
            model=own.get("model", ""), usual=settings.model, prompt=own.get("prompt", ""),
            max_tokens=_number(own.get("max_tokens", "")), stream=own.get("stream") == "true",
            redeem=settings.redeem or "tool", plugins=self._plugins, shaping=Shaping(**of(settings)),
        )  # fmt: skip
        if self._plugins:  # they may change the user's headers, which then travel with the request
            options.headers, self._target.headers = self._target.headers, ()
        policy = filters.policy_of(settings).redeemed(settings.redeem or "tool")
        try:
            return send.ready(
                self._data, policy, filters.open_store(settings), self._backend, options, form=settings.format
            )
        except HeadroomError:
            raise
        except Exception as error:  # noqa: BLE001 - law 1: whatever breaks in the stages, the request goes as it came
            report.bug(error, "so the request goes uncompressed")
            self._tally.fail(HeadroomError("an internal error"))
            options.plain = True
            return send.ready(self._data, policy, None, self._backend, options, form=settings.format)

    def _relayed(self) -> Relay:
        from headroom_cli.relay import Relay

        return Relay(self._ready.request, self._backend, self._target, self._ready.desk())

    def prepare(self) -> None:
        """Say what the stages warn of."""
        self._tally.add(self._ready.result)
        for warning in self._tally.warnings:
            report.warn(warning, self._settings)

    def preview(self) -> int:
        """Write the request instead of sending it: as it would go out, as far as that needs no key."""
        try:
            body = self._relay.outgoing().body if self._backend.call is None else self._relay.call().body
        except (UpstreamError, ConfigError):
            body = self._relay.outgoing().body
        self._record(body)
        if "save" in self._own:
            _save(self._own["save"], body)
        io.write(body)
        return self._status()

    def send(self) -> int:
        """Send the request, write what comes, and tell plugins how it ended."""
        ended: BaseException | None = None
        try:
            return self._sent()
        except BaseException as error:
            ended = error
            raise
        finally:
            if self._ready.telling is not None:
                from headroom_cli.send import told

                failure = ended if isinstance(ended, UpstreamError) else None
                told.answered(self._ready.telling, self._relay, failure, stopped=ended is not failure)

    def _sent(self) -> int:
        """Send the request, write what comes, and note what the conversation's next request needs."""
        from headroom_cli import send

        io.check_output()  # before anything is paid for
        if self._backend.call is None:
            self._keep(self._relay.outgoing().body)
            if self._settings.verbose and not self._settings.quiet:
                report.warn(f"{self._backend.name} calls {self._ready.request.model} by its library", self._settings)
        events = send.answer(self._relay, self._backend, self._target, self._heard, self._watch, sent=self._left)
        try:
            shown = False
            for batch in events:
                self._answer.write(batch)
                if batch and not shown:
                    shown = True
                    self._noted(self._ready.begin)
            self._answer.finish()
        except UpstreamError as error:
            self._remember()
            self._answer.fail(error)
            raise
        except HeadroomError as error:
            if isinstance(error, OutputError):
                self._remember()
            raise
        except Exception as error:
            # A fault of ours in the middle of a paid answer: who reads it must not take it for whole.
            self._answer.fail(UpstreamError(f"the answer cannot be read: {type(error).__name__}"))
            raise
        except KeyboardInterrupt:
            self._remember()  # who saw a part of a turn may go on from there
            raise
        finally:
            events.close()  # type: ignore[attr-defined] # a generator: its connections close with it
        self._remember()
        if (failure := self._relay.failure) is not None:
            raise failure
        return self._status()

    def _remember(self) -> None:
        self._noted(lambda: self._ready.remember(self._relay))

    def _noted(self, note: Callable[[], None]) -> None:
        """Keep a note of the conversation; the answer does not depend on it."""
        try:
            note()
        except StoreError as error:
            report.warn(f"this turn is not remembered: {error}", self._settings)

    def _watch(self, call: Call) -> None:
        """See a call before it goes out: keep the first one, and tell of each where that is wanted."""
        token = any("x-www-form-urlencoded" in value for name, value in call.headers if name.lower() == "content-type")
        if self._relay.hops == 0 and not token:
            self._keep(call.body)
            if _is_in_the_clear(call) and not self._warned:
                self._warned = True
                report.warn("the key goes over a connection that is not encrypted; use https", self._settings)
        if self._settings.verbose and not self._settings.quiet:
            self._tell_call(call)

    def _left(self) -> None:
        """Tell plugins that a call went out."""
        if self._ready.telling is not None:
            from headroom_cli.send import told

            told.posted(self._ready.telling, self._relay.hops + 1)

    def _keep(self, body: bytes) -> None:
        """Save the request if that was asked for, before anything is paid for. Raise OutputError."""
        if "save" in self._own:
            self._record(body)
            _save(self._own["save"], body)

    def _record(self, body: bytes) -> None:
        try:
            self._ready.record(body)
        except StoreError as error:
            report.warn(f"`headroom retrieve --expand` cannot undo this request: {error}", self._settings)

    def _status(self) -> int:
        failure = self._tally.failure
        if self._settings.strict and failure is not None:
            return failure.status
        return 1 if self._tally.unfit else 0

    def _heard(self, sentence: str) -> None:
        report.warn(sentence, self._settings)

    # --- what is said about it

    def _tell_call(self, call: Call) -> None:
        """Say what goes where, without what opens doors."""
        report.warn(f"{call.method} {call.url}, {len(call.body):,} bytes", self._settings)
        for name, text in call.headers:
            shown = text if name.lower() in SHOWN else "[redacted]"
            report.warn(f"  {name}: {shown}", self._settings)

    def _more(self) -> dict[str, object]:
        """Return what is to be told of the call, {} when none was answered."""
        from headroom_cli.wire._usage import flat

        usage = flat(self._relay.usage)
        called: dict[str, object] = {"backend": self._backend.name, "hops": self._relay.hops}
        return {**called, **({"usage": usage} if usage else {})} if self._relay.hops else {}

    def _noted_of(self) -> dict[str, object]:
        """Return what the ledger alone is told of the call."""
        from headroom_cli import ledger
        from headroom_cli.send.overhead import overhead

        request, later = self._ready.request, self._relay.later()
        return {
            "model": request.model[:100], "conversation": ledger.conversation(request.value),
            "overhead": {**overhead(self._ready), **({"hops": later} if later else {})},
        }  # fmt: skip

    def account(self, started: float) -> None:
        """Keep the ledger."""
        if self._relay.hops:
            milliseconds = (time.perf_counter() - started) * 1000
            cut = {} if self._relay.finished else {"cut": True}
            more = {**self._more(), **self._noted_of(), "trial": {**self._ready.trial, **cut}}
            report.log("send", self._settings, self._tally, milliseconds, more)
            if self._settings.holdout or self._settings.output_holdout:
                self._look()

    def _look(self) -> None:
        """Look at what trials show, once a day; say what that turned off."""
        from headroom_cli.trial import verdict

        try:
            said = verdict.renew_if_older(self._settings.store, verdict.DAY)
        except StoreError as error:
            said = f"the verdict of the trial is not kept: {error}"
        if said:
            report.warn(said, self._settings)

    def sum_up(self, started: float) -> None:
        """Say what was saved, and what the call used; of a dry run always."""
        settings = self._settings
        if report.wants_summary(settings) or not (self._relay.hops or settings.quiet):
            summed = report.summary_json if settings.json else report.summary
            milliseconds = (time.perf_counter() - started) * 1000
            io.tell(report.clean(summed("send", self._tally, milliseconds, None, self._more() or None)))


def _is_in_the_clear(call: Call) -> bool:
    """Tell whether a key leaves this machine for all to read."""
    scheme, _, rest = call.url.partition("://")
    host = rest.partition("/")[0].rpartition("@")[2].lower()
    host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    near = host in {"localhost", "::1"} or host.startswith("127.") or host.endswith(".localhost")
    keyed = any(name.lower() in {"authorization", "x-api-key"} for name, _ in call.headers)
    return scheme.lower() == "http" and keyed and not near


def _plugins(settings: Settings) -> Plugins | None:
    """Set up the plugins that are named. Raise ConfigError."""
    if not settings.plugins:
        return None
    from headroom_cli.events import Plugins

    made = Plugins.load(settings.plugins, operation="send", tell=lambda sentence: report.warn(sentence, settings))
    made.begin()
    return made


def _backend(settings: Settings, data: bytes, headers: Headers) -> tuple[Backend, Target]:
    """Return who answers, and where. Raise ConfigError."""
    from headroom_cli import backends
    from headroom_cli.keys import fill, secrets

    name = settings.backend or ("openai" if _reads_as_openai(data, settings) else "anthropic")
    backend, provider = backends.load(name, gateway=bool(settings.base_url))
    if backend.library is not None and settings.key_file:
        fill(settings.key_file)
    target = backends.Target(
        base=settings.base_url, provider=provider, secrets=secrets(backend.variables, settings.key_file),
        headers=headers, timeout=float(settings.timeout or TIMEOUT),
    )  # fmt: skip
    return backend, target


def _reads_as_openai(data: bytes, settings: Settings) -> bool:
    """Tell whose API a request is written for, when nobody was named."""
    from headroom_cli import backends, send

    if settings.format in {"openai", "responses"}:
        return True
    return send.reads_as(data, backends.load("anthropic")[0], settings.format) in {"openai", "responses"}


def _headers(given: str) -> Headers:
    """Read ``--header`` flags. Raise UsageError."""
    found = []
    for line in given.split("\n") if given else ():
        name, colon, value = line.partition(":")
        name = name.strip()
        if not colon or not name or not name.isascii() or not all(c.isalnum() or c in "-_" for c in name):
            raise UsageError(f"--header {line[:40]!r} is no header; write NAME: VALUE")
        words = frozenset(name.lower().replace("_", "-").split("-"))
        secret = not words.isdisjoint(SECRET) or ("key" in words and not words.isdisjoint(KEYS))
        if secret or name.lower() in NOT_BY_FLAG:
            raise UsageError(f"--header {name}: keys come from the environment or --key-file, and framing is our own")
        found.append((name, value.strip()))
    return tuple(found)


def _number(text: str) -> int | None:
    """Read ``--max-tokens``. Raise UsageError."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text)):
        raise UsageError(f"--max-tokens {text[:40]!r} is not a whole number above 0; write one in digits")
    return int(text)


def _save(path: str, data: bytes) -> None:
    """Write a file for its owner alone. Raise OutputError."""
    from stat import S_ISREG

    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
        try:
            os.set_blocking(descriptor, True)
            if S_ISREG(os.fstat(descriptor).st_mode):
                os.fchmod(descriptor, 0o600)  # also one that was there
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        raise OutputError(f"--save {path}: {getattr(error, 'strerror', None) or error}; nothing was sent") from error


VERB = Verb(
    "send",
    run,
    about="send a request to a provider, smaller, and write the answer as it arrives",
    text="""
        Reads an Anthropic or OpenAI request, a list of messages, or any text, does what crush does, and makes one call.
        The answer goes to standard output as the provider writes it: server-sent events, or JSON.

        Where tool results were shortened and the request has tools from its first turn on, the model can ask for an
        original with the tool retrieve_original_content. Such calls are answered from the store within the same run;
        neither they nor their results are seen by the caller, whose later requests get them back in place.

        A request in one provider's shape for another's backend is converted part by part, and the answer back. What
        cannot be carried is refused by name before anything is sent. Where nothing is converted, what is unknown
        passes.

        Keys come from the environment (ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN, OPENAI_API_KEY, OPENROUTER_API_KEY,
        AWS_BEARER_TOKEN_BEDROCK or the AWS credential chain, AICORE_CLIENT_ID with AICORE_CLIENT_SECRET and
        AICORE_AUTH_URL, BEDROCK_OAUTH_CLIENT_ID with BEDROCK_OAUTH_CLIENT_SECRET and BEDROCK_OAUTH_TOKEN_URL,
        LITELLM_API_KEY, OTARI_API_KEY) or from --key-file, whose keys go before all of these; they are never written
        anywhere. Addresses come from --base-url, or ANTHROPIC_TARGET_API_URL, OPENAI_TARGET_API_URL,
        OPENROUTER_TARGET_API_URL, BEDROCK_TARGET_API_URL.

        A call is repeated only when no connection came about, or when the provider says that it has not begun (429,
        503, 529), at most twice and when it says so; a library's call is never repeated. What the provider says instead
        of an answer stands on standard output, unless --text is given.
    """,
    arguments=(FILE,),
    flags=(
        "format", "ranks", "store", "query", "level", "budget", "lossless", "redeem", "kompress", "only", "skip",
        "only_tool", "protect_tool", "live", "fresh", "output_shaper", "verbosity", "effort", "output_holdout",
        "holdout", "backend", "base_url", "key_file", "timeout", "plugins", "project",
        "strict", "json", "quiet", "verbose", "no_color",
    ),
    own=(
        Setting("model", ("--model",), "", "text", "NAME", "ask this model, whatever the request says"),
        Setting("text", ("--text",), "", "switch", "", "write the text alone, as it arrives"),
        Setting("message", ("--message",), "", "switch", "", "write the final message as one JSON object"),
        Setting("stream", ("--stream",), "", "switch", "", "ask for a stream, whatever the request says"),
        Setting("prompt", ("--prompt",), "", "text", "TEXT", "your words in front of a text; without input, alone"),
        Setting(
            "max_tokens", ("--max-tokens",), "", "text", "N",
            "the longest answer to an input that is no request", shown="8192 where the API wants one",
        ),
        Setting("header", ("--header", "-H"), "", "texts", "NAME: VALUE", "send this header too; may be repeated"),
        Setting("save", ("--save",), "", "text", "FILE", "keep the request as it is sent"),
        Setting("dry_run", ("--dry-run",), "", "switch", "", "write the request instead of sending it"),
    ),
    examples=(
        ("cat request.json | headroom send", "ask the provider in whose shape the request is written"),
        ("cat request.json | headroom send --backend bedrock --model eu.anthropic.claude-sonnet-4-5", "ask Bedrock"),
        ("make 2>&1 | headroom send --model claude-sonnet-4-5 --prompt 'what fails?' --text", "ask about a log"),
        ("headroom send --dry-run request.json | jq .messages", "see what would be sent, and what is saved"),
    ),
    statuses=(
        (65, "the input is no request, or holds a part that the backend's API has no place for"),
        (69, "the provider cannot be reached, or broke off"),
        (75, "the provider has no room now"),
        (76, "the provider answered with an error, which stands on standard output"),
        (77, "the key is missing or was refused"),
        (1, "the conversation cannot fit --budget; it was sent whole"),
    ),
)  # fmt: skip
