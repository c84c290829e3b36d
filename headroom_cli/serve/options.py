"""What a proxy was asked to do: addresses, limits, policy. One value, made at start, read by all."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Limits:
    """What is refused, in bytes, fields and seconds."""

    __slots__ = (
        "body", "body_rate", "decoded", "drain_seconds", "head", "head_fields", "head_seconds", "idle_seconds",
        "job_memory", "job_seconds", "model_memory", "shutdown_seconds", "silence", "together", "together_seconds",
    )  # fmt: skip

    def __init__(self, **given: float) -> None:
        """Everything may be left out."""
        self.head = 32 << 10  # bytes of a request's line and headers
        self.head_fields = 100
        self.head_seconds = 10.0  # until a head is whole; an idle connection that sent nothing counts by idle_seconds
        self.idle_seconds = 75.0
        self.body = 64 << 20  # bytes of a request's body as it comes
        self.decoded = 64 << 20  # bytes of it when decoded
        self.together = 512 << 20  # bytes of all large bodies that are in memory, as they came and decoded
        self.together_seconds = 60.0  # that a large one waits for others to be answered; then it is answered 503
        self.body_rate = 1024.0  # bytes a second, on average after the first 10 s: slower ones are answered 408
        self.job_seconds = 5.0  # what shortening one request may take
        self.job_memory = 1 << 30  # bytes of address space of a worker process
        self.model_memory = 0  # bytes on top of that for a model
        self.silence = 600.0  # seconds without a byte from a provider
        self.drain_seconds = 0.0  # between SIGTERM, when /readyz says so, and the end of listening
        self.shutdown_seconds = 30.0  # from the end of listening, for what is under way
        for name, value in given.items():
            setattr(self, name, value)


class Serving:
    """Everything that was asked for at start.

    ``addresses``  provider -> its base address without a last slash: "anthropic", "openai", "bedrock"
    ``backend``    the row of backends.BACKENDS that answers instead, "" for the provider that a request is meant for
    ``secrets``    values of that backend's variables, for its keys
    ``policy``     keywords of model.Policy
    ``shaping``    keywords of shaping.asked.Shaping
    ``hosts``      further names that Host may have; ``origins`` that Origin may have
    ``token``      what a caller must show, "" for nobody must (loopback only)
    ``key``        opens the texts on the dashboard; made from the install's own key
    ``store``      directory of the store
    ``ranks``      path of a tiktoken rank file, "" for estimates
    ``plugins``    names of plugins, in their order
    """

    __slots__ = (
        "addresses", "aws", "backend", "base_url", "engines", "host", "hosts", "key", "limits", "origins", "plugins",
        "policy", "port", "project", "ranks", "secrets", "shaping", "store", "token", "unix", "verbose",
        "workers",
    )  # fmt: skip

    def __init__(self, store: str, **given: Any) -> None:
        """Everything but the store may be left out."""
        self.store = store
        self.host = "127.0.0.1"
        self.port = 8787
        self.unix = ""  # path of a socket instead of host and port
        self.workers = 1  # processes that serve
        self.engines = 2  # worker processes for each of them
        self.addresses: Mapping[str, str] = {}
        self.aws: Mapping[str, str] = {}  # values of Bedrock's variables, to sign requests anew with
        self.backend = ""
        self.base_url = ""
        self.secrets: Mapping[str, str] = {}
        self.policy: Mapping[str, Any] = {}
        self.shaping: Mapping[str, Any] = {}
        self.hosts: tuple[str, ...] = ()
        self.origins: tuple[str, ...] = ()
        self.token = ""
        self.key = ""
        self.plugins: tuple[str, ...] = ()
        self.ranks = ""  # a rank file for exact counts
        self.project = ""  # what the ledger calls requests that name no project
        self.verbose = False
        self.limits = Limits()
        for name, value in given.items():
            setattr(self, name, value)
