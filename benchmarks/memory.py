"""Peak memory of whole crush processes on 10 MB inputs: python benchmarks/memory.py.

Target: 3 x input + 60 MB. A 40 MB line passes through; its figure is the floor of reading and writing it.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from throughput import log, records

HEADROOM = Path(sys.executable).parent / "headroom"


def peak(data: bytes, *flags: str) -> int:
    """Return the largest resident size of one run, in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "input"
        source.write_bytes(data)
        environment = {**os.environ, "HEADROOM_STORE": f"{folder}/store"}
        process = subprocess.Popen([HEADROOM, "crush", *flags, source], stdout=subprocess.DEVNULL, env=environment)
        _, _, usage = os.wait4(process.pid, 0)
    unit = 1 if sys.platform == "darwin" else 1024
    return usage.ru_maxrss * unit


def main() -> None:
    print(f"{'input':14} {'MB':>6} {'peak MB':>8} {'3x + 60':>8}")
    cases = {
        "json": records().encode(),
        "log": log().encode(),
        "one line": b"A" * 10_000_000,
        "short lines": b"ab\n" * 3_300_000,
        "one 40 MB line": b"A" * 40_000_000,
    }
    for name, data in cases.items():
        size = len(data) / 1e6
        print(f"{name:14} {size:6.1f} {peak(data) / 1e6:8.0f} {3 * size + 60:8.0f}", flush=True)


if __name__ == "__main__":
    main()
