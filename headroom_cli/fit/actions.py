"""What a call did, in one verb and its object: "read src/a.py", "ran pytest"."""

from __future__ import annotations

from headroom_cli.lazy import pattern


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


_READ = _names(
    "cat head tail less more nl bat view open goto scroll_down scroll_up read readfile read_file view_file open_file "
    "get_file_contents fetch_file notebookread xxd strings od sed awk wc stat file jq"
)
_SEARCHED = _names(
    "grep egrep fgrep rg ag ack find fd search search_file search_dir find_file search_files grep_search glob "
    "codebase_search file_search search_code search_repo locate git-grep"
)
_LISTED = _names("ls tree list_dir list_files list_directory listdir dir pwd du")
_EDITED = _names(
    "edit multiedit write create insert append edit_file write_file create_file write_to_file replace_in_file "
    "apply_diff apply_patch search_replace str_replace str_replace_editor str_replace_based_edit_tool notebookedit "
    "insert_content patch touch tee ed"
)
_PLANS = _names(
    "todowrite todo_write todoread update_todo_list write_todos update_plan exitplanmode exit_plan_mode "
    "create_plan set_plan plan task_tracker"
)
# Programs whose first argument is what they do, or what they run.
_WITH_OBJECT = _names(
    "git npm pnpm yarn npx cargo go make python python3 python2 pip pip3 uv poetry docker kubectl node deno bun ruby "
    "bundle mvn gradle dotnet terraform helm gh cmake php composer bash sh tox nox hatch rake mix swift"
)
# Words in front of the program that is meant.
_PREFIXES = _names("sudo time env timeout nohup nice xvfb-run exec command stdbuf")
_SETUP = _names("cd source . export set unset conda activate mkdir pushd popd ulimit umask true")
_SEPARATOR = pattern(r"&&|\|\||[;|\n]")
_REDIRECTION = pattern(r"(?:^|[^<>&\d])>{1,2}\s{0,9}(['\"]?)([^\s'\"<>|;&]{1,200})\1")
_IN_PLACE = pattern(r"(?:^|[\s;&|])(?:sed|perl)\s{1,9}(?:-[a-zA-Z]{1,4}\s{1,9}){0,3}-\w{0,3}i")
_PATCHED = pattern(r"\*\*\* (?:Update|Add|Delete) File: (\S{1,300})")
_PATH = pattern(r"[\w~@%+.-]{0,200}(?:/[\w@%+.-]{1,200}){1,40}|[\w-]{1,100}\.[A-Za-z]\w{0,9}")
_FLAG = pattern(r"[-+]|\d{1,9}(?:[smhd]|,\d{1,9}p)?$|\w{1,40}=")
_QUOTED = pattern(r"'[^']{0,2000}'|\"[^\"]{0,2000}\"")
_PARTS = pattern(r"[;|&\n]")
_LONG = 4_000  # characters of a command that are looked at
_MODULE = "-m"


def is_plan(tool: str) -> bool:
    """Tell whether a tool keeps a list of what is to be done: only its newest state counts."""
    return tool.lower() in _PLANS


def describe(tool: str, subject: str) -> tuple[str, str]:
    """Return a verb and its object for a call: its tool and what it was given (a command or a path)."""
    name = tool.lower()
    subject = subject[:_LONG]
    if _is_shell(name):
        return _command(subject)
    patched = _PATCHED.findall(subject)
    if patched:
        return "edited", patched[0]
    short = _short(subject) if "\n" not in subject else ""
    if name in _READ:
        return "read", short
    if name in _EDITED:
        # Editors with many commands are told by what they were given; viewing is all that a bare path can be.
        return "edited", short
    if name in _SEARCHED:
        return "searched", ""
    if name in _LISTED:
        return "listed", short
    return "called", tool


def program(tool: str, subject: str) -> str:
    """Return what a later call must have in common with this one to show that the same thing works now."""
    if not _is_shell(tool.lower()):
        return tool
    return " ".join(_command(subject[:_LONG])[1].split()[:1]) or "shell"


def _is_shell(name: str) -> bool:
    return not name or any(word in name for word in ("bash", "shell", "exec", "terminal", "command", "run_"))


def _command(text: str) -> tuple[str, str]:
    """Read a shell command: the last of its steps that is not there to prepare the others."""
    if _IN_PLACE.search(text) or text.startswith("apply_patch"):
        found = _PATCHED.findall(text) or _PATH.findall(text.rstrip().rpartition("\n")[2])
        return "edited", _short(found[-1]) if found else ""
    head = text.partition("<<")[0] if "<<" in text else text
    written = _REDIRECTION.search(text[: len(head) + 200] if "<<" in text else text)
    if written and not written[2].startswith(("/dev/", "&")):
        return "wrote", _short(written[2])
    chosen: list[str] = []
    step = ""
    whole = _QUOTED.sub(lambda quoted: "''" if _PARTS.search(quoted[0]) else quoted[0], head)
    for step in _SEPARATOR.split(whole)[:20]:
        words = step.split()
        while words and (words[0] in _PREFIXES or _FLAG.match(words[0])):
            words.pop(0)
        if words and words[0] not in _SETUP and not words[0].startswith(("#", "echo")):
            chosen = words
            break  # what follows a pipe only trims what this one prints
    if not chosen:
        words = head.split()
        return ("ran", words[0][:30]) if words else ("ran", "")
    first = chosen[0].rpartition("/")[2] if chosen[0].count("/") else chosen[0]
    rest = [word.strip("'\"") for word in chosen[1:] if not word.startswith(("-", "<", ">", "2>")) or word == _MODULE]
    name = first.lower()
    if name in ("grep", "egrep", "fgrep", "rg", "ag", "ack", "find", "fd", "search_file", "search_dir", "find_file"):
        quoted = _QUOTED.search(step)
        asked = [quoted[0]] if quoted else [word for word in rest if word and not _PATH.fullmatch(word)]
        return "searched", asked[0].strip("'\".")[:40] if asked else ""
    if name in _LISTED:
        return "listed", _short(rest[-1]) if rest else "."
    if name in _EDITED:
        return "edited", _short(rest[0]) if rest and not rest[0][:1].isdigit() else ""
    if name in _READ:
        paths = [word for word in rest if _PATH.fullmatch(word)]
        return "read", _short(paths[-1]) if paths else ""
    if name in _WITH_OBJECT and rest:
        if rest[0] == _MODULE:
            return "ran", rest[1] if len(rest) > 1 else first
        return "ran", f"{first} {_short(rest[0])}"
    return "ran", first[:40]


def _short(path: str) -> str:
    """Return a path in at most 60 characters: its end tells more than its beginning."""
    path = path.strip("'\"")
    if len(path) <= 60:
        return path
    return "..." + path[-57:]
