"""Time 1 MiB of anything, and how time grows: python benchmarks/hostile.py.

Each flood of tests/inputs.py goes through routing and every specialist at balanced, at n and 2n bytes; best of three.
Target: 1 MiB <= 300 ms, time(2n) / time(n) <= 2.3.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from inputs import FLOODS

from headroom_cli import compressors, engine
from headroom_cli.model import Policy

SIZE = 1 << 19


def best(data: bytes, policy: Policy) -> float:
    """Return the shortest of three runs, in seconds."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        engine.crush(data, policy, None, dry=True)
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    kinds = ["", *(kinds[0] for kinds in compressors.COMPRESSORS.values())]
    print(f"{'flood':22}" + "".join(f"{kind or 'as routed':>16} ms  x2" for kind in kinds))
    slow, steep = [], []
    for name, flood in FLOODS.items():
        cells = []
        for kind in kinds:
            policy = Policy(as_kind=kind)
            once, twice = best(flood(SIZE).encode(), policy), best(flood(2 * SIZE).encode(), policy)
            cells.append(f"{twice * 1000:16.1f} {twice / once:6.2f}")
            if twice > 0.3:
                slow.append(f"{name} as {kind or 'routed'}: {twice * 1000:.0f} ms")
            if twice / once > 2.3 and twice > 0.02:
                steep.append(f"{name} as {kind or 'routed'}: {twice / once:.2f}")
        print(f"{name:22}" + " ".join(cells), flush=True)
    print("above 300 ms:", "; ".join(slow) or "none")
    print("above 2.3:", "; ".join(steep) or "none")


if __name__ == "__main__":
    main()
