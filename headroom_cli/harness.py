"""Texts in a user's turn that are not the user's: elements of known harnesses, and notes of ours."""

from __future__ import annotations

from headroom_cli.lazy import pattern

# Elements that harnesses put in front of the user's words, in the user's turn.
WRAPPERS = (
    "system-reminder", "system_reminder", "environment_context", "environment_details", "environment_info", "env",
    "user_instructions", "user_info", "user_context", "ide_context", "ide_opened_file", "git_status", "project_layout",
    "additional_data", "open_and_recently_viewed_files", "RUNTIME_INFORMATION", "REPOSITORY_INFO", "INSTRUCTIONS",
    "current_datetime", "session_context",
)  # fmt: skip
_OPENINGS = tuple(f"<{name}" for name in WRAPPERS)
_LONGEST_OPENING = 100  # characters of an opening tag

# The first line of a text of ours, whole.
VALUES = "[headroom: the names in braces above stand for these values]"
NEW_VALUES = "[headroom: from here on these names in braces stand for other values]"
_OURS = (f"{VALUES}\n", f"{NEW_VALUES}\n")
# What stands beside a picture of the user's that was made smaller, and in front of an original that was asked for.
SMALLER = "[headroom: the picture above is smaller than it was]"
ORIGINAL = "[headroom: the original picture that was asked for]"
PICTURE = "[headroom: the picture "  # how every line of ours about a picture of the user's begins
_OF_PICTURES = (PICTURE, ORIGINAL)
# A line that names a picture further up: whose it is, whether it stands for all of one, where, how far back, the rest.
NAMED = pattern(
    r"(\[(?:headroom: the picture here: )?)(the same picture as )?"
    r"(the picture (?:before this one|(\d{1,6}) pictures back)|a picture in the turns left out)"
    r"((?: \([^<>\[\]]{1,80}\))?(?:, encoded otherwise|, but for \d+x\d+ pixels at \d+,\d+, which are:)?\](?=\Z|\n<<))"
)
# What stands for turns that fit left out begins so.
LEFT_OUT = pattern(r"\[\.\.\. \d{1,9} turns? left out\b")
# How Codex says what a file of instructions holds: a line, then an element.
_CODEX = "# AGENTS.md instructions"
_LONGEST_CODEX = 600  # characters of that line and what may stand behind it


def is_ours(text: object) -> bool:
    """Tell whether a text is a note that align put into a conversation."""
    return isinstance(text, str) and text.startswith(_OURS)


def wrapped(text: str) -> int:
    """Return where the wrappers at the start of a user's text end; its length when nothing else is there."""
    at = 0
    if text.startswith(_CODEX):
        at = max(0, text.find("\n<", 0, _LONGEST_CODEX))
        if not text.startswith(_OPENINGS, at + 1):
            return 0
    while True:
        start = at
        while start < len(text) and text[start].isspace():
            start += 1
        if start == len(text):
            return start if at else 0
        if not text.startswith(_OPENINGS, start):
            return at
        ends = (text.find(sign, start, start + _LONGEST_OPENING) for sign in "> ")
        stop = min((end for end in ends if end > 0), default=0)
        close = f"</{text[start + 1 : stop]}>"
        end = text.find(close, stop) if stop else -1
        if end < 0:
            return at
        at = end + len(close)


def words(text: str) -> str:
    """Return what the user said in a text: nothing when it is all a harness's or ours."""
    if text[:1] not in {"<", "[", "#", " ", "\n"}:
        return text
    if is_ours(text) or text.startswith(_OF_PICTURES) or LEFT_OUT.match(text):
        return ""
    return text[wrapped(text) :]
