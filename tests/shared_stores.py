"""Servers that keep shared stores, started for tests: Redis from the system, S3's protocol by moto; a bad network."""

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

REDIS = shutil.which("redis-server")


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


class RedisServer:
    """One real server with an append-only file."""

    def __init__(self, folder, *options):
        if REDIS is None:
            pytest.skip("redis-server is not installed")
        self.folder = folder
        self.port = free_port()
        self.options = options
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [REDIS, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--appendonly", "yes",
             "--appendfsync", "always", "--save", "", *self.options],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(400):
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as made:
                    made.sendall(b"PING\r\n")
                    if made.recv(64).startswith((b"+PONG", b"-NOAUTH")):
                        return
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError("the server did not start")

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(20)

    def client(self):
        import redis

        return redis.Redis(port=self.port)

    def url(self, local, database=0, secret="", **options):
        more = "".join(f"&{name}={value}" for name, value in options.items())
        return f"redis://{secret}127.0.0.1:{self.port}/{database}?local={local}{more}"


class Bucket:
    """A server that speaks S3's protocol, in a process of its own, with one bucket."""

    def __init__(self):
        pytest.importorskip("moto", reason="moto is not installed")
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.endpoint = f"http://127.0.0.1:{self.port}"
        for _ in range(600):
            try:
                urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/bucket", method="PUT"), timeout=5)
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("the server did not start")

    def url(self, local, prefix, **options):
        more = "".join(f"&{name}={value}" for name, value in options.items())
        return f"s3://bucket/{prefix}?local={local}&endpoint={self.endpoint}{more}"

    def stop(self):
        self.process.kill()
        self.process.wait(20)


# For a client of S3: what the server does not look at, but the client wants to have.
KEYS = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}


class BadNetwork:
    """Stands before a server: passes everything on, or takes connections and never answers while ``stalled``."""

    def __init__(self, port):
        self.target = port
        self.stalled = False
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.made = []
        self.threads = [threading.Thread(target=self.run, daemon=True)]
        self.threads[0].start()

    def run(self):
        while True:
            try:
                came, _ = self.listening.accept()
            except OSError:
                return
            try:
                out = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                came.close()
                continue
            self.made += [came, out]
            for one, other in ((came, out), (out, came)):
                thread = threading.Thread(target=self.pass_on, args=(one, other), daemon=True)
                self.threads.append(thread)
                thread.start()

    def pass_on(self, one, other):
        try:
            while data := one.recv(65_536):
                while self.stalled:
                    time.sleep(0.01)
                other.sendall(data)
        except OSError:
            pass
        finally:
            for side in (one, other):
                with contextlib.suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.stalled = False
        self.listening.shutdown(socket.SHUT_RDWR)
        self.threads[0].join(10)
        self.listening.close()
        for one in self.made:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(10)
        for one in self.made:
            one.close()
