"""The store's own time: it passes only as fast as time plausibly passed, whatever the wall clock says.

"Unused for 30 days" decides what may be removed, so a clock that leaps ten years must not age anything. The file
``clock`` holds the store's time beside the machine's boot, its uptime and the wall clock when it was written:

- same boot: the store's time advances with the uptime, which no one sets (at most a week between two looks);
- another boot: with the wall clock, at most a day, never back;
- no /proc (macOS): with the wall clock, but no faster than the monotonic clock where that went on;
- ``clock`` lost or damaged: no later than the newest object, and no later than the wall clock.

Being wrong only ever keeps originals longer.
"""

from __future__ import annotations

import os
import time

from headroom_cli.store import files, journal

NAME = "clock"
DAY = 86_400.0
_UPTIME_STEP = 7 * DAY
_WALL_STEP = DAY
_REWRITE = 3_600.0  # seconds of store time between two writes of the file
_LATEST = 253_402_300_799.0  # 9999-12-31: the last second that has a calendar month


def uptime() -> tuple[str, float]:
    """Return the machine's boot (a name, "" where the kernel does not tell) and the seconds since.

    Read from /proc, not from the C library: a faked clock fakes ``clock_gettime`` too.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            boot = file.read(64).strip().decode("ascii")
        with open("/proc/uptime", "rb") as file:
            return boot, float(file.read(64).split()[0])
    except (OSError, ValueError, IndexError):
        return "", time.monotonic()


def plausible(wall: float) -> float:
    """Return a wall clock reading as a number of seconds that has a calendar date."""
    return min(max(wall, 0.0), _LATEST) if wall == wall else 0.0  # noqa: PLR0124 - NaN is the only value unequal to itself


class Reading:
    """What ``clock`` held, or what it would hold now: all times in seconds."""

    __slots__ = ("boot", "store", "up", "wall")

    def __init__(self, store: float, wall: float, boot: str, up: float) -> None:
        """``store`` is the store's time; the others are what it was derived from."""
        self.store = store
        self.wall = wall
        self.boot = boot
        self.up = up


def _read(root: int) -> Reading | None:
    try:
        fields = next(journal.payloads(files.read_file(NAME, root)), b"").decode("ascii").split(" ")
        store, wall, boot, up = fields
        return Reading(float(store), float(wall), boot.strip("-"), float(up))
    except (FileNotFoundError, ValueError):
        return None


def _newest(objects: int) -> float | None:
    times = []
    with os.scandir(objects) as entries:
        for entry in entries:
            try:
                times.append(entry.stat(follow_symlinks=False).st_mtime)
            except FileNotFoundError:
                continue
    return max(times, default=None)


def now(root: int, objects: int | None, wall: float, up: tuple[str, float]) -> tuple[float, bool]:
    """Return the store's time, and whether it is due to be written down.

    ``root`` and ``objects`` are directory descriptors (``objects`` None in a store that has none yet).
    """
    wall = plausible(wall)
    boot, seconds = up
    last = _read(root)
    if last is None:
        newest = _newest(objects) if objects is not None else None
        return (wall if newest is None else min(wall, plausible(newest))), True
    if boot and boot == last.boot:
        step = min(max(seconds - last.up, 0.0), _UPTIME_STEP)
        return last.store + step, step >= _REWRITE
    step = min(max(wall - last.wall, 0.0), _WALL_STEP)
    if not boot and not last.boot and seconds >= last.up:
        step = min(step, seconds - last.up)
    # Another boot is written at once: from here on the uptime counts. So is any leap of the wall clock.
    return last.store + step, bool(boot) or abs(wall - last.wall) >= _REWRITE or seconds < last.up


def write(root: int, tmp: int, name: str, store: float, *, wall: float, up: tuple[str, float]) -> None:
    """Write the store's time down (through ``tmp/NAME``); losing it to a crash is harmless."""
    text = f"{store:.3f} {plausible(wall):.3f} {up[0] or '-'} {up[1]:.2f}"
    fd = files.create_file(name, tmp)
    try:
        files.write_all(fd, journal.line(text.encode("ascii")))
    finally:
        os.close(fd)
    os.rename(name, NAME, src_dir_fd=tmp, dst_dir_fd=root)


def month(store: float) -> str:
    """Return the calendar month of a store time, as YYYYMM."""
    date = time.gmtime(plausible(store))
    return f"{date.tm_year:04d}{date.tm_mon:02d}"
