"""Requests and answers of one API in the shape of another, part by part.

What cannot be carried is refused by name before anything is sent; nothing is dropped in silence.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def request(source: str, target: str, value: dict[str, Any], *, keep_cache_control: bool = False) -> dict[str, Any]:
    """Return a request of the API ``source`` as one of ``target``; both are rows of wire.WIRES.

    The result depends on the request alone, and more turns at its end only add to it: a provider's prompt cache holds.
    The argument is not modified, but its parts may be shared. ``keep_cache_control``: the target is a gateway that
    takes Anthropic's cache_control in the shape of Chat. Raise CannotCarryError, which names the part.
    """
    if source == target:
        return value
    from headroom_cli.convert._parts import Job

    job = Job(source, target, keep=keep_cache_control and target == "openai")
    reader = __import__(f"headroom_cli.convert._read_{source}", fromlist=["read"])
    writer = __import__(f"headroom_cli.convert._write_{target}", fromlist=["write"])
    made: dict[str, Any] = writer.write(job, reader.read(job, job.object(value, "request")))
    return made
