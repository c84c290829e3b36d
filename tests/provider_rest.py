"""What the fake provider answers beside answers of models: batches, files, models, embeddings and the like, all fixed.

The members are those of the types in the official SDKs (anthropic 2.11, openai 3.52).
"""

import json
import re

from provider_replies import Reply
from provider_words import CREATED

DATE = "2026-01-01T00:00:00Z"
FILE = bytes(range(256)) * 8
COUNTS = {"processing": 0, "succeeded": 2, "errored": 1, "canceled": 0, "expired": 0}
NO_COUNTS = {**dict.fromkeys(COUNTS, 0), "processing": 2}
CATEGORIES = ("harassment", "hate", "self-harm", "sexual", "violence", "violence/graphic")


def rest(record):
    """Return the reply to a request that asks for no answer of a model, or None for what is not there."""
    anthropic = record.header("anthropic-version") is not None
    path = record.path.partition("?")[0]
    for method, pattern, make in ANTHROPIC if anthropic else OPENAI:
        found = re.fullmatch(pattern, path)
        if found and method == record.method:
            record.shape = "anthropic" if anthropic else "openai"
            made = make(record, *found.groups())
            return made if isinstance(made, Reply) else Reply(body=_json(made))
    return None


def _json(value):
    return json.dumps(value, separators=(",", ":")).encode()


def _page(*items):
    """Return a page of items as either API has it."""
    ends = {"first_id": items[0]["id"], "last_id": items[-1]["id"], "has_more": False}
    return {"object": "list", "data": list(items), **ends}


# Anthropic


def _batch(record, name="msgbatch_1", status="ended"):
    address = f"http://{record.header('host')}/v1/messages/batches/{name}/results"
    ended = status == "ended"
    return {
        "id": name, "type": "message_batch", "processing_status": status,
        "request_counts": COUNTS if ended else NO_COUNTS,
        "created_at": DATE, "expires_at": "2026-01-02T00:00:00Z", "ended_at": DATE if ended else None,
        "cancel_initiated_at": DATE if status == "canceling" else None, "archived_at": None,
        "results_url": address if ended else None,
    }  # fmt: skip


def _batch_results(_record, _name):
    usage = {"input_tokens": 3, "output_tokens": 4, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    message = {
        "id": "msg_b1", "type": "message", "role": "assistant", "model": "fake-1", "stop_reason": "end_turn",
        "stop_sequence": None, "content": [{"type": "text", "text": "one \u00fc \U0001f600"}], "usage": usage,
    }  # fmt: skip
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "no"}, "request_id": "req_b"}
    lines = [
        {"custom_id": "a", "result": {"type": "succeeded", "message": message}},
        {"custom_id": "b", "result": {"type": "errored", "error": error}},
        {"custom_id": "c", "result": {"type": "expired"}},
    ]
    return Reply(body=b"".join(_json(line) + b"\n" for line in lines), kind="application/x-jsonl")


def _anthropic_file(_record, name="file_1"):
    size = {"mime_type": "text/plain", "size_bytes": len(FILE), "downloadable": True}
    return {"id": name, "type": "file", "filename": "notes.txt", "created_at": DATE, **size}


def _anthropic_model(_record, name):
    limits = {"max_input_tokens": 200_000, "max_tokens": 64_000, "lifecycle": "active", "line": None}
    return {"id": name, "type": "model", "display_name": "Fake", "created_at": DATE, **limits}


ANTHROPIC = [
    ("POST", r".*/v1/messages/batches", lambda record: _batch(record, status="in_progress")),
    ("GET", r".*/v1/messages/batches", lambda record: _page(_batch(record), _batch(record, "msgbatch_2"))),
    ("GET", r".*/v1/messages/batches/([^/]+)", _batch),
    ("DELETE", r".*/v1/messages/batches/([^/]+)", lambda _, name: {"id": name, "type": "message_batch_deleted"}),
    ("POST", r".*/v1/messages/batches/([^/]+)/cancel", lambda record, name: _batch(record, name, "canceling")),
    ("GET", r".*/v1/messages/batches/([^/]+)/results", _batch_results),
    ("GET", r".*/v1/models/([^/]+)", _anthropic_model),
    ("POST", r".*/v1/files", _anthropic_file),
    ("GET", r".*/v1/files", lambda record: _page(_anthropic_file(record), _anthropic_file(record, "file_2"))),
    ("GET", r".*/v1/files/([^/]+)", _anthropic_file),
    ("DELETE", r".*/v1/files/([^/]+)", lambda _, name: {"id": name, "type": "file_deleted"}),
    ("GET", r".*/v1/files/([^/]+)/content", lambda *_: Reply(body=FILE, kind="text/plain")),
]


# OpenAI


def _embeddings(record):
    given = record.json["input"]
    texts = given if isinstance(given, list) else [given]
    rows = [
        # Some clients ask for numbers in base64, and take lists as well.
        {"object": "embedding", "index": index, "embedding": [0.1, -2.5e-07, float(index)]}
        for index in range(len(texts))
    ]
    return {"object": "list", "data": rows, "model": "fake-1", "usage": {"prompt_tokens": 5, "total_tokens": 5}}


def _moderation(_record):
    names = {
        "flagged": True,
        "categories": {name: name == "violence" for name in CATEGORIES},
        "category_scores": {name: 0.9 if name == "violence" else 1e-05 for name in CATEGORIES},
        "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
    }
    return {"id": "modr_1", "model": "omni-moderation-latest", "results": [names]}


def _openai_file(_record, name="file-1"):
    more = {"purpose": "batch", "status": "processed", "bytes": len(FILE), "created_at": CREATED}
    return {"id": name, "object": "file", "filename": "lines.jsonl", **more}


def _openai_batch(_record, name="batch_1", status="validating"):
    made = {"id": name, "object": "batch", "endpoint": "/v1/chat/completions", "status": status}
    return {**made, "input_file_id": "file-1", "completion_window": "24h", "created_at": CREATED}


def _response(_record, name, status="completed"):
    content = [{"type": "output_text", "text": "kept", "annotations": []}]
    message = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": content}
    made = {"id": name, "object": "response", "created_at": CREATED, "status": status, "model": "fake-1"}
    return {**made, "output": [message], "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}


def _items(_record, _name):
    content = [{"type": "input_text", "text": "hi"}]
    return _page({"id": "msg_0", "type": "message", "role": "user", "status": "completed", "content": content})


def _image(_record):
    return {"created": CREATED, "data": [{"b64_json": "aGVsbG8="}], "usage": None}


def _completion(_record):
    choice = {"index": 0, "text": "once", "finish_reason": "stop", "logprobs": None}
    return {"id": "cmpl-1", "object": "text_completion", "created": CREATED, "model": "fake-1", "choices": [choice]}


OPENAI = [
    ("POST", r".*/embeddings", _embeddings),
    ("POST", r".*/moderations", _moderation),
    ("POST", r".*/images/generations", _image),
    ("POST", r".*/audio/speech", lambda _: Reply(body=FILE, kind="audio/mpeg")),
    ("POST", r".*/v1/completions", _completion),
    (
        "GET",
        r".*/models/([^/]+)",
        lambda _, name: {"id": name, "object": "model", "created": CREATED, "owned_by": "me"},
    ),
    ("DELETE", r".*/models/([^/]+)", lambda _, name: {"id": name, "object": "model", "deleted": True}),
    ("POST", r".*/files", _openai_file),
    ("GET", r".*/files", lambda record: _page(_openai_file(record), _openai_file(record, "file-2"))),
    ("GET", r".*/files/([^/]+)", _openai_file),
    ("DELETE", r".*/files/([^/]+)", lambda _, name: {"id": name, "object": "file", "deleted": True}),
    ("GET", r".*/files/([^/]+)/content", lambda *_: Reply(body=FILE, kind="application/octet-stream")),
    ("POST", r".*/batches", _openai_batch),
    ("GET", r".*/batches/([^/]+)", lambda record, name: _openai_batch(record, name, "completed")),
    ("POST", r".*/batches/([^/]+)/cancel", lambda record, name: _openai_batch(record, name, "cancelling")),
    ("GET", r".*/responses/([^/]+)", _response),
    ("DELETE", r".*/responses/([^/]+)", lambda _, name: {"id": name, "object": "response", "deleted": True}),
    ("POST", r".*/responses/([^/]+)/cancel", lambda record, name: _response(record, name, "cancelled")),
    ("GET", r".*/responses/([^/]+)/input_items", _items),
    ("POST", r".*/responses/input_tokens", lambda _: {"object": "response.input_tokens", "input_tokens": 7}),
]
