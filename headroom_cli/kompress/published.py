"""The models that are known by a name of their own, each pinned to a revision, and the shapes of other names."""

from __future__ import annotations

from headroom_cli.lazy import pattern

EMBEDDED = "embedded"
HUB = "https://huggingface.co"

# Files that hold a published model, the best of size and truth first; any other has one file, "model.onnx".
MODEL_FILES = (
    "onnx/kompress-int8-wo.onnx", "onnx/kompress-fp32.onnx", "onnx/kompress-int8.onnx", "kompress-int8-wo.onnx",
    "kompress-fp32.onnx", "kompress-int8.onnx", "model.onnx", "onnx/model.onnx",
)  # fmt: skip
TOKENIZER_FILE = "tokenizer.json"
CONFIG_FILE = "config.json"

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
REPOSITORY = pattern(rf"({_PART}/{_PART})(?:@([A-Za-z0-9][A-Za-z0-9._-]{{0,99}}))?")
COMMIT = pattern("[0-9a-f]{40}")


class Published:
    """A model on a hub: its repository and revision, and those of its tokenizer where it has none itself."""

    __slots__ = ("folder", "repository", "revision", "tokenizer")

    def __init__(self, folder: str, repository: str, revision: str, tokenizer: tuple[str, str] | None = None) -> None:
        """``folder`` is where it is kept below the models' own; ``tokenizer`` is (repository, revision)."""
        self.folder = folder
        self.repository = repository
        self.revision = revision
        self.tokenizer = tokenizer


PUBLISHED = {
    "kompress-v2-base": Published(
        "kompress-v2-base", "chopratejas/kompress-v2-base", "b1563631b35bfdcee37587ad530147497d820d4c",
        ("answerdotai/ModernBERT-base", "8949b909ec900327062f0ebf497f51aef5e6f0c8"),
    ),
}  # fmt: skip


def named(name: str) -> Published | None:
    """Return what a name stands for: one of PUBLISHED, or ``owner/repo[@revision]``; None for any other."""
    if name in PUBLISHED:
        return PUBLISHED[name]
    match = REPOSITORY.fullmatch(name)
    if match is None or ".." in name:
        return None
    repository, revision = match.group(1), match.group(2) or ""
    if "--" in repository:  # which the hub forbids: two names would have one folder
        return None
    for published in PUBLISHED.values():
        if repository == published.repository and revision in ("", published.revision):
            return published
    folder = repository.replace("/", "--") + (f"@{revision}" if revision else "")
    return Published(folder, repository, revision or "main")
