"""A provider of models on 127.0.0.1 that speaks every API over real HTTP/1.1 and breaks where a test wants it to.

    with Provider() as provider:
        provider.script(Reply([text("hello")]), Reply(status=529))
        ...  # a client at provider.url
        assert provider.accepted == 1

Anthropic      POST [/anthropic]/v1/messages, .../count_tokens; GET /v1/models
OpenAI         POST [/v1]/chat/completions, [/v1]/responses
OpenRouter     POST /api/v1/chat/completions, /api/v1/messages
Bedrock        POST /model/ID/invoke[-with-response-stream]
               the rest of both (batches, files, embeddings, ...) has one fixed answer each: provider_rest.py
               GET /v1/responses as a WebSocket: provider_socket.py
SAP AI Core    POST /v2/inference/deployments/ID/invoke[-with-response-stream], and POST /oauth/token

Also a program: ``python tests/provider.py --port N --script FILE.json --log FILE`` prints its address and serves.
"""

import argparse
import base64
import contextlib
import json
import select
import socket
import sys
import threading
import time

from provider_checks import refused
from provider_line import BrokenOffError, ClientGoneError, Gone, Line, http_date
from provider_replies import Fault, Reply, call, raw, redacted, refusal, text, thinking

__all__ = ["Fault", "Provider", "Reply", "call", "http_date", "raw", "redacted", "refusal", "text", "thinking"]


class Provider:
    """The server; all members may be read while it runs.

    requests   a Record of each request, in order
    accepted   how many requests for an answer came whole and were taken on with a status of 2xx: what would be paid
               for, also where the answer broke off on its way
    gone       a Gone for each connection that its client closed; ``wait_gone`` waits for one
    ports      the number of connections that were opened
    """

    def __init__(self, *replies, key=None, client=None, aws=None, check=True, port=0):
        """Answer with ``replies`` in order, the last again and again.

        key     the only API key that is let in; None: anyone
        client  (id, secret) of OAuth2 client credentials; then deployments want a token that was given out
        aws     (access key, secret key, region): Bedrock's requests must be signed with these by SigV4
        check   refuse requests that the API would refuse (see provider_checks)
        """
        self.key = key
        self.client = client
        self.aws = aws
        self.check = check
        self.requests = []
        self.accepted = 0
        self.gone = []
        self.ports = 0
        self.tokens = []
        self.on_request = lambda _record: None
        self._replies = list(replies) or [Reply([text("ok")])]
        self._lock = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        # One end is closed when the provider stops: everyone who waits for a socket waits for the other end as well.
        self.stopped, self._stop = socket.socketpair()
        self._threads = []
        self._connections = set()
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def script(self, *replies):
        """Answer with these from now on, the last again and again; one may be a function of the Record."""
        with self._lock:
            self._replies = list(replies)

    @property
    def asked(self):
        """The requests for an answer; not those for tokens, counts, models."""
        return [record for record in self.requests if record.what == "answer"]

    def wait_gone(self, seconds=10.0, count=1):
        """Wait until clients have closed ``count`` connections; return what is known of the last one, or fail."""
        with self._lock:
            if not self._lock.wait_for(lambda: len(self.gone) >= count, seconds):
                raise AssertionError(f"no client closed its connection in {seconds} s")
            return self.gone[count - 1]

    def wait_requests(self, count=1, seconds=10.0):
        """Wait until so many requests have come."""
        with self._lock:
            if not self._lock.wait_for(lambda: len(self.requests) >= count, seconds):
                raise AssertionError(f"{len(self.requests)} requests in {seconds} s, not {count}")

    def close(self):
        """Close every connection and wait for all threads."""
        self._stop.close()
        self._acceptor.join(10)
        with self._lock:
            open_ones = list(self._connections)
        for connection in open_ones:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._listener.close()
        self.stopped.close()

    def _accept(self):
        """Give each connection a thread."""
        while True:
            ready, _, _ = select.select([self._listener, self.stopped], [], [])
            if self.stopped in ready:
                return
            connection, _ = self._listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self._connections.add(connection)
                self.ports += 1
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection):
        """Answer the requests of one connection, one after the other."""
        line = Line(self, connection)
        try:
            if self.breaks_at("connect"):
                line.phase = "connect"
                line.end(self.next_reply(None).fault.kind)
            while line.answer_one():
                pass
        except BrokenOffError:
            pass
        except (ClientGoneError, OSError):
            self.leave(line)
        finally:
            connection.close()
            with self._lock:
                self._connections.discard(connection)

    def leave(self, line):
        """Note that a client has gone, unless the provider itself is stopping."""
        if self._stop.fileno() == -1 or line.phase == "idle":
            return
        with self._lock:
            number = line.record.number if line.record else -1
            self.gone.append(Gone(number, line.phase, time.monotonic() - line.last, line.events))
            self._lock.notify_all()

    def take(self, record):
        """Note a request."""
        with self._lock:
            record.number = len(self.requests)
            self.requests.append(record)
            self._lock.notify_all()
        self.on_request(record)

    def breaks_at(self, place):
        """Return whether the script's next reply breaks off in a place before the request is known."""
        reply = self._replies[0]
        return isinstance(reply, Reply) and reply.fault is not None and reply.fault.at == place

    def next_reply(self, record):
        """Return what the script has for a request; count it where it is a 2xx."""
        with self._lock:
            found = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        reply = found(record) if callable(found) else found
        if not (reply.fault and reply.fault.at in ("connect", "request")):
            reply = (self.check and refused(record)) or reply
            with self._lock:
                self.accepted += 200 <= reply.status < 300
        return reply


def main(arguments=None):
    """Serve until standard input ends or a signal comes; print the address as the first line."""
    parser = argparse.ArgumentParser(description="a fake provider on 127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", help="JSON: a list of replies")
    parser.add_argument("--log", help="append each request here as one line of JSON")
    parser.add_argument("--key")
    chosen = parser.parse_args(arguments)
    with Provider(port=chosen.port, key=chosen.key) as provider:
        if chosen.script:
            with open(chosen.script, encoding="utf-8") as file:
                provider.script(*(Reply.read(value) for value in json.load(file)))
        if chosen.log:
            provider.on_request = lambda record: _log(chosen.log, record)
        print(provider.url, flush=True)
        sys.stdin.buffer.read()


def _log(path, record):
    """Append one request."""
    body = base64.b64encode(record.body).decode()
    line = {"method": record.method, "path": record.path, "headers": record.headers, "body": body}
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
