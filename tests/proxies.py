"""A running proxy for tests: ``headroom proxy`` as a process of its own, on a free port, with a store of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request


class Running:
    """``headroom proxy`` between a with and its end.

    with Running(tmp_path / "store", provider.url) as proxy:
        httpx.post(proxy.url + "/v1/messages", ...)

    ``provider`` is the address of all providers unless ``addresses`` (variable -> address) says otherwise. ``said`` are
    the lines that it wrote to standard error, ``stop`` ends it and returns its exit status.
    """

    def __init__(self, store, provider="", *flags, addresses=None, environment=None):
        self.store = store
        self.url = ""
        self.said = []
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
        names = ("ANTHROPIC", "OPENAI", "CHATGPT", "BEDROCK")
        provided = {f"{name}_TARGET_API_URL": provider for name in names} if provider else {}
        self.environment = {
            **kept, "PYTHONDONTWRITEBYTECODE": "1", "NO_PROXY": "*", **provided, **(addresses or {}),
            **(environment or {}),
        }  # fmt: skip
        self.command = [
            sys.executable, "-m", "headroom_cli", "proxy", "--store", str(store), "--json",
            *(() if any(flag in {"--port", "--unix"} for flag in flags) else ("--port", "0")), *map(str, flags),
        ]  # fmt: skip
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, env=self.environment, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )
        heard = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(heard,), daemon=True)
        self._reader.start()
        if not heard.wait(60) or not self.url:
            self.stop(signal.SIGKILL)
            raise AssertionError(f"the proxy does not listen: {self.said}")
        return self

    def __exit__(self, *_):
        self.stop()

    def _read(self, heard):
        for line in self.process.stderr:
            if not self.url and '"listening"' in line:
                self.url = json.loads(line)["listening"]
                heard.set()
            else:
                self.said.append(line.rstrip("\n"))
        heard.set()

    @property
    def pid(self):
        return self.process.pid

    def stats(self):
        with urllib.request.urlopen(self.url + "/stats", timeout=10) as answer:
            return json.load(answer)

    def wait_said(self, text, seconds=10.0):
        """Wait until a line with ``text`` was written."""
        until = time.monotonic() + seconds
        while not any(text in line for line in self.said):
            assert time.monotonic() < until, f"nothing with {text!r} in {self.said}"
            time.sleep(0.01)

    def stop(self, number=signal.SIGTERM, seconds=40):
        """End it; return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        self._reader.join(5)
        self.process.stderr.close()
        return status
