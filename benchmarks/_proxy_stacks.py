"""What benchmarks/proxy.py measures side by side: nothing in between, this proxy, and two others by path."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def clean(home: str) -> dict[str, str]:
    """Return an environment in which no setting and no key of the person at this machine counts."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return {**kept, "HOME": home, "NO_PROXY": "*", "TZ": "UTC"}


class Stack:
    """One way to reach the provider. ``url`` is where its clients ask."""

    def __init__(
        self, name: str, url: str, command: list[str] | None = None, env: dict[str, str] | None = None
    ) -> None:
        """Start ``command`` when there is one."""
        self.name = name
        self.url = url
        self.command = command
        self.env = env
        self.process: subprocess.Popen | None = None

    def start(self, log: str) -> None:
        """Start it; what it says goes to a file."""
        if self.command:
            with open(log, "ab") as file:
                self.process = subprocess.Popen(self.command, env=self.env, stdout=file, stderr=file)

    def stop(self) -> None:
        """End it, and what it started."""
        if self.process:
            pids = family(self.process.pid)
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            for pid in pids[1:]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process = None

    @property
    def pids(self) -> list[int]:
        """All its processes; none where nothing is in between."""
        return family(self.process.pid) if self.process else []


def stacks(upstream: str, headroom: str, peer: str, litellm: str, home: str) -> list[Stack]:
    """Return what there is: direct, ours, and the peers whose paths were given."""
    env = clean(home)
    found = [Stack("direct", upstream)]
    port = free_port()
    to = {"ANTHROPIC_TARGET_API_URL": upstream, "OPENAI_TARGET_API_URL": upstream}
    found.append(
        Stack("headroom", f"http://127.0.0.1:{port}", [headroom, "proxy", "--port", str(port)],
              {**env, **to, "HEADROOM_STORE": f"{home}/store"})
    )  # fmt: skip
    if peer:
        port = free_port()
        command = [peer, "proxy", "--port", str(port), "--no-rate-limit", "--no-cache"]
        found.append(Stack("headroom-ai", f"http://127.0.0.1:{port}", command, {**env, **to}))
    if litellm:
        port = free_port()
        config = Path(home, "litellm.yaml")
        about = {"model": "anthropic/claude-sonnet-4-5", "api_base": upstream, "api_key": "k"}
        config.write_text(json.dumps({"model_list": [{"model_name": "claude-sonnet-4-5", "litellm_params": about}]}))
        command = [litellm, "--config", str(config), "--port", str(port), "--host", "127.0.0.1"]
        more = {
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_LOG": "ERROR",
            "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
            "ANTHROPIC_API_KEY": "k",
        }
        found.append(Stack("litellm", f"http://127.0.0.1:{port}", command, {**env, **more}))
    return found


def version(python_near: str, package: str) -> str:
    """Return the version of a package in the environment of a program."""
    python = str(Path(python_near).parent / "python")
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "?"


def family(pid: int) -> list[int]:
    """Return a process and all that it started, and they."""
    found, rows = [pid], {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                stat = Path("/proc", name, "stat").read_bytes()
            except OSError:
                continue
            rows[int(name)] = int(stat.rpartition(b")")[2].split()[1])
    for parent in found:
        found += [child for child, of in rows.items() if of == parent and child not in found]
    return found


def cpu(pids: list[int]) -> float:
    """Return the seconds of processor time of processes and of their children that have ended, to 10 ms."""
    spent = 0
    for pid in pids:
        try:
            columns = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            continue
        spent += sum(int(column) for column in columns[11:15])
    return spent / os.sysconf("SC_CLK_TCK")


def memory(pids: list[int]) -> tuple[float, float]:
    """Return MB resident of some processes: each page counted in each process, and shared pages counted once."""
    resident = shared = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        rows = {line.split(":")[0]: int(line.split()[1]) for line in rollup.splitlines()[1:]}
        resident += rows["Rss"]
        shared += rows["Pss"]
    return resident / 1e3 * 1.024, shared / 1e3 * 1.024


def descriptors(pids: list[int]) -> int:
    """Return how many descriptors some processes have open."""
    count = 0
    for pid in pids:
        try:
            count += len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            continue
    return count


class Upstream:
    """The provider as a process of its own."""

    def __init__(self) -> None:
        """Start it."""
        command = [sys.executable, str(ROOT / "benchmarks" / "_proxy_upstream.py")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()

    def close(self) -> None:
        """End it."""
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def answers(url: str, data: bytes, seconds: float) -> float:
    """Ask again and again until an answer with status 200 comes; return how long that took, in seconds."""
    parts = url.rpartition(":")[2]
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        try:
            with socket.create_connection(("127.0.0.1", int(parts)), timeout=seconds) as line:
                line.sendall(data)
                if line.recv(64).startswith(b"HTTP/1.1 200"):
                    return time.perf_counter() - began
        except OSError:
            pass
        time.sleep(0.005)
    raise TimeoutError(url)
