"""The verb as a process: workers, engines, and what is left when it is killed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import ROOT, clean_environment
from shared_stores import KEYS, Bucket
from test_batch import LINES, alone, made_of, request

from headroom_cli.batch import run as batch
from headroom_cli.cli.main import main
from headroom_cli.store import Store

pytest.importorskip("pyarrow", reason="pyarrow is not installed")

RAY = ROOT / ".venv-batch/bin/python"
# A row of which its process dies.
POISON = """
import os
from headroom_cli import engine
crush = engine.crush
def deadly(data, *more, **named):
    return os._exit(9) if b"POISON" in data else crush(data, *more, **named)
engine.crush = deadly
"""


@pytest.fixture
def source(tmp_path):
    """Six files with four conversations each: six parts."""
    folder = tmp_path / "in"
    folder.mkdir()
    for part in range(6):
        rows = (json.dumps(request(10 * part + row)) for row in range(4))
        (folder / f"{part}.jsonl").write_text("".join(f"{row}\n" for row in rows))
    return folder


@pytest.fixture
def start(tmp_path):
    """Start the verb as a process; all that is left is killed in the end."""
    started = []

    def begin(*words, python=sys.executable, **more):
        store = more.pop("store", "store")
        process = subprocess.Popen(
            [python, "-m", "headroom_cli", "batch", "--store", store, *map(str, words)],
            cwd=tmp_path, env=clean_environment(tmp_path, **more), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield begin
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def ended(process, seconds=60):
    """Return status, output and errors of a process."""
    output, errors = process.communicate(timeout=seconds)
    return process.returncode, output.decode(), errors.decode()


def expected(source, tmp_path):
    """Return what each line becomes when it is alone, as one text."""
    lines = b"".join(path.read_bytes() for path in sorted(source.iterdir())).splitlines()
    return b"".join(alone(line, tmp_path / f"alone{number}") + b"\n" for number, line in enumerate(lines))


def children(pid):
    """Return the processes that a process started, by their ids."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stream:
                state, parent = stream.read().rpartition(")")[2].split()[:2]
            with open(f"/proc/{name}/cmdline") as stream:
                command = stream.read()
        except OSError:
            continue
        if parent == str(pid) and state != "Z" and "spawn_main" in command:
            found.append(int(name))
    return found


def until(told, seconds=40):
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not told():
        assert time.monotonic() < end
        time.sleep(0.01)


def shards(out):
    return sorted(path.name for path in out.glob("[!_]*.jsonl"))


@pytest.mark.parametrize("more", [("--workers", "2"), ("--engine", "dask")], ids="-".join)
def test_all_engines_write_what_crush_writes(source, start, tmp_path, more):
    if "dask" in more:
        pytest.importorskip("dask", reason="dask is not installed")
    status, output, errors = ended(start(*more, "--json", source, "out"))
    assert (status, errors) == (0, "")
    told = json.loads(output)
    assert (told["rows"], told["shards"], told["changed"], told["bad"]) == (24, 6, 24, 0)
    assert told["tokens_after"] < told["tokens_before"]
    assert made_of(tmp_path / "out") == expected(source, tmp_path)
    runs = [
        json.loads(line) for path in (tmp_path / "store/ledger").iterdir() for line in path.read_text().splitlines()
    ]
    assert [(run["verb"], run["tokens"]["after"]) for run in runs] == [("batch", told["tokens_after"])]


def test_killed_it_goes_on_and_leaves_nobody_behind(source, start, tmp_path):
    process = start("--workers", "1", source, "out")
    until(lambda: shards(tmp_path / "out"))
    workers = children(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert workers
    until(lambda: not any(os.path.exists(f"/proc/{worker}") for worker in workers))
    there = {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in shards(tmp_path / "out")}
    for name in there:
        assert (tmp_path / "out/_done" / f"{name}.json").exists()
    status, output, _ = ended(start(source, "out"))
    assert status == 0
    assert "by an earlier run" in output
    assert made_of(tmp_path / "out") == expected(source, tmp_path)
    assert {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in there} == there


@pytest.mark.long
def test_ctrl_c_ends_it_at_once_and_it_goes_on(source, start, tmp_path):
    process = start("--workers", "2", source, "out")
    until(lambda: shards(tmp_path / "out"))
    workers = children(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    status, _, errors = ended(process)
    # All may have been done by then.
    assert status == 130 or (tmp_path / "out" / batch.MANIFEST).exists()
    assert "Traceback" not in errors
    until(lambda: not any(os.path.exists(f"/proc/{worker}") for worker in workers))
    assert ended(start(source, "out"))[0] == 0
    assert made_of(tmp_path / "out") == expected(source, tmp_path)
    assert not list((tmp_path / "out/_tmp").iterdir()) or status == 130


@pytest.mark.long
def test_a_worker_that_is_killed_costs_nothing(source, start, tmp_path):
    process = start("--workers", "2", source, "out")
    until(lambda: shards(tmp_path / "out"))
    for worker in children(process.pid)[:1]:
        os.kill(worker, signal.SIGKILL)
    status, _, errors = ended(process)
    assert (status, errors) == (0, "")
    assert made_of(tmp_path / "out") == expected(source, tmp_path)


def test_a_row_that_kills_its_process_stays_as_it_is(tmp_path, start):
    (tmp_path / "sitecustomize.py").write_text(POISON)
    poison = json.dumps(request(3)).replace("What happened", "POISON")
    (tmp_path / "in.jsonl").write_text(f"{LINES[0]}\n{poison}\n{LINES[1]}\n")
    status, output, _ = ended(start("in.jsonl", "out", PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}"))
    assert status == 0
    assert "row 2: the process that compressed it ended" in output
    made = made_of(tmp_path / "out").decode().splitlines()
    assert made[1] == poison
    assert made[0].encode() == alone(LINES[0].encode(), tmp_path / "a")
    assert made[2].encode() == alone(LINES[1].encode(), tmp_path / "b")


def test_what_cannot_be_done_is_said_in_one_sentence(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADROOM_STORE", str(tmp_path / "store"))
    (tmp_path / "a.jsonl").write_text("{bad\n")
    (tmp_path / "file").write_text("")
    for words, status in (
        (("a.jsonl",), 2), (("a.jsonl", "file"), 2), (("nothing.jsonl", "out"), 66), (("file", "out"), 2),
        (("a.jsonl", "out", "--engine", "spark"), 2), (("a.jsonl", "out", "--workers", "some"), 2),
        (("ftp://x/a.jsonl", "out"), 78), (("a.jsonl", "out", "--address", "x:1"), 78),
    ):  # fmt: skip
        assert main(["batch", *words]) == status, words
        output, errors = capfd.readouterr()
        assert output == ""
        assert errors.count("\n") == 1, errors
    assert not shards(tmp_path / "out")


@pytest.fixture
def bucket(monkeypatch):
    for name, value in {**KEYS, "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    served = Bucket()
    yield served
    served.stop()


@pytest.mark.long
def test_files_and_originals_in_object_stores(bucket, source, tmp_path, start):
    from pyarrow import fs

    def url(path):
        return f"s3://bucket/{path}?scheme=http&endpoint_override=127.0.0.1:{bucket.port}"

    system, _ = fs.FileSystem.from_uri(url("in"))
    fs.copy_files(str(source), "bucket/in", source_filesystem=fs.LocalFileSystem(), destination_filesystem=system)
    store = bucket.url(tmp_path / "local", "originals", wait=20)
    keys = {**KEYS, "AWS_EC2_METADATA_DISABLED": "true"}
    status, _, errors = ended(start(url("in"), url("out"), store=store, **keys))
    assert (status, errors) == (0, "")
    fs.copy_files("bucket/out", str(tmp_path / "out"), source_filesystem=system)
    assert made_of(tmp_path / "out") == expected(source, tmp_path)
    status, output, _ = ended(start(url("in"), url("out"), store=store, **keys))
    assert status == 0
    assert "(6 by an earlier run)" in output


@pytest.mark.long
@pytest.mark.skipif(not RAY.exists(), reason="make ray was not run")
def test_ray_writes_what_crush_writes(source, start, tmp_path):
    assert ended(start("--engine", "ray", "--workers", "2", source, "out", python=RAY), 300)[0] == 0
    assert made_of(tmp_path / "out") == expected(source, tmp_path)
    mapped = """
import sys, ray, ray.data
from headroom_cli.batch import compress_batch
ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
rows = ray.data.from_items([{"text": line} for line in open(sys.argv[1])], override_num_blocks=2)
made = rows.map_batches(compress_batch, batch_format="pyarrow", fn_kwargs={"store": sys.argv[2]})
sys.stdout.write("".join(sorted(row["text"] for row in made.iter_rows())))
"""
    names = [source / "0.jsonl", tmp_path / "mapped"]
    done = subprocess.run(
        [RAY, "-c", mapped, *names], env=clean_environment(tmp_path), capture_output=True, timeout=300, check=True
    )
    lines = (source / "0.jsonl").read_bytes().splitlines(keepends=True)
    assert done.stdout == b"".join(sorted(alone(line, tmp_path / f"m{n}") for n, line in enumerate(lines)))
    assert len(list(Store(str(tmp_path / "mapped")).grants())) == len(lines)
