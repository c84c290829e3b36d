"""``headroom models``: fetch, list, find and remove the models that shorten prose by words."""

from __future__ import annotations

import json
import os

from headroom_cli.cli import io, report
from headroom_cli.cli.options import Argument, Verb
from headroom_cli.errors import NotFoundError, NotUsableError, UsageError
from headroom_cli.settings import Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from headroom_cli.settings import Settings

_STEP = 1 << 20  # bytes between two lines of progress


def run(settings: Settings, own: Mapping[str, str]) -> int:
    """Do one of ACTIONS."""
    action, name = own.get("action", ""), own.get("name", "")
    if action not in ACTIONS:
        raise UsageError(f"unknown action {action[:40]!r}; use {', '.join(ACTIONS)}")
    if bool(name) != (action != "list"):
        what = "list takes no name" if action == "list" else f"name the model to {_VERBS[action]}"
        raise UsageError(f"models {action}: {what}; see headroom models --help")
    if own.get("check") and action != "list":
        raise UsageError(f"--check belongs to models list, not to models {action}; leave it out")
    return ACTIONS[action](settings, own, name)


def _pull(settings: Settings, _own: Mapping[str, str], name: str) -> int:
    """Fetch what is not here of a model, and say where it is."""
    from headroom_cli.kompress.pull import pull

    shows = io.is_terminal(io.STDERR) and not settings.quiet and not settings.json
    shown = [-_STEP]

    def watch(file: str, have: int, size: int) -> None:
        if shows and (have >= size or have - shown[0] >= _STEP or have < shown[0]):
            shown[0] = have
            _progress(f"{os.path.basename(file)}: {have / 1e6:,.1f} of {size / 1e6:,.1f} MB")

    try:
        folder, row = pull(name, watch)
    finally:
        if shows and shown[0] >= 0:
            _progress("")
    if settings.json:
        _object({"name": name, "folder": folder, "revision": row["revision"], "files": row["files"]})
    elif not settings.quiet:
        total = sum(file["size"] for file in row["files"].values())
        io.write(f"{name}: {len(row['files'])} files, {total:,} bytes, revision {row['revision'][:12]}\n".encode())
    return 0


def _progress(text: str) -> None:
    """Write over the last line of a terminal."""
    os.write(io.STDERR, f"\r{text}\x1b[K".encode())


def _list(settings: Settings, own: Mapping[str, str], _name: str) -> int:
    """List the models that are here; with --check, read every byte of those that were pulled."""
    from headroom_cli.kompress import find, manifest
    from headroom_cli.kompress.published import EMBEDDED, PUBLISHED

    pulled = manifest.read()
    rows = []
    bad = 0
    for name in (EMBEDDED, *PUBLISHED):
        if name in pulled:
            continue
        try:
            found = find.find(name)
        except NotUsableError:
            continue
        where = "ships with headroom-cli" if name == EMBEDDED else "in the hub's own cache"
        rows.append((name, "-", os.path.getsize(found.model) + os.path.getsize(found.tokenizer), where))
    for folder, row in sorted(pulled.items()):
        size = sum(file["size"] for file in row["files"].values())
        said = "pulled" if _is_whole(row["files"]) else "unfinished; pull it again"
        place = os.path.join(find.models_folder(), folder)
        if not all(os.path.isfile(os.path.join(place, name)) for name in row["files"]):
            said = "not all of it is here; pull it again"
        if own.get("check") == "true":
            damaged = manifest.damaged(place, row)
            bad += bool(damaged)
            said = f"damaged: {', '.join(damaged)}" if damaged else said.replace("pulled", "sound")
        rows.append((str(row.get("name", folder)), str(row.get("revision", ""))[:12], size, said))
    if settings.json:
        for name, revision, size, said in rows:
            _object({"name": name, "revision": revision, "bytes": size, "state": said})
    else:
        shown = [(report.clean(name), revision, f"{size:,}", report.clean(said)) for name, revision, size, said in rows]
        report.show(shown, ("name", "revision", "bytes", "state"), frozenset({2}), settings)
    return NotFoundError.status if bad else 0


def _is_whole(files: Mapping[str, object]) -> bool:
    """Tell whether all that a model needs was fetched: the last of it is the tokenizer or what stands behind it."""
    from headroom_cli.kompress.published import TOKENIZER_FILE

    return TOKENIZER_FILE in files and any(name.endswith(".onnx") for name in files)


def _path(settings: Settings, _own: Mapping[str, str], name: str) -> int:
    """Print the folder that a model's files are in."""
    from headroom_cli.kompress.find import find

    try:
        found = find(name)
    except NotUsableError as error:
        raise NotFoundError(str(error)) from error
    folder = os.path.dirname(found.tokenizer)
    if settings.json:
        _object({"folder": folder, "model": found.model, "tokenizer": found.tokenizer})
    else:
        io.write(os.fsencode(folder) + b"\n")
    return 0


def _remove(settings: Settings, _own: Mapping[str, str], name: str) -> int:
    """Remove a model that was pulled, and what there is of one that was not pulled to the end."""
    from headroom_cli.kompress import manifest
    from headroom_cli.kompress.find import models_folder
    from headroom_cli.kompress.published import named

    published = named(name)
    folder = os.path.join(models_folder(), published.folder) if published is not None else ""
    if published is None or not (os.path.isdir(folder) or published.folder in manifest.read()):
        raise NotFoundError(f"{name[:100]!r} was not pulled; see `headroom models list`")
    with manifest.alone():
        manifest.remove(published.folder)
    if settings.json:
        _object({"removed": name})
    elif not settings.quiet:
        io.write(f"removed {report.clean(name)}\n".encode())
    return 0


def _object(fields: Mapping[str, object]) -> None:
    """Write one JSON object on a line."""
    io.write(json.dumps({"v": 1, **fields}).encode() + b"\n")


ACTIONS: dict[str, Callable[[Settings, Mapping[str, str], str], int]] = {
    "pull": _pull, "list": _list, "path": _path, "remove": _remove,
}  # fmt: skip
_VERBS = {"pull": "pull", "path": "find", "remove": "remove"}

VERB = Verb(
    "models",
    run,
    about="fetch, list, find and remove models that shorten prose by words",
    text="""
        pull fetches a model from the Hugging Face hub: kompress-v2-base, pinned to a revision, or any owner/repo with a
        model of that kind, with @revision or as the hub has it now. Each file is compared with the size and the digest
        that the hub states, and later pulls with what was recorded at the first. What was interrupted goes on where it
        ended. Nothing is ever fetched without this command.

        list shows the models that are here; with --check it reads all that was pulled and compares it with what was
        recorded. path prints the folder that holds a model. remove deletes one that was pulled.

        A model is used where --kompress or HEADROOM_KOMPRESS_MODEL names it, at levels balanced and max, for prose in
        tool results and in raw texts. That needs headroom-cli[ml].

        HF_ENDPOINT names another hub, HF_TOKEN a token for it, which goes to the hub alone and is kept nowhere. What
        the hub's own tools have downloaded (HF_HUB_CACHE, HF_HOME) is used where it is.
    """,
    arguments=(
        Argument("action", "what to do", required=True, choices=tuple(ACTIONS)),
        Argument("name", "the model"),
    ),
    flags=("json", "quiet", "verbose", "no_color"),
    own=(Setting("check", ("--check",), "", "switch", "", "list: read every byte of what was pulled"),),
    examples=(
        ("headroom models pull kompress-v2-base", "fetch it, 265 MB"),
        ("headroom models list --check", "see what is here, and whether it is sound"),
        ("headroom crush --kompress kompress-v2-base notes.md", "use it"),
    ),
    statuses=(
        (1, "no such model, here or on the hub, or damage found"),
        (69, "the hub cannot be reached, or broke off"),
        (74, "models cannot be kept, or what came is not what the hub states"),
        (75, "the hub has no room now, or another headroom models is at work"),
        (77, "the hub does not show it without a token"),
    ),
)  # fmt: skip
