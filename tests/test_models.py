"""`headroom models` against a hub on this machine: what comes whole, what breaks off, what is not what it was."""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import clean_environment
from hub import COMMIT, Hub
from kompress_models import write_model

from headroom_cli.errors import (
    BusyError,
    ConfigError,
    CorruptError,
    KeyMissingError,
    NotFoundError,
    NotUsableError,
    UnreachableError,
)
from headroom_cli.kompress import find, hub, manifest, published, pull

WORDS = [f"word{number}" for number in range(5000)]
REPOSITORY = "somebody/small-model"
FIXED = "b1563631b35bfdcee37587ad530147497d820d4c"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Make the files of a model: one above and one below the size from which a hub keeps files apart."""
    folder = tmp_path_factory.mktemp("model")
    write_model(folder, WORDS, config={"threshold": 0.5})
    return {name: (folder / name).read_bytes() for name in ("model.onnx", "tokenizer.json", "config.json")}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Set a home of its own; return where models are kept."""
    for name in list(os.environ):
        if name.startswith(("HF_", "HUGGING_", "XDG_", "HEADROOM_")) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / ".local/share/headroom/models"


@pytest.fixture
def serving(place, files, monkeypatch):
    """Start a hub that has a model."""
    with Hub() as started:
        started.repositories[REPOSITORY] = {**files, "README.md": b"words\n"}
        monkeypatch.setenv("HF_ENDPOINT", started.address)
        yield started


def pulled(name=REPOSITORY):
    return pull.pull(name, pause=0)


def test_a_model_is_fetched_checked_recorded_and_found(serving, place, files):
    folder, row = pulled()
    assert folder == str(place / "somebody--small-model")
    assert {name: (place / "somebody--small-model" / name).read_bytes() for name in files} == files
    assert row["revision"] == COMMIT
    assert set(row["files"]) == set(files)
    assert find.find(REPOSITORY).model == f"{folder}/model.onnx"
    assert json.loads((place / "models.json").read_text())["models"]["somebody--small-model"] == row
    for path in [place, *place.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert not any("README" in asked for _, asked, _ in serving.asked)


def test_what_is_here_is_not_fetched_again(serving):
    pulled()
    serving.asked.clear()
    pulled()
    assert not any("/resolve/" in asked for _, asked, _ in serving.asked)


def test_a_tree_comes_in_pages(serving, files):
    serving.paged = True
    assert set(pulled()[1]["files"]) == set(files)


def test_a_published_model_has_its_revision_and_the_tokenizer_of_its_own(serving, files):
    serving.repositories = {
        "chopratejas/kompress-v2-base": {
            "onnx/kompress-fp32.onnx": b"other" * 900, "onnx/kompress-int8-wo.onnx": files["model.onnx"],
            "tokenizer.json": b"{}",
        },
        "answerdotai/ModernBERT-base": {"tokenizer.json": files["tokenizer.json"], "model.onnx": b"large" * 900},
    }  # fmt: skip
    folder, row = pulled("kompress-v2-base")
    assert set(row["files"]) == {"onnx/kompress-int8-wo.onnx", "tokenizer.json"}
    assert row["revision"] == FIXED
    assert row["files"]["tokenizer.json"]["repository"] == "answerdotai/ModernBERT-base"
    found = find.find("kompress-v2-base")
    assert (found.model, found.tokenizer) == (f"{folder}/onnx/kompress-int8-wo.onnx", f"{folder}/tokenizer.json")
    assert all(FIXED in asked or "8949b909" in asked for _, asked, _ in serving.asked)


def test_a_download_goes_on_where_it_broke_off_whatever_the_byte(serving, files):
    size = len(files["model.onnx"])
    for first in (0, 1, 2, size // 2, size - 1):
        serving.breaks = [first, 1, 0, size // 3]
        serving.asked.clear()
        folder, _ = pulled()
        assert Path(folder, "model.onnx").read_bytes() == files["model.onnx"]
        ranges = [headers["range"] for _, asked, headers in serving.asked if "range" in headers]
        assert ranges, first
        manifest.remove(os.path.basename(folder))


def test_what_was_left_is_gone_on_with_by_the_next_command(serving, place, files):
    serving.breaks = [5000, 0, 0, 0]
    with pytest.raises(UnreachableError, match="run it again") as told:
        pulled()
    assert "5,000 of" in str(told.value)
    (part,) = place.rglob("*.part")
    assert part.read_bytes() == files["model.onnx"][:5000]
    assert not (place / "somebody--small-model" / "model.onnx").exists()
    with pytest.raises(NotUsableError, match="models pull"):
        find.find(REPOSITORY)
    serving.breaks = []
    serving.asked.clear()
    pulled()
    assert [headers.get("range") for _, asked, headers in serving.asked if asked.endswith("model.onnx")] == [
        "bytes=5000-"
    ]
    assert not list(place.rglob("*.part"))


def test_a_hub_without_ranges_begins_again(serving, files):
    serving.ranges = False
    serving.breaks = [5000]
    folder, _ = pulled()
    assert Path(folder, "model.onnx").read_bytes() == files["model.onnx"]


def test_something_else_than_the_file_costs_nothing_of_what_is_here(serving, place, files):
    serving.breaks = [5000, 0, 0, 0]
    with pytest.raises(UnreachableError):
        pulled()
    serving.breaks = []
    serving.ranges = False
    serving.repositories[REPOSITORY] = {**files, "model.onnx": b"<html>log in first</html>"}
    serving.tree = lambda name, real=serving.tree: real(name, files)  # what it states of them stays
    with pytest.raises(UnreachableError, match="something else than the file"):
        pulled()
    (part,) = place.rglob("*.part")
    assert part.read_bytes() == files["model.onnx"][:5000]
    serving.repositories[REPOSITORY] = files
    folder, _ = pulled()
    assert Path(folder, "model.onnx").read_bytes() == files["model.onnx"]


@pytest.mark.parametrize("name", ["model.onnx", "config.json"])
def test_what_is_not_what_the_hub_states_is_not_kept(serving, place, files, name):
    serving.repositories[REPOSITORY] = dict(files.items())
    serving.stated[name] = "a" * (64 if len(files[name]) > 1000 else 40)
    with pytest.raises(CorruptError, match=f"{name} is not what the hub states"):
        pulled()
    assert not (place / "somebody--small-model" / name).exists()
    assert not list(place.rglob("*.part"))


def test_other_bytes_than_stated_are_not_kept(serving, place):
    serving.wrong = True
    with pytest.raises(CorruptError):
        pulled()
    assert not list(place.rglob("*.onnx"))


def test_a_hub_that_states_something_else_than_at_the_first_pull_is_refused(serving, place, files):
    pulled()
    serving.repositories[REPOSITORY] = {**files, "config.json": b'{"threshold": 0.9}'}
    with pytest.raises(CorruptError, match="another digest"):
        pulled()
    assert (place / "somebody--small-model" / "config.json").read_bytes() == files["config.json"]


def test_a_damaged_file_is_seen_and_fetched_again(serving, place, headroom, files):
    folder, row = pulled()
    assert manifest.damaged(folder, row) == []
    with open(f"{folder}/model.onnx", "r+b") as stream:
        stream.seek(100)
        stream.write(b"\0\1\2\3")
    assert manifest.damaged(folder, row) == ["model.onnx"]
    pulled()
    assert manifest.damaged(folder, row) == []


def test_a_token_goes_to_the_hub_alone(serving, place, files, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with Hub() as other:
        other.repositories = serving.repositories
        serving.elsewhere = other.address.replace("127.0.0.1", "localhost")
        serving.breaks = other.breaks = [700]
        pulled()
        assert all(headers["authorization"] == "Bearer hf_secret" for _, _, headers in serving.asked)
        assert len(other.asked) == 3  # two large files, one of them in two parts
        for _, _, headers in other.asked:
            assert {name.lower() for name in headers} <= {
                "host", "accept", "accept-encoding", "connection", "user-agent", "range",
            }  # fmt: skip
            assert "secret" not in str(headers)
    assert not any(b"hf_secret" in path.read_bytes() for path in place.rglob("*") if path.is_file())


@pytest.mark.parametrize("address", ["http://example.com", "ftp://example.com", "file:///etc"])
def test_redirects_to_anything_but_https_are_not_followed(serving, address):
    serving.elsewhere = address
    with pytest.raises(UnreachableError, match="not https; not followed"):
        pulled()


def test_a_circle_of_redirects_ends(serving, monkeypatch):
    serving.elsewhere = serving.address
    monkeypatch.setattr(hub, "_REDIRECTS", 1)
    with pytest.raises(UnreachableError, match="without end"):
        pulled()


@pytest.mark.parametrize("address", ["http://example.com", "example.com", "https://", "http://[", "https://a:b"])
def test_a_hub_is_called_by_https_alone(place, monkeypatch, address):
    monkeypatch.setenv("HF_ENDPOINT", address)
    with pytest.raises(ConfigError, match="HF_ENDPOINT"):
        pulled()


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, NotFoundError), (401, KeyMissingError), (403, KeyMissingError), (429, BusyError), (500, UnreachableError)],
)
def test_each_refusal_has_its_status_and_sentence(serving, status, error):
    serving.refuses = status
    with pytest.raises(error, match="the hub"):
        pulled()


def test_a_repository_without_a_model_is_refused(serving):
    serving.repositories["a/b"] = {"tokenizer.json": b"{}"}
    with pytest.raises(NotFoundError, match=r"no model\.onnx"):
        pulled("a/b")
    serving.repositories["a/b"] = {"model.onnx": b"x" * 2000}
    with pytest.raises(NotFoundError, match=r"no tokenizer\.json"):
        pulled("a/b")


@pytest.mark.parametrize("name", ["gzip", "zstd", "br"])
def test_what_is_packed_unasked_is_not_unpacked(serving, name):
    serving.packed = name
    with pytest.raises(UnreachableError, match="packs what it says"):
        pulled()
    assert all(headers["accept-encoding"] == "identity" for _, _, headers in serving.asked)


def test_all_folders_on_the_way_are_private_whatever_the_umask(serving, place, tmp_path):
    before = os.umask(0)
    try:
        pulled()
    finally:
        os.umask(before)
    assert [path for path in (tmp_path / ".local").rglob("*") if path.stat().st_mode & 0o077] == []
    assert (tmp_path / ".local").stat().st_mode & 0o077 == 0


def test_a_model_whose_folder_is_gone_is_said_and_removed(serving, place):
    folder, _ = pulled()
    shutil.rmtree(folder)
    listed = run(place, "list", "--json", address=serving.address)
    states = {row["name"]: row["state"] for row in map(json.loads, listed.stdout.splitlines())}
    assert states[REPOSITORY] == "not all of it is here; pull it again"
    assert run(place, "remove", REPOSITORY, address=serving.address).returncode == 0
    assert manifest.read() == {}


@pytest.mark.parametrize("row", ['{"sha256": "a"}', '{"sha256": "a", "size": "7"}', '{"size": 7}', "[]"])
def test_a_damaged_list_of_models_is_said(place, row):
    place.mkdir(parents=True)
    files = {"model.onnx": json.loads(row)}
    (place / "models.json").write_text(json.dumps({"models": {"a--b": {"files": files}}}))
    with pytest.raises(CorruptError, match="damaged"):
        manifest.read()


@pytest.mark.parametrize(
    "name",
    [
        "embedded",
        "a--b/c",
        "a/b--c",
        "",
        "a",
        "../b",
        "a/../b",
        "a/b/c",
        "a/b@",
        "a/b@../c",
        "/etc",
        "a\n/b",
        "https://x/y",
    ],
)
def test_names_that_are_none_are_refused(place, name):
    with pytest.raises(ConfigError):
        pulled(name)
    assert not place.exists()


def test_no_hub_at_all(place, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UnreachableError, match="cannot be reached"):
        pulled()


def test_one_at_a_time(serving):
    with manifest.alone(), pytest.raises(BusyError, match="another"):
        pulled()


def test_a_folder_that_others_may_write_is_refused(serving, place):
    place.mkdir(parents=True)
    place.chmod(0o777)
    with pytest.raises(ConfigError, match="no folder of yours alone"):
        pulled()


def test_no_link_is_followed_out_of_the_folder(serving, place, tmp_path):
    folder = place / "somebody--small-model"
    folder.mkdir(parents=True, mode=0o700)
    victim = tmp_path / "victim"
    victim.write_text("mine")
    stated = serving.tree(REPOSITORY)[1]
    (folder / f"model.onnx.{stated['lfs']['oid'][:16]}.part").symlink_to(victim)
    with pytest.raises(manifest.StoreError):
        pulled()
    assert victim.read_text() == "mine"


def test_a_full_disk_is_said(serving, place, monkeypatch):
    real = pull._open

    def full(path, flag):
        stream = real(path, flag)
        if not path.endswith(".part"):
            return stream
        stream.close()
        return open("/dev/full", "wb", buffering=0)

    monkeypatch.setattr(pull, "_open", full)
    with pytest.raises(manifest.StoreFullError, match="no space left"):
        pulled()


def test_what_the_hubs_own_tools_have_is_used_where_it_is(place, tmp_path, files, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    base = tmp_path / "cache" / "models--chopratejas--kompress-v2-base" / "snapshots" / FIXED / "onnx"
    base.mkdir(parents=True)
    (base / "kompress-int8.onnx").write_bytes(files["model.onnx"])
    with pytest.raises(NotUsableError):
        find.find("kompress-v2-base")
    _, revision = published.PUBLISHED["kompress-v2-base"].tokenizer
    other = tmp_path / "cache" / "models--answerdotai--ModernBERT-base" / "snapshots" / revision
    other.mkdir(parents=True)
    (other / "tokenizer.json").write_bytes(files["tokenizer.json"])
    found = find.find("kompress-v2-base")
    assert (found.model, found.tokenizer) == (str(base / "kompress-int8.onnx"), str(other / "tokenizer.json"))
    refs = tmp_path / "cache" / "models--a--b"
    (refs / "refs").mkdir(parents=True)
    (refs / "refs" / "main").write_text(COMMIT)
    (refs / "snapshots" / COMMIT).mkdir(parents=True)
    write_model(refs / "snapshots" / COMMIT, ["a"])
    assert find.find("a/b").model == str(refs / "snapshots" / COMMIT / "model.onnx")


# --- the command


def run(place, *arguments, address, **more):
    home = place.parents[3]
    return subprocess.run(
        [sys.executable, "-m", "headroom_cli", "models", *arguments], capture_output=True, text=True, timeout=60,
        cwd=home, env={**clean_environment(home, HF_ENDPOINT=address), **more},
    )  # fmt: skip


def test_the_command_pulls_lists_finds_and_removes(serving, place):
    done = run(place, "pull", REPOSITORY, address=serving.address)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{REPOSITORY}: 3 files, ")
    listed = run(place, "list", "--check", "--json", address=serving.address)
    assert listed.returncode == 0
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [row["state"] for row in rows if row["name"] == REPOSITORY] == ["sound"]
    (place / "somebody--small-model" / "config.json").write_text("{}")
    listed = run(place, "list", "--check", address=serving.address)
    assert listed.returncode == 1
    assert "damaged: config.json" in listed.stdout
    found = run(place, "path", REPOSITORY, address=serving.address)
    assert found.stdout == f"{place}/somebody--small-model\n"
    assert run(place, "remove", REPOSITORY, address=serving.address).returncode == 0
    assert not (place / "somebody--small-model").exists()
    gone = run(place, "path", REPOSITORY, address=serving.address)
    assert (gone.returncode, gone.stdout) == (1, "")


def test_what_is_unfinished_is_listed_and_removed(serving, place):
    serving.breaks = [3000] + [0] * 9
    with pytest.raises(UnreachableError):
        pulled()
    listed = run(place, "list", "--check", "--json", address=serving.address)
    assert listed.returncode == 0
    states = {row["name"]: row["state"] for row in map(json.loads, listed.stdout.splitlines())}
    assert states[REPOSITORY] == "unfinished; pull it again"
    assert run(place, "remove", REPOSITORY, address=serving.address).returncode == 0
    assert not list(place.rglob("*.part"))


def test_progress_is_for_a_terminal(serving, place):
    ours, theirs = os.openpty()
    home = place.parents[3]
    done = subprocess.run(
        [sys.executable, "-m", "headroom_cli", "models", "pull", REPOSITORY], stdout=subprocess.PIPE, stderr=theirs,
        timeout=60, cwd=home, env=clean_environment(home, HF_ENDPOINT=serving.address),
    )  # fmt: skip
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "model.onnx: 0.0 of 0.0 MB" in shown
    assert shown.endswith("\r\x1b[K")


def test_statuses_of_the_command(serving, place):
    serving.wrong = True
    assert run(place, "pull", REPOSITORY, address=serving.address).returncode == 74
    serving.refuses = 404
    assert run(place, "pull", REPOSITORY, address=serving.address).returncode == 1
    serving.refuses = 401
    assert run(place, "pull", REPOSITORY, address=serving.address).returncode == 77
    assert run(place, "pull", REPOSITORY, address="http://127.0.0.1:9").returncode == 69
    assert run(place, "pull", REPOSITORY, address="http://example.com").returncode == 78
    assert run(place, "pull", address=serving.address).returncode == 2
    assert run(place, "pull", "--check", REPOSITORY, address=serving.address).returncode == 2


def test_an_interrupted_command_keeps_what_it_has(serving, place, files):
    serving.breaks = [3000, 0, 0, 0, 0, 0]
    home = place.parents[3]
    program = (
        "import os, signal, sys\n"
        "from headroom_cli.kompress import pull\n"
        "pull._append, real = lambda *a: (real(*a), os.kill(os.getpid(), signal.SIGINT)), pull._append\n"
        "from headroom_cli.cli.main import main\n"
        f"sys.exit(main(['models', 'pull', {REPOSITORY!r}]))\n"
    )
    serving.breaks = []
    serving.repositories[REPOSITORY]["model.onnx"] = files["model.onnx"]
    started = subprocess.Popen(
        [sys.executable, "-c", program], cwd=home, env=clean_environment(home, HF_ENDPOINT=serving.address),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, restore_signals=True,
    )  # fmt: skip
    _, told = started.communicate(timeout=60)
    assert started.returncode == 130
    assert b"Traceback" not in told
    (part,) = place.rglob("*.part")
    assert part.read_bytes() == files["model.onnx"]
    assert run(place, "pull", REPOSITORY, address=serving.address).returncode == 0


def test_nothing_is_fetched_unasked(serving, place, headroom, tmp_path):
    (tmp_path / "a.md").write_text("Words of a text. " * 200)
    done = headroom("crush", "--kompress", REPOSITORY, "a.md", env={"HF_ENDPOINT": serving.address})
    assert done.returncode == 78
    assert done.stdout == b""
    assert b"headroom models pull somebody/small-model" in done.stderr
    assert serving.asked == []
