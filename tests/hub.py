"""A hub of models on this machine: the part of the Hugging Face API that is used, and the faults that it can have."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c" * 40


def blob_digest(data):
    """Return git's digest of a blob."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Hub:
    """Repositories by name, each a dict of files; what was asked for is in ``asked``: (host, path, headers).

    ``breaks``   how many bytes each answer with a file's bytes sends, one after the other, before it breaks off
    ``wrong``    sends other bytes than it states
    ``elsewhere`` sends on to this address for large files
    ``refuses``  answers every call with this status
    ``ranges``   whether it knows ranges
    """

    def __init__(self):
        """Start with no repository."""
        self.repositories = {}
        self.asked = []
        self.breaks = []
        self.wrong = False
        self.elsewhere = ""
        self.refuses = 0
        self.ranges = True
        self.stated = {}  # path -> a digest that is stated instead of the true one
        self.paged = False
        self.packed = ""  # what it says that its JSON is packed by
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def address(self):
        """The address to give as HF_ENDPOINT."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        """Start to answer."""
        self._thread.start()
        return self

    def __exit__(self, *_):
        """End."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def tree(self, repository, files=None):
        """Return the rows of a repository's files, or of others; those above 1,000 bytes are kept as large files."""
        rows = [{"type": "directory", "path": "onnx", "oid": "0" * 40, "size": 0}]
        for path, data in (files or self.repositories[repository]).items():
            row = {"type": "file", "path": path, "size": len(data), "oid": self.stated.get(path, blob_digest(data))}
            if len(data) > 1000:
                large = self.stated.get(path, hashlib.sha256(data).hexdigest())
                row.update(oid="d" * 40, lfs={"oid": large, "size": len(data), "pointerSize": 134})
            rows.append(row)
        return rows


class _Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Say nothing of a client that has left; it is what some tests do."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        hub = self.hub
        hub.asked.append((self.headers["host"], self.path, dict(self.headers.items())))
        parts = self.path.partition("?")[0].strip("/").split("/")
        if hub.refuses:
            self._answer(hub.refuses, b"no")
        elif parts[:2] == ["api", "models"]:
            self._api(parts[2:])
        elif parts[0] == "elsewhere":
            self._bytes("/".join(parts[1:3]), "/".join(parts[3:]))
        elif parts[2:3] == ["resolve"]:
            repository, path = "/".join(parts[:2]), "/".join(parts[4:])
            data = hub.repositories.get(repository, {}).get(path)
            if data is not None and hub.elsewhere and len(data) > 1000:
                self._answer(302, b"", [("location", f"{hub.elsewhere}/elsewhere/{repository}/{path}")])
            else:
                self._bytes(repository, path)
        else:
            self._answer(404, b"nothing here")

    def _api(self, parts):
        hub, repository = self.hub, "/".join(parts[:2])
        if repository not in hub.repositories:
            self._answer(404, b"{}")
        elif parts[2] == "revision":
            self._json({"sha": COMMIT if len(parts[3]) != 40 else parts[3]})
        elif hub.paged and "cursor" not in self.path:
            following = f"{hub.address}{self.path}&cursor=2"
            self._json(hub.tree(repository)[:2], [("link", f'<{following}>; rel="next"')])
        else:
            self._json(hub.tree(repository)[2 if hub.paged else 0 :])

    def _json(self, value, headers=()):
        if self.hub.packed:
            headers = (*headers, ("content-encoding", self.hub.packed))
        self._answer(200, json.dumps(value).encode(), [("content-type", "application/json"), *headers])

    def _answer(self, status, data, headers=()):
        self.send_response(status)
        for name, text in (*headers, ("content-length", str(len(data)))):
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)

    def _bytes(self, repository, path):
        """Send a file, or the range of it that is asked for, as far as it goes."""
        hub = self.hub
        data = hub.repositories.get(repository, {}).get(path)
        if data is None:
            self._answer(404, b"nothing here")
            return
        if hub.wrong:
            data = bytes(len(data) - 1) + b"!"
        start = 0
        asked = self.headers.get("range", "")
        if asked and hub.ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            self.send_response(206)
            self.send_header("content-range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        rest = data[start:]
        self.send_header("content-length", str(len(rest)))
        self.end_headers()
        if hub.breaks:
            most = hub.breaks.pop(0)
            self.wfile.write(rest[:most])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(2)
        else:
            self.wfile.write(rest)
