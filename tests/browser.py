"""A headless Chromium, driven by the DevTools protocol (chromedevtools.github.io/devtools-protocol)."""

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from websockets.sync.client import connect

PROGRAM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), "")


# Of every text that is shown: its contrast with what is behind it, as WCAG 2 counts it, and its beginning.
CONTRASTS = """(() => {
  const parse = (c) => c.match(/[\\d.]+/g).map(Number);
  const over = (a, b) => a.length < 4 || a[3] === 1 ? a.slice(0, 3)
    : a.slice(0, 3).map((v, i) => v * a[3] + b[i] * (1 - a[3]));
  const ground = (e) => {
    const layers = [];
    for (let at = e; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const light = (c) => {
    const [r, g, b] = c.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !e.checkVisibility() || ['SCRIPT', 'STYLE'].includes(e.tagName)) continue;
    const below = ground(e), ink = over(parse(getComputedStyle(e).color), below);
    const [a, b] = [light(ink), light(below)].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), walker.currentNode.data.slice(0, 40)]);
  }
  return found;
})()"""


class Browser:
    """One browser with a profile of its own. ``page()`` gives a fresh page; what it did is in the page's lists."""

    def __init__(self, folder):
        self.log = Path(folder, "browser.log").open("wb")  # noqa: SIM115 - closed in _end
        self.profile = Path(folder, "profile")
        self.process = subprocess.Popen(
            [PROGRAM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
             "--hide-scrollbars", "--remote-debugging-port=0", f"--user-data-dir={self.profile}", "about:blank"],
            stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True,
            env={"HOME": str(folder), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        )  # fmt: skip
        try:
            port, path = self._address()
            self.opened = contextlib.ExitStack()
            self.socket = self.opened.enter_context(
                connect(f"ws://127.0.0.1:{port}{path}", max_size=None, compression=None, proxy=None)
            )
        except BaseException:
            self._end()
            raise
        self.calls = 0
        self.pages = {}

    def _address(self):
        """Return where it listens; it says so in a file when it is up."""
        for _ in range(600):
            try:
                port, path = (self.profile / "DevToolsActivePort").read_text().split("\n")[:2]
            except (FileNotFoundError, ValueError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
            else:
                return port, path
        raise RuntimeError(f"{PROGRAM} did not start: {Path(self.log.name).read_text()[-1000:]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.opened.close()
        self._end()

    def _end(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def call(self, method, session=None, **parameters):
        self.calls += 1
        message = {"id": self.calls, "method": method, "params": parameters}
        self.socket.send(json.dumps({**message, **({"sessionId": session} if session else {})}))
        while True:
            said = self.receive()
            if said.get("id") == self.calls:
                if "error" in said:
                    raise RuntimeError(f"{method}: {said['error']}")
                return said["result"]

    def receive(self, seconds=60):
        said = json.loads(self.socket.recv(timeout=seconds))
        page = self.pages.get(said.get("sessionId"))
        if page is not None and "method" in said:
            page.happened(said["method"], said["params"])
        return said

    def page(self, **options):
        return Page(self, **options)


class Page:
    """A page of a context of its own: nothing stored by others is there."""

    def __init__(self, browser, *, width=1280, height=900, dark=False, calm=True):
        self.browser = browser
        self.requests, self.problems = [], []
        self.context = browser.call("Target.createBrowserContext")["browserContextId"]
        self.target = browser.call("Target.createTarget", url="about:blank", browserContextId=self.context)["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        browser.pages[self.session] = self
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.size(width, height)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if calm else "no-preference"},
        ])  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.browser.call("Target.disposeBrowserContext", browserContextId=self.context)

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def happened(self, method, facts):
        if method == "Network.requestWillBeSent":
            self.requests.append(facts["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(facts["exceptionDetails"])
        elif method == "Runtime.consoleAPICalled":
            self.problems.append(facts["args"])
        elif method == "Log.entryAdded":
            self.problems.append(facts["entry"])

    def size(self, width, height):
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 700
        )

    def open(self, url):
        self.call("Page.navigate", url=url)

    def run(self, script):
        """Return the value of an expression; promises are waited for."""
        said = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in said:
            raise RuntimeError(said["exceptionDetails"])
        return said["result"].get("value")

    def until(self, script, seconds=30):
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if self.run(f"!!({script})"):
                    return
            except RuntimeError:
                pass  # the page is being left
            time.sleep(0.03)
        raise AssertionError(f"never true: {script}\n{self.run('document.body.innerText')[:3000]}\n{self.problems}")

    def press(self, key, code=0, text="", shift=False):
        facts = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        self.call("Input.dispatchKeyEvent", type="keyDown", **facts, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **facts)

    def write(self, text):
        self.call("Input.insertText", text=text)

    def picture(self, path, whole=True):
        said = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        Path(path).write_bytes(base64.b64decode(said["data"]))
