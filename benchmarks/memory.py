"""Peak memory of whole crush processes on 10 MB inputs: python benchmarks/memory.py.

Target: 3 x input + 60 MB. A 40 MB line passes through; its figure is the floor of reading and writing it.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
HEADROOM = Path(sys.executable).parent / "headroom"
# Made by other processes: a child's peak counts what its parent held when it was started.
CASES = {
    "json": "import throughput as t; text = t.records()",
    "log": "import throughput as t; text = t.log()",
    "search": "import throughput as t; text = t.search()",
    "listing": "import throughput as t; text = t.listing()",
    "diff": "import throughput as t; text = t.diff()",
    "html": "import throughput as t; text = t.html()",
    "one line": "text = 'A' * 10_000_000",
    "short lines": "text = 'ab\\n' * 3_300_000",
    "one 40 MB line": "text = 'A' * 40_000_000",
}


def peak(source: str, folder: str) -> int:
    """Return the largest resident size of one run, in bytes."""
    environment = {**os.environ, "HEADROOM_STORE": f"{folder}/store"}
    process = subprocess.Popen([HEADROOM, "crush", source], stdout=subprocess.DEVNULL, env=environment)
    _, _, usage = os.wait4(process.pid, 0)
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    print(f"{'input':14} {'MB':>6} {'peak MB':>8} {'3x + 60':>8}")
    for name, program in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            source = f"{folder}/input"
            write = f"{program}; open({source!r}, 'w').write(text)"
            subprocess.run([sys.executable, "-c", write], cwd=HERE, check=True)
            size = os.path.getsize(source) / 1e6
            print(f"{name:14} {size:6.1f} {peak(source, folder) / 1e6:8.0f} {3 * size + 60:8.0f}", flush=True)


if __name__ == "__main__":
    main()
