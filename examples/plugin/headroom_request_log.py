"""A plugin of headroom: one line of JSON per request, into the file that REQUEST_LOG names."""

import json
import os
import time
from typing import Any


class RequestLog:
    """Looks on: it never asks for the messages, so it costs nothing and keeps no word of a conversation."""

    def __init__(self) -> None:
        """Take the path once, at start."""
        self.path = os.environ.get("REQUEST_LOG", "requests.jsonl")

    def on_pipeline_event(self, event: Any) -> None:
        """Write a line when an answer has come to its end; None leaves every event as it is."""
        if event.stage != "response_received":
            return
        line = {
            "time": int(time.time()), "request": event.request_id, "provider": event.provider, "model": event.model,
            "before": event.metadata.get("tokens_before"), "after": event.metadata.get("tokens_after"),
            "outcome": event.outcome, "usage": event.response["usage"],
        }  # fmt: skip
        # One write to a file opened for appending: lines of several processes do not mix.
        with open(self.path, "ab", buffering=0) as log:
            log.write(json.dumps(line).encode() + b"\n")
