"""From the name of a model to its files: the one that ships, those that were pulled, a folder, the hub's own cache."""

from __future__ import annotations

import os

from headroom_cli.errors import NotUsableError
from headroom_cli.kompress.published import CONFIG_FILE, EMBEDDED, MODEL_FILES, PUBLISHED, TOKENIZER_FILE, named
from headroom_cli.settings import data_folder, environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.kompress.published import Published

_LARGEST_CONFIG = 1 << 20  # bytes


class Found:
    """The files of a model: ``model`` and ``tokenizer`` are paths, ``config`` what its config.json says."""

    __slots__ = ("config", "model", "tokenizer")

    def __init__(self, model: str, tokenizer: str, config: dict[str, Any]) -> None:
        """Hold what was found."""
        self.model = model
        self.tokenizer = tokenizer
        self.config = config


def models_folder() -> str:
    """Return where pulled models are kept, whether it exists or not."""
    return os.path.join(data_folder(), "models")


def find(name: str) -> Found:
    """Return the files of a model by its name: "embedded", a pulled one's, ``owner/repo[@revision]``, or a folder.

    What the hub's own tools have downloaded (HF_HUB_CACHE, HF_HOME) is used where it is. Raise NotUsableError with what
    to do when there is no such model, or a file of it is missing.
    """
    if name == EMBEDDED:
        folder = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "models", "kompress")
        return _in_folders((folder,), "the embedded model is missing; install headroom-cli anew")
    if _is_path(name):
        folder = os.path.expanduser(name)
        if not os.path.isdir(folder):
            raise NotUsableError(f"no folder {_shown(name)} for --kompress; name one that holds a model")
        return _in_folders((folder,), f"{_shown(name)} holds no model: it needs model.onnx and {TOKENIZER_FILE}")
    published = named(name)
    if published is None:
        known = ", ".join((EMBEDDED, *PUBLISHED))
        raise NotUsableError(f"no model is called {_shown(name)}; use {known}, owner/repo or a folder")
    folders = (os.path.join(models_folder(), published.folder), *_cached(published))
    return _in_folders(folders, f"the model {_shown(name)} is not here; run `headroom models pull {_shown(name)}`")


def _is_path(name: str) -> bool:
    return name.startswith(("/", ".", "~")) or (os.path.isdir(name) and name not in PUBLISHED)


def _shown(name: str) -> str:
    """Return a name for a message."""
    return "".join(char if char.isprintable() else "?" for char in name[:200])


def _in_folders(folders: tuple[str, ...], otherwise: str) -> Found:
    """Return the first model file in any of the folders, and the first tokenizer. Raise NotUsableError."""
    model = _first(folders, MODEL_FILES) or _only_model(folders[0])
    tokenizer = _first(folders, (TOKENIZER_FILE, f"onnx/{TOKENIZER_FILE}"))
    if not model or not tokenizer:
        raise NotUsableError(otherwise)
    return Found(model, tokenizer, _config(_first(folders, (CONFIG_FILE,))))


def _first(folders: tuple[str, ...], names: tuple[str, ...]) -> str:
    for folder in folders:
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                return path
    return ""


def _only_model(folder: str) -> str:
    """Return the one model file of a folder that goes by another name, "" for none or several."""
    try:
        names = [name for name in os.listdir(folder) if name.endswith(".onnx")]
    except OSError:
        return ""
    path = os.path.join(folder, names[0]) if len(names) == 1 else ""
    return path if os.path.isfile(path) else ""  # a FIFO would be waited for


def _config(path: str) -> dict[str, Any]:
    """Return what a config.json says; one that cannot be read says nothing."""
    if not path:
        return {}
    try:
        with open(path, "rb") as stream:
            data = stream.read(_LARGEST_CONFIG)
        import json

        value = json.loads(data)
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _cached(published: Published) -> tuple[str, ...]:
    """Return the folders in which the hub's own tools keep a model and its tokenizer."""
    variables = environment()
    home = variables.get("HF_HOME") or os.path.join(
        variables.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "huggingface"
    )
    cache = variables.get("HF_HUB_CACHE") or os.path.join(home, "hub")
    wanted = ((published.repository, published.revision), *((published.tokenizer,) if published.tokenizer else ()))
    found = []
    for repository, revision in wanted:
        folder = os.path.join(cache, "models--" + repository.replace("/", "--"))
        try:
            with open(os.path.join(folder, "refs", revision), encoding="ascii") as stream:
                revision = stream.read(100).strip()  # noqa: PLW2901 - a branch's name stands for a commit
        except (OSError, ValueError):
            pass  # it is a commit already
        if revision and "/" not in revision:
            found.append(os.path.join(folder, "snapshots", revision))
    return tuple(found)
